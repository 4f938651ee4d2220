"""Replace personal data in texts by placeholders such as ``<EMAIL_1>``.

Patterns find what has a fixed form, and check digits reject numbers that only look like it.
Names and addresses of people have no fixed form and are not found.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

# A letter of a script without spaces may touch what is found ("电话13800138000").
_LETTER = r"(?:(?![\u3000-\u9fff\uac00-\ud7ff\uff00-\uffef])\w)"
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
    text: str, redact: str | Callable[[str], str] | None
) -> tuple[str, dict[str, str]]:
    """Return a text without personal data, and what each placeholder stands for.

    Parameters
    ----------
    text : str
    redact : "pii", callable or None
        "pii" replaces web and e-mail addresses, IBANs, card numbers, IP addresses, phone
        numbers and @handles. A callable takes a text and returns the text to use instead. Its
        replacements are not known. None keeps the text.

    Returns
    -------
    text : str
    originals : dict
        From placeholders to what they replaced. Equal values share one, within a text.

    Raises
    ------
    ValueError
        If the callable does not return a text.
    """
    if redact is None:
        return text, {}
    if callable(redact):
        found = redact(text)
        if not isinstance(found, str):
            raise ValueError(
                f"redact must return a text for each text, got {type(found).__name__}."
            )
        return found, {}
    originals: dict[str, str] = {}
    for kind, find in _KINDS.items():
        placeholders: dict[str, str] = {}
        parts, end = [], 0
        for start, stop in find(text):
            value = text[start:stop]
            if value not in placeholders:
                placeholders[value] = _unused(kind, len(placeholders) + 1, text)
            parts += [text[end:start], placeholders[value]]
            end = stop
        text = "".join([*parts, text[end:]])
        originals |= {name: value for value, name in placeholders.items()}
    return text, originals


def restored(text: str, originals: dict[str, str]) -> str:
    """Return a text with its placeholders replaced by what they stand for."""
    return re.sub(r"<[A-Z]+_\d+>", lambda m: originals.get(m[0], m[0]), text)


def _unused(kind: str, n: int, text: str) -> str:
    """Return a placeholder that is not in the text, as a user may have written it."""
    while f"<{kind}_" in text:
        kind += "X"
    return f"<{kind}_{n}>"


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
    for start in re.finditer(r"(?<![A-Za-z0-9])([A-Z]{2})\d\d", text, flags):
        n_more = _IBAN_LENGTHS.get(start[1].upper(), 4) - 4
        rest = re.compile(rf"(?:[ -]?[A-Z0-9]){{{n_more}}}(?![A-Z0-9])", flags)
        found = rest.match(text, start.end())
        if not (n_more and found and start.start() >= end):
            continue
        turned = re.sub("[ -]", "", found[0] + start[0])
        if int("".join(str(int(c, 36)) for c in turned)) % 97 == 1:
            end = found.end()
            yield start.start(), end


def _cards(text: str) -> Spans:
    """Yield where card numbers are: 14 to 19 digits in groups, with a check digit (Luhn)."""
    for run in re.finditer(rf"{_START}\d+(?:[ -]\d+)*{_END}", text):
        groups = [m.span() for m in re.finditer(r"\d+", run[0])]
        first = 0
        while first < len(groups):
            for last in range(min(len(groups), first + 7), first, -1):
                start, stop = groups[first][0], groups[last - 1][1]
                long_enough = stop - start >= 14  # saves time
                if long_enough and _is_card(_digits(run[0][start:stop])):
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
    return 8 <= len(_digits(found)) <= 15


_PHONES = [
    r"(?:\+|00)[1-9](?:(?:\)?[ ./-]\(?|[()])?\d){7,14}",  # +49 (30) 123-456
    r"(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])\d{3}[-. ]\d{4}",  # (212) 555-0123
    r"1[3-9]\d(?:\d{8}|[ -]\d{4}[ -]\d{4})",  # 13800138000
    r"\(0[1-9]\d{1,4}\)[ /-]?\d{2,8}(?:[ -]\d{2,4}){0,3}",  # (030) 123456
    r"0[1-9]\d{8,9}",  # 0612345678
    r"0[1-9]\d{1,3}[ /-]\d{3,8}(?:[ -]\d{2,4}){0,3}",  # 020 7946 0958
    r"0[1-9](?:[ .-]\d{2}){4}",  # 01 23 45 67 89
    r"0[1-9][ -]\d{3,4}[ -]\d{4}",  # 03-1234-5678
]
_KINDS: dict[str, Callable[[str], Spans]] = {
    "URL": _matches(
        r"(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{0,20}://|www\.)"
        r"(?:[^\s<>\"'()，。、）]|\([^\s()]*\)|\((?![^\s()]*\)))+(?<![.,:;!?\]}])"
    ),
    "EMAIL": _matches(
        rf"(?<![a-z0-9@])(?:{_LETTER}|[.%+'-]){{1,64}}@(?:{_LETTER}|-){{1,63}}"
        rf"(?:\.(?:{_LETTER}|-){{1,63}}){{1,8}}"
    ),
    "IBAN": _ibans,
    "CARD": _cards,
    "IP": _matches(
        r"(?<!version )(?<!\bv)(?<![\w.:+-])(?:\d{1,3}(?:\.\d{1,3}){3}"
        r"|(?=[0-9a-f:]*\d)[0-9a-f]{1,4}:[0-9a-f:.]*[0-9a-f])(?![\w:]|\.\d)",
        _is_ip,
    ),
    "PHONE": _matches(
        rf"{_START}(?<!-)(?:{'|'.join(_PHONES)}){_END}(?!-\d)", _is_phone
    ),
    "HANDLE": _matches(r"(?<![\w@./])@[a-z_]\w+(?:@[\w-]+(?:\.[\w-]+)+|(?:[.-]\w+)*)"),
}


def check_redact(redact: Any, restore: bool = False) -> None:
    """Raise a ValueError if the parameters are wrong."""
    if restore and redact != "pii":
        raise ValueError(
            "restore=True needs redact='pii', because only its placeholders are known."
        )
