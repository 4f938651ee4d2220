"""Languages and their stop words."""

from collections.abc import Collection
from functools import lru_cache
from itertools import product

import stopwordsiso
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from llmtopics.text._languages import LANGUAGES, language_name
from llmtopics.text._list_changes import CONTENT_WORDS, MORE_WORDS, TRADITIONAL
from llmtopics.text._spelling import clean, lower

# stopwordsiso has no list of these
_WITHOUT = {"burmese", "khmer", "lao", "nepali", "serbian", "tamil", "yiddish"}


def stop_words(language: str = "english") -> frozenset[str]:
    """Return the stop words of a language, to extend or shorten the list.

    ``TextAnalyzer(language)`` uses this list. Pass your own as its ``stop_words``.

    Parameters
    ----------
    language : str, default="english"
        A language that :class:`TextAnalyzer` knows.

    Returns
    -------
    words : frozenset of str
        In lower case. Empty for languages without a list.

    Raises
    ------
    ValueError
        If the language is not known. The message lists all languages.

    See Also
    --------
    TextAnalyzer : Drops stop words from texts.

    Examples
    --------
    Add words, or remove some that have a meaning in your texts:

    >>> from llmtopics import TextAnalyzer
    >>> from llmtopics.text import stop_words
    >>> more = TextAnalyzer("italian", stop_words=stop_words("italian") | {"signor", "oggi"})
    >>> more("Il signor Rossi oggi compra il pane.")
    ['rossi', 'compra', 'pane']
    >>> fewer = TextAnalyzer(stop_words=stop_words("english") - {"system", "fire"})
    >>> fewer("The system is on fire.")
    ['system', 'fire']
    """
    return _stop_words(language_name(language))


@lru_cache
def _stop_words(language: str) -> frozenset[str]:
    if language == "english":
        # scikit-learn's list has no contractions and no parts of them
        contractions = {word for word in stopwordsiso.stopwords("en") if "'" in word}
        return ENGLISH_STOP_WORDS | contractions | {"d", "ll", "m", "s", "t", "ve"}
    words = () if language in _WITHOUT else stopwordsiso.stopwords(LANGUAGES[language])
    words = {*words, *MORE_WORDS.get(language, "").split()}
    words -= {*CONTENT_WORDS.get(language, "").split()}
    if language == "chinese":
        words |= _traditional(words)
    return frozenset(lower(clean(word), language) for word in words)


def _traditional(words: Collection[str]) -> set[str]:
    """Return Chinese words with each of their characters in all its forms."""
    forms = {signs[0]: signs for signs in TRADITIONAL.split()}
    return {
        "".join(signs)
        for word in words
        for signs in product(*(forms.get(sign, sign) for sign in word))
    }


def as_stop_words(
    given: str | frozenset[str] | None, languages: tuple[str, ...]
) -> frozenset[str]:
    """Return the words that the parameter ``stop_words`` means for known languages."""
    if given is None:
        return frozenset()
    if given == "auto":
        return frozenset().union(*map(_stop_words, languages))
    if isinstance(given, str):
        raise ValueError(
            f"stop_words must be 'auto', None or a list of words, got {given!r}."
        )
    return spelled("stop_words", given, languages)


def spelled(
    name: str, given: Collection[str], languages: tuple[str, ...]
) -> frozenset[str]:
    """Return the words of the parameter ``name``, normalized like texts."""
    if isinstance(given, str):
        raise ValueError(f"{name} must be a list or set of words, got {given!r}.")
    if wrong := [word for word in given if not isinstance(word, str)]:
        raise ValueError(f"{name} holds {wrong[0]!r}: all words must be str.")
    language = languages[0] if len(languages) == 1 else ""
    return frozenset(lower(clean(word), language) for word in given)
