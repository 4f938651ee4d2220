"""Texts with planted personal data, and texts with numbers that only look like it.

Values come from the packages Faker and phonenumbers, so their forms were not chosen by who wrote
the patterns. Each kind has two or more frames per language. Frames of even numbers are for
development: faults found there may be mended. The others only measure.
"""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

LOCALES = {
    "English": ["en_US", "en_GB"],
    "German": ["de_DE", "de_AT"],
    "French": ["fr_FR", "fr_CH"],
    "Spanish": ["es_ES", "es_MX"],
    "Chinese": ["zh_CN", "zh_TW"],
}
BANKS = ["de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "de_AT", "fr_CH"]
REGIONS = {
    "English": ["US", "GB", "AU", "IN"],
    "German": ["DE", "AT", "CH"],
    "French": ["FR", "BE", "CA"],
    "Spanish": ["ES", "MX", "AR"],
    "Chinese": ["CN", "TW", "HK"],
}
FRAMES = {  # language -> kind -> frames; {} is the value
    "English": {
        "EMAIL": ["Please write to {} by Friday.", "Her address is {}, I think"],
        "PHONE": ["Call me at {} after lunch.", "Tel. {} (office hours only)"],
        "IBAN": ["Transfer the rent to {} today.", "My new account: {}."],
        "CARD": ["I paid with {} last week.", "Card number {}, valid until 09/27"],
        "IP": ["The login came from {} at night.", "Host {} does not answer."],
        "URL": ["The form is at {} for everyone.", "See {}, then reply."],
        "HANDLE": ["Thanks {} for the tip!", "Follow {} and win"],
    },
    "German": {
        "EMAIL": ["Bitte an {} schreiben.", "Meine neue Adresse lautet {}, danke"],
        "PHONE": ["Rufen Sie mich unter {} an.", "Tel.: {} (nur vormittags)"],
        "IBAN": ["Die Miete geht an {} wie immer.", "Neue Bankverbindung: {}."],
        "CARD": [
            "Bezahlt habe ich mit {} im Mai.",
            "Kartennummer {}, gültig bis 09/27",
        ],
        "IP": [
            "Die Anmeldung kam von {} in der Nacht.",
            "Der Rechner {} antwortet nicht.",
        ],
        "URL": ["Das Formular liegt unter {} bereit.", "Siehe {}, dann antworten."],
        "HANDLE": ["Danke {} für den Hinweis!", "Folgt {} und gewinnt"],
    },
    "French": {
        "EMAIL": ["Merci d'écrire à {} avant lundi.", "Voici mon adresse : {}, merci"],
        "PHONE": ["Appelez-moi au {} ce soir.", "Tél. : {} (le matin)"],
        "IBAN": ["Virez le loyer sur {} svp.", "Mon nouveau compte : {}."],
        "CARD": ["J'ai payé avec {} hier.", "Carte n° {}, valable jusqu'au 09/27"],
        "IP": ["La connexion venait de {} cette nuit.", "Le serveur {} ne répond pas."],
        "URL": ["Le formulaire est sur {} pour tous.", "Voir {}, puis répondre."],
        "HANDLE": ["Merci {} pour le conseil !", "Suivez {} et gagnez"],
    },
    "Spanish": {
        "EMAIL": ["Escriba a {} antes del lunes.", "Mi nueva dirección es {}, gracias"],
        "PHONE": ["Llámame al {} esta tarde.", "Tel.: {} (por la mañana)"],
        "IBAN": ["Transfiera el alquiler a {} hoy.", "Mi nueva cuenta: {}."],
        "CARD": ["Pagué con {} ayer.", "Tarjeta n.º {}, válida hasta 09/27"],
        "IP": ["El acceso vino de {} anoche.", "El servidor {} no responde."],
        "URL": ["El formulario está en {} para todos.", "Véase {}, y responda."],
        "HANDLE": ["¡Gracias {} por el consejo!", "Sigue a {} y gana"],
    },
    "Chinese": {
        "EMAIL": ["请在周五之前写信给 {} 谢谢。", "我的新邮箱是{}，请查收"],
        "PHONE": ["午饭后请拨打 {} 找我。", "联系电话：{}（仅限上班时间）"],
        "IBAN": ["请把房租转到 {} 这个账户。", "我的新账号：{}。"],
        "CARD": ["上周我用 {} 付了款。", "卡号{}，有效期至09/27"],
        "IP": ["昨晚的登录来自 {} 这台机器。", "主机{}没有响应。"],
        "URL": ["表格在 {} 可以下载。", "请看：{} ，然后回复。"],
        "HANDLE": ["谢谢 {} 的建议！", "请关注 {} 赢大奖"],
    },
}
DECOYS = {  # language -> kind -> frames of what is no personal data
    "English": {
        "date": ["The meeting is on {} in Leeds.", "Signed {}, in two copies"],
        "price": ["It cost {} in total.", "Revenue: {}."],
        "ISBN": ["The book (ISBN {}) is sold out.", "ISBN {}, second edition"],
        "version": ["It runs on release {} now.", "Updated to {}, no errors"],
        "order": ["Your order {} has shipped.", "Reference {}, please quote"],
        "score": ["They won {} at home.", "Final result {}, after extra time"],
        "number": ["The region has {} people.", "Size: {}."],
    },
    "German": {
        "date": ["Das Treffen ist am {} in Ulm.", "Unterschrieben {}, zweifach"],
        "price": ["Es kostete {} insgesamt.", "Umsatz: {}."],
        "ISBN": ["Das Buch (ISBN {}) ist vergriffen.", "ISBN {}, zweite Auflage"],
        "version": ["Es läuft mit Stand {} nun.", "Aktualisiert auf {}, fehlerfrei"],
        "order": ["Ihre Bestellung {} ist unterwegs.", "Zeichen {}, bitte angeben"],
        "score": ["Sie gewannen {} zu Hause.", "Endstand {}, nach Verlängerung"],
        "number": ["Das Land hat {} Einwohner.", "Größe: {}."],
    },
    "French": {
        "date": ["La réunion est le {} à Lyon.", "Signé le {}, en double"],
        "price": ["Cela a coûté {} en tout.", "Chiffre d'affaires : {}."],
        "ISBN": ["Le livre (ISBN {}) est épuisé.", "ISBN {}, deuxième édition"],
        "version": ["Il tourne avec la mouture {} ici.", "Mise à jour {}, sans erreur"],
        "order": ["Votre commande {} est partie.", "Référence {}, à rappeler"],
        "score": ["Ils ont gagné {} chez eux.", "Résultat {}, après prolongation"],
        "number": ["La région a {} habitants.", "Taille : {}."],
    },
    "Spanish": {
        "date": ["La reunión es el {} en Vigo.", "Firmado el {}, por duplicado"],
        "price": ["Costó {} en total.", "Ingresos: {}."],
        "ISBN": ["El libro (ISBN {}) está agotado.", "ISBN {}, segunda edición"],
        "version": [
            "Funciona con la edición {} ahora.",
            "Actualizado a {}, sin fallos",
        ],
        "order": ["Su pedido {} está en camino.", "Referencia {}, cítela"],
        "score": ["Ganaron {} en casa.", "Resultado {}, tras la prórroga"],
        "number": ["La región tiene {} habitantes.", "Tamaño: {}."],
    },
    "Chinese": {
        "date": ["会议定于 {} 在苏州举行。", "签于{}，一式两份"],
        "price": ["一共花了 {} 左右。", "收入：{}。"],
        "ISBN": ["这本书（ISBN {}）已售完。", "ISBN {}，第二版"],
        "version": ["现在使用 {} 这一版。", "已更新到{}，没有错误"],
        "order": ["您的订单 {} 已发货。", "编号{}，请注明"],
        "score": ["他们以 {} 获胜。", "最终比分{}，加时赛"],
        "number": ["该地区有 {} 人。", "大小：{}。"],
    },
}


class Text(NamedTuple):
    """A text, and what is planted in it. Decoys have no personal data."""

    text: str
    language: str
    kind: str
    value: str
    start: int
    is_decoy: bool


def texts(half: str, n_items: int = 40, n_decoys: int = 20) -> Iterator[Text]:
    """Yield texts of the half "development" or "measure", per language and kind."""
    from faker import Faker

    start = ("development", "measure").index(half)
    cards, *banks = map(Faker, ["en_US", *BANKS])
    for number, fake in enumerate([cards, *banks]):
        fake.seed_instance(100 + 10 * start + number)
    for language, locales in LOCALES.items():
        fakes = [Faker(locale) for locale in locales]
        for number, fake in enumerate(fakes):
            fake.seed_instance(10 * start + number)
        random = Random(start)
        for table, make, n in (
            (FRAMES, item, n_items),
            (DECOYS, decoy, n_decoys),
        ):
            for kind, frames in table[language].items():
                own = frames[start::2]
                for i in range(n):
                    some = Fakes(fakes[i % len(fakes)], cards, banks)
                    value = make(kind, language, i, some, random)
                    frame = own[i % len(own)]
                    place = frame.index("{}")
                    text = frame.replace("{}", value)
                    yield Text(text, language, kind, value, place, table is DECOYS)


class Fakes(NamedTuple):
    """Sources of values: of the language, of cards, and of accounts in several countries."""

    own: Any
    cards: Any
    banks: list[Any]


def item(kind: str, language: str, i: int, fakes: Fakes, random: Random) -> str:
    """Return personal data of a kind, in one of its usual forms."""
    fake = fakes.own
    if kind == "EMAIL":
        address = [fake.email, fake.ascii_company_email, fake.ascii_free_email][i % 3]()
        return (
            address.replace("@", f"+{fake.word()}@")
            if i % 10 == 9 and language != "Chinese"
            else address
        )
    if kind == "PHONE":
        return phone(REGIONS[language][i % len(REGIONS[language])], i, random)
    if kind == "IBAN":
        number = fakes.banks[i % len(fakes.banks)].iban()
        groups = [number[j : j + 4] for j in range(0, len(number), 4)]
        return " ".join(groups) if i % 2 else number
    if kind == "CARD":
        brand = ["visa", "mastercard", "amex", "discover"][i % 4]
        number = fakes.cards.credit_card_number(brand)
        sizes = [4, 6, 5] if brand == "amex" else [4] * 4
        ends = [sum(sizes[:j]) for j in range(len(sizes) + 1)]
        groups = [number[a:b] for a, b in pairwise(ends)]
        return ["", " ", "-"][i % 3].join(groups)
    if kind == "IP":
        return fake.ipv6() if i % 4 == 3 else fake.ipv4()
    if kind == "URL":
        return [
            fake.url,
            fake.uri,
            lambda: fake.uri().split("://")[1],
            lambda: f"www.{fake.domain_name()}",
        ][i % 4]()
    return f"@{fake.user_name()}"


def phone(region: str, i: int, random: Random) -> str:
    """Return a valid number of a country, as people there or abroad write it."""
    import phonenumbers as library

    kinds = [library.PhoneNumberType.MOBILE, library.PhoneNumberType.FIXED_LINE]
    while True:
        number = library.example_number_for_type(region, random.choice(kinds))
        if number is None:  # the two are not distinguished
            number = library.example_number(region)
        digits = list(str(number.national_number))
        for place in range(len(digits) - 5, len(digits)):
            digits[place] = str(random.randrange(10))
        number.national_number = int("".join(digits))
        if library.is_valid_number(number):
            break
    formats = library.PhoneNumberFormat
    form = [formats.NATIONAL, formats.INTERNATIONAL, formats.NATIONAL, formats.E164][
        i % 4
    ]
    return library.format_number(number, form)


def decoy(kind: str, language: str, i: int, fakes: Fakes, random: Random) -> str:
    """Return a number that is no personal data."""
    fake = fakes.own
    if kind == "date":
        forms = [
            "%Y-%m-%d",
            "%d.%m.%Y",
            "%m/%d/%Y",
            "%Y-%m-%d %H:%M:%S",
            "%Y%m%d",
            "%d-%m-%Y %H:%M",
        ]
        forms += ["%Y年%m月%d日"] * (language == "Chinese")
        return fake.date_time().strftime(forms[i % len(forms)])
    if kind == "price":
        n = random.randrange(10**5, 10**9)
        if i % 3 == 0:
            return f"${n / 100:,.2f}"
        if i % 3 == 1:
            return f"{n:,}".replace(",", ".") + ",50 €"
        return f"{n:,}".replace(",", " ") + " EUR"
    if kind == "ISBN":
        return fake.isbn13() if i % 3 else fake.isbn10()
    if kind == "version":
        a, b, c = (random.randrange(30) for _ in range(3))
        return [
            f"{a}.{b}.{c}",
            f"v{a}.{b}.{c}.{random.randrange(9999)}",
            f"{a}.{b}.{c}-rc1",
            f"{a}.{b}.{random.randrange(256, 99999)}.{c}",
        ][i % 4]
    if kind == "order":
        n = random.randrange(10**7, 10**12)
        return [
            f"#{n}",
            f"A-{n}",
            f"{n % 10**9:09}-{n % 97:02}",
            fake.uuid4(),
            fake.ean13(),
        ][i % 5]
    if kind == "score":
        a, b, c, d = (random.randrange(8) for _ in range(4))
        return [f"{a}:{b} ({c}:{d})", f"{a}-{b} {c}-{d} 7-5", f"1{a}{b}-9{c}"][i % 3]
    n = random.randrange(10**4, 10**10)
    return [
        f"{n:,}",
        f"{n:,}".replace(",", " "),
        f"{n % 9000} × {n % 4000}",
        f"{n % 180}.{n % 9999:04}, {n % 90}.{n % 8999:04}",
    ][i % 4]
