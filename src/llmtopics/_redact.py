"""Replace personal data in texts by placeholders such as ``<EMAIL_1>``.

Patterns find what has a fixed form, and check digits reject numbers that only look like it.
Names and addresses of people have no fixed form and are not found.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from ipaddress import ip_address
from itertools import count
from typing import Any

_PLACEHOLDER = re.compile(r"<[A-Z]+_\d+>")
_PLAIN = str.maketrans(  # other forms of spaces, hyphens, digits and Latin letters
    dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")
    | {c: chr(ord(c) - 0xFEE0) for c in map(chr, range(0xFF01, 0xFF5F)) if c.isalnum()}
    | dict(zip("＠＋－．＿", "@+-._", strict=True))
)
# A letter of a script without spaces may touch what is found ("电话13800138000").
_NO_SPACES = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u9fff\uac00-\ud7ff\uff00-\uffef"
)
_LETTER = rf"[^\W{_NO_SPACES}]"
_START = r"(?<![A-Za-z0-9_.,+])"
_END = r"(?![A-Za-z0-9_]|[.,]\d)"
_IBAN_LENGTHS = dict.fromkeys(["NO"], 15) | {
    country: n
    for n, countries in {
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB PL",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC SV",
        32: "LC",
    }.items()
    for country in countries.split()
}


def redacted(
    text: str,
    redact: str | Callable[[str], str] | None,
    known: dict[str, str] | None = None,
) -> tuple[str, dict[str, str]]:
    """Return a text without personal data, and what each placeholder stands for.

    Parameters
    ----------
    text : str
    redact : "pii", callable or None
        "pii" replaces web and e-mail addresses, IBANs, card numbers, IP addresses, phone
        numbers and @handles. A callable takes a text and returns the text to use instead. Its
        replacements are not known. None keeps the text.
    known : dict or None
        Placeholders in other texts that are sent with this one, and what they stand for. Equal
        values get the same placeholder, others a new one.

    Returns
    -------
    text : str
    originals : dict
        From placeholders, ``known`` ones included, to what they replaced.

    Raises
    ------
    ValueError
        If the callable does not return a text.
    """
    originals = dict(known or {})
    if redact is None:
        return text, originals
    if callable(redact):
        found = redact(text)
        if not isinstance(found, str):
            raise ValueError(
                f"redact must return a text for each text, got {type(found).__name__}."
            )
        return found, originals
    names = {value: name for name, value in originals.items()}
    used = {*originals, *_PLACEHOLDER.findall(text)}  # a user may have written some
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))

    def name_of(value: str, kind: str) -> str:
        if value not in names:
            new = (f"<{kind}_{n}>" for n in numbers[kind])
            names[value] = name = next(name for name in new if name not in used)
            originals[name] = value
        return names[value]

    # A placeholder that is in this text and in known must not be taken for the known one.
    text = _PLACEHOLDER.sub(
        lambda m: name_of(m[0], "TEXT") if m[0] in (known or {}) else m[0], text
    )
    for kind, find in _KINDS:
        parts, end = [], 0
        for start, stop in find(text.translate(_PLAIN)):
            parts += [text[end:start], name_of(text[start:stop], kind)]
            end = stop
        text = "".join([*parts, text[end:]])
    return text, originals


def cleaner(redact: Any) -> Callable[[str], str]:
    """Return a function from a text to the text without personal data.

    Raises
    ------
    ValueError
        If ``redact`` is not "pii", a callable or None.
    """
    if redact not in (None, "pii") and not callable(redact):
        raise ValueError(
            f"redact must be None, 'pii' or a callable, got {redact!r:.100}."
        )
    return cache(lambda text: redacted(text, redact)[0])


def distinct(names: Iterable[str]) -> list[str]:
    """Return names, with a number after those that others had before them."""
    found: list[str] = []
    used: set[str] = set()
    numbers: dict[str, int] = {}
    for name in names:
        one = name
        while one in used:
            numbers[name] = numbers.get(name, 1) + 1
            one = f"{name} ({numbers[name]})"
        used.add(one)
        found.append(one)
    return found


def restored(text: str, originals: dict[str, str]) -> str:
    """Return a text with its placeholders replaced by what they stand for."""
    return _PLACEHOLDER.sub(lambda m: originals.get(m[0], m[0]), text)


Spans = Iterator[tuple[int, int]]


def _matches(
    pattern: str, is_real: Callable[[str], bool] = lambda found: True
) -> Callable[[str], Spans]:
    """Return a function that yields where a pattern matches and is real."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def find(text: str) -> Spans:
        for match in compiled.finditer(text):
            if is_real(match[0]):
                yield match.span()

    return find


