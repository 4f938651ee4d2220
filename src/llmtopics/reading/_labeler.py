"""``TopicLabeler``: a topic model whose topics have names by a language model."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from sklearn import config_context
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import HasMethods

from llmtopics._checks import check_texts
from llmtopics._fitted_model import FittedModel, check_reads_texts
from llmtopics._language import LanguageModel
from llmtopics._progress import fitting
from llmtopics._state import restored_on_error
from llmtopics._words import rank_words
from llmtopics.naming import name_topics
from llmtopics.naming._name_topics import CONSTRAINTS
from llmtopics.reading._words import read_words
from llmtopics.reading._wrapper import WrappedTopics


@dataclass(eq=False, repr=False)
class TopicLabeler(WrappedTopics):
    """Name the topics of a topic model with a language model.

    It wraps a topic model and is one itself: a step of a Pipeline whose columns have the names,
    with ``top_words``, and for :func:`explain`, :func:`read_topics`, searches and scorers. How
    names are chosen and checked, see :func:`llmtopics.naming.name_topics`.

    Parameters
    ----------
    estimator : estimator
        A topic model that reads texts, or a Pipeline to one. ``fit`` fits a clone. A fitted
        model in scikit-learn's ``FrozenEstimator`` is kept as it is.

    llm : str or LanguageModel, default="smollm2"
        The language model. A str is the ``model`` of a :class:`LocalLLM`.

    prompt : str or None, default=None
        Your own prompt for a name. This and the next parameters are those of
        :func:`llmtopics.naming.name_topics`.

    describe : bool, default=False
        Whether to ask for a one-sentence description of each topic, too.

    description_prompt : str or None, default=None
        Your own prompt for a description.

    chat : bool, default=False
        Whether to send the prompt as a chat message.

    n_words : int, default=8
        Number of words per topic that the model reads.

    n_documents : int, default=3
        Number of representative (typical) documents per topic that the model reads.

    document_length : int, default=200
        Number of characters per document that the model reads.

    check_documents : bool, default=True
        Whether the representative documents must have the words of names and descriptions.

    max_new_tokens : int or None, default=None
        Maximum number of tokens per answer.

    verbose : bool or int, default=False
        Whether to show a progress bar of all calls.

    Attributes
    ----------
    estimator_ : estimator
        The fitted topic model.

    names_ : list of K str
        One name per topic. Names are distinct, and none is blank.

    descriptions_ : list of K str, or None
        One sentence per topic, if they were asked for.

    sources_, outcomes_, report_, words_, candidates_, refused_, typical_documents_, usage_
        How the names were found, as in :class:`llmtopics.naming.TopicNames`.

    components_ : ndarray of shape (K, n_words)
        φ of the topic model. Rows sum to one, or to zero for a topic without words.

    vocabulary_ : ndarray of shape (n_words,)
        The words, in the order of the columns of ``components_``.

    mapping_ : ndarray of shape (K,)
        The number of each topic in ``estimator_``: the same.

    See Also
    --------
    Topics.label : Names the topics of a fitted model.
    llmtopics.naming.name_topics : Names topics given by their words.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, TopicLabeler
    >>> texts = ["wine grapes cellar", "grapes wine harvest"] * 3
    >>> texts += ["violin concert orchestra", "concert piano violin"] * 3
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0))
    >>> labeler = TopicLabeler(model).fit(texts)
    >>> list(labeler.get_feature_names_out())  # doctest: +SKIP
    ['Wine', 'Music']
    >>> labeler.transform(["wine"]).shape
    (1, 2)
    """

    estimator: Any
    llm: str | LanguageModel = "smollm2"
    _: KW_ONLY
    prompt: str | None = None
    describe: bool = False
    description_prompt: str | None = None
    chat: bool = False
    n_words: int = 8
    n_documents: int = 3
    document_length: int = 200
    check_documents: bool = True
    max_new_tokens: int | None = None
    verbose: bool | int = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "transform"])],
        **CONSTRAINTS,
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the topic model and name its topics.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : array-like or None, default=None
            Passed on to the topic model.

        Returns
        -------
        self : TopicLabeler
            The fitted estimator.

        Raises
        ------
        ValueError, LLMError, OSError
            If a row is not a text, and as in :func:`llmtopics.naming.name_topics`.
        TypeError
            If the topic model does not read texts.

        Warns
        -----
        UserWarning
            As in :func:`llmtopics.naming.name_topics`.
        """
        texts = check_texts(X, "TopicLabeler")
        check_reads_texts(self.estimator, "TopicLabeler")
        with (
            fitting(self),
            restored_on_error(self),
            config_context(transform_output="default"),
        ):
            model = clone(self.estimator).fit(texts, y)
            fitted = FittedModel.of_texts(model, "TopicLabeler")
            theta = fitted.mixtures(texts)
            words = read_words(fitted, texts, theta)
            most = max(10, self.n_words)  # descriptions are checked by ten
            listed = rank_words(words.scores, words.weights, words.vocabulary, most)
            settings = {name: getattr(self, name) for name in CONSTRAINTS}
            found = name_topics(listed, theta, texts, **settings)
            members = [[k] for k in range(theta.shape[1])]
            self._set_topics(fitted, theta, words, members, found.names)
            for name, value in vars(found).items():
                setattr(self, f"{name}_", value)
        return self
