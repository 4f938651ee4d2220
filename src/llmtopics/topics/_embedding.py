"""Topics from embeddings: a mixture of directions on the unit sphere."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    check_is_fitted,
    check_non_negative,
    validate_data,
)

from llmtopics._checks import as_seed, numbers_only
from llmtopics._progress import CallbackSupportMixin, Stage, fitting, stage
from llmtopics._state import restored_on_error
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._gibbs.expected_counts import to_topics

_CONCENTRATION = 14.0


@dataclass(eq=False, repr=False)
class EmbeddingTopics(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Find topics in embeddings (vectors of texts): each topic is a direction.

    Vectors are centered and scaled to length one. K-means finds the first directions. Then
    the directions and a metric are refitted in turn. The topic proportions of a document
    follow from its angles to the directions.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    concentration : float or None, default=None
        How sharply a document belongs to its nearest topics, τ. With None and counts,
        ``fit`` chooses the τ that best predicts the words. With None and no counts, τ is 14.

    max_iter : int, default=10
        Maximum number of rounds. Each round refits the metric and the topics. With 0, topics
        are those of k-means on the centered vectors.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds k-means. An int gives the same bits on every run. NumPy's global random state
        is never used.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_components, n_dimensions)
        Directions of the topics in the fitted metric, c. Rows have length one.

    concentration_ : float
        The τ used.

    labels_ : ndarray of shape (n_documents,)
        First (dominant) topic of each document that ``fit`` saw.

    components_ : ndarray of shape (n_components, n_words)
        Weight of each word in each topic, by c-TF-IDF [2]_. Rows sum to one. Only if ``fit``
        got counts.

    n_iter_ : int
        Number of rounds made.

    n_features_in_ : int
        Number of dimensions of the vectors.

    See Also
    --------
    TransformerEmbedder : Turns texts into vectors.
    FusionTopicModel : Combines these topics with topics of word counts.

    Notes
    -----
    ``θ_dk = softmax_k(τ e_d·c_k)``, where e is the vector on the unit sphere. This is the
    posterior of a mixture of von Mises-Fisher distributions [1]_ with equal weights and
    concentrations. A zero vector (blank texts have one) gets equal proportions.

    In the fitted metric, documents with the same first topic scatter equally in all
    directions, as in linear discriminant analysis [3]_. Without it, a few directions
    dominate the vectors of transformers, and not all of these separate topics. With few
    documents the covariance is shrunk toward the identity.

    A document's topic proportions do not depend on the other documents in ``X``, and
    ``fit_transform(X)`` equals ``fit(X).transform(X)``.

    References
    ----------
    .. [1] A. Banerjee, I. Dhillon, J. Ghosh and S. Sra, "Clustering on the unit
       hypersphere using von Mises-Fisher distributions", JMLR 6, 2005.
    .. [2] M. Grootendorst, "BERTopic: neural topic modeling with a class-based TF-IDF
       procedure", arXiv 2203.05794, 2022 (c-TF-IDF).
    .. [3] R. Fisher, "The use of multiple measurements in taxonomic problems", Annals of
       Eugenics 7, 1936.

    Examples
    --------
    >>> from llmtopics import EmbeddingTopics
    >>> vectors = [[1, 0.1], [1, 0.2], [0.1, 1], [0.2, 1]]
    >>> model = EmbeddingTopics(2, random_state=0).fit(vectors)
    >>> int(model.labels_[0]) == int(model.labels_[1]) != int(model.labels_[2])
    True
    >>> bool(model.transform([[1, 0.1]]).max() > 0.9)
    True
    """

    n_components: int = 10
    _: KW_ONLY
    concentration: float | None = None
    max_iter: int = 10
    random_state: Any = None

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "components_",
        "cluster_centers_",
        "concentration_",
        "_sphere",
        "_exponent",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "concentration": [Interval(Real, 0, 1e6, closed="right"), None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, counts: ArrayLike | None = None):
        """Find the directions of the topics.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dimensions)
            Vectors.
        y : None
            Ignored.
        counts : {array-like, sparse matrix} of shape (n_documents, n_words) or None
            Word counts or weights of the same documents. They give the topics words.

        Returns
        -------
        self : EmbeddingTopics
            The fitted estimator.

        Raises
        ------
        ValueError
            For vectors that are not finite, fewer non-zero vectors than topics, or counts
            of another number of documents.
        """
        with fitting(self, 1), restored_on_error(self):
            X = self._check(X, reset=True)
            seed = as_seed(self.random_state)
            n_known = int(X.any(axis=1).sum())
            if n_known < self.n_components:
                raise _too_few(n_known, len(X), self.n_components)
            with stage("directions", 1 + self.max_iter, "rounds") as rounds:
                cosines = self._find(X, seed, rounds)
            self.labels_ = cosines.argmax(axis=1)
            self.concentration_ = self.concentration or _CONCENTRATION
            if hasattr(self, "components_"):
                del self.components_
            if counts is not None:
                self._give_words(cosines, counts)
        return self

    def _find(self, X: np.ndarray, seed: int, rounds: Stage) -> np.ndarray:
        """Find the metric and the directions; return the vectors' cosines with them."""
        vectors = X.astype(np.float32)  # precise enough here, and twice as fast
        moments = sphere.measure(vectors)
        self._sphere = sphere.center(moments)
        points = sphere.to_points(vectors, self._sphere, by_rows=False)
        known = points[vectors.any(axis=1)]
        directions = sphere.start(known, self.n_components, seed)
        cosines = sphere.cosines(points, directions, by_rows=False)
        labels, stop, self.n_iter_ = None, rounds.update(), 0
        while self.n_iter_ < self.max_iter and not stop:
            before, labels = labels, cosines.argmax(axis=1)
            if before is not None and (labels == before).all():
                break
            mixtures = sphere.memberships(cosines, _CONCENTRATION)
            self._sphere, points, directions = sphere.discriminate(
                vectors, mixtures, moments
            )
            cosines = sphere.cosines(points, directions, by_rows=False)
            self.n_iter_ += 1
            stop = rounds.update()
        self.cluster_centers_ = directions.astype(np.float64)
        return cosines

    def _give_words(self, cosines: np.ndarray, counts: Any) -> None:
        counts = sp.csr_array(check_array(counts, accept_sparse="csr"))
        check_non_negative(counts, "EmbeddingTopics (counts)")
        if counts.shape[0] != len(cosines):
            raise ValueError(
                f"counts has {counts.shape[0]} documents and X has {len(cosines)}: pass the "
                "counts of the same documents."
            )
        if self.concentration is None:
            # φ from half of the documents predicts the words of the other half: a
            # document's own words would predict themselves
            for _ in range(3):
                mixtures = sphere.memberships(cosines[::2], self.concentration_)
                phi = to_topics((counts[::2].T @ mixtures).T, 0.1)
                self.concentration_ = sphere.estimate_concentration(
                    cosines[1::2], counts[1::2], phi
                )
        mixtures = sphere.memberships(cosines, self.concentration_)
        self.components_ = class_tfidf(mixtures, counts)

    def _check(self, X: Any, *, reset: bool) -> np.ndarray:
        """Return the vectors, scaled by the power of two that ``fit`` chose.

        The largest number in ``fit`` is then about one, so that no square overflows.
        """
        name = type(self).__name__
        with numbers_only(
            X, name, "vectors", "embed texts first (TransformerEmbedder)"
        ):
            X = validate_data(self, X, dtype=np.float64, reset=reset)
        if reset:
            self._exponent = -int(np.frexp(np.abs(X).max())[1])
        # rows that would overflow are scaled less, which keeps their direction
        most = 400 - np.frexp(np.abs(X).max(axis=1, keepdims=True))[1]
        return np.ldexp(X, np.minimum(self._exponent, most))

    def transform(self, X):
        """Return the topic proportions (mixture) of each vector.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dimensions)
            Vectors.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_components)
            θ. Rows sum to one.
        """
        check_is_fitted(self, "cluster_centers_")
        return sphere.memberships(self._cosines(X), self.concentration_)

    def _cosines(self, X: Any) -> np.ndarray:
        points = sphere.to_points(self._check(X, reset=False), self._sphere)
        return sphere.cosines(points, self.cluster_centers_)

    def score(self, X, y=None):
        """Return the mean log-likelihood of vectors, up to a constant.

        It is the mean over documents of ``log Σ_k exp(τ e_d·c_k) / K``. Compare only models
        with the same ``concentration`` and the same vectors.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dimensions)
            Vectors.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Nats per document.
        """
        check_is_fitted(self, "cluster_centers_")
        kernels = self.concentration_ * self._cosines(X)
        return float(
            logsumexp(kernels, axis=1).mean() - np.log(len(self.cluster_centers_))
        )

    def _measure(self, X: Any) -> tuple[np.ndarray, sphere.Moments]:
        """Return what ``_move`` needs: the vectors in float32 and their moments."""
        vectors = self._check(X, reset=False).astype(np.float32)
        return vectors, sphere.measure(vectors)

    def _move(
        self,
        vectors: np.ndarray,
        moments: sphere.Moments,
        mixtures: np.ndarray,
        words: tuple[sp.csr_array, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Refit the metric and the directions to given topic proportions; return f, (D, K).

        Parameters
        ----------
        vectors, moments
            As ``_measure`` returns them.
        mixtures : ndarray of shape (D, K)
        words : (counts of shape (D, V), φ of shape (K, V)) or None
            To re-estimate the concentration. φ comes from documents 0, 2, 4 and so on. It
            predicts the words of the others: a document's own words would predict themselves.
        """
        self._sphere, points, directions = sphere.discriminate(
            vectors, mixtures, moments
        )
        self.cluster_centers_ = directions.astype(np.float64)
        cosines = sphere.cosines(points, directions, by_rows=False)
        if words is not None:
            self.concentration_ = sphere.estimate_concentration(
                cosines[1::2], words[0][1::2], words[1]
            )
        return sphere.memberships(cosines, self.concentration_)

    def _relabel(self, mixtures: np.ndarray, counts: sp.csr_array) -> None:
        """Set the documents' labels and the topics' words from topic proportions."""
        self.labels_ = mixtures.argmax(axis=1)
        self.components_ = class_tfidf(mixtures, counts)

    @property
    def _n_features_out(self):
        return self.cluster_centers_.shape[0]


def class_tfidf(mixtures: np.ndarray, X: Any) -> np.ndarray:
    """Return c-TF-IDF weights of words in topics; rows sum to one.

    The weight is ``tf_kw log(1 + A / f_w)``. ``tf_kw`` is the share of word w in the tokens
    of topic k, A the mean number of tokens per topic, f_w the number of tokens of word w.
    """
    return tfidf_of_tokens((X.T @ mixtures).T)


def tfidf_of_tokens(tokens: np.ndarray) -> np.ndarray:
    """Return the same from the tokens of words in topics, (K, V)."""
    frequency = tokens / np.maximum(tokens.sum(axis=1, keepdims=True), 1e-300)
    in_all = np.maximum(tokens.sum(axis=0), 1e-300)
    weights = frequency * np.log1p(tokens.sum() / len(tokens) / in_all)
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])  # for a topic without tokens
    return np.divide(weights, total, where=total > 0, out=even)


def _too_few(n_known: int, n_samples: int, n_components: int) -> ValueError:
    few = f"n_samples={n_samples} texts are fewer than"
    if n_known < n_samples:
        few = (
            f"Only {n_known} of n_samples={n_samples} texts are not blank (blank texts have "
            "zero vectors), fewer than"
        )
    return ValueError(
        f"{few} n_components={n_components}. Pass more texts or lower n_components."
    )