def _digits(text: str) -> str:
    """Return the digits of a text, those of all scripts as 0 to 9."""
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _is_ip(found: str) -> bool:
    try:
        ip_address(found)
    except ValueError:
        return False
    return True


def _ibans(text: str) -> Spans:
    """Yield where International Bank Account Numbers are, by length and check digits."""
    flags, end = re.IGNORECASE | re.ASCII, 0
    for start in re.finditer(r"(?<!\d)([A-Z]{2})\d\d", text, flags):
        n_more = _IBAN_LENGTHS.get(start[1].upper(), 4) - 4
        rest = re.compile(rf"(?:[ .-]{{0,3}}[A-Z0-9]){{{n_more}}}(?!\d)", flags)
        found = rest.match(text, start.end())
        if not (n_more and found and start.start() >= end):
            continue
        turned = re.sub("[ .-]", "", found[0] + start[0])
        if int("".join(str(int(c, 36)) for c in turned)) % 97 == 1:
            end = found.end()
            yield start.start(), end


def _cards(text: str) -> Spans:
    """Yield where card numbers are: 14 to 19 digits in groups, with a check digit (Luhn)."""
    numbers = r"\d{4}(?:\.\d{4}){3}|\d+(?:[ -]{1,3}\d+)*"
    for run in re.finditer(rf"{_START}(?:{numbers}){_END}", text):
        found = run[0]  # each use of run[0] copies the text
        groups = [m.span() for m in re.finditer(r"\d+", found)]
        first = 0
        while first < len(groups):
            for last in range(min(len(groups), first + 7), first, -1):
                start, stop = groups[first][0], groups[last - 1][1]
                long_enough = stop - start >= 14  # saves time
                if long_enough and _is_card(_digits(found[start:stop])):
                    yield run.start() + start, run.start() + stop
                    first = last - 1
                    break
            first += 1


_CARD = re.compile(  # what issuers begin with, and how many digits they use
    r"4\d{15}(?:\d{3})?|5\d{15}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}"
    r"|6\d{15,18}"
)


def _is_card(digits: str) -> bool:
    if not _CARD.fullmatch(digits):
        return False
    doubled = (sum(divmod(2 * int(c), 10)) for c in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[::-2]))) % 10 == 0


def _is_phone(found: str) -> bool:
    is_round = re.fullmatch(r"\+\d+(?:[ .]000)+", found)  # +3 000 000 000 people
    return 8 <= len(_digits(found)) <= 15 and not is_round


