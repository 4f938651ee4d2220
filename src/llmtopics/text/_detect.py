"""Detect whether a text is clearly not in a language."""

from collections import Counter
from unicodedata import name

from llmtopics.text._languages import LANGUAGES
from llmtopics.text._spelling import clean, lower
from llmtopics.text._stop_words import stop_words
from llmtopics.text._tokens import KINDS, KnownWords, Rules

_MORE = 2  # more stop words of another language; smaller differences may be chance

_KNOWN = KnownWords(Rules(kinds=dict.fromkeys(KINDS, "drop")))


def words_of(text: str) -> list[str]:
    """Return the words of a text in any language: those between spaces and signs."""
    pieces = lower(clean(text), "").split()
    return [word for piece in pieces for word in _KNOWN[piece] if word is not None]


def is_foreign(text: str, language: str) -> bool:
    """Tell whether a text is clearly not in ``language``.

    It is foreign in two cases. Most of its letters are not in the script of the language. Or
    it has at least two more distinct stop words of another language. A list of keywords has
    no stop words, so only the script decides.

    Parameters
    ----------
    text : str
    language : str
        A language of :class:`TextAnalyzer` that has stop words.

    Raises
    ------
    ValueError
        If the language is not known or has no stop words.
    """
    own = stop_words(language) if language in LANGUAGES else frozenset()
    if not own:
        known = ", ".join(each for each in LANGUAGES if stop_words(each))
        raise ValueError(f"language must be None or one of {known}, got {language!r}.")
    script = _script(text)
    if script and script != _script("".join(own)):
        return True
    words = set(words_of(text))
    most = max(len(words & stop_words(each)) for each in LANGUAGES)
    return most >= len(words & own) + _MORE


def _script(text: str) -> str | None:
    """Return the script of most letters: the first word of their names ("LATIN")."""
    scripts = Counter(name(sign, "?").split()[0] for sign in text if sign.isalpha())
    return max(scripts, key=scripts.__getitem__, default=None)
