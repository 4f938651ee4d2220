"""Languages and their stop words."""

from collections.abc import Collection
from functools import lru_cache

import stopwordsiso
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from llmtopics.text._spelling import clean, lower

# name -> its code in stopwordsiso (None: stopwordsiso has no list)
LANGUAGES = {
    "arabic": "ar",
    "armenian": "hy",
    "basque": "eu",
    "bulgarian": "bg",
    "catalan": "ca",
    "chinese": "zh",
    "croatian": "hr",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "esperanto": "eo",
    "estonian": "et",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "indonesian": "id",
    "irish": "ga",
    "italian": "it",
    "korean": "ko",
    "latvian": "lv",
    "lithuanian": "lt",
    "nepali": None,
    "norwegian": "no",
    "persian": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "serbian": None,
    "sesotho": "st",
    "slovak": "sk",
    "slovenian": "sl",
    "spanish": "es",
    "swedish": "sv",
    "tamil": None,
    "turkish": "tr",
    "ukrainian": "uk",
    "vietnamese": "vi",
    "yiddish": None,
}


def check_language(language: object) -> None:
    """Raise a ValueError that lists all languages if this one is not known."""
    if not isinstance(language, str) or language not in LANGUAGES:
        raise ValueError(
            f"language {language!r} is not known. Pass one of {', '.join(LANGUAGES)}."
        )


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
    check_language(language)
    return _stop_words(language)


@lru_cache
def _stop_words(language: str) -> frozenset[str]:
    if language == "english":
        # scikit-learn's list has no contractions and no parts of them
        contractions = {word for word in stopwordsiso.stopwords("en") if "'" in word}
        return ENGLISH_STOP_WORDS | contractions | {"d", "ll", "m", "s", "t", "ve"}
    code = LANGUAGES[language]
    words = stopwordsiso.stopwords(code) if code else ()
    return frozenset(lower(clean(word), language) for word in words)


def as_stop_words(given: object, language: str) -> frozenset[str]:
    """Return the words that the parameter ``stop_words`` means for a known language."""
    if given is None:
        return frozenset()
    if isinstance(given, str):
        if given != "auto":
            raise ValueError(
                f"stop_words must be 'auto', None or a list of words, got {given!r}."
            )
        return _stop_words(language)
    if not isinstance(given, Collection):
        raise ValueError(
            f"stop_words must be a list or set of words, got {type(given).__name__}."
        )
    return _spelled(frozenset(given), language)


@lru_cache
def _spelled(given: frozenset[str], language: str) -> frozenset[str]:
    """Return given stop words, normalized like texts.

    Equal lists give the same object, so that looking up tokens stays fast.
    """
    if wrong := [word for word in given if not isinstance(word, str)]:
        raise ValueError(f"stop_words holds {wrong[0]!r}: all words must be str.")
    return frozenset(lower(clean(word), language) for word in given)