_GAP = r"(?:[ ./-]|[ ]{2})"
_PHONES = [
    rf"(?:\+|00)[1-9](?:(?:\)?{_GAP}\(?|[()])?\d){{7,14}}",  # +49 (30) 123-456
    rf"(?:1{_GAP})?(?:\([2-9]\d\d\){_GAP}?|[2-9]\d\d{_GAP})\d{{3}}{_GAP}\d{{4}}",  # (212) 555-0123
    rf"1[3-9]\d(?:\d{{8}}|{_GAP}\d{{4}}{_GAP}\d{{4}})",  # 13800138000
    rf"\(0[1-9]\d{{0,4}}\){_GAP}?\d{{2,8}}(?:{_GAP}\d{{2,4}}){{0,3}}",  # (030) 123456
    r"0[1-9]\d{8,9}",  # 0612345678
    rf"0[1-9]\d{{1,3}}{_GAP}\d{{3,8}}(?:{_GAP}\d{{2,4}}){{0,3}}",  # 020 7946 0958
    rf"0[1-9]\d{{1,3}}{_GAP}\d{{2}}(?:{_GAP}\d{{2}}){{2}}",  # 0450 12 34 56
    rf"0[1-9]\d{{1,3}}{_GAP}\d{{2}}(?:{_GAP}\d{{3,4}}){{2}}",  # 011 15-2345-6789
    rf"0[1-9]{_GAP}\d{{7,9}}",  # 01 23456789
    rf"[6-9]\d\d(?:{_GAP}\d{{2}}){{3}}",  # 612 34 56 78
    rf"0[1-9](?:{_GAP}\d{{2}}){{4}}",  # 01 23 45 67 89
    rf"0[1-9]{_GAP}\d{{3,4}}{_GAP}\d{{4}}",  # 03-1234-5678
]
_NUMBERED = "".join(
    f"(?<!{word} )" for word in ("version", "release", "section", "chapter", "table")
)
_IN_URL = r"(?:[^\s<>\"'()，。、）]|\([^\s()]*\)|\((?![^\s()]*\)))+(?<![.,:;!?\]}])"
# In this order. The second pattern of a kind is for names in scripts without spaces, in which
# it cannot know where a name begins and ends: it takes all letters.
_KINDS: list[tuple[str, Callable[[str], Spans]]] = [
    (
        "URL",
        _matches(
            rf"(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{{0,20}}://|www\.){_IN_URL}"
            rf"|(?<!{_LETTER})(?<![@./-])(?:[a-z0-9-]{{1,63}}\.){{1,8}}(?-i:[a-z]{{2,6}})/{_IN_URL}"
        ),
    ),
    (
        "EMAIL",
        _matches(
            rf"(?<![a-z0-9@])(?:{_LETTER}|[.%+'-]){{1,64}}@(?:{_LETTER}|-){{1,63}}"
            rf"(?:\.(?:{_LETTER}|-){{1,63}}){{1,8}}"
        ),
    ),
    (
        "EMAIL",
        _matches(r"(?<![\w@.])[\w.%+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    ),
    ("IBAN", _ibans),
    ("CARD", _cards),
    (
        "IP",
        _matches(
            rf"{_NUMBERED}(?<!\bv)(?<![a-z)]/)(?<!{_LETTER})(?<![.+-])"
            rf"\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?!{_LETTER}|\.\d)"
            rf"|(?<!{_LETTER})(?<![.:+-])(?<!\w\[)"
            r"(?=[0-9a-f:]*\d)(?=[0-9a-f:.]*::|(?:[0-9a-f]+:){6})"
            rf"[0-9a-f:][0-9a-f:.]*(?:[0-9a-f]|(?<=:):)(?!{_LETTER}|:|\.\d)",
            _is_ip,
        ),
    ),
    (
        "PHONE",
        _matches(
            rf"{_START}(?<!-)(?:{'|'.join(_PHONES)}){_END}(?!-\d)",
            _is_phone,
        ),
    ),
    (
        "HANDLE",
        _matches(
            rf"(?<!{_LETTER})(?<![@./])@(?!\d){_LETTER}{{2,}}"
            rf"(?:@[\w-]+(?:\.[\w-]+)+|(?:[.-]{_LETTER}+)*)"
        ),
    ),
    ("HANDLE", _matches(r"(?<![A-Za-z0-9_@./])@[^\W\d]\w+")),
]


def check_redact(redact: Any, restore: bool = False) -> None:
    """Raise a ValueError if the parameters are wrong."""
    if restore and redact != "pii":
        raise ValueError(
            "restore=True needs redact='pii', because only its placeholders are known."
        )
