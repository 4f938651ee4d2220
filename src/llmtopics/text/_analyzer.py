"""An analyzer of texts for scikit-learn's vectorizers."""

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, fields
from functools import lru_cache
from itertools import chain
from numbers import Integral
from operator import attrgetter
from reprlib import repr as shortened
from typing import Any, ClassVar

import regex
import snowballstemmer
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints

from llmtopics._checks import check_positive, warn_user
from llmtopics.text._cleaning import join_lines, without_html
from llmtopics.text._languages import language_names
from llmtopics.text._segment import warn_if_not_segmented
from llmtopics.text._special import special_choices
from llmtopics.text._spelling import clean, lower, without_accents
from llmtopics.text._stop_words import as_stop_words, spelled
from llmtopics.text._tokens import KnownWords, Rules, given_tokens

_PARAGRAPHS = regex.compile(r"\n\s*\n").split


@dataclass(eq=False, repr=False)
class TextAnalyzer(BaseEstimator):
    r"""Split a text into words, for ``CountVectorizer(analyzer=...)``.

    Words are sequences of letters, marks and digits in any script. Accents, vowel signs and
    ideographs stay. The text is normalized (NFKC): a word with composed or decomposed
    accents, or in full-width letters, is the same word. Soft hyphens are removed. Other
    spellings stay different words, such as Arabic with and without vowel points.

    Parameters
    ----------
    language : str or list of str, default="english"
        Language of the stop words, the stemmer and the segmentation: a name in any case, or
        an ISO 639-1 code ("German", "de", "de-AT"). With several, such as
        ``["english", "german"]``, the stop words of all are dropped. Chinese, Japanese,
        Thai, Lao, Khmer and Burmese are cut into words, which needs the extra
        ``segmentation``. The error for an unknown language lists all languages.

    lowercase : bool, default=True
        Whether words are lower-cased (by Turkish rules in Turkish). Stop words are
        found in any case.

    min_length : int, default=2
        Shorter words are dropped. This does not apply to Chinese characters (in Japanese,
        too) and Korean syllables, where one may be a word.

    stop_words : "auto", None or collection of str, default="auto"
        Words to drop: those of ``language``, none, or the given words. For Burmese, Khmer,
        Lao, Nepali, Serbian, Tamil and Yiddish, "auto" is an empty list, because no
        maintained library has one.
        Given words replace the list. They are normalized like the text.

    extra_stop_words : collection of str, default=()
        Words to drop as well: single words, as the analyzer returns them. "covid-19" is one
        with ``special={"hyphens": "keep"}``.

    keep_words : collection of str, default=()
        Words that are never dropped as stop words, such as ``["system", "bill"]``.

    stem : bool, default=False
        Whether to return Snowball stems instead of words. Stems ("economi") look broken in a
        list of topic words. They may help in inflected languages.

    html : bool, default=True
        Whether HTML is removed: tags are dropped and entities (``&amp;``, with the
        semicolon) replaced by their signs. A text is HTML if it has a closing tag, a line
        break, or a tag with an attribute. ``List<String>`` stays, also in HTML.

    special : dict, default=None
        What becomes of parts that are no plain words. Kinds that are not given have their
        default:

        ==============================  =======  =========================
        kind                            default  other choices
        ==============================  =======  =========================
        "urls", "emails"                "drop"   "keep", "token", "split"
        "emoji"                         "drop"   "keep", "token"
        "numbers" ("1,000", "3.5bn")    "drop"   "keep", "token"
        "mentions", "hashtags"          "word"   "drop", "keep", "token"
        "punctuation"                   "drop"   "keep"
        "hyphens", "apostrophes"        "split"  "keep"
        "broken_words" (at line ends)   "join"   "split"
        ==============================  =======  =========================

        "keep" keeps each part as one word. "token" counts one word for all of them, such
        as ``<url>`` or ``<number>``. "word" keeps the word after ``@`` or ``#``. "split" reads
        a part as any other text. An emoji of
        several signs (a family, a flag, a skin tone) is one word. Digits with letters, such
        as "mp3" and "3bn", are words. With ``{"hyphens": "keep"}``, "covid-19" is one word.
        With ``{"apostrophes": "keep"}``, "blair's" is one.

    strip_accents : bool, default=False
        Whether accents of Latin and Greek letters are removed ("café" is "cafe"), and vowel
        points of Arabic and Hebrew. Arabic letters lose their hamza and madda, too: "أ", "إ"
        and "آ" become "ا". Stop words are found with and without accents. Other
        scripts stay as they are.

    ngram_range : tuple (min_n, max_n), default=(1, 1)
        Lengths of the word n-grams returned, joined by a space. Set it here: with a callable
        analyzer, ``CountVectorizer`` ignores its own ``ngram_range``, ``lowercase``,
        ``stop_words`` and ``token_pattern``.

    ngram_gaps : bool, default=False
        Whether n-grams may cross dropped words, the ends of sentences and paragraphs, and
        punctuation other than hyphens, quotes and apostrophes.

    tokenize : callable, default=None
        Cuts a text into words, instead of this class: spaCy's ``nlp``, NLTK's
        ``word_tokenize``, a tagger of MeCab. It returns strings, objects with ``text`` or
        ``surface``, or one string with spaces between words. Its words are not cut again
        at hyphens or points. All other parameters apply. ``clone`` and grid search copy an
        object, and worker processes pickle it. Where that fails or takes long (MeCab, large
        pipelines), pass a function of a module that calls the tokenizer.

    Raises
    ------
    ValueError
        When called with an unknown language, ``stem=True`` for several languages or one
        without a Snowball stemmer, or another wrong parameter.
    TypeError
        When called on something that is not a str, or ``tokenize`` does not return words.
    ImportError
        When called with a language whose extra is missing.

    Warns
    -----
    UserWarning
        If a text is mostly Chinese, Japanese, Thai, Lao, Khmer or Burmese and none of these
        languages is asked for. Pairs of neighboring characters are its words then. The
        warning comes once per script and process. Also if a word of ``extra_stop_words`` or
        ``keep_words`` can equal no word of a text, such as "New York".

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
    English "system", "bill", "fire"). Name these in ``keep_words`` if they matter.

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

    language: str | Collection[str] = "english"
    _: KW_ONLY
    lowercase: bool = True
    min_length: int = 2
    stop_words: str | Collection[str] | None = "auto"
    extra_stop_words: Collection[str] = ()
    keep_words: Collection[str] = ()
    stem: bool = False
    html: bool = True
    special: Mapping[str, str] | None = None
    strip_accents: bool = False
    ngram_range: tuple[int, int] = (1, 1)
    ngram_gaps: bool = False
    tokenize: Callable[[str], Iterable] | None = None

    _fitted_state: ClassVar[tuple[str, ...]] = ()
    _parameter_constraints: ClassVar[dict] = {
        "language": "no_validation",  # language_names checks it
        "lowercase": ["boolean"],
        "min_length": "no_validation",  # check_positive checks it
        "stop_words": [str, Collection, None],
        "extra_stop_words": [Collection],
        "keep_words": [Collection],
        "stem": ["boolean"],
        "html": ["boolean"],
        "special": [Mapping, None],
        "strip_accents": ["boolean"],
        "ngram_range": "no_validation",  # _check_ngrams checks it
        "ngram_gaps": ["boolean"],
        "tokenize": [callable, None],
    }

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
        # One callable stands for all: their words are the same to the cache, which must not
        # hash them or keep a large tokenizer in memory.
        *values, tokenize = _PARAMETERS(self)
        values.append(callable if callable(tokenize) else tokenize)
        low, high = _check_ngrams(self.ngram_range)
        known = _look_up(values)
        if self.html:
            text = without_html(text)
        if known.rules.special["broken_words"] == "join":
            text = join_lines(text)
        text = clean(text)
        language = known.rules.language
        if self.tokenize is not None:
            tokens = given_tokens(self.tokenize, text)
            if self.lowercase:
                tokens = [lower(token, language) for token in tokens]
            words = list(chain.from_iterable(map(known.__getitem__, tokens)))
        else:
            if self.lowercase:
                text = lower(text, language)
            if not text.isascii():
                warn_if_not_segmented(text, known.rules.languages)
            # tokens do not contain spaces, and a look-up is faster than a match
            words = []
            for paragraph in _PARAGRAPHS(text) if known.rules.mark_gaps else [text]:
                words += chain.from_iterable(map(known.__getitem__, paragraph.split()))
                words += known.gap
        return _ngrams(words, low, high) if high > 1 else words  # type: ignore[return-value]


_NAMES = [field.name for field in fields(TextAnalyzer) if field.name != "_"]
_PARAMETERS = attrgetter(*_NAMES)


class _HashableDict(dict):
    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))


def _hashable(value: Any) -> Any:
    """Return a list, a set or a dict as what a cache can look up."""
    if isinstance(value, Mapping):
        return _HashableDict(value)
    if isinstance(value, AbstractSet):
        return frozenset(value)
    if isinstance(value, Collection) and not isinstance(value, str):
        return tuple(value)
    return value


def _look_up(values: list[Any]) -> KnownWords:
    """Return the cache of words of an analyzer with these parameters."""
    try:
        return _known_words(*values)
    except TypeError:  # a list cannot be a key
        values = [*map(_hashable, values)]
    try:
        return _known_words(*values)
    except TypeError:  # a tuple that holds a list: the error names it
        return _known_words.__wrapped__(*values)


def _check_ngrams(given: Any) -> tuple[int, int]:
    """Return ``ngram_range``. Not in the cache, to which (1.0, 2.0) would equal (1, 2)."""
    match given:
        case [Integral() as low, Integral() as high] if 1 <= int(low) <= int(high):
            return int(low), int(high)
    raise ValueError(
        f"ngram_range must be (min_n, max_n) with 1 <= min_n <= max_n, got {given!r}."
    )


@lru_cache(maxsize=8, typed=True)
def _known_words(*values: Any) -> KnownWords:
    """Check the parameters of an analyzer; return the cache of words that they decide."""
    given = dict(zip(_NAMES, values, strict=True))
    validate_parameter_constraints(
        TextAnalyzer._parameter_constraints, given, "TextAnalyzer"
    )
    languages = language_names(given["language"])
    check_positive(min_length=given["min_length"])
    if given["stem"] and len(languages) > 1:
        raise ValueError(
            f"stem=True needs one language, got {', '.join(languages)}. Pass stem=False, or "
            "one of them."
        )
    if given["stem"] and languages[0] not in snowballstemmer.algorithms():
        raise ValueError(
            f"stem=True: Snowball has no stemmer for {languages[0]!r}. Pass stem=False, or "
            "a language that has a stemmer."
        )
    extra, keep = (
        spelled(name, given[name], languages)
        for name in ("extra_stop_words", "keep_words")
    )
    stop = as_stop_words(given["stop_words"], languages) | extra
    if given["strip_accents"]:  # before words are kept: "ou" of the list is also "où"
        stop, keep = (frozenset(map(without_accents, words)) for words in (stop, keep))
    known = KnownWords(
        Rules(
            languages=languages,
            stop=stop - keep,
            special=special_choices(given["special"]),
            lowered=given["lowercase"],
            mark_gaps=max(given["ngram_range"]) > 1 and not given["ngram_gaps"],
            whole=given["tokenize"] is not None,
            min_length=given["min_length"],
            stem=given["stem"],
            strip_accents=given["strip_accents"],
        )
    )
    for name, words in [("extra_stop_words", extra), ("keep_words", keep)]:
        if wrong := known.unmatched(sorted(words)):
            warn_user(
                f"TextAnalyzer: {name} has {shortened(wrong)}, which no word of a text can "
                "equal. Texts are cut at spaces and punctuation: give single words, keep "
                "words with a hyphen whole by special={'hyphens': 'keep'}, or pass tokenize=."
            )
    return known


def _ngrams(words: list[str | None], low: int, high: int) -> list[str]:
    """Return the n-grams of words, each without None inside."""
    runs: list[list[str]] = [[]]
    for word in words:
        if word is not None:
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    return [
        " ".join(gram)
        for n in range(low, high + 1)
        for run in runs
        for gram in zip(*(run[i:] for i in range(n)), strict=False)
    ]
