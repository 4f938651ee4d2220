"""One spelling for each word: Unicode forms, apostrophes, lower case, accents."""

import re
from unicodedata import normalize

import regex

# Apostrophes and hyphens become one sign each. What has no width and parts no words is
# removed: soft hyphens, Arabic's stretching stroke, marks of direction and of byte order,
# and NUL. A zero-width space separates words. NFKC would make letters of the signs of trade
# marks and of information ("Windows™" → "WindowsTM").
_SAME_SIGN = str.maketrans(
    dict.fromkeys("’‘´ʼ", "'")
    | dict.fromkeys("\u2010\u2011", "-")
    | dict.fromkeys("™℠ℹ", " ")
    | dict.fromkeys(
        "\x00\u00ad\u0640\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e"
        "\u061c\u2066\u2067\u2068\u2069"
    )
)
_MAY_DIFFER = re.compile(f"[{''.join(map(chr, _SAME_SIGN))}]").search
# NFKC parts these signs of Thai and Lao in two, and dictionaries have them whole
_WHOLE = (("\u0e4d\u0e32", "ำ"), ("\u0ecd\u0eb2", "ຳ"), ("ຫນ", "ໜ"), ("ຫມ", "ໝ"))
_TURKISH = str.maketrans({"I": "ı", "İ": "i"})
# In other scripts, marks are vowels (Hindi) or make other letters (Russian й)
_ACCENTS = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Arabic}\p{Hebrew}])\p{M}++").sub


def clean(text: str) -> str:
    """Return a text in Unicode's normal form (NFKC), with one sign for all apostrophes."""
    if text.isascii():
        return text.replace("\x00", "")
    if _MAY_DIFFER(text):  # a search is faster than a translation
        text = text.translate(_SAME_SIGN)
    text = normalize("NFKC", text)
    for parts, whole in _WHOLE:
        text = text.replace(parts, whole)
    return text


def lower(text: str, language: str) -> str:
    """Return a text in lower case, by Turkish rules in Turkish."""
    if language == "turkish":
        text = text.translate(_TURKISH)
    # Python's lower case of İ is two signs, i and a dot
    return text.replace("İ", "i").lower()


def without_accents(text: str) -> str:
    """Return a text without accents (Latin, Greek) and vowel points (Arabic, Hebrew)."""
    if text.isascii():
        return text
    return normalize("NFC", _ACCENTS("", normalize("NFD", text)))
