"""An analyzer of texts for scikit-learn's vectorizers."""

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from numbers import Integral
from typing import ClassVar

import snowballstemmer
from sklearn.base import BaseEstimator

from llmtopics.text._spelling import clean, lower
from llmtopics.text._stop_words import as_stop_words, check_language
from llmtopics.text._tokens import known_words


@dataclass(eq=False, repr=False)
class TextAnalyzer(BaseEstimator):
    """Split a text into words, for ``CountVectorizer(analyzer=...)``.

    Words are sequences of letters, marks and digits in any script. Accents, vowel signs and
    ideographs stay. The text is normalized (NFKC): a word with composed or decomposed
    accents, or in full-width letters, is the same word. Soft hyphens are removed. Other
    spellings stay different words, such as Arabic with and without vowel points.

    Parameters
    ----------
    language : str, default="english"
        Language of the stop words, the stemmer and the segmentation. One of Snowball's
        languages ("french", "german", ...), "chinese" (words are segmented; needs the extra
        ``zh``), or another language with stop words. The error for an unknown language lists
        all languages.

    lowercase : bool, default=True
        Whether words are lower-cased (by Turkish rules in Turkish). Stop words are
        found in any case.

    min_length : int, default=2
        Shorter words are dropped. This does not apply to Chinese, Japanese, Korean, Thai,
        Lao, Khmer and Burmese script, where one character may be a word.

    stop_words : "auto", None or collection of str, default="auto"
        Words to drop: those of ``language``, none, or the given words. For Nepali, Serbian,
        Tamil and Yiddish, "auto" is an empty list, because no maintained library has one.
        Given words are normalized like the text. To extend the list of a language, pass
        ``stop_words("italian") | {"oggi"}`` (see :func:`llmtopics.text.stop_words`).

    stem : bool, default=False
        Whether to return Snowball stems instead of words. Stems ("economi") look broken in a
        list of topic words. They may help in inflected languages.

    numbers : bool, default=False
        Whether numbers are kept: "2004", "1,000", "3.5bn". Digits and letters without a point
        or comma are a word: "mp3", "4x4", "3bn".

    punctuation : bool, default=False
        Whether punctuation and symbols are kept. Each sign is one token.

    ngram_range : tuple (min_n, max_n), default=(1, 1)
        Lengths of the word n-grams returned, joined by a space. Set it here: with a callable
        analyzer, ``CountVectorizer`` ignores its own ``ngram_range``, ``lowercase``,
        ``stop_words`` and ``token_pattern``.

    Raises
    ------
    ValueError
        When called with an unknown language, ``stem=True`` for a language without a Snowball
        stemmer, ``min_length`` below 1, or a wrong ``ngram_range`` or ``stop_words``.
    TypeError
        When called on something that is not a str.
    ImportError
        When called with ``language="chinese"`` and the extra ``zh`` is missing.

    See Also
    --------
    llmtopics.text.stop_words : Stop words of a language, to extend or shorten the list.
    sklearn.feature_extraction.text.CountVectorizer : Counts the words.

    Notes
    -----
    Apostrophes: first the whole word is looked up in the stop words ("don't"). Then it is
    split ("Blair's" gives "blair", "l'homme" gives "homme"). In Hebrew and Ukrainian the
    apostrophe belongs to the word.

    Punctuation separates words, and short words are dropped. With ``min_length=2`` nothing
    is left of "U.S.", "AT&T" and "C++".

    English stop words come from scikit-learn, those of other languages from stopwordsiso
    [1]_, stems from Snowball [2]_. The English list of stopwordsiso is not used, because it
    drops "computer" and "microsoft". The lists still have some words with meaning (in
    English "system", "bill", "fire"). Remove these from the list if they matter.

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

    Use it in a vectorizer. There its parameters can be set as ``analyzer__min_length``. Do
    not search them by likelihood or coherence, because values for different vocabularies
    cannot be compared.

    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> counts = CountVectorizer(analyzer=TextAnalyzer()).fit(["A cat sat.", "Dogs sit."])
    >>> counts.get_feature_names_out()
    array(['cat', 'dogs', 'sat', 'sit'], dtype=object)
    """

    language: str = "english"
    _: KW_ONLY
    lowercase: bool = True
    min_length: int = 2
    stop_words: str | Collection[str] | None = "auto"
    stem: bool = False
    numbers: bool = False
    punctuation: bool = False
    ngram_range: tuple[int, int] = (1, 1)

    _fitted_state: ClassVar[tuple[str, ...]] = ()

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
                f"TextAnalyzer takes one text (str) at a time, got {type(text).__name__}."
            )
        known = known_words(*self._settings())
        text = clean(text)
        if self.lowercase:
            text = lower(text, self.language)
        # tokens do not contain spaces, and a look-up is faster than a match
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
        """Check the parameters; return all that decide which words a token gives."""
        check_language(self.language)
        if self.stem and self.language not in snowballstemmer.algorithms():
            raise ValueError(
                f"stem=True: Snowball has no stemmer for {self.language!r}. Pass stem=False."
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
