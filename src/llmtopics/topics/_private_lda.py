"""Latent Dirichlet allocation with differential privacy for documents."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval

from llmtopics._checks import N_JOBS, as_seed, check_counts, check_prior
from llmtopics._progress import fitting, stage
from llmtopics._state import restored_on_error
from llmtopics.topics._count_model import CountTopicModel, check_countable
from llmtopics.topics._gibbs.expected_counts import to_topics
from llmtopics.topics._gibbs.kernels.mixtures import CSRCounts, StopRule
from llmtopics.topics._gibbs.mixtures import contributions, infer_mixtures
from llmtopics.topics._private_kernels import LIMIT, add_documents
from llmtopics.topics._private_noise import Noise, no_noise, noise_for
from llmtopics.topics._private_weights import Released

_STOP = StopRule(max_iter=20, tol=1e-3)  # noise is larger than what more passes change


@dataclass(eq=False, repr=False)
class PrivateLDA(CountTopicModel):
    """Find topics in word counts with differential privacy for documents.

    What ``fit`` learns is (ε, δ)-differentially private: adding or removing one document, with
    any words, changes the probability of each possible result by a factor of at most
    ``exp(ε)``, up to a probability δ. The columns of ``X`` (the vocabulary) must be public or
    chosen by :func:`private_vocabulary`. The guide "Topics with differential privacy" has the
    proof, and says what is not private.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K. Public.

    epsilon : float, default=1.0
        Privacy budget ε of one ``fit``. Smaller is more private and has more noise. Every
        further ``fit`` on the same documents spends as much again. ``numpy.inf`` adds no
        noise: nothing is private then.

    delta : float, default=1e-6
        Probability δ of the definition above. Choose it far below one divided by the number
        of documents.

    doc_topic_prior : float, array-like of shape (n_components,) or None, default=None
        Dirichlet concentration of topics in a document. None is ``1 / n_components``. Public.

    topic_word_prior : float, default=0.1
        Added to the noisy weight of each word in each topic. Public.

    max_iter : int, default=20
        Number of passes over the documents. Each adds noise to its sums, and the budget is
        divided among them. Public.

    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it. As in :class:`GibbsLDA`.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the topics of the start, which are public. **It does not seed the noise.** Noise
        that a seed repeats can be subtracted, so two fits with the same seed differ.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Probability of each word in each topic, φ. Rows sum to one.

    topic_counts_ : ndarray of shape (n_components,)
        Noisy weight of each topic, at least 0, plus that of the prior. A document has norm 1 in all topics
        together, so these are not tokens. Their shares are the sizes of the topics.

    doc_topic_prior_ : ndarray of shape (n_components,)
        The prior that was used.

    epsilon_ : float
        ε that ``fit`` has spent at ``delta``. It is at most ``epsilon``.

    noise_scale_ : float
        Standard deviation of the noise in each word and topic of each pass. The norm of
        what one document adds is at most 1.

    n_iter_ : int
        Number of passes.

    n_features_in_ : int
        Number of words in ``fit``.

    feature_names_in_ : ndarray of shape (n_words,)
        Names of the words. Only if the columns of ``X`` had names.

    See Also
    --------
    GibbsLDA : Better topics, without privacy.
    private_vocabulary : Chooses the columns with a part of the budget.
    metrics.membership_inference : Attacks a fitted model.

    Notes
    -----
    A pass computes the expected counts of words in topics of each document, given the topics
    of the pass before. Each document's counts are scaled to Euclidean norm 1. The sums over
    documents get discrete Gaussian noise ([3]_). Topics are computed from a running mean of
    the noisy sums. This is expectation maximization with noisy sufficient statistics, as in
    [1]_ and [2]_, without subsampling.

    Noise comes from OpenDP, which uses a cryptographic random generator and whole numbers, so
    it cannot be attacked through rounding ([4]_). OpenDP also adds up what the passes spend.

    ``transform`` describes the documents that it gets. Its result is private for the documents
    of ``fit`` only. ``score`` of documents that ``fit`` has seen is not private.

    References
    ----------
    .. [1] M. Park, J. Foulds, K. Chaudhuri and M. Welling, "Variational Bayes in private
       settings (VIPS)", JAIR 68, 2020.
    .. [2] M. Park, J. Foulds, K. Chaudhuri and M. Welling, "DP-EM: differentially private
       expectation maximization", AISTATS 2017.
    .. [3] C. Canonne, G. Kamath and T. Steinke, "The discrete Gaussian for differential
       privacy", NeurIPS 2020.
    .. [4] I. Mironov, "On significance of the least significant bits for differential
       privacy", CCS 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from llmtopics import PrivateLDA
    >>> from llmtopics.datasets import make_topics
    >>> X = make_topics(2000, 50, n_components=4, random_state=0).data
    >>> lda = PrivateLDA(4, epsilon=np.inf, random_state=0).fit(X)  # no noise
    >>> lda.components_.shape, float(lda.components_.sum().round())
    ((4, 50), 4.0)
    >>> private = PrivateLDA(4, epsilon=2.0).fit(X)  # doctest: +SKIP
    >>> bool(private.epsilon_ <= 2)  # doctest: +SKIP
    True
    """

    n_components: int = 10
    _: KW_ONLY
    epsilon: float = 1.0
    delta: float = 1e-6
    doc_topic_prior: float | ArrayLike | None = None
    topic_word_prior: float = 0.1
    max_iter: int = 20
    n_jobs: int | None = None
    random_state: Any = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "components_",
        "doc_topic_prior_",
        "topic_counts_",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="right")],
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "doc_topic_prior": [
            Interval(Real, 1e-30, 1e30, closed="both"),
            "array-like",
            None,
        ],
        "topic_word_prior": [Interval(Real, 1e-30, 1e30, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": N_JOBS,
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the topics with noise.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts. One row is what is protected: put all texts of a person
            into one row to protect persons.
        y : None
            Ignored.

        Returns
        -------
        self : PrivateLDA
            The fitted estimator.

        Raises
        ------
        ImportError
            If OpenDP is not installed, unless ``epsilon`` is infinite.
        ValueError
            For counts that are negative, fractional, NaN or infinite. If no document has a
            word. For a prior that is not positive or has a wrong shape. Messages quote the
            data: they are not private.
        """
        with fitting(self, 1), restored_on_error(self):
            X = check_counts(self, X, reset=True)
            check_countable(X, single=False)
            noise = no_noise()
            if self.epsilon < np.inf:
                noise = noise_for(
                    self.epsilon, self.delta, self.max_iter, type(self).__name__
                )
            alpha = check_prior(
                self.doc_topic_prior, self.n_components, "doc_topic_prior"
            )
            self._run(X, alpha, noise)
            self.doc_topic_prior_ = alpha
            self.epsilon_, self.noise_scale_ = noise.epsilon, noise.scale
        return self

    def _run(self, X: sp.csr_array, alpha: np.ndarray, noise: Noise) -> None:
        """Make the passes. Of ``X``, only the noisy sums reach what is kept."""
        rng = np.random.default_rng(as_seed(self.random_state))
        start = rng.exponential(size=(self.n_components, X.shape[1]))
        components, released = to_topics(start, 0.0), Released(noise.scale)
        with stage("sweeps", self.max_iter, "sweeps", each=True) as passes:
            stop = False
            while released.n < self.max_iter and not stop:
                sums = _sums(X, components, alpha, self.n_jobs)
                released.add(noise.add(sums) / LIMIT)
                components = to_topics(released.weights(), self.topic_word_prior)
                stop = passes.update(estimator=self)
        self.topic_counts_ = released.sizes() + self.topic_word_prior * X.shape[1]
        self.components_, self.n_iter_ = components, released.n

    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        return infer_mixtures(X, self.components_, self.doc_topic_prior_, self.n_jobs)

    def _contributions(self, X: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, and the prior, add to its mixture."""
        return contributions(X, self.components_, self.doc_topic_prior_)


def _sums(
    X: sp.csr_array, components: np.ndarray, alpha: np.ndarray, n_jobs: int | None
) -> np.ndarray:
    """Return the sum over documents of their scaled expected counts, int64 (K, V).

    A document adds a vector of norm at most ``LIMIT`` that depends on no other document.
    """
    mixtures = infer_mixtures(X, components, alpha, n_jobs, _STOP)
    counts = CSRCounts(X.data, X.indices, X.indptr.astype(np.int64))
    sums = np.zeros((X.shape[1], len(components)), np.int64)
    add_documents(counts, np.ascontiguousarray(components.T), mixtures, sums)
    return np.ascontiguousarray(sums.T)
