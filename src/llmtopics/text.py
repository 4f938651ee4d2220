"""From raw text to words: an analyzer for scikit-learn's vectorizers."""

from collections.abc import Collection
from functools import lru_cache
from itertools import chain
from numbers import Integral
from typing import Any
from unicodedata import normalize

import regex
import snowballstemmer
import stopwordsiso
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

__all__ = ["TextAnalyzer"]

# name -> code of its stop list in stopwordsiso (None: it has none)
_LANGUAGES = {
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

# A number keeps its inner points and commas and, after them, its unit (1,000 or 3.5bn); a
# word is letters, marks and digits, joined by apostrophes, middle dots (Catalan),
# zero-width joiners or Hebrew quotes; the rest is one sign at a time.
_NUMBER = r"\d++(?:(?:[.,]\d++)++[\p{L}\p{M}]*+|(?![\p{L}\p{M}]))"
_LETTERS = r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*+"
_JOINER = r"(?:['·\u200c\u200d]|(?<=\p{Hebrew})[\"״](?=\p{Hebrew}))"
_WORD = rf"{_LETTERS}(?:{_JOINER}{_LETTERS})*+"
_SIGN = r"[^\s\p{L}\p{M}\p{N}\p{C}]"
_TOKEN = regex.compile(f"{_NUMBER}|{_WORD}|{_SIGN}")
_IS_NUMBER = regex.compile(_NUMBER).fullmatch
_IS_WORD = regex.compile(_WORD).fullmatch
# Apostrophes are one; soft hyphens and Arabic's stretching stroke say nothing.
_SAME = str.maketrans(
    {"’": "'", "‘": "'", "´": "'", "ʼ": "'", "\u00ad": None, "\u0640": None}
)
_TURKISH = str.maketrans({"I": "ı", "İ": "i"})
_APOSTROPHE_IS_A_LETTER = {"hebrew", "ukrainian"}
_LONG = 64  # pieces and tokens of more characters hardly come again
_MANY = 2**17  # are remembered, at most
# Scripts that write a word in one character or without spaces between words.
_MAY_BE_SHORT = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
).search


def __dir__() -> list[str]:
    return sorted(__all__)


