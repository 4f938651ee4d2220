"""Count the words of texts, and the next words that a language model predicts."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import as_counts, check_texts, warn_user
from llmtopics._language import LanguageModel, as_llm, model_to_ask, usage_since
from llmtopics._language.request import split_template
from llmtopics._parts import PartsMixin
from llmtopics._progress import fitting, reporting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics._vectorizers import IsVectorizer, words_of
from llmtopics.augment._word_shares import WordShares
from llmtopics.text._vectorizer import default_vectorizer

_N_TOKENS = 256  # most likely next words that are asked for per text
_WARN_FROM = 10  # warn if none of at least so many texts gains a word


@dataclass(eq=False, repr=False)
class NextWordCounts(
    PartsMixin,
    TextReader,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Count the words of texts, and the next words that a language model predicts.

    The model reads each text once, followed by "Topic:", and gives the probability of each
    next word. The most likely words in the vocabulary are added to the text's own counts. So
    a short text gains words that say what it is about.

    Parameters
    ----------
    vectorizer : transformer or None, default=None
        Turns texts into counts. A copy of it is fitted. None is
        ``CountVectorizer(analyzer=TextAnalyzer(), min_df=...)``, with the ``min_df`` of
        :class:`FusionTopicModel`.

    llm : str, LocalLLM or RemoteLLM, default="smollm2"
        The language model. A name is that of a :class:`LocalLLM`.

    prompt : str, default="Text: {text}\nTopic:"
        Text that the model reads, with ``{text}`` replaced by the text. The next word after
        it should say what the text is about.

    weight : int or float, default=10
        Number of words that each text gains. A float is the number per word of the text.
        With 0 the model is not called.

    n_words : int, default=100
        Maximum number of different words that a text gains, the most likely ones.

    include_counts : bool, default=True
        Whether to include the text's own counts. No effect as an ``expander``.

    max_length : int or None, default=256
        Maximum number of tokens read per text. None is as many as the model can read.

    on_error : {"raise", "keep"}, default="raise"
        "raise" stops at a failed call. "keep" goes on, and adds no words to that text.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    vectorizer_ : transformer
        The fitted copy.

    report_ : dict
        Numbers of texts in the last call: ``"fed"`` (gained words), ``"blank"``,
        ``"no_overlap"`` (none of the model's words is in the vocabulary) and ``"failed"``.

    usage_ : dict
        Use of the language model in that call: calls, answers from the cache, tokens.

    See Also
    --------
    FusionTopicModel : Takes this as ``expander``. The new words then help to find the topics
        of texts. The words of topics are counted on the texts' own words.

    Notes
    -----
    A word is represented by its first token. If several words begin with the same token, they
    share its probability in proportion to their frequencies in the fitted texts. Tokens that
    the vectorizer drops, such as "a", are not shared. Words go through the vectorizer's
    analyzer, so they are stemmed if the vectorizer stems.

    The probabilities of the ``n_words`` most likely words are divided by their sum and
    multiplied by the weight. They are rounded to whole counts with exactly this sum (largest
    remainder method). Nothing is drawn at random.

    In a Pipeline before :class:`GibbsLDA`, the new words count as the text's own words. Words
    such as "guide" may then appear among the topics' words. ``FusionTopicModel`` with this
    ``expander`` and ``alpha=0`` is the same topic model without such words.

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

    vectorizer: Any = None
    llm: Any = "smollm2"
    _: KW_ONLY
    prompt: str = "Text: {text}\nTopic:"
    weight: float = 10
    n_words: int = 100
    include_counts: bool = True
    max_length: int | None = 256
    on_error: str = "raise"
    verbose: bool | int = False

    _part_defaults: ClassVar = {
        "vectorizer": "CountVectorizer(analyzer=TextAnalyzer())"
    }

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "vectorizer_",
        "_shares",
        "_llm",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vectorizer": [IsVectorizer(), None],
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

    @_fit_context(prefer_skip_nested_validation=False)
    @config_context(transform_output="default")
    def fit(self, X, y=None):
        """Learn the vocabulary, and the frequencies of words that share a first token.

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
            If an entry is not a text (the error names its row), or the vectorizer refuses the
            texts.
        """
        texts = check_texts(X, "NextWordCounts")
        split_template(self.prompt)
        with fitting(self), restored_on_error(self):
            self._as_fitted = as_fitted(self)
            self._llm = clone(as_llm(self.llm))
            self.vectorizer_ = (
                default_vectorizer(len(texts))
                if self.vectorizer is None
                else clone(self.vectorizer)
            ).fit(texts)
            llm = model_to_ask(self._llm, self.llm)
            self._shares = WordShares(self.vectorizer_, llm.first_tokens, texts)
        return self

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
            Whole counts of the model's words, plus those of the texts' own words if
            ``include_counts``.

        Raises
        ------
        ValueError
            If an entry is not a text (the error names its row), or a parameter is wrong.
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".

        Warns
        -----
        UserWarning
            If at least ten texts were answered and none gained a word, because none of the
            model's words is in the vocabulary.
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
        """Return the counts of the words that texts gain.

        Parameters
        ----------
        texts : list of str
            Texts.
        own : csr_array of shape (n_texts, n_words_in_vocabulary)
            The texts' own counts, from ``vectorizer_``.

        Returns
        -------
        counts : csr_array of shape (n_texts, n_words_in_vocabulary), int32
            Whole counts of the model's words only.
        """
        fitted = self._as_fitted
        wants = [bool(fitted.weight and text.strip()) for text in texts]
        asked = np.flatnonzero(wants).tolist()
        found: list[Any] = []
        llm = model_to_ask(self._llm, self.llm)
        before = llm.usage_
        with reporting("NextWordCounts", self.verbose, self):
            found = asked and llm.next_word_distribution(
                [texts[i] for i in asked],
                template=fitted.prompt,
                max_length=fitted.max_length,
                n_words=_N_TOKENS,
                on_error=self.on_error,
                verbose=self.verbose,
            )
        self.usage_ = usage_since(before, llm)
        totals = np.full(len(texts), fitted.weight)
        if not isinstance(fitted.weight, Integral):
            totals = np.round(fitted.weight * own.sum(axis=1))
        if not (totals < 2**31).all():
            raise ValueError(
                f"weight={fitted.weight} adds 2**31 words or more to text "
                f"{totals.argmax()}, which is too many for int32 counts. Lower it."
            )
        totals = totals.astype(int)
        answered = [(i, row) for i, row in zip(asked, found, strict=True) if row]
        fed = self._shares.counts(dict(answered), totals, fitted.n_words, own.shape)
        n_fed = int((fed.sum(axis=1) > 0).sum())
        self.report_ = {
            "fed": n_fed,
            "blank": sum(not text.strip() for text in texts),
            "no_overlap": len(answered) - n_fed,
            "failed": len(asked) - len(answered),
        }
        if len(answered) >= _WARN_FROM and not n_fed and totals.any():
            warn_user(
                "No word that the language model predicts is in the vocabulary of "
                f"{own.shape[1]} words, so no text gained any. Check the prompt, the "
                "vectorizer, and that the model knows the texts' language."
            )
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
