"""Whether a text is plainly not in a language."""

from collections import Counter
from unicodedata import name

from llmtopics.text import _LANGUAGES, TextAnalyzer, _stop_words

_MORE = 2  # stop words of another language, than which fewer may be chance

words_of = TextAnalyzer(stop_words=None, min_length=1)


def is_foreign(text: str, language: str) -> bool:
    """Tell whether a text is plainly not in ``language``.

    It is not if most of its letters are of another script than the language's, or if it has two distinct stop words more of some other language than of this
    one. A list of keywords has no stop words: there the script alone decides.

    Parameters
    ----------
    text : str
    language : str
        One of those that :class:`TextAnalyzer` knows and that have a stop list.

    Raises
    ------
    ValueError
        If the language is not known or has no stop list.
    """
    own = _stop_words(language) if language in _LANGUAGES else frozenset()
    if not own:
        known = ", ".join(each for each in _LANGUAGES if _stop_words(each))
        raise ValueError(f"language must be None or one of {known}, got {language!r}.")
    script = _script(text)
    if script and script != _script("".join(own)):
        return True
    words = set(words_of(text))
    most = max(len(words & _stop_words(each)) for each in _LANGUAGES)
    return most >= len(words & own) + _MORE


def _script(text: str) -> str | None:
    """Return the script of most letters: the first word of their names ("LATIN")."""
    scripts = Counter(name(sign, "?").split()[0] for sign in text if sign.isalpha())
    return max(scripts, key=scripts.__getitem__, default=None)
