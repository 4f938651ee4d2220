"""An analyzer of texts for scikit-learn's vectorizers."""

from collections.abc import Collection
from itertools import chain
from numbers import Integral

import snowballstemmer
from sklearn.base import BaseEstimator

from llmtopics.text._spelling import clean, lower
from llmtopics.text._stop_words import as_stop_words, check_language
from llmtopics.text._tokens import known_words


class TextAnalyzer(BaseEstimator):
    """Turn a text into the list of its words, for ``CountVectorizer(analyzer=...)``.

    Words are runs of letters, marks and digits in any script: accents, vowel signs and
    ideographs stay. The text is normalized (NFKC), so that the same word written with
    composed or decomposed accents, or in full-width letters, is one word; soft hyphens
    are taken out. Other spellings of one word stay different words, such as Arabic with and
    without vowel points.

    Parameters
    ----------
    language : str, default="english"
        Chooses stop words, stemmer and segmentation: one of Snowball's languages
        ("french", "german", ...), "chinese" (words are segmented; needs the extra
        ``zh``), or another that has a stop list. An unknown one raises an error that
        lists all.

    lowercase : bool, default=True
        Whether words are lower-cased (by Turkish rules in Turkish). Stop words are
        recognized in any case.

    min_length : int, default=2
        Shorter words are dropped. Does not apply to Chinese, Japanese, Korean, Thai, Lao,
        Khmer and Burmese script, where one character may be a word.

    stop_words : "auto", None or collection of str, default="auto"
        Words to drop: those of ``language``, none, or the given ones. "auto" is an
        empty list for Nepali, Serbian, Tamil and Yiddish, of which no maintained library has
        one. Given words are normalized as the text is. To extend a language's list, pass
        ``stop_words("italian") | {"oggi"}`` (see :func:`llmtopics.text.stop_words`).

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
    llmtopics.text.stop_words : The list of a language, to extend or shorten it.
    sklearn.feature_extraction.text.CountVectorizer : Counts the words.

    Notes
    -----
    Apostrophes: a word is looked up in the stop list whole ("don't"), and then split
    ("Blair's" gives "blair", "l'homme" gives "homme"), save in Hebrew and Ukrainian,
    where the apostrophe belongs to the word.

    Punctuation separates words, and short words are dropped: of "U.S.", "AT&T" and
    "C++" nothing is left with ``min_length=2``.

    English stop words are scikit-learn's, other languages' are stopwordsiso's [1]_;
    stems are Snowball's [2]_. stopwordsiso's English list is not used: it drops
    "computer" and "microsoft". The lists still hold some words with meaning (in
    English "system", "bill", "fire"): take these out where that matters.

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
    not search them by likelihood or coherence, which cannot be compared between vocabularies):

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
        known = known_words(*self._settings())
        text = clean(text)
        if self.lowercase:
            text = lower(text, self.language)
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
        check_language(self.language)
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
        return (
            self.language,
            as_stop_words(self.stop_words, self.language),
            self.min_length,
            self.stem,
            self.numbers,
            self.punctuation,
        )
