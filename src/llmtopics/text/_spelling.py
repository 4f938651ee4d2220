"""One spelling for each word: Unicode forms, apostrophes, lower case."""

from unicodedata import normalize

# Apostrophes become one sign. Soft hyphens and Arabic's stretching stroke are removed.
_SAME_SIGN = str.maketrans(
    {"’": "'", "‘": "'", "´": "'", "ʼ": "'", "\u00ad": None, "\u0640": None}
)
_TURKISH = str.maketrans({"I": "ı", "İ": "i"})


def clean(text: str) -> str:
    """Return a text in Unicode's normal form (NFKC), with one sign for all apostrophes."""
    return normalize("NFKC", text.translate(_SAME_SIGN))


def lower(text: str, language: str) -> str:
    """Return a text in lower case, by Turkish rules in Turkish."""
    return (text.translate(_TURKISH) if language == "turkish" else text).lower()
