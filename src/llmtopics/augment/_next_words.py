"""Texts → counts of their own words and of those that a language model would say next."""

import re
from collections import Counter
from itertools import chain
from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import as_counts, check_parts, check_texts, warn_user
from llmtopics._language import LanguageModel, as_llm, still_asked, used_since
from llmtopics._language._ask import split_template
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._vectorizers import tokens_of, words_of
from llmtopics.text import TextAnalyzer

_WORD = re.compile(r"\w[\w'’-]*")
_VECTORIZER = "CountVectorizer(analyzer=TextAnalyzer())"  # what None stands for
_N_TOKENS = 256  # of a distribution that are kept
_MANY = 10  # texts, none of which gains a word only if something is wrong
_BLOCK = 1024  # texts whose words are rounded at a time


class NextWordCounts(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Count the words of texts, and those by which a language model would go on.

    The model reads each text once, followed by "Topic:", and says how likely each word is to
    come next. Words of the vocabulary among them join the text's own counts, a few for each
    text. A short text so gains words that say what it is about.

    Parameters
    ----------
    vectorizer : transformer or None, default=None
        Texts to counts; a copy of it is fitted. None is
        ``CountVectorizer(analyzer=TextAnalyzer())``.

    llm : str, LocalLLM or RemoteLLM, default="smollm2"
        The language model; a str names a local one.

    prompt : str, default="Text: {text}\nTopic:"
        What the model reads, with the text in the place of ``{text}``. It should end where
        one word that says what the text is about would come next.

    weight : int or float, default=10
        How many words each text gains: an int is their number, a float their number for
        each word of the text's own. With 0 the model is not asked.

    n_words : int, default=100
        Different words a text may gain, the likeliest.

    include_counts : bool, default=True
        Whether the text's own counts are there, too. As an ``expander``, it has no effect.

    max_length : int or None, default=256
        Tokens of each text that the model reads; None for as many as it can.

    on_error : {"raise", "keep"}, default="raise"
        Whether a failed call stops the work or leaves the text without new words.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    vectorizer_ : transformer
        The fitted copy.

    report_ : dict
        Of the last texts that were transformed: how many gained words (``"fed"``), were
        ``"blank"``, had ``"no_overlap"`` between the model's words and the vocabulary, and
        ``"failed"``.

    usage_ : dict
        What the language model was asked for them: calls, answers from the cache, tokens.

    See Also
    --------
    FusionTopicModel : Takes one as ``expander``: new words then help to find the topics of
        texts, and the words of topics are counted on the texts' own.

    Notes
    -----
    A word's first token stands for the word. Where longer words begin with the same token,
    its probability is shared by all of them (and by itself) in proportion to how often they
    are in the texts fitted, save that tokens which the vectorizer drops, such as "a", are
    not shared. Words go through the vectorizer's own analyzer, so that stems stay stems. The
    ``n_words`` best words' probabilities, divided by their sum, times the weight, are rounded
    by largest remainder to whole counts of exactly that sum. Nothing is drawn at random.

    In a Pipeline before :class:`GibbsLDA` the new words are words like others, in the
    topics' words too, where such as "guide" may then appear. ``FusionTopicModel`` with
    ``alpha=0`` is the same topic model without that.

    References
    ----------
    arXiv:2602.17907 trains topic models on language models' next words as soft labels.

    Examples
    --------
    >>> from llmtopics import NextWordCounts
    >>> texts = ["The striker scored a goal.", "A goal in the football match of the season."]
    >>> feed = NextWordCounts(weight=3).fit(texts)
    >>> X = feed.transform(["She kicked the ball."])
    >>> int(X.sum()), X.shape == (1, len(feed.get_feature_names_out()))
    (3, True)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "vectorizer": [HasMethods(["fit", "transform"]), None],
        "llm": [str, LanguageModel],
        "prompt": [str],
        "weight": [
            Interval(Integral, 0, None, closed="left"),
            Interval(Real, 0, None, closed="left"),
        ],
        "n_words": [Interval(Integral, 1, None, closed="left")],
        "include_counts": ["boolean"],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "on_error": [StrOptions({"raise", "keep"})],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        vectorizer: Any = None,
        llm: Any = "smollm2",
        *,
        prompt: str = "Text: {text}\nTopic:",
        weight: float = 10,
        n_words: int = 100,
        include_counts: bool = True,
        max_length: int | None = 256,
        on_error: str = "raise",
        verbose: bool | int = False,
    ):
        self.vectorizer = vectorizer
        self.llm = llm
        self.prompt = prompt
        self.weight = weight
        self.n_words = n_words
        self.include_counts = include_counts
        self.max_length = max_length
        self.on_error = on_error
        self.verbose = verbose

    def set_params(self, **params):
        """Set parameters, also those of parts as ``<part>__<parameter>``.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self : NextWordCounts
            The estimator itself.

        Raises
        ------
        ValueError
            For unknown parameters, and those of a part that is None.
        """
        check_parts(self, params, {"vectorizer": _VECTORIZER})
        return super().set_params(**params)

    @_fit_context(prefer_skip_nested_validation=False)
    @config_context(transform_output="default")
    def fit(self, X, y=None):
        """Learn the vocabulary, and how often words are that begin alike.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : NextWordCounts
            The fitted estimator.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), and what the vectorizer refuses.
        """
        texts = check_texts(X, "NextWordCounts")
        split_template(self.prompt)
        with restored_on_error(self):
            self._as_fitted = as_fitted(self)
            self._llm = clone(as_llm(self.llm))
            self.vectorizer_ = (
                CountVectorizer(analyzer=TextAnalyzer())
                if self.vectorizer is None
                else clone(self.vectorizer)
            ).fit(texts)
            self._tokens, self._shares = self._share(texts)
        return self

    def _share(self, texts: list[str]) -> tuple[dict[str, int], sp.csr_array]:
        """Return the first tokens of the texts' words, and what a column has of each."""
        forms: Counter[str] = Counter()
        for text in texts:
            forms.update(_WORD.findall(text))
        for form, n in list(forms.items()):  # as it would stand at a beginning
            if (capital := form[:1].upper() + form[1:]) != form:
                forms[capital] += n
        firsts = still_asked(self._llm, self.llm).first_tokens(list(forms))
        rows = {token: i for i, token in enumerate(dict.fromkeys(firsts))}
        owners = [rows[token] for token in firsts]
        for token, row in rows.items():  # a token may be a word that no text has
            if token not in forms:
                forms[token] = 1
                owners.append(row)
        begun = sp.csr_array(
            (np.array(list(forms.values()), float), (owners, np.arange(len(forms)))),
            shape=(len(rows), len(forms)),
        )
        found = tokens_of(self.vectorizer_, list(rows))
        if found is not None:
            kept = np.array([bool(words) for words in found], float)
            begun = sp.csr_array(begun.multiply(kept[:, np.newaxis]))
        return rows, _to_shares(begun) @ self._columns(list(forms))

    def _columns(self, words: list[str]) -> sp.csr_array:
        """Return the columns that words count in, of shape (n_words, V)."""
        return _to_shares(sp.csr_array(self.vectorizer_.transform(words), dtype=float))

    @config_context(transform_output="default")
    def transform(self, X):
        """Return the counts of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        counts : csr_array of shape (n_texts, n_words_in_vocabulary), int32
            Whole counts: of the texts' own words if ``include_counts``, and of the model's.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), and what :class:`LocalLLM` refuses.
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".

        Warns
        -----
        UserWarning
            If none of ten texts or more gained a word, because the model's words and the
            vocabulary have nothing in common.
        """
        check_is_fitted(self, "vectorizer_")
        texts = check_texts(X, "NextWordCounts")
        own = as_counts(self.vectorizer_.transform(texts), "NextWordCounts")
        added = self.added(texts, own)
        if not self._as_fitted.include_counts:
            return added
        return as_counts(own + added.astype(np.int64), "NextWordCounts")

    @config_context(transform_output="default")
    def added(self, texts: list[str], own: sp.csr_array) -> sp.csr_array:
        """Return the words that texts gain, given their own counts.

        Parameters
        ----------
        texts : list of str
            Texts.
        own : csr_array of shape (n_texts, n_words_in_vocabulary)
            What ``vectorizer_`` makes of them.

        Returns
        -------
        counts : csr_array of shape (n_texts, n_words_in_vocabulary), int32
            Whole counts of the model's words alone.
        """
        fitted = self._as_fitted
        wants = [bool(fitted.weight and text.strip()) for text in texts]
        asked = np.flatnonzero(wants).tolist()
        found: list[Any] = []
        llm = still_asked(self._llm, self.llm)
        before = llm.usage_
        if asked:
            found = llm.next_word_distribution(
                [texts[i] for i in asked],
                template=fitted.prompt,
                max_length=fitted.max_length,
                n_words=_N_TOKENS,
                on_error=self.on_error,
                verbose=self.verbose,
            )
        self.usage_ = used_since(before, llm)
        totals = np.full(len(texts), fitted.weight)
        if not isinstance(fitted.weight, Integral):
            totals = np.round(fitted.weight * own.sum(axis=1))
        if not (totals < 2**31).all():
            raise ValueError(
                f"weight={fitted.weight} makes 2**31 words or more of text "
                f"{totals.argmax()}, beyond what counts hold: lower it."
            )
        totals = totals.astype(int)
        answered = [(i, row) for i, row in zip(asked, found, strict=True) if row]
        fed = self._fed(dict(answered), totals, own.shape)
        n_fed = int((fed.sum(axis=1) > 0).sum())
        self.report_ = {
            "fed": n_fed,
            "blank": sum(not text.strip() for text in texts),
            "no_overlap": len(answered) - n_fed,
            "failed": len(asked) - len(answered),
        }
        if len(answered) >= _MANY and not n_fed and totals.any():
            warn_user(
                "No word that the language model would say next is in the vocabulary of "
                f"{own.shape[1]} words: no text gained any. Check the prompt, the "
                "vectorizer, and that the model knows the texts' language."
            )
        return fed

    def _fed(
        self, found: dict[int, dict[str, float]], totals: np.ndarray, shape: tuple
    ) -> sp.csr_array:
        """Return so many new words of each text that the model was asked about."""
        words = dict.fromkeys(chain.from_iterable(found.values()))
        new = [word for word in words if word not in self._tokens]
        place = self._tokens | {w: i for i, w in enumerate(new, len(self._tokens))}
        shares = self._shares
        if new:
            shares = sp.csr_array(sp.vstack([shares, self._columns(new)]))
        blocks, n_words = [], self._as_fitted.n_words
        for start in range(0, shape[0], _BLOCK):
            some = [
                found.get(i, {}) for i in range(start, min(start + _BLOCK, shape[0]))
            ]
            at = [place[word] for row in some for word in row]
            chances = sp.csr_array(
                (
                    np.fromiter(chain.from_iterable(r.values() for r in some), float),
                    np.array(at, int),
                    np.cumsum([0, *map(len, some)]),
                ),
                shape=(len(some), shares.shape[0]),
            )
            blocks.append(_rounded(chances @ shares, totals[start:], n_words))
        fed = sp.csr_array(sp.vstack(blocks, format="csr"))
        fed.sort_indices()
        return fed

    def get_feature_names_out(self, input_features=None):
        """Return the words of the vocabulary, in the order of the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_words_in_vocabulary,), object
            The words.
        """
        check_is_fitted(self, "vectorizer_")
        return words_of(self.vectorizer_, "NextWordCounts")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _to_shares(weights: sp.csr_array) -> sp.csr_array:
    """Return the rows divided by their sums; empty rows stay empty."""
    totals = np.repeat(weights.sum(axis=1), np.diff(weights.indptr))
    shares = np.divide(
        weights.data, totals, where=totals > 0, out=np.zeros(weights.nnz)
    )
    return sp.csr_array((shares, weights.indices, weights.indptr), shape=weights.shape)


def _rounded(weights: sp.csr_array, totals: np.ndarray, n_words: int) -> sp.csr_array:
    """Return whole counts in proportion to each row's largest weights, summing to totals.

    Shares are rounded down, and what is missing goes to the largest remainders; ties go to
    the earlier column.
    """
    weights.eliminate_zeros()
    columns, counts, ends = [], [], [0]
    for start, end, total in zip(
        weights.indptr, weights.indptr[1:], totals, strict=False
    ):
        value, column = weights.data[start:end], weights.indices[start:end]
        best = np.lexsort((column, -value))[:n_words]
        value, column = value[best], column[best]
        exact = value * (total / value.sum() if value.size else 0)
        whole = np.floor(exact).astype(np.int32)
        missing = int(total - whole.sum()) if value.size else 0
        whole[np.lexsort((column, whole - exact))[:missing]] += 1
        used = whole > 0
        columns.append(column[used])
        counts.append(whole[used])
        ends.append(ends[-1] + int(used.sum()))
    return sp.csr_array(
        (np.concatenate(counts), np.concatenate(columns), np.array(ends)),
        shape=weights.shape,
    )
