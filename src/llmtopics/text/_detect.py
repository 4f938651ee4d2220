"""Whether a text is plainly not in a language."""

from collections import Counter
from unicodedata import name

from llmtopics.text._analyzer import TextAnalyzer
from llmtopics.text._stop_words import LANGUAGES, stop_words

_MORE = 2  # stop words of another language: smaller differences may be chance

words_of = TextAnalyzer(stop_words=None, min_length=1)


def is_foreign(text: str, language: str) -> bool:
    """Tell whether a text is plainly not in ``language``.

    It is foreign in two cases. Most of its letters belong to another script than the
    language's. Or another language has at least two more of its distinct stop words. A list
    of keywords has no stop words: there the script alone decides.

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