class TextAnalyzer(BaseEstimator):
    """Turn a text into the list of its words, for ``CountVectorizer(analyzer=...)``.

    Words are runs of letters, marks and digits in any script: accents, vowel signs and
    ideographs stay. The text is normalised (NFKC), so that the same word written with
    composed or decomposed accents, or in full-width letters, is one word; soft hyphens
    are taken out. Other spellings of one word, such as Arabic with and without vowel
    points, stay two.

    Parameters
    ----------
    language : str, default="english"
        Chooses stop words, stemmer and segmentation: one of Snowball's languages
        ("french", "german", ...), "chinese" (words are segmented; needs the extra
        ``zh``), or another that has a stop list. An unknown one raises an error that
        lists all.

    lowercase : bool, default=True
        Whether words are lower-cased (by Turkish rules in Turkish). Stop words are
        recognised in any case.

    min_length : int, default=2
        Shorter words are dropped. Does not apply to Chinese, Japanese, Korean, Thai, Lao,
        Khmer and Burmese script, where one character may be a word.

    stop_words : "auto", None or collection of str, default="auto"
        Words to drop: those of ``language``, none, or the given ones. "auto" is an
        empty list for Nepali, Serbian, Tamil and Yiddish, of which no maintained library has
        one. Given words are normalised as the text is.

    stem : bool, default=False
        Whether Snowball stems stand for words. Stems ("economi") look broken in a list
        of topic words; inflected languages may be worth it.

    numbers : bool, default=False
        Whether numbers are kept: "2004", "1,000", "3.5bn". What joins digits to letters
        without a point or comma is a word: "mp3", "4x4", but also "3bn".

    punctuation : bool, default=False
        Whether punctuation and symbols are kept, each a token of its own.

    ngram_range : tuple (min_n, max_n), default=(1, 1)
        Lengths of the word n-grams returned, joined by a space. Set it here:
        ``CountVectorizer`` ignores its own ``ngram_range`` when the analyzer is a
        callable, as it does ``lowercase``, ``stop_words`` and ``token_pattern``.

    Raises
    ------
    ValueError
        When called: unknown language, ``stem=True`` for a language without a Snowball
        stemmer, ``min_length`` below 1, a wrong ``ngram_range`` or ``stop_words``.
    TypeError
        When called on something that is not a str.
    ImportError
        When called with ``language="chinese"`` and the extra ``zh`` is missing.

    See Also
    --------
    sklearn.feature_extraction.text.CountVectorizer : Counts what this returns.

    Notes
    -----
    Apostrophes: a word is looked up in the stop list whole ("don't"), and then split
    ("Blair's" gives "blair", "l'homme" gives "homme"), save in Hebrew and Ukrainian,
    where the apostrophe belongs to the word.

    Points and other signs part words, and short parts are dropped: of "U.S.", "AT&T" and
    "C++" nothing is left with ``min_length=2``.

    English stop words are scikit-learn's, other languages' are stopwordsiso's [1]_;
    stems are Snowball's [2]_. stopwordsiso's English list is not used: it drops
    "computer" and "microsoft". The lists still hold some words with meaning (in
    English "system", "bill", "fire"): pass your own where that matters.

    References
    ----------
    .. [1] https://github.com/stopwords-iso/stopwords-iso
    .. [2] M. Porter, "Snowball: a language for stemming algorithms", 2001.

    Examples
    --------
    >>> from llmtopics import TextAnalyzer
    >>> TextAnalyzer()("The Café's 3 cats can't be photographed, naïvely.")
    ['café', 'cats', 'photographed', 'naïvely']
    >>> TextAnalyzer("french", stem=True, ngram_range=(1, 2))("L'homme mangeait.")
    ['homm', 'mang', 'homm mang']

    In a vectorizer, where its parameters can be set as ``analyzer__min_length`` (but do
    not search them by likelihood or coherence: other words are another yardstick):

    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> counts = CountVectorizer(analyzer=TextAnalyzer()).fit(["A cat sat.", "Dogs sit."])
    >>> counts.get_feature_names_out()
    array(['cat', 'dogs', 'sat', 'sit'], dtype=object)
    """

    def __init__(
        self,
        language: str = "english",
        *,
        lowercase: bool = True,
        min_length: int = 2,
        stop_words: str | Collection[str] | None = "auto",
        stem: bool = False,
        numbers: bool = False,
        punctuation: bool = False,
        ngram_range: tuple[int, int] = (1, 1),
    ):
        self.language = language
        self.lowercase = lowercase
        self.min_length = min_length
        self.stop_words = stop_words
        self.stem = stem
        self.numbers = numbers
        self.punctuation = punctuation
        self.ngram_range = ngram_range

    def __call__(self, text: str) -> list[str]:
        """Return the words (or n-grams) of ``text`` in their order.

        Parameters
        ----------
        text : str

        Returns
        -------
        words : list of str
        """
        if not isinstance(text, str):
            raise TypeError(
                f"TextAnalyzer reads one text (str) at a time, got {type(text).__name__}."
            )
        known = _known(*self._settings())
        text = _clean(text)
        if self.lowercase:
            text = _lower(text, self.language)
        # no token reaches over a space, and a look-up costs less than a match
        words = list(chain.from_iterable(map(known.__getitem__, text.split())))
        low, high = self.ngram_range
        if high == 1:
            return words
        grams = (
            zip(*(words[i:] for i in range(n)), strict=False)
            for n in range(low, high + 1)
        )
        return [" ".join(gram) for gram in chain.from_iterable(grams)]

    def _settings(self) -> tuple[str, frozenset[str], int, bool, bool, bool]:
        """Check the parameters and return what decides which words a token gives."""
        if not isinstance(self.language, str) or self.language not in _LANGUAGES:
            raise ValueError(
                f"language {self.language!r} is not known; those known are: "
                f"{', '.join(_LANGUAGES)}."
            )
        if self.stem and self.language not in snowballstemmer.algorithms():
            raise ValueError(
                f"stem=True: Snowball has no stemmer for {self.language!r}."
            )
        if not isinstance(self.min_length, Integral) or self.min_length < 1:
            raise ValueError(
                f"min_length must be a whole number of at least 1, got "
                f"{self.min_length!r}."
            )
        match self.ngram_range:
            case [Integral() as low, Integral() as high] if 1 <= low <= high:
                pass
            case _:
                raise ValueError(
                    "ngram_range must be (min_n, max_n) with 1 <= min_n <= max_n, got "
                    f"{self.ngram_range!r}."
                )
        given = self.stop_words
        if given is None:
            stop: frozenset[str] = frozenset()
        elif isinstance(given, str):
            if given != "auto":
                raise ValueError(
                    f"stop_words must be 'auto', None or words, got {given!r}."
                )
            stop = _stop_words(self.language)
        elif isinstance(given, Collection):
            stop = _own_stop_words(frozenset(given), self.language)
        else:
            raise ValueError(
                f"stop_words must be a list or set of words, got {type(given).__name__}."
            )
        return (
            self.language,
            stop,
            self.min_length,
            self.stem,
            self.numbers,
            self.punctuation,
        )


