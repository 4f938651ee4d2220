"""``TopicSentiment``: how positive texts are about each topic."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import (
    as_seed,
    check_positive,
    check_share,
    check_texts,
    pandas_for,
)
from llmtopics._fitted_model import FittedModel
from llmtopics._parts import PartsMixin
from llmtopics._progress import fitting, reporting, stage
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics._vectorizers import IsVectorizer
from llmtopics._words import topic_labels
from llmtopics.apply._sentiment_classifier import (
    Calibration,
    check_labels,
    scores_of,
)
from llmtopics.apply._sentiment_fitting import (
    check_ways,
    fit_classifiers,
    fit_topics,
)
from llmtopics.apply._sentiment_sentences import (
    Measured,
    Sentences,
    mixtures_of,
    of_documents,
    read_sentences,
)
from llmtopics.apply._sentiment_table import columns_of, rows_of_groups

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 500  # documents that are read together
_N_WORDS = 10  # per topic, in the table


@dataclass(eq=False, repr=False)
class TopicSentiment(
    PartsMixin, TextReader, ClassifierMixin, TransformerMixin, BaseEstimator
):
    """Measure how positive texts are about each topic (aspect-based sentiment).

    Texts are split into sentences. Each sentence has a first (dominant) topic and a polarity
    between -1 (negative) and 1 (positive). The polarity of a topic in a document is the mean
    over the sentences of this topic. So a review can praise the food and complain about the
    room.

    Parameters
    ----------
    topic_model : estimator or None, default=None
        Texts to topic proportions: :class:`FusionTopicModel`, :class:`LLMTopics`, or a
        Pipeline of a vectorizer and a topic model of counts. To keep a fitted model as it is,
        pass ``FrozenEstimator(model)`` of ``sklearn.frozen``. None is ``FusionTopicModel()``.

    classifier : classifier or None, default=None
        Texts to probabilities of the classes of ``y``: a Pipeline, or
        :class:`TransformerClassifier`. Without ``y``, pass a fitted one as
        ``FrozenEstimator(classifier)``. None is the mean of two logistic regressions, one on
        words and pairs of words, one on vectors.

    vectorizer : transformer or None, default=None
        Texts to weights of words, for the default classifier. None is
        ``TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)``. Keep stop words: "not" is
        one of them. Other languages need ``TfidfVectorizer(analyzer=TextAnalyzer("chinese",
        stop_words=None))``.

    embedder : transformer, str or None, default=None
        Texts to vectors, for the default classifier. None is the embedder of the topic model, or
        ``TransformerEmbedder()`` if it has none. A name is ``TransformerEmbedder(name)``.

    positive, negative : sequence of str or None, default=None
        Seed words or phrases for ``fit`` without ``y``, such as ``["great", "excellent"]``
        and ``["bad", "awful"]``. The direction between their vectors labels the texts at its
        ends, and the classifier is trained on these. This is weaker than labels.

    order : sequence of labels or None, default=None
        Classes from the most negative to the most positive. None sorts numbers: 0 before 1,
        False before True, ratings by their numbers ("9" before "10"). It also knows "negative",
        "neutral", "positive", "neg" and "pos". Other classes need ``order``.

    fit_topics_on : {"sentences", "documents"}, default="sentences"
        What the topic model is fitted on. "sentences" finds subjects that are mixed within
        documents, such as the food and the room of a hotel. "documents" is better if most
        documents have one subject. A frozen topic model is not fitted.

    language : str, default="english"
        Language of the texts, for splitting them into sentences.

    cv : int, default=3
        Folds for the calibration of sentences, at least 2. See Notes. 0 leaves it out.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seed of the folds, the intervals, and all parts that have none.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    table_ : pandas.DataFrame
        :meth:`table` of the texts in ``fit``. With ``y`` or seed words, the polarity of each
        sentence is by a classifier that did not see its document, unless ``cv=0``, or the
        classifier is frozen, or only one document is on one side of the scale.

    classes_ : ndarray of shape (n_classes,)
        The classes.

    class_polarity_ : ndarray of shape (n_classes,)
        Polarity of each class, from -1 to 1.

    calibration_ : tuple of 2 floats
        Slope and intercept of the calibration.

    topic_words_ : list of K lists of str
        Ten words per topic, best first. Empty if the topic model has no words.

    topic_model_, classifier_, sentence_classifier_ : estimators
        The fitted parts. The two classifiers read whole texts and sentences. A frozen
        classifier reads both.

    See Also
    --------
    FusionTopicModel : The default topic model.
    TransformerClassifier : A classifier of texts on a language model.
    llmtopics.plots.plot_topic_sentiment : The table as a picture.

    Notes
    -----
    **Topics of a sentence.** A short sentence tells little. Its topics are those of Bayes'
    rule, ``p(k | s, d) ∝ θ_dk θ_sk / m_k``. The prior is θ_d of the whole document. θ_s is of
    the sentence alone, and m of a text without words. A sentence that tells nothing gets θ_d.

    **Polarity of a sentence.** A copy of the classifier is trained on sentences, each with the
    label of its document. Its polarity is calibrated on documents that it did not see:
    ``2 σ(a x + b) - 1`` with the log-odds x, slope a and intercept b (Platt scaling [1]_). All
    classes have the same weight. So a sentence that tells nothing of the label is neutral, also if
    most texts are positive. With more than two classes, x is the log-odds of the mean polarity on
    a scale of 0 to 1. For few documents, a stays near 1 and b near 0. A frozen classifier is
    not trained again, and without ``y`` it is not calibrated.

    **Intervals** come from resampling documents (bootstrap), because sentences of one document
    are alike. They do not contain errors of the topic model and the classifier.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines", Advances in Large
       Margin Classifiers, 1999.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, TextAnalyzer, TopicSentiment
    >>> texts = [
    ...     "The soup was great. The waiter brought great soup and bread.",
    ...     "The soup was awful. The waiter brought awful bread.",
    ...     "A great bed and a great shower. The bed was quiet.",
    ...     "An awful bed and an awful shower. The bed was loud.",
    ... ] * 5
    >>> topics = make_pipeline(CountVectorizer(analyzer=TextAnalyzer()), GibbsLDA(2))
    >>> model = TopicSentiment(topics, random_state=0)
    >>> polarity = model.fit_transform(texts, [1, 0, 1, 0] * 5)
    >>> polarity.shape
    (20, 2)
    >>> (polarity.sum(axis=1)[:4] > 0).tolist()
    [True, False, True, False]
    """

    topic_model: Any = None
    _: KW_ONLY
    classifier: Any = None
    vectorizer: Any = None
    embedder: Any = None
    positive: Sequence[str] | None = None
    negative: Sequence[str] | None = None
    order: Sequence[Any] | None = None
    fit_topics_on: str = "sentences"
    language: str = "english"
    cv: int = 3
    random_state: Any = None
    verbose: bool | int = False

    _part_defaults: ClassVar = {
        "topic_model": "FusionTopicModel()",
        "classifier": "TransformerClassifier()",
        "vectorizer": "TfidfVectorizer()",
        "embedder": "TransformerEmbedder()",
    }

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "classes_",
        "class_polarity_",
        "calibration_",
        "topic_words_",
        "topic_model_",
        "classifier_",
        "sentence_classifier_",
        "_names",
        "_no_words",
        "_seed",
        "_table",
        "_as_fitted",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "topic_model": [HasMethods(["fit", "transform"]), None],
        "classifier": [HasMethods(["fit", "predict", "predict_proba"]), None],
        "vectorizer": [IsVectorizer(), None],
        "embedder": [
            str,
            HasMethods(["fit", "transform"]),
            HasMethods(["encode"]),
            None,
        ],
        "positive": ["array-like", None],
        "negative": ["array-like", None],
        "order": ["array-like", None],
        "fit_topics_on": [StrOptions({"sentences", "documents"})],
        "language": [str],
        "cv": [Options(Integral, {0}), Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the topic model and the classifier.

        Parameters
        ----------
        X : sequence of D str
            Texts.
        y : array-like of shape (D,) or None, default=None
            A label of each text: two classes, or ratings. None needs seed words (``positive``
            and ``negative``), or a frozen ``classifier``.

        Returns
        -------
        self : TopicSentiment
            The fitted estimator.

        Raises
        ------
        ValueError
            For what is not a text or label (naming its row), labels of one class, texts that
            are all blank, seed words that the embedder cannot tell apart, and parameters
            that contradict each other. Errors of the parts are passed on.
        """
        self._fit(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Fit, and return the polarities, as ``fit(X, y).transform(X)``.

        Parameters
        ----------
        X : sequence of D str
            Texts.
        y : array-like of shape (D,) or None, default=None
            As in :meth:`fit`.

        Returns
        -------
        polarity : ndarray of shape (D, K)
            As :meth:`transform`.
        """
        return self._fit(X, y).polarity

    @config_context(transform_output="default")
    def _fit(self, X: Any, y: Any) -> Measured:
        texts = check_texts(X, "TopicSentiment")
        if not any(text.strip() for text in texts):
            raise ValueError(
                f"TopicSentiment needs texts with words, and all {len(texts)} are blank."
            )
        given = as_fitted(self)
        labels = None if y is None else check_labels(y, texts, given.order)
        check_ways(given, labels)
        with fitting(self), restored_on_error(self):
            self._as_fitted, self._seed = given, as_seed(self.random_state)
            small = self._seed % 2**32  # scikit-learn's parts take no larger seed
            self.topic_model_ = fit_topics(given, texts, small)
            self._no_words = mixtures_of(self.topic_model_, [""])[0]
            n_topics = len(self._no_words)
            topics = FittedModel(self.topic_model_)
            words = topics.top_words(_N_WORDS)
            self.topic_words_ = words or [[] for _ in range(n_topics)]
            self._names = topics.names or topic_labels(self.topic_words_)
            sentences = self._sentences(texts)
            fitted = fit_classifiers(
                given, self.topic_model_, texts, labels, sentences, small
            )
            self.classifier_ = fitted.of_documents
            self.sentence_classifier_ = fitted.of_sentences
            self.classes_ = np.asarray(self.classifier_.classes_)
            self.class_polarity_ = fitted.values
            self.calibration_ = tuple(fitted.calibration)
            measured = self._measure(sentences, len(texts))
            held_out = measured
            if (scores := fitted.held_out) is not None:
                rows, at = scores
                polarity = measured.of_sentences.copy()
                polarity[rows] = fitted.calibration(at)
                held_out = of_documents(sentences, polarity, len(texts))
            self._table = self._columns(held_out, 3, 0.95)
        return measured

    def transform(self, X):
        """Return the polarity of each topic in each text.

        Parameters
        ----------
        X : sequence of D str
            Texts.

        Returns
        -------
        polarity : ndarray of shape (D, K)
            From -1 (negative) to 1 (positive). 0 is neutral, or a topic that the text does
            not have. Never NaN.
        """
        return self._read(X).polarity

    def shares(self, X):
        """Return the share of each topic in each text: of its sentences.

        Parameters
        ----------
        X : sequence of D str
            Texts.

        Returns
        -------
        shares : ndarray of shape (D, K)
            Rows sum to one, or less if the topic model knows no word of some sentences.
        """
        return self._read(X).shares

    def table(
        self,
        X: Sequence[str],
        groups: Any = None,
        *,
        n_sentences: int = 3,
        confidence: float = 0.95,
    ) -> "pd.DataFrame":
        """Return the polarity of each topic over texts, with intervals.

        Parameters
        ----------
        X : sequence of D str
            Texts.
        groups : array-like of shape (D,) or None, default=None
            A group of each text, such as its year or product. Then each group has a row per
            topic.
        n_sentences : int, default=3
            Largest number of typical sentences per topic.
        confidence : float between 0 and 1, default=0.95
            Confidence of the intervals.

        Returns
        -------
        table : pandas.DataFrame
            One row per topic. "group" is there with ``groups``. "topic" is its name, "words"
            are its words. "share" is its mean share of the sentences of a text.
            "mean" is the polarity, averaged over the texts that have the topic, and weighted by their
            shares. "low" and "high" are the ends of its interval, "n_documents" is the number of
            these texts. With fewer than two of them the interval is -1 to 1, and without any
            the mean is 0. "positive" and "negative" are lists of typical sentences.

        Raises
        ------
        ImportError
            If pandas is not installed.
        ValueError
            For what is not a text and missing groups, naming their row, and bad parameters.
        """
        pandas = pandas_for("TopicSentiment")
        check_positive(n_sentences=n_sentences)
        check_share(confidence=confidence)
        measured = self._read(X)
        if groups is None:
            return pandas.DataFrame(self._columns(measured, n_sentences, confidence))
        return pandas.concat(
            [
                pandas.DataFrame(
                    {"group": name}
                    | self._columns(measured.of(rows), n_sentences, confidence)
                )
                for name, rows in rows_of_groups(groups, len(measured.shares)).items()
            ],
            ignore_index=True,
        )

    @property
    def table_(self):
        """Table of the texts in ``fit``."""
        check_is_fitted(self)
        return pandas_for("TopicSentiment").DataFrame(self._table)

    def predict(self, X):
        """Return the class of each whole text, by the classifier.

        Parameters
        ----------
        X : sequence of D str
            Texts.

        Returns
        -------
        labels : ndarray of shape (D,)
            Of ``classes_``. Without ``y``, "negative" or "positive".
        """
        return self._asked("predict", X)

    def predict_proba(self, X):
        """Return the probabilities of the classes of each whole text, by the classifier.

        Parameters
        ----------
        X : sequence of D str
            Texts.

        Returns
        -------
        probabilities : ndarray of shape (D, n_classes)
            Rows sum to one. Columns are in the order of ``classes_``.
        """
        return self._asked("predict_proba", X)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the topics.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of K str objects
            The names of the topic model, or else the first words of each topic.
        """
        check_is_fitted(self)
        return np.array(self._names, dtype=object)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "classifier_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags

    @config_context(transform_output="default")
    def _asked(self, method: str, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(
            getattr(self.classifier_, method)(check_texts(X, "TopicSentiment"))
        )

    @config_context(transform_output="default")
    def _read(self, X: Any) -> Measured:
        check_is_fitted(self)
        texts = check_texts(X, "TopicSentiment")
        with reporting("TopicSentiment", self.verbose, self):
            return self._measure(self._sentences(texts), len(texts))

    def _sentences(self, texts: list[str]) -> Sentences:
        """Return the sentences of documents and their topics, read in batches."""
        parts = []
        with (
            reporting("TopicSentiment", self.verbose, self),
            stage("sentences", len(texts), "texts") as read,
        ):
            for start in range(0, len(texts), _BATCH):
                some = texts[start : start + _BATCH]
                part = read_sentences(
                    self.topic_model_, some, self._as_fitted.language, self._no_words
                )
                parts.append(part._replace(documents=part.documents + start))
                read.update(len(some))
        return Sentences(
            [text for part in parts for text in part.texts],
            np.concatenate([part.documents for part in parts]),
            np.concatenate([part.topics for part in parts]),
            np.concatenate([part.first for part in parts]),
        )

    def _scores(self, sentences: list[str]) -> np.ndarray:
        if not sentences:
            return np.empty(0)
        return scores_of(self.sentence_classifier_, self.class_polarity_, sentences)

    def _measure(self, sentences: Sentences, n_documents: int) -> Measured:
        of_sentences = Calibration(*self.calibration_)(self._scores(sentences.texts))
        return of_documents(sentences, of_sentences, n_documents)

    def _columns(
        self, measured: Measured, n_sentences: int, confidence: float
    ) -> dict[str, list[Any]]:
        return columns_of(
            measured,
            self._names,
            self.topic_words_,
            n_sentences,
            self._seed,
            confidence,
        )
