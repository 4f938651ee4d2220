"""``read_topics``: a fitted model and its texts → ``Topics``."""

from typing import Any

from sklearn.frozen import FrozenEstimator

from llmtopics._checks import check_texts, pandas_for
from llmtopics._fitted_model import FittedModel, joined
from llmtopics._mixtures import check_mixtures
from llmtopics.reading._inputs import check_column, check_names
from llmtopics.reading._topics import Topics
from llmtopics.reading._words import read_words
from llmtopics.topics._pachinko import PachinkoAllocation
from llmtopics.topics._super_topics import SuperTopics


def read_topics(
    model: Any,
    texts: Any,
    *,
    mixtures: Any = None,
    titles: Any = None,
    labels: Any = None,
    times: Any = None,
    names: Any = None,
    super_topics: bool = False,
) -> Topics:
    """Read the topics of a fitted model: tables, words, documents, groups, time.

    Parameters
    ----------
    model : estimator
        A fitted topic model that reads texts: :class:`FusionTopicModel`, :class:`LLMTopics`,
        :class:`TopicMerger`, or a Pipeline of a vectorizer and a topic model, such as
        :class:`GibbsLDA`, :class:`PachinkoAllocation` or scikit-learn's ``NMF``.
    texts : sequence of D str
        The documents to read, mostly those in ``fit``. Others are possible.
    mixtures : array-like of shape (D, K), default=None
        θ of the texts, if it is known, such as the result of ``fit_transform``. None is
        ``model.transform(texts)``.
    titles : sequence of D str, default=None
        Titles of the documents, for tables. A missing one (None) is the beginning of the text.
    labels : sequence of length D, default=None
        A group of each document, such as its author or section, for :meth:`Topics.by`.
    times : sequence of length D, default=None
        Dates, or years as whole numbers, for :meth:`Topics.over`.
    names : list of K str, default=None
        Names of the topics. None takes the model's own names, or else the first words of
        each topic.
    super_topics : bool, default=False
        Whether to read the super-topics of :class:`PachinkoAllocation` instead of its topics.
        ``topics.model.transform(texts)`` then has one column per super-topic.

    Returns
    -------
    topics : Topics
        What its methods read, see :class:`Topics`.

    Raises
    ------
    ImportError
        If pandas is not installed.
    NotFittedError
        If the model is not fitted.
    TypeError
        If the model does not read texts.
    ValueError
        If the arguments do not have one value per document or topic, or if a row of texts is
        no text.

    See Also
    --------
    Topics : What can be read.
    explain : Why one document has its topics.

    Notes
    -----
    Words and their order are those of the model: ``top_words()`` of FusionTopicModel and
    TopicMerger, and :func:`top_words` of the weights of other models. A model without weights
    of words (LLMTopics, a Pipeline of vectors) gets them from the texts: each token is divided
    among topics by the θ of its document, and words are ranked by keyness.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> topics = read_topics(model, texts)
    >>> topics.topic_table()[["name", "n_documents"]].shape
    (2, 2)
    >>> topics.document_table().topic.nunique()
    2
    """
    pandas_for("read_topics")
    fitted = FittedModel.of_texts(model, "read_topics")
    read = check_texts(texts, "read_topics")
    if super_topics:
        fitted = _super_topics(fitted)
    theta = fitted.mixtures(read) if mixtures is None else check_mixtures(mixtures)
    if len(theta) != len(read):
        raise ValueError(
            f"mixtures has {len(theta)} rows, and there are {len(read)} texts: pass the "
            "mixtures of these texts, one row per text."
        )
    words = read_words(fitted, read, theta)
    n_topics = len(words.weights)
    if theta.shape[1] != n_topics:
        raise ValueError(
            f"mixtures has {theta.shape[1]} topics, and the model has {n_topics}: pass "
            "the mixtures of this model."
        )
    own = fitted.names if names is None else names
    topics = Topics(
        model=fitted,
        texts=read,
        mixtures=theta,
        words=words,
        names=None if own is None else check_names(own, n_topics),
        titles=check_column(titles, len(read), "titles"),
        labels=check_column(labels, len(read), "labels"),
        times=check_column(times, len(read), "times"),
    )
    described = getattr(fitted.last, "descriptions_", None)
    topics.descriptions = described and list(described)
    return topics


def _super_topics(fitted: FittedModel) -> FittedModel:
    """Return the super-topics of Pachinko allocation as a model with its own topics."""
    model = fitted.last
    if not isinstance(model, PachinkoAllocation):
        raise ValueError(
            f"super_topics=True needs a PachinkoAllocation, got {type(model).__name__}."
        )
    return FittedModel(FrozenEstimator(joined([*fitted.before, SuperTopics(model)])))