class _Words(dict[str, tuple[str, ...]]):
    """The words of pieces of text without spaces, and of their tokens, once looked up."""

    def __init__(self, settings: tuple[Any, ...]):
        super().__init__()
        self._settings = settings

    def __missing__(self, piece: str) -> tuple[str, ...]:
        tokens = _TOKEN.findall(piece)
        words = (
            _words_of(piece, *self._settings)
            if tokens == [piece]
            else tuple(chain.from_iterable(map(self.__getitem__, tokens)))
        )
        if len(piece) <= _LONG:
            if len(self) >= _MANY:
                self.clear()
            self[piece] = words
        return words


@lru_cache(maxsize=4)
def _known(*settings: Any) -> _Words:
    """Return what is known of texts read with these settings."""
    return _Words(settings)


def _words_of(
    token: str,
    language: str,
    stop: frozenset[str],
    min_length: int,
    stem: bool,
    numbers: bool,
    punctuation: bool,
) -> tuple[str, ...]:
    """Return the words that ``token`` stands for."""
    if _IS_NUMBER(token):
        return (token,) if numbers else ()
    if not _IS_WORD(token):
        return (token,) if punctuation else ()
    if _lower(token, language) in stop:
        return ()
    words = [
        part
        for part in _parts(token, language)
        if _lower(part, language) not in stop
        and (len(part) >= min_length or _MAY_BE_SHORT(part))
        and (numbers or not _IS_NUMBER(part))
    ]
    if stem:  # a stemmer keeps state while it works: one of its own for each thread
        words = snowballstemmer.stemmer(language).stemWords(words)
    return tuple(words)


def _parts(word: str, language: str) -> list[str]:
    if language == "chinese" and _MAY_BE_SHORT(word):
        try:
            import rjieba
        except ImportError as error:
            raise ImportError(
                "language='chinese' needs rjieba: pip install 'llmtopics[zh]'"
            ) from error
        return rjieba.cut(word)
    return [word] if language in _APOSTROPHE_IS_A_LETTER else word.split("'")


def _clean(text: str) -> str:
    return normalize("NFKC", text.translate(_SAME))


def _lower(text: str, language: str) -> str:
    return (text.translate(_TURKISH) if language == "turkish" else text).lower()


@lru_cache
def _stop_words(language: str) -> frozenset[str]:
    if language == "english":
        # scikit-learn's list has no contractions, nor what is left of them
        contractions = {word for word in stopwordsiso.stopwords("en") if "'" in word}
        return ENGLISH_STOP_WORDS | contractions | {"d", "ll", "m", "s", "t", "ve"}
    code = _LANGUAGES[language]
    words = stopwordsiso.stopwords(code) if code else ()
    return frozenset(_lower(_clean(word), language) for word in words)


@lru_cache
def _own_stop_words(given: frozenset[str], language: str) -> frozenset[str]:
    """Return the same object for equal lists, so that looking tokens up stays fast."""
    if wrong := [word for word in given if not isinstance(word, str)]:
        raise ValueError(f"stop_words holds {wrong[0]!r}, which is not a str.")
    return frozenset(_lower(_clean(word), language) for word in given)
