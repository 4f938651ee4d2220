"""Topics of texts from both sides: the words they hold and what a language model reads."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    check_is_fitted,
    check_memory,
    check_non_negative,
)
from tqdm import tqdm

from llmtopics import __version__
from llmtopics._checks import (
    N_JOBS,
    as_counts,
    as_fitted,
    as_seed,
    check_positive,
    check_prior,
    check_texts,
    whole_or_not_at_all,
)
from llmtopics._completion import log_likelihood, probabilities
from llmtopics._parts import check_parts, words_of
from llmtopics._threads import workers
from llmtopics._words import METHODS, rank_words, top_words
from llmtopics.augment import NextWordCounts
from llmtopics.embed import TransformerEmbedder
from llmtopics.embed._precomputed import NoVectorError
from llmtopics.text import TextAnalyzer
from llmtopics.topics import EmbeddingTopics, GibbsLDA
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._counted import check_countable
from llmtopics.topics._embedding import class_tfidf
from llmtopics.topics._foreign import weights_in_topics
from llmtopics.topics._gibbs_lda import fold_in
from llmtopics.topics._keyness import keyness
from llmtopics.topics._sampler import settle, start_chain, to_topics
from llmtopics.topics._tokens import Tokens, tokens_from_counts

__all__ = ["FusionTopicModel"]

_N_ROUNDS = 20  # of sweeps; the directions move between them
_ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # that "auto" tries
_DEFAULTS = {  # what None stands for
    "vectorizer": "CountVectorizer(analyzer=TextAnalyzer())",
    "expander": "NextWordCounts()",
    "embedder": "TransformerEmbedder()",
    "topic_model": "GibbsLDA()",
    "language_topics": "make_pipeline(TransformerEmbedder(), EmbeddingTopics())",
}


def __dir__() -> list[str]:
    return sorted(__all__)


class FusionTopicModel(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Find topics in texts from their words and from what a language model reads in them.

    Counts tell topics of long texts apart and say little of short ones; vectors of a
    language model the reverse. Here each document's mixture joins both,
    ``θ = α f + (1 - α) g`` with f from the vectors and g from the counts.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    alpha : float between 0 and 1, or "auto", default=0.5
        Weight of the language side, α: with ``pooling="prior"`` that in a document of median
        length (shorter ones lean on the language side, longer ones on their words), else
        that in every document. 0 is the topic model alone (no text is encoded), 1 is
        :class:`EmbeddingTopics` (or ``language_topics``) alone. "auto" tries nine weights
        on nine tenths of the texts, takes the one whose topics complete the others best
        (see ``score``), and takes ten times as long.

    pooling : {"prior", "linear", "geometric"}, default="prior"
        How the sides are joined. "prior": f is the Dirichlet prior under which topics of
        words are sampled, and the topics found are what f is fitted to in turn. "linear" and
        "geometric": both sides are fitted apart, their topics matched one to one, and their
        mixtures averaged, or multiplied as ``f^α g^(1 - α)``.

    vectorizer : transformer or None, default=None
        Texts to counts. None is ``CountVectorizer(analyzer=TextAnalyzer())``; for corpora of
        more than a few hundred texts give one with ``min_df=5``.

    expander : NextWordCounts or None, default=None
        Makes further counts by a language model; its ``vectorizer`` is the one above, if
        that is given. They help to find the topics of texts, while ``components_`` and the
        topics' words are counted on the texts' own words. None makes none.

    embedder : transformer or None, default=None
        Texts to vectors. None is ``TransformerEmbedder()``.

    topic_model : estimator or None, default=None
        Counts to mixtures. None is ``GibbsLDA()``, which "prior" needs (its priors are
        used); the other poolings take any topic model of scikit-learn's kind, such as
        ``NMF``, or a Pipeline that ends in one.
        Rows of its output are divided by their sums. ``n_components``, ``random_state`` and
        those of ``n_jobs`` that are not None come from here, and in ``GibbsLDA``
        ``max_iter`` and ``verbose`` too: search over the outer ones.

    language_topics : estimator or None, default=None
        Texts to mixtures, instead of ``embedder``: its topics are then the topics, and
        their number is K, whatever ``n_components`` says.

    concentration : float or None, default=None
        How sharply f tells topics apart, τ. None is the τ under which f best foretells the
        documents' words.

    max_iter : int, default=100
        Sweeps of the sampler; other topic models keep their own.

    memory : str, joblib.Memory or None, default=None
        Where the fitted language side that "prior" starts from is kept, so that searches
        over ``alpha`` compute it once for each fold and number of topics. Needs a
        ``random_state``.

    n_jobs : int or None, default=None
        Threads of the topic model. None leaves them to ``topic_model``, whose own default
        is one thread unless ``joblib.parallel_config`` says more; -1 is one per processor.
        The result does not depend on it. Like ``verbose``, it acts at once if it is set
        after ``fit``; other parameters wait for the next ``fit``.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds both sides, and the given parts as far as they have no seed. An int gives the
        same bits on every run, given the same vectors; NumPy's global random state is
        never used.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Probability of each word in each topic, φ. Rows sum to one.

    vocabulary_ : ndarray of shape (n_words,)
        The words.

    keyness_ : ndarray of shape (n_components, n_words)
        How telling each word is of each topic; what ``top_words`` ranks by.

    labels_ : ndarray of shape (n_texts,)
        First topic of each text that was fitted.

    alpha_ : float
        The α used.

    alpha_scores_ : dict
        ``score`` of every weight tried; only with ``alpha="auto"``.

    document_alpha_ : ndarray of shape (n_texts,)
        Weight that the language side had in each text that was fitted.

    topic_directions_ : ndarray of shape (n_components, n_dimensions)
        Directions of the topics among the vectors, c; only with an embedder and
        ``alpha_ > 0``. Rows have length one.

    topic_order_ : ndarray of shape (n_components,)
        The topic of ``topic_model_`` that each topic was matched with; only with "linear" and
        "geometric", and ``0 < alpha_ < 1``.

    vectorizer_, expander_, embedder_, topic_model_, language_topics_ : estimators
        The fitted parts; those of a side without weight are missing.

    See Also
    --------
    GibbsLDA : The count side alone.
    EmbeddingTopics : The language side alone.

    Notes
    -----
    With "prior", ``p(z = k) ∝ φ_kw (n_dk + s f_dk + ε)`` with the strength
    ``s = α/(1 - α) median(N_d)``, so that ``θ_d = (n_d + s f_d + ε)/(N_d + s + Kε)``, which is
    ``α_d f_d + (1 - α_d) n_d/N_d`` with ``α_d = s/(N_d + s)`` up to the small ε, the topic
    model's ``doc_topic_prior``. Both sides share their topics, and nothing needs to be
    matched. A few sweeps alternate with a fit of f: the metric in which the vectors of a
    topic's documents scatter alike in all directions, as in linear discriminant analysis
    [3]_, and the topics' mean directions in it. This is a prior that depends on the data,
    in the spirit of empirical Bayes [1]_, not a model with a joint density of texts
    and vectors.

    Words are ranked by keyness: the log-likelihood ratio [2]_ of the word's documents being
    the topic's, counted with the fused mixtures, times ``φ_kw / max_j φ_jw``.

    ``fit_transform(X)`` is ``fit(X).transform(X)``; a text's mixture does not depend on
    what else is in ``X``, save that its vector may by the model's rounding (see
    :class:`TransformerEmbedder`), and as far as a ``topic_model`` of other make keeps that
    (scikit-learn's ``NMF`` does to about 1e-4). A blank text has an even mixture, or the
    mean of the topic model's prior.

    References
    ----------
    .. [1] A. McCallum, D. Mimno and H. Wallach, "Rethinking LDA: why priors matter", NIPS
       2009 (asymmetric priors over documents' mixtures).
    .. [2] T. Dunning, "Accurate methods for the statistics of surprise and coincidence",
       Computational Linguistics 19, 1993.
    .. [3] R. Fisher, "The use of multiple measurements in taxonomic problems", Annals of
       Eugenics 7, 1936.

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

    _parameter_constraints: dict[str, list[Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "pooling": [StrOptions({"prior", "linear", "geometric"})],
        "vectorizer": [HasMethods(["fit", "transform"]), None],
        "expander": [NextWordCounts, None],
        "embedder": [HasMethods(["fit", "transform"]), None],
        "topic_model": [HasMethods(["fit", "transform"]), None],
        "language_topics": [HasMethods(["fit", "transform"]), None],
        "concentration": [Interval(Real, 0, 1e6, closed="right"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "memory": [str, HasMethods(["cache"]), None],
        "n_jobs": N_JOBS,
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 10,
        *,
        alpha: float | str = 0.5,
        pooling: str = "prior",
        vectorizer: Any = None,
        expander: NextWordCounts | None = None,
        embedder: Any = None,
        topic_model: Any = None,
        language_topics: Any = None,
        concentration: float | None = None,
        max_iter: int = 100,
        memory: Any = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.n_components = n_components
        self.alpha = alpha
        self.pooling = pooling
        self.vectorizer = vectorizer
        self.expander = expander
        self.embedder = embedder
        self.topic_model = topic_model
        self.language_topics = language_topics
        self.concentration = concentration
        self.max_iter = max_iter
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def set_params(self, **params):
        """Set parameters, also those of parts as ``<part>__<parameter>``.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self : FusionTopicModel
            The estimator itself.

        Raises
        ------
        ValueError
            For unknown parameters, and those of a part that is None.
        """
        check_parts(self, params, _DEFAULTS)
        return super().set_params(**params)

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
            For what is not a text (naming its row), texts without a word of the
            vocabulary, more topics than texts, parameters that contradict each other, and
            what the parts refuse.
        """
        self._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Find the topics of texts and return their mixtures, as ``fit(X).transform(X)``.

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
        texts = check_texts(X, "FusionTopicModel")
        self._check_sides()
        with whole_or_not_at_all(self):
            for name in [name for name in vars(self) if name.endswith("_")]:
                delattr(self, name)  # poolings set different attributes
            self._as_fitted = as_fitted(self)
            self.alpha_ = (
                self._best_alpha(texts) if self.alpha == "auto" else float(self.alpha)
            )
            return self._fit_sides(texts)

    def _check_sides(self) -> None:
        if self.embedder is not None and self.language_topics is not None:
            raise ValueError(
                "embedder and language_topics are both given, but there is one language "
                "side: leave one of them at None."
            )
        given = [
            getattr(self.topic_model, name, None)
            for name in ("doc_topic_prior", "topic_word_prior")
        ]
        if self.pooling == "prior" and any(isinstance(prior, str) for prior in given):
            raise ValueError(
                "pooling='prior' makes the priors itself: give topic_model numbers instead "
                "of 'auto', or use pooling='linear' or 'geometric'."
            )
        if self.pooling == "prior" and not isinstance(
            self.topic_model, GibbsLDA | None
        ):
            raise ValueError(
                "pooling='prior' needs a sampler that takes a prior for each document; "
                f"topic_model={self.topic_model!r} does not: use pooling='linear' or "
                "pooling='geometric'."
            )

    def _fit_sides(self, texts: list[str]) -> np.ndarray:
        """Fit the sides that ``alpha_`` asks for; return the mixtures of the texts."""
        own = self._fit_vectorizer(texts)
        if not own.nnz:
            raise ValueError(
                "No text has a word of the vocabulary. Check the vectorizer (min_df, "
                "max_df, stop words)."
            )
        X = self._expanded(texts, own)
        n_tokens = X.sum(axis=1)
        self.vocabulary_ = words_of(self.vectorizer_, "FusionTopicModel")
        whole = isinstance(self.random_state, Integral)  # as the ends would take it
        seed = int(self.random_state) if whole else as_seed(self.random_state) % 2**32
        f = read = None
        if self.alpha_ > 0:
            read = self._fit_language(texts, X, seed)
            f = self._memberships(read)
        if self.alpha_ < 1:
            f = self._fit_counts(X, read, f, n_tokens, seed)
        mixtures = self._mixtures(X, f)
        if not hasattr(self, "components_"):
            self.components_ = to_topics((own.T @ mixtures).T, self._word_prior())
        elif hasattr(self, "expander_"):
            self.components_ = _recounted(
                own, mixtures, self.components_, self._word_prior()
            )
        self.keyness_ = keyness(mixtures, own, self.components_)
        self.labels_ = mixtures.argmax(axis=1)
        self.document_alpha_ = self._document_alpha(n_tokens)
        return mixtures

    def _fit_vectorizer(self, texts: list[str]) -> sp.csr_array:
        """Fit ``vectorizer_``, and ``expander_`` if any; return the texts' own counts."""
        vectorizer = self.vectorizer
        if vectorizer is None and self.expander is not None:
            vectorizer = self.expander.vectorizer
        if vectorizer is None:
            vectorizer = CountVectorizer(analyzer=TextAnalyzer())
        if self.expander is None or self.alpha_ == 1:
            self.vectorizer_ = clone(vectorizer)
            return self._counts(self.vectorizer_.fit_transform(texts))
        self.expander_ = clone(self.expander).set_params(vectorizer=vectorizer)
        self.vectorizer_ = self.expander_.fit(texts).vectorizer_
        return self._counts(self.vectorizer_.transform(texts))

    def _expanded(self, texts: list[str], own: sp.csr_array) -> sp.csr_array:
        """Return the counts that find the texts' topics, more than their own or not."""
        if not hasattr(self, "expander_"):
            return own
        added = self.expander_.added(texts, own).astype(np.int64)  # sums may be large
        return self._counts(own + added)

    # the language side ----------------------------------------------------------------

    def _fit_language(self, texts: list[str], X: sp.csr_array, seed: int) -> Any:
        """Fit ``language_topics_``; return what it reads."""
        if self.language_topics is not None:
            language = _seeded(clone(self.language_topics), seed)
            self.language_topics_ = language.fit(texts)
            return texts
        self.embedder_ = (
            TransformerEmbedder(verbose=self.verbose)
            if self.embedder is None
            else _seeded(clone(self.embedder), seed)
        ).fit(texts)
        vectors = self._read(texts)
        if len(vectors) != len(texts):
            raise ValueError(
                f"embedder made {len(vectors)} vectors of {len(texts)} texts."
            )
        start = EmbeddingTopics(
            self.n_components, concentration=self.concentration, random_state=seed
        )
        # a fresh seed every time would be kept for nothing
        memory = check_memory(None if self.random_state is None else self.memory)
        cached = memory.cache(_fit_embedding_topics)
        self.language_topics_ = cached(start, vectors, X, __version__)
        return vectors

    def _read(self, texts: list[str]) -> Any:
        if not hasattr(self, "embedder_"):
            return texts
        return check_array(self.embedder_.transform(texts), dtype=np.float64)

    def _memberships(self, read: Any) -> np.ndarray:
        """Return f, of shape (D, K)."""
        return _to_mixtures(self.language_topics_.transform(read), "language_topics")

    # the count side ---------------------------------------------------------------------

    def _counts(self, X: Any) -> sp.csr_array:
        if isinstance(self._as_fitted.topic_model, GibbsLDA | None):
            return as_counts(X, "FusionTopicModel")
        X = sp.csr_array(check_array(X, accept_sparse="csr"))
        check_non_negative(X, "FusionTopicModel")
        X.sum_duplicates()
        return X

    def _word_prior(self) -> float:
        prior = getattr(self.topic_model, "topic_word_prior", None)
        return float(prior) if isinstance(prior, Real) else 0.1

    def _fit_counts(
        self,
        X: sp.csr_array,
        read: Any,
        f: np.ndarray | None,
        n_tokens: np.ndarray,
        seed: int,
    ) -> np.ndarray | None:
        """Fit ``topic_model_``, alone or with f as its prior; return f, which may move."""
        model = GibbsLDA() if self.topic_model is None else clone(self.topic_model)
        outer = {
            "n_components": self.n_components if f is None else f.shape[1],
            "random_state": seed,
        }
        if isinstance(model, GibbsLDA):
            outer |= {"max_iter": self.max_iter, "verbose": self.verbose}
        _set_known(model, outer)
        self.topic_model_ = model
        self._pass_on()
        if f is not None and self.pooling == "prior":
            median = np.median(n_tokens[n_tokens > 0])
            self.strength_ = float(self.alpha_ / (1 - self.alpha_) * median)
            self._sample(X, read, f, seed)
            self.components_ = model.components_
            return f if self.language_topics is not None else self._moved(read, X)
        model.fit(X)
        if isinstance(model, GibbsLDA) and f is None:
            self.components_ = model.components_
        elif f is not None:
            g = self._count_mixtures(X)
            if g.shape != f.shape:
                raise ValueError(
                    f"topic_model makes {g.shape[1]} topics, the language side "
                    f"{f.shape[1]}: they must be as many to be matched."
                )
            self.topic_order_ = linear_sum_assignment(f.T @ g, maximize=True)[1]
        return f

    def _sample(self, X: sp.csr_array, read: Any, f: np.ndarray, seed: int) -> None:
        """Sample topics under the prior ``s f + ε``; move the directions now and then."""
        model = self.topic_model_
        K, V = f.shape[1], X.shape[1]
        epsilon = check_prior(model.doc_topic_prior, K, "doc_topic_prior")
        beta = self._word_prior()
        check_countable(
            X,
            single=model.sampler != "exact",
            remedy=", or use topic_model=GibbsLDA(sampler='exact')",
        )
        tokens = tokens_from_counts(X)
        movable = None
        if self.language_topics is None:
            vectors = self.language_topics_._check(read, reset=False)
            vectors = vectors.astype(np.float32)
            movable = vectors, sphere.measure(vectors)
        prior = self.strength_ * f + epsilon
        n_last = max(1, self.max_iter // _N_ROUNDS)
        moves = set(np.linspace(0, self.max_iter - n_last, _N_ROUNDS).astype(int)[1:])
        bar = tqdm(
            total=self.max_iter, desc="FusionTopicModel", disable=not self.verbose
        )
        with bar, workers(model.n_jobs) as threads:
            chain = start_chain(
                tokens,
                _draw(prior, tokens, seed),
                K,
                beta,
                seed,
                threads,
                sampler=model.sampler,
            )
            while chain.n_sweeps < self.max_iter:
                chain.sweep(prior)
                bar.update()
                if movable and chain.n_sweeps in moves:
                    mixtures = _shares(tokens, chain.topics, prior)
                    f = self._move(*movable, mixtures, X, tokens, chain.topics)
                    prior = self.strength_ * f + epsilon
            counts = settle(chain, prior)
        model.components_ = to_topics(counts.T.astype(np.float64), beta)
        model.topic_counts_ = counts.sum(axis=0, dtype=np.float64)
        model.doc_topic_prior_, model.topic_word_prior_ = epsilon, beta
        model.n_features_in_, model.n_iter_ = V, self.max_iter
        model.log_likelihood_ = np.empty(0)  # under priors of each document's own

    def _move(
        self,
        vectors: np.ndarray,
        moments: sphere.Moments,
        mixtures: np.ndarray,
        X: sp.csr_array,
        tokens: Tokens,
        topics: np.ndarray,
    ) -> np.ndarray:
        """Fit the language side's metric and directions to the mixtures; return f."""
        language = self.language_topics_
        language._sphere, points, directions = sphere.discriminate(
            vectors, mixtures, moments
        )
        language.cluster_centers_ = directions.astype(np.float64)
        cosines = sphere.cosines(points, directions, by_rows=False)
        if self.concentration is None:
            # a document's own words would predict themselves
            counts = _words_of_every_other(tokens, topics, mixtures.shape[1])
            language.concentration_ = sphere.estimate_concentration(
                cosines[1::2], X[1::2], to_topics(counts, self._word_prior())
            )
        return sphere.memberships(cosines, language.concentration_)

    def _moved(self, read: Any, X: sp.csr_array) -> np.ndarray:
        """Return f; give the language side the labels and words of where it is now."""
        f = self._memberships(read)
        self.language_topics_.labels_ = f.argmax(axis=1)
        self.language_topics_.components_ = class_tfidf(f, X)
        return f

    def _pass_on(self) -> None:
        """Give the parts those parameters that act at once, also when set after ``fit``."""
        given = self._as_fitted
        if hasattr(self, "topic_model_"):
            n_jobs = self.n_jobs
            if n_jobs is None and given.topic_model is not None:
                own = given.topic_model.get_params()
                n_jobs = own.get(f"{_last_step(given.topic_model)}n_jobs")
            _set_known(self.topic_model_, {"n_jobs": n_jobs})
        if hasattr(self, "embedder_"):
            if given.embedder is None:
                self.embedder_.verbose = self.verbose
            for name in getattr(given.embedder, "_AT_ONCE", ()):
                setattr(self.embedder_, name, getattr(given.embedder, name))
        if hasattr(self, "expander_"):
            self.expander_.llm = given.expander.llm

    # both ---------------------------------------------------------------------------------

    def transform(self, X):
        """Return the topic mixture of each text.

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
        return self._mixtures_of(check_texts(X, "FusionTopicModel"))

    @config_context(transform_output="default")
    def _mixtures_of(self, texts: list[str]) -> np.ndarray:
        self._pass_on()
        own = self._counts(self.vectorizer_.transform(texts))
        return self._mixtures(
            self._expanded(texts, own), self._language_mixtures(texts)
        )

    def _language_mixtures(self, texts: list[str]) -> np.ndarray | None:
        """Return f of texts, or None where the language side has no weight."""
        return self._memberships(self._read(texts)) if self.alpha_ > 0 else None

    def _mixtures(self, X: sp.csr_array, f: np.ndarray | None) -> np.ndarray:
        if f is None:
            return self._count_mixtures(X)
        if self.alpha_ == 1:
            return f
        pooling = self._as_fitted.pooling
        if pooling == "prior":
            model = self.topic_model_
            prior = self.strength_ * f + model.doc_topic_prior_
            return fold_in(X, model.components_, prior, model.n_jobs)
        g = self._count_mixtures(X)[:, self.topic_order_]
        if pooling == "linear":
            return self.alpha_ * f + (1 - self.alpha_) * g
        tiny = np.finfo(float).tiny
        logs = self.alpha_ * np.log(f + tiny) + (1 - self.alpha_) * np.log(g + tiny)
        return softmax(logs, axis=1)

    def _count_mixtures(self, X: sp.csr_array) -> np.ndarray:
        """Return g, of shape (D, K)."""
        return _to_mixtures(weights_in_topics(self.topic_model_, X), "topic_model")

    def _document_alpha(self, n_tokens: np.ndarray) -> np.ndarray:
        if self._as_fitted.pooling == "prior" and 0 < self.alpha_ < 1:
            return self.strength_ / (self.strength_ + n_tokens)
        return np.full(len(n_tokens), self.alpha_)

    def top_words(self, n_words: int = 10, method: str = "keyness") -> list[list[str]]:
        """Return the words that say what each topic is, the most telling first.

        Parameters
        ----------
        n_words : int, default=10
            Words a topic at most.
        method : {"keyness", "term_score", "relevance", "probability", "frex"}, \
                default="keyness"
            "keyness" ranks by ``keyness_``, which reads the fused mixtures; the others rank
            by ``components_`` alone, as :func:`llmtopics.top_words` does.

        Returns
        -------
        words : list of n_components lists of str
            The words of each topic, best first.
        """
        check_is_fitted(self, "components_")
        if method != "keyness":
            if method not in METHODS:
                raise ValueError(
                    f"method must be one of keyness, {', '.join(METHODS)}, got {method!r}."
                )
            return top_words(self.components_, self.vocabulary_, n_words, method)
        check_positive(n_words=n_words)
        return rank_words(
            self.keyness_, self.components_, list(self.vocabulary_), n_words
        )

    @config_context(transform_output="default")
    def score(self, X, y=None):
        """Return the held-out log-likelihood per token, by document completion.

        Every text is cut in two. The mixture is estimated from its first half, words and
        meaning alike; the score is the mean over the words of the second halves of
        ``log Σ_k θ_dk φ_kw``. Higher is better.

        Parameters
        ----------
        X : sequence of str
            Texts, which ``fit`` did not see if the score is to say how well the topics
            generalise.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Nats per token, at most 0.

        Raises
        ------
        ValueError
            If no second half has a word of the vocabulary, or the embedder has no vectors
            of first halves (:class:`PrecomputedEmbeddings`).
        """
        check_is_fitted(self, "components_")
        halves = [_halves(text) for text in check_texts(X, "FusionTopicModel")]
        observed, rest = zip(*halves, strict=True)
        held_out = self._counts(self.vectorizer_.transform(rest))
        if not held_out.nnz:
            raise ValueError(
                "Nothing to score: no text's second half has a word of the vocabulary."
            )
        try:
            mixtures = self._mixtures_of(list(observed))
        except NoVectorError as error:
            raise ValueError(
                "FusionTopicModel.score cuts each text in two, and PrecomputedEmbeddings has "
                "no vectors of halves. Searches need scoring=topic_scorer(), and instead of "
                "alpha='auto' give a number; or use TransformerEmbedder."
            ) from error
        total = log_likelihood(held_out, mixtures, self.components_)
        return total / float(held_out.sum())

    def _best_alpha(self, texts: list[str]) -> float:
        """Return the α whose model best completes a held-out tenth of the texts."""
        if len(texts) < 20:
            raise ValueError(
                f"alpha='auto' holds texts out and needs at least 20, got {len(texts)}: "
                "give a number."
            )
        order = np.random.default_rng(0).permutation(len(texts))
        held_out, kept = np.split(order, [len(texts) // 10])
        self.alpha_scores_ = {
            alpha: clone(self)
            .set_params(alpha=alpha, verbose=False)
            .fit([texts[i] for i in kept])
            .score([texts[i] for i in held_out])
            for alpha in tqdm(_ALPHAS, "alpha", disable=not self.verbose)
        }
        return max(self.alpha_scores_, key=self.alpha_scores_.__getitem__)

    @property
    def topic_directions_(self):
        """Directions of the topics among the vectors."""
        return self.language_topics_.cluster_centers_

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):  # noqa: D105
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _last_step(model: Any) -> str:
    """Return what the parameters of a Pipeline's last step begin with, "" for others."""
    return f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""


def _set_known(model: Any, parameters: dict[str, Any]) -> None:
    """Set those parameters that a model has, or the last step of a Pipeline."""
    last, known = _last_step(model), model.get_params()
    model.set_params(
        **{last + name: parameters[name] for name in parameters if last + name in known}
    )


def _seeded(estimator: Any, seed: int) -> Any:
    """Give a seed to all parts of an estimator that have none."""
    for name, value in estimator.get_params().items():
        if name.rpartition("__")[2] == "random_state" and value is None:
            estimator.set_params(**{name: seed})
    return estimator


def _fit_embedding_topics(
    model: EmbeddingTopics, vectors: np.ndarray, counts: sp.csr_array, version: str
) -> EmbeddingTopics:
    """Fit; what another version of the library kept is not taken for this one's."""
    return model.fit(vectors, counts=counts)


def _to_mixtures(weights: Any, name: str) -> np.ndarray:
    """Return the rows divided by their sums; rows without weight are even."""
    weights = check_array(weights, dtype=np.float64, input_name=name)
    check_non_negative(weights, name)
    total = weights.sum(axis=1, keepdims=True)
    total[np.abs(total - 1) < 1e-12] = 1  # to the last bit what the model gave
    even = np.full_like(weights, 1 / weights.shape[1])
    return np.divide(weights, total, where=total > 0, out=even)


def _recounted(
    X: sp.csr_array, mixtures: np.ndarray, components: np.ndarray, word_prior: float
) -> np.ndarray:
    """Return φ counted on ``X``, whose tokens go to topics by ``θ_dk φ_kw``, as given."""
    expected = np.maximum(probabilities(X, mixtures, components), 1e-300)
    ratios = sp.csr_array((X.data / expected, X.indices, X.indptr), shape=X.shape)
    return to_topics((ratios.T @ mixtures).T * components, word_prior)


def _draw(prior: np.ndarray, tokens: Tokens, seed: int) -> np.ndarray:
    """Return a topic for each token, drawn from its document's prior mean."""
    ends = np.cumsum(prior, axis=1)
    ends /= ends[:, -1:]
    D, K = prior.shape
    documents = np.repeat(np.arange(D), np.diff(tokens.starts))
    u = np.random.default_rng([seed, 0]).random(documents.size)
    slots = (ends + np.arange(D)[:, None]).ravel()  # document d owns [d, d + 1)
    topics = np.searchsorted(slots, documents + u, side="right") - documents * K
    kind = np.uint16 if K <= 2**16 else np.int32
    return np.minimum(topics, K - 1).astype(kind)


def _shares(tokens: Tokens, topics: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the mean mixtures given the tokens' topics, ``∝ n_dk + α_dk``."""
    D, K = prior.shape
    documents = np.repeat(np.arange(D), np.diff(tokens.starts))
    counts = np.bincount(documents * K + topics, minlength=D * K).reshape(D, K)
    weights = counts + prior
    return weights / weights.sum(axis=1, keepdims=True)


def _words_of_every_other(
    tokens: Tokens, topics: np.ndarray, n_components: int
) -> np.ndarray:
    """Return counts of words in topics, (K, V), from documents 0, 2, 4 and so on."""
    documents = np.repeat(np.arange(len(tokens.starts) - 1), np.diff(tokens.starts))
    some = documents % 2 == 0
    pairs = topics[some], tokens.words[some]
    shape = n_components, tokens.n_words
    return sp.csr_array((np.ones(len(pairs[0])), pairs), shape).toarray()


def _halves(text: str) -> tuple[str, str]:
    """Cut a text in the middle, between words if there are two."""
    words = text.split()
    if len(words) < 2:  # a script without spaces
        return text[: len(text) // 2], text[len(text) // 2 :]
    middle = (len(words) + 1) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])
