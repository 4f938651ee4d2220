"""``FusionTopicModel``: its parameters and its public methods.

More than 400 lines, because half of them document parameters and attributes.
"""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import N_JOBS, as_seed, check_texts
from llmtopics._parts import PartsMixin
from llmtopics._progress import fitting, reporting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics._topic_html import ShowsTopics
from llmtopics._vectorizers import IsVectorizer
from llmtopics.augment import NextWordCounts
from llmtopics.fusion._fitting import fit, restore_pooling
from llmtopics.fusion._poolings import (
    POOLINGS,
    Contributions,
    Divide,
    Pooling,
)
from llmtopics.fusion._scoring import score_halves
from llmtopics.fusion._sides import last_step
from llmtopics.fusion._topic_words import ranked_words


@dataclass(eq=False, repr=False)
class FusionTopicModel(
    ShowsTopics,
    PartsMixin,
    TextReader,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Find topics in texts from their words and from embeddings of a language model.

    The topic proportions of a document come from both sides, ``θ = α f + (1 - α) g``: f from
    the embeddings, g from the counts. Word counts say much about long texts and little
    about short ones. Embeddings also work for short texts.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of topics, K. None takes the number of topics of ``language_topics``, or 10
        if it is not used.

    alpha : float between 0 and 1, or "auto", default=0.5
        Fusion weight α, the weight of the embedding side. With ``pooling="prior"`` it is the
        weight in a document of median length. Shorter documents then depend more on
        embeddings, and longer ones more on words. With other poolings it is the weight in every
        document. 0 is the topic model alone, and no text is encoded. 1 is
        :class:`EmbeddingTopics` (or ``language_topics``) alone. "auto" fits nine weights
        and takes the one whose topics are explained best by the words alone and by the vectors
        alone (see Notes). It takes ten to fifteen times as long, without encoding.

    pooling : {"prior", "linear", "geometric"}, default="prior"
        How to combine the sides. "prior": f is the Dirichlet prior of the topic model, and f
        is refitted to the topics found. "linear" and "geometric": both sides are fitted
        separately and their topics are matched one to one. "linear" averages the topic
        proportions, and "geometric" multiplies them, ``f^α g^(1 - α)``.

    vectorizer : transformer or None, default=None
        Texts to counts. None is ``CountVectorizer(analyzer=TextAnalyzer(), min_df=...)``: words in
        lower case, of at least two characters, without English stop words and numbers. A word must
        be in 1 of fewer than 100 texts, in 2 of fewer than 200, and so on, up to 5 of 400 texts or
        more. For other languages, see :class:`TextAnalyzer`.

    expander : NextWordCounts or None, default=None
        Adds counts of words that a language model predicts. They help to find the topics of
        texts. ``components_`` and the topics' words come from the texts' own words. A given
        ``vectorizer`` is used instead of ``expander.vectorizer``. None adds nothing.

    embedder : transformer, str or None, default=None
        Texts to vectors. None is ``TransformerEmbedder()``. A name is
        ``TransformerEmbedder(name)``. Objects with a method ``encode`` are accepted, too, such
        as a ``SentenceTransformer`` or a ``StaticModel`` of model2vec. Their vectors are not
        stored on disk, and pickles contain their weights.

    topic_model : estimator or None, default=None
        Counts to topic proportions. None is ``GibbsLDA()``. "prior" needs a ``GibbsLDA``. The
        other poolings take any topic model with scikit-learn's methods, such as ``NMF``, or
        a Pipeline that ends in one. Rows of its output are divided by their sums. The outer
        ``n_components`` and ``random_state``, and ``n_jobs`` if not None, replace its own. In
        ``GibbsLDA``, ``max_iter`` and ``verbose`` do, too. So search over the outer parameters.

    language_topics : estimator or None, default=None
        Texts to topic proportions, instead of ``embedder``, such as :class:`LLMTopics`. Its
        topics are the topics of the model. If it names them, the columns have these names. The
        outer ``n_components``, if not None, replaces its own. If it has no such parameter, it
        must make that number of topics.

    concentration : float or None, default=None
        How sharply f separates topics, τ. Larger values make f less even. None takes the τ
        with which f best predicts the words of the documents.

    co_training : float between 0 and 1, default=0.6
        Share of the texts of each topic, those with the largest proportion of it, from which
        two classifiers learn the topics: one reads vectors, the other words. They then correct
        θ of all texts (see Notes). 0 leaves this out. Only with "prior", an embedder and
        ``0 < alpha < 1``.

    max_iter : int, default=100
        Sweeps of the sampler of ``GibbsLDA``. Other topic models keep their own ``max_iter``.

    memory : str, joblib.Memory or None, default=None
        Where to cache the embedding topics that "prior" starts from. A search over ``alpha``
        then fits them once per fold and number of topics. Needs a ``random_state``.

    n_jobs : int or None, default=None
        Threads of the topic model. None keeps the value of ``topic_model``. The default there
        is one thread, unless ``joblib.parallel_config`` sets more. -1 is one per processor.
        The result does not depend on it. If set after ``fit``, ``n_jobs`` and ``verbose`` take
        effect at once. Other parameters take effect at the next ``fit``.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seed of both sides, and of given parts that have none. With an int and the same
        vectors, every run gives exactly the same result. NumPy's global random state is never
        used.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Topic–word distribution, φ. Rows sum to one.

    vocabulary_ : ndarray of shape (n_words,)
        The words, in the order of the columns of ``components_``.

    keyness_ : ndarray of shape (n_components, n_words)
        How typical each word is of each topic. ``top_words`` ranks by it.

    labels_ : ndarray of shape (n_texts,)
        First (dominant) topic of each text in ``fit``.

    alpha_ : float
        The fusion weight α that was used.

    alpha_scores_ : dict
        How much both views explain of the topics of each weight (see Notes), at most 1, or
        -inf if all texts have the same topic. Only with ``alpha="auto"``.

    alpha_at_edge_ : bool
        Whether the best weight is the smallest or largest that was tried (0.1 or 0.9). Then
        one side alone (``alpha=0`` or 1) may be better. Of equal scores, the weight nearest to
        0.5 is the best. Only with ``alpha="auto"``.

    document_alpha_ : ndarray of shape (n_texts,)
        Weight of the embedding side in each text in ``fit``, before co-training.

    topic_directions_ : ndarray of shape (n_components, n_dimensions)
        Direction of each topic in the space of the vectors, c. Rows have length one. Only with
        an embedder and ``alpha_ > 0``.

    topic_order_ : ndarray of shape (n_components,)
        The topic of ``topic_model_`` that each topic was matched with. Only with "linear" or
        "geometric", and ``0 < alpha_ < 1``.

    co_training_ : CoTraining
        The classifiers that correct θ. Only with co-training, and if the texts have more than
        one first topic.

    strength_ : float
        s, the number of tokens that f counts as. Only with "prior" and ``0 < alpha_ < 1``.

    vectorizer_, expander_, embedder_, topic_model_, language_topics_ : estimators
        The fitted parts. A side with weight 0 has no fitted parts, except ``vectorizer_``.

    See Also
    --------
    GibbsLDA : The count side alone.
    EmbeddingTopics : The embedding side alone.

    Notes
    -----
    With "prior", ``p(z = k) ∝ φ_kw (n_dk + s f_dk + ε)`` with the strength
    ``s = α/(1 - α) median(N_d)``. So ``θ_d = (n_d + s f_d + ε)/(N_d + s + Kε)``, which is
    ``α_d f_d + (1 - α_d) n_d/N_d`` with ``α_d = s/(N_d + s)``, up to the small ε, the topic
    model's ``doc_topic_prior``. Both sides share their topics, and nothing needs to be
    matched. f is refitted every few sweeps. This fit estimates a metric, and the mean
    direction of each topic in this metric. In this metric, the vectors of a topic's
    documents scatter equally in all directions, as in linear discriminant analysis [3]_.
    The prior depends on the data, as in empirical Bayes [1]_. Texts and vectors have no
    joint density.

    Co-training, after an idea of [4]_, is self-training: no labels are used. The labels of the
    two classifiers (logistic regression, of vectors and of tf-idf) are the first topics of the
    most certain texts. If they give topic k of a document the probabilities p and q, its
    proportion becomes ``(θ_k (p_k q_k)^(1/2))^γ``, divided by the sum over the topics. The power
    γ keeps the mean entropy of θ of the texts in ``fit``. The words of topics do not change.

    ``alpha="auto"`` trains both classifiers on two thirds of the texts, whose labels are all
    first topics, and predicts the topics of the last third, in three folds. The score of a
    weight is the mean of ``1 - L / H`` of both. L is the cross-entropy of the predictions, H
    the entropy of the topics. At most 5,000 texts are asked. Topics that follow one side alone
    are hard to predict from the other. With ``language_topics``, log f takes the place of the vectors.

    Words are ranked by keyness: the log-likelihood ratio [2]_ that a word is typical of the
    documents of a topic, weighted by θ before co-training, times ``φ_kw / max_j φ_jw``.

    ``fit_transform(X)`` is ``fit(X).transform(X)``. The result for a text does not depend on
    the other texts in ``X``, except for rounding in its vector (see
    :class:`TransformerEmbedder`). This holds if the given topic model guarantees it
    (scikit-learn's ``NMF`` does to about 1e-4). A blank text has uniform topic proportions, or
    the mean of the topic model's prior.

    References
    ----------
    .. [1] A. McCallum, D. Mimno and H. Wallach, "Rethinking LDA: why priors matter", NIPS
       2009 (asymmetric priors over documents' mixtures).
    .. [2] T. Dunning, "Accurate methods for the statistics of surprise and coincidence",
       Computational Linguistics 19, 1993.
    .. [3] R. Fisher, "The use of multiple measurements in taxonomic problems", Annals of
       Eugenics 7, 1936.
    .. [4] A. Blum and T. Mitchell, "Combining labeled and unlabeled data with co-training",
       COLT 1998.

    Examples
    --------
    >>> from llmtopics import FusionTopicModel
    >>> texts = [
    ...     "The cat chased a mouse.",
    ...     "A dog barked at the cat.",
    ...     "My puppy sleeps all day.",
    ...     "Banks raised interest rates.",
    ...     "Shares and bonds fell.",
    ...     "Investors sold their stock.",
    ... ]
    >>> model = FusionTopicModel(2, random_state=0).fit(texts)
    >>> pets, money = model.labels_[0], model.labels_[3]
    >>> bool(pets != money)
    True
    >>> labels = model.transform(["kittens and puppies", "the stock exchange"]).argmax(axis=1)
    >>> bool((labels == [pets, money]).all())
    True
    """

    n_components: int | None = None
    _: KW_ONLY
    alpha: float | str = 0.5
    pooling: str = "prior"
    vectorizer: Any = None
    expander: NextWordCounts | None = None
    embedder: Any = None
    topic_model: Any = None
    language_topics: Any = None
    concentration: float | None = None
    co_training: float = 0.6
    max_iter: int = 100
    memory: Any = None
    n_jobs: int | None = None
    random_state: Any = None
    verbose: bool | int = False

    _part_defaults: ClassVar = {
        "vectorizer": "CountVectorizer(analyzer=TextAnalyzer())",
        "expander": "NextWordCounts()",
        "embedder": "TransformerEmbedder()",
        "topic_model": "GibbsLDA()",
        "language_topics": "make_pipeline(TransformerEmbedder(), EmbeddingTopics())",
    }

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "components_",
        "keyness_",
        "vocabulary_",
        "alpha_",
        "strength_",
        "topic_order_",
        "co_training_",
        "vectorizer_",
        "expander_",
        "embedder_",
        "topic_model_",
        "language_topics_",
        "_as_fitted",
        "_shares",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "pooling": [StrOptions(set(POOLINGS))],
        "vectorizer": [IsVectorizer(), None],
        "expander": [NextWordCounts, None],
        "embedder": [
            str,
            HasMethods(["fit", "transform"]),
            HasMethods(["encode"]),
            None,
        ],
        "topic_model": [HasMethods(["fit", "transform"]), None],
        "language_topics": [HasMethods(["fit", "transform"]), None],
        "concentration": [Interval(Real, 0, 1e6, closed="right"), None],
        "co_training": [Interval(Real, 0, 1, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "memory": [str, HasMethods(["cache"]), None],
        "n_jobs": N_JOBS,
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Find the topics of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : FusionTopicModel
            The fitted estimator.

        Raises
        ------
        ValueError
            If a row is not a text, if no text has a word of the vocabulary, if there are more
            topics than texts, or if parameters contradict each other. Errors of the parts are
            passed on.
        """
        self._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Find the topics of texts; return their proportions, as ``fit(X).transform(X)``.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        mixtures : ndarray of shape (n_texts, n_components)
            θ. Rows sum to one.
        """
        return self._fit(X)

    @config_context(transform_output="default")  # the parts make plain arrays
    def _fit(self, X: Any) -> np.ndarray:
        """Fit the model; return the mixtures of the texts."""
        texts, given = check_texts(X, "FusionTopicModel"), as_fitted(self)
        if given.embedder is not None and given.language_topics is not None:
            raise ValueError(
                "embedder and language_topics are both given, and both are the embedding "
                "side: leave one of them at None."
            )
        POOLINGS[given.pooling].check(given)
        with fitting(self), restored_on_error(self):
            for name in [name for name in vars(self) if name.endswith("_")]:
                delattr(self, name)  # poolings set different attributes
            self._as_fitted = given
            # with α = 0 or 1, an int seeds that side as it would alone
            seed = self.random_state
            if not isinstance(seed, Integral):
                seed = as_seed(seed) % 2**32
            mixtures, fitted = fit(given, texts, int(seed))
            given.memory = None  # of no use after a fit; its pickles cannot be saved
            self._shares = mixtures.mean(axis=0)
            for name, value in fitted.items():
                setattr(self, name, value)
        return mixtures

    def transform(self, X):
        """Return the topic proportions of each text.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        mixtures : ndarray of shape (n_texts, n_components)
            θ. Rows sum to one.
        """
        check_is_fitted(self, "components_")
        return self._mixtures(check_texts(X, "FusionTopicModel"))

    @config_context(transform_output="default")
    def _mixtures(self, texts: list[str]) -> np.ndarray:
        with reporting("FusionTopicModel", self.verbose, self):
            return self._pooling().mixtures(texts)

    def _pooling(self) -> Pooling:
        """Return the fitted pooling, with the current ``n_jobs`` and ``verbose``."""
        pooling = restore_pooling(self._as_fitted, self.alpha_, vars(self))
        pooling.counts.update(self.n_jobs)
        pooling.embeddings.update(self.verbose)
        return pooling

    def top_words(self, n_words: int = 10, method: str = "keyness") -> list[list[str]]:
        """Return the words that describe each topic, best first.

        Parameters
        ----------
        n_words : int, default=10
            Largest number of words per topic.
        method : {"keyness", "term_score", "relevance", "probability", "frex"}, \
                default="keyness"
            "keyness" ranks by ``keyness_``, which comes from the fused topic proportions. The
            others rank by ``components_`` alone, as :func:`llmtopics.top_words` does.

        Returns
        -------
        words : list of n_components lists of str
            The words of each topic, best first.
        """
        check_is_fitted(self, "components_")
        return ranked_words(
            self.keyness_, self.components_, self.vocabulary_, n_words, method
        )

    @config_context(transform_output="default")
    def score(self, X, y=None):
        """Return the held-out log-likelihood per token, by document completion.

        Each text is cut in two. The words and the embedding of the first half give its topic
        proportions. The score is the mean over the words of the second halves
        of ``log Σ_k θ_dk φ_kw``. Higher is better.

        Parameters
        ----------
        X : sequence of str
            Texts. To measure how well topics generalize, use texts that ``fit`` did not see.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Nats per token, at most 0.

        Raises
        ------
        ValueError
            If no second half has a word of the vocabulary, or if the embedder has no vectors
            of first halves (:class:`PrecomputedEmbeddings`).
        """
        check_is_fitted(self, "components_")
        texts = check_texts(X, "FusionTopicModel")
        own = self._pooling().counts.own
        return score_halves(texts, own, self._mixtures, self.components_)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the topics.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_components,), of str
            The names in ``language_topics`` (such as :class:`LLMTopics`) if it has any, or
            else "fusiontopicmodel0" and so on.
        """
        check_is_fitted(self, "components_")
        topics = last_step(getattr(self, "language_topics_", self))
        numbered = isinstance(topics, ClassNamePrefixFeaturesOutMixin)
        if numbered or not hasattr(topics, "get_feature_names_out"):
            return super().get_feature_names_out()
        return np.asarray(topics.get_feature_names_out(), dtype=object)

    @property
    def topic_directions_(self):
        """Direction of each topic in the space of the vectors."""
        return self.language_topics_.cluster_centers_

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    # for explain: see TextModel in llmtopics.explanation --------------------------------------

    def _explained(
        self, texts: list[str], own: sp.csr_array, divide: Divide
    ) -> tuple[sp.csr_array, np.ndarray, float, Contributions]:
        pooling = self._pooling()
        X, inputs, f = pooling.read(texts, pooling.counts.check(own))
        fused = pooling.mix(X, f)
        mixture = pooling.corrected(fused, inputs, X)[0]
        alpha = float(pooling.document_alpha(X.sum(axis=1))[0])
        parts = pooling.contributions(X, f, fused[0], divide)
        return X, mixture, alpha, parts.scaled(fused[0], mixture)

    def _embedding_mixtures(self, texts: list[str]) -> np.ndarray | None:
        return self._pooling().embedding_mixtures(texts)

    def _vectors(self, texts: list[str]) -> np.ndarray | None:
        embeddings = self._pooling().embeddings
        return None if embeddings.embedder is None else embeddings.inputs(texts)
