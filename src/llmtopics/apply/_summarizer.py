"""Summaries that cover the topics of a text or of a group of texts."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import check_texts, pandas_for, warn_user
from llmtopics._fitted_model import FittedModel
from llmtopics._language import LanguageModel, as_llm, model_to_ask
from llmtopics._parts import PartsMixin
from llmtopics._progress import fitting, reporting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import OneTextColumn, TextReader
from llmtopics.apply._summarizer_coverage import Weights
from llmtopics.apply._summarizer_sentences import (
    Sentences,
    counts_words,
    read_sentences,
)
from llmtopics.apply._summarizer_summaries import (
    Summary,
    Task,
    extract,
    sentence_rows,
    summary_rows,
    topic_number,
    write,
)
from llmtopics.embed._encoder import as_embedder
from llmtopics.fusion import FusionTopicModel
from llmtopics.text._languages import language_name

_N_SENTENCES = 3  # if nothing limits a summary


@dataclass(eq=False, repr=False)
class TopicSummarizer(
    PartsMixin,
    TextReader,
    OneTextColumn,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Summarize texts by sentences that cover their topics (extractive summaries).

    A topic model gives the topic proportions of each text and of each sentence. Sentences are
    chosen that cover the topics, the words and the vectors of the text with little
    repetition. They stay in their order. A language model can write the summary from these
    sentences, and what it writes is checked.

    Parameters
    ----------
    model : topic model or None, default=None
        A topic model that reads texts: a :class:`FusionTopicModel`, a Pipeline of a
        vectorizer and a topic model, or any transformer of texts to topic proportions.
        ``FrozenEstimator(model)`` keeps a fitted model. None is :class:`FusionTopicModel`
        with ten topics.

    n_sentences : int or None, default=None
        Largest number of sentences per summary. None is 3, or no limit if ``n_words`` is given.

    n_words : int or None, default=None
        Largest number of words per summary. Sentences are never cut: one that does not fit is
        left out. Characters of Chinese, Japanese, Thai, Lao, Khmer and Burmese count as words.
        None sets no limit.

    topic_weight : float, default=0.5
        Weight of covering the topics. Raise it for groups of texts with several topics.

    word_weight : float, default=1.0
        Weight of covering the words. They are those that the topic model counts. A model that
        counts no words has no such term.

    vector_weight : float, default=1.0
        Weight of covering the vectors. With 0, no embedder is used.

    position_weight : float, default=0.0
        Preference for early sentences. The gain of sentence i = 0, 1, … of its text is
        multiplied by ``1 + position_weight / (1 + i)``. Use 1 to 2 for news.

    embedder : str, transformer of texts to vectors, object with ``encode`` or None, default=None
        The embedding model, as in :class:`FusionTopicModel`. None is the embedder of the
        topic model, or "minilm" if it has none.

    language : str, default="english"
        Language of the texts, for :func:`~llmtopics.text.split_sentences`.

    llm : str, language model or None, default=None
        A language model that writes the summary from the chosen sentences (abstractive
        summaries). A name is that of a :class:`LocalLLM`. None returns the sentences
        themselves.

    max_new_tokens : int, default=160
        Maximum number of tokens that the language model writes per summary.

    on_error : {"raise", "keep"}, default="raise"
        "raise" stops at a failed call of the language model. "keep" goes on, with the
        sentences themselves as the summary.

    random_state : int, RandomState, Generator or None, default=None
        Seed of the default topic model. A given ``model`` has its own.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    model_ : estimator
        The fitted topic model.

    embedder_ : estimator or None
        The fitted embedder. None with ``vector_weight=0``.

    llm_ : LanguageModel or None
        The language model.

    outcomes_ : ndarray of str
        Outcome of each summary in the last call of ``transform`` or ``summarize`` (see Notes).

    See Also
    --------
    FusionTopicModel : The default topic model.
    LLMAugmenter : Summaries by a language model alone, without topics (``mode="summary"``).

    Notes
    -----
    The chosen set of sentences S maximizes, greedily, the sum of three terms. Each is
    submodular [1]_: a sentence adds less, the more is chosen already.

    - Topics: ``Σ_k θ_k (1 - Π_{j∈S} (1 - θ_jk))``, the probability that a topic of the text
      is in at least one sentence [2]_. ``coverage`` is this number, from 0 to 1.
    - Words: ``Σ_w p_w sqrt(n_w(S))``, with the share ``p_w`` of a word in the text, and the
      number of chosen sentences that have it.
    - Vectors: ``mean_i max_{j∈S} max(cos(e_i, e_j), 0)`` over the sentences i of the text
      (facility location), at most 1,000 evenly spaced ones.

    Each term is divided by the most that one sentence adds to it alone, so that weights mean the
    same in short and long texts. As in [1]_, what a sentence adds is divided by its number of
    words, or by the square root of it if ``n_words=None``. Sentences of fewer than 8 words count
    as 8: many are fragments. The time grows about linearly with the number of sentences (lazy
    greedy [3]_). Repeated sentences are chosen once.

    The outcomes are:

    - "extracted": sentences of the text.
    - "blank": the text has no sentence. The summary is "".
    - "no such topic": no sentence has the topic as its first topic. The summary is "".
    - "too long": each sentence has more than ``n_words`` words. The summary is "".
    - "generated": written by the language model, and no check failed.
    - "extracted: ..." with the reason: the language model's answer was not used. It failed, was
      refused, was not one whole sentence within the limits, had names or numbers that are not in
      the source, had no word that the topic model counts, or left out a topic. Topics with a share
      of at least 0.2 count as left out if the answer covers them less than half as well as the
      sentences do. Sentences of the answer without any counted word cover nothing.

    The checks find no other false statements. Names are found by their capital letters.

    Texts are data: the language model is told so, and a text cannot end the block that holds
    it. A text with orders for the model can change only the summary that it is part of.

    References
    ----------
    .. [1] H. Lin and J. Bilmes, "A class of submodular functions for document
       summarization", ACL 2011.
    .. [2] K. El-Arini et al., "Turning down the noise in the blogosphere", KDD 2009.
    .. [3] M. Minoux, "Accelerated greedy algorithms for maximizing submodular set
       functions", Optimization Techniques, 1978.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, TextAnalyzer, TopicSummarizer
    >>> texts = [
    ...     "The cat chased a mouse. The mouse ran. Banks raised interest rates. Rates rose.",
    ...     "The cat played with a mouse. A mouse slept.",
    ...     "Banks lowered interest rates. Interest rates worry banks.",
    ... ]
    >>> words = CountVectorizer(analyzer=TextAnalyzer())
    >>> model = make_pipeline(words, GibbsLDA(2, random_state=0))
    >>> summarizer = TopicSummarizer(model, n_sentences=2).fit(texts)
    >>> summarizer.transform(texts[:1])
    ['The cat chased a mouse. Banks raised interest rates.']
    """

    model: Any = None
    _: KW_ONLY
    n_sentences: int | None = None
    n_words: int | None = None
    topic_weight: float = 0.5
    word_weight: float = 1.0
    vector_weight: float = 1.0
    position_weight: float = 0.0
    embedder: Any = None
    language: str = "english"
    llm: str | LanguageModel | None = None
    max_new_tokens: int = 160
    on_error: str = "raise"
    random_state: Any = None
    verbose: bool | int = False

    _part_defaults: ClassVar = {
        "model": "FusionTopicModel()",
        "embedder": "TransformerEmbedder()",
        "llm": "LocalLLM()",
    }

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "model_",
        "embedder_",
        "llm_",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [HasMethods(["fit", "transform"]), None],
        "n_sentences": [Interval(Integral, 1, None, closed="left"), None],
        "n_words": [Interval(Integral, 1, None, closed="left"), None],
        "topic_weight": [Interval(Real, 0, 1e100, closed="both")],
        "word_weight": [Interval(Real, 0, 1e100, closed="both")],
        "vector_weight": [Interval(Real, 0, 1e100, closed="both")],
        "position_weight": [Interval(Real, 0, 1e100, closed="both")],
        "embedder": [
            str,
            HasMethods(["fit", "transform"]),
            HasMethods(["encode"]),
            None,
        ],
        "language": [str],
        "llm": [str, LanguageModel, None],
        "max_new_tokens": [Interval(Integral, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "keep"})],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    @config_context(transform_output="default")
    def fit(self, X, y=None):
        """Fit the topic model.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : object, default=None
            Passed on to ``model.fit``. The topic models of this library ignore it.

        Returns
        -------
        self : TopicSummarizer
            The fitted estimator.

        Raises
        ------
        ValueError
            If an entry is not a text (the error names its row), if all
            weights of coverage are 0 (or all but that of the words, and the topic model counts
            no words), or if the language is not known. Errors of the topic
            model and of the embedder are passed on.
        """
        texts, given = check_texts(X, "TopicSummarizer"), as_fitted(self)
        language_name(given.language)
        if not (given.topic_weight or given.word_weight or given.vector_weight):
            raise ValueError(
                "topic_weight, word_weight and vector_weight are all 0: set one above 0."
            )
        with fitting(self), restored_on_error(self):
            self._as_fitted = given
            vars(self).pop("outcomes_", None)  # of the old fit
            self.model_ = self._new_model().fit(texts, y)  # FrozenEstimator needs y
            if not (given.topic_weight or given.vector_weight) and not counts_words(
                self.model_, texts[:1]
            ):
                raise ValueError(
                    "topic_weight and vector_weight are 0, and the topic model counts no "
                    "words: set one of them above 0."
                )
            own = None
            if given.embedder is None:
                own = FittedModel(self.model_).embedder
            self.embedder_ = None
            if given.vector_weight:
                made = as_embedder(given.embedder, self.verbose)
                self.embedder_ = clone(made).fit(texts) if own is None else own
            self.llm_ = None if given.llm is None else clone(as_llm(given.llm))
        return self

    def transform(self, X):
        """Return one summary per text.

        Parameters
        ----------
        X : sequence of str
            Texts. They need not be those in ``fit``.

        Returns
        -------
        summaries : list of str
            One per text, in the same order.

        Raises
        ------
        ValueError
            If an entry is not a text (the error names its row).
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".

        Warns
        -----
        UserWarning
            If summaries are empty because no sentence is within ``n_words``.
        """
        return [summary.text for summary in self._summaries(X, None, None)]

    def summarize(
        self,
        texts: Sequence[str],
        *,
        groups: Sequence[Any] | None = None,
        topic: int | str | None = None,
    ) -> Any:
        """Return a table with one summary per text, or per group of texts.

        Parameters
        ----------
        texts : sequence of str
            Texts.
        groups : sequence of labels or None, default=None
            The group of each text. Each group gets one summary. None makes one per text.
        topic : int, str or None, default=None
            Number or name of a topic (``model_.get_feature_names_out()``). Only sentences with
            this first topic are chosen, and only they are covered. None covers all topics.

        Returns
        -------
        table : pandas.DataFrame
            One row per summary, in the order of the first text of each group.

            - "group": the label, or the row of the text.
            - "summary", "outcome": the text, and how it was made (see Notes of the class).
            - "n_words": number of words.
            - "coverage": share of the topics that the summary covers, from 0 to 1.
            - "left_out", "not_in_source": topics that the language model's answer left out, and its
              names and numbers that no text has, each separated by commas.
            - "answer": the language model's answer, "" without one.

        Raises
        ------
        ValueError
            If an entry is not a text or a group has no label (the error names its row), if
            ``groups`` has another length than ``texts``, or if the topic is not known.
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".
        ImportError
            If pandas is not installed.

        Warns
        -----
        UserWarning
            If summaries are empty because no sentence is within ``n_words``.
        """
        pandas = pandas_for("TopicSummarizer.summarize")
        return pandas.DataFrame(summary_rows(self._summaries(texts, groups, topic)))

    @config_context(transform_output="default")
    def select_sentences(
        self,
        texts: Sequence[str],
        *,
        groups: Sequence[Any] | None = None,
        topic: int | str | None = None,
    ) -> Any:
        """Return a table of the chosen sentences. No language model is called.

        Parameters
        ----------
        texts : sequence of str
            As in :meth:`summarize`.
        groups : sequence of labels or None, default=None
            As in :meth:`summarize`.
        topic : int, str or None, default=None
            As in :meth:`summarize`.

        Returns
        -------
        table : pandas.DataFrame
            One row per sentence, in the order of the summary. Texts without a summary have no
            row.

            - "group": the label, or the row of the text.
            - "row", "position": the text of the sentence, and its position there, from 0.
            - "sentence", "n_words": the sentence, and its number of words.
            - "topic", "topic_share": number of its first topic, and the share θ.
            - "rank": its place in the order of choice, from 0.
            - "score": what it added when it was chosen.
            - "coverage": share of the topics covered by it and all with a smaller rank.

        Raises
        ------
        ValueError
            As in :meth:`summarize`.
        ImportError
            If pandas is not installed.
        """
        pandas = pandas_for("TopicSummarizer.select_sentences")
        with reporting("TopicSummarizer", self.verbose, self):
            task, sentences = self._read(texts, topic)
            found = extract(sentences, groups, task)
        return pandas.DataFrame(sentence_rows(found, sentences))

    @config_context(transform_output="default")
    def _summaries(self, texts: Any, groups: Any, topic: Any) -> list[Summary]:
        with reporting("TopicSummarizer", self.verbose, self):
            task, sentences = self._read(texts, topic)
            found = extract(sentences, groups, task)
            if self.llm_ is not None:
                llm = model_to_ask(self.llm_, self.llm)
                found = write(
                    found, sentences, self.model_, llm, task, on_error=self.on_error
                )
        self.outcomes_ = np.array([summary.outcome for summary in found])
        too_long = [str(one.label) for one in found if one.outcome == "too long"]
        if too_long:
            warn_user(
                f"{len(too_long)} of {len(found)} summaries are empty, because each sentence "
                f"is longer than n_words={task.n_words} (first: {', '.join(too_long[:3])}). "
                "Raise n_words, or set it to None."
            )
        return found

    def _read(self, texts: Any, topic: Any) -> tuple[Task, Sentences]:
        """Return what to do, and the sentences of the texts."""
        check_is_fitted(self, "_as_fitted")
        given = self._as_fitted
        found = check_texts(texts, "TopicSummarizer")
        sentences = read_sentences(
            found, given.language, self.model_, self.embedder_, given.word_weight > 0
        )
        K = sentences.mixtures.shape[1]
        number = None if topic is None else topic_number(self.model_, topic, K)
        weights = (given.topic_weight, given.word_weight, given.vector_weight)
        task = Task(
            number,
            _N_SENTENCES
            if given.n_sentences is given.n_words is None
            else given.n_sentences,
            given.n_words,
            Weights(*weights, given.position_weight),
            given.language,
            given.max_new_tokens,
        )
        return task, sentences

    def _new_model(self) -> Any:
        if self.model is not None:
            return clone(self.model)
        return FusionTopicModel(random_state=self.random_state, verbose=self.verbose)
