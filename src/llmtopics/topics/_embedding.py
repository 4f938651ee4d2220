"""Topics of embeddings: a mixture of directions on the sphere."""

from numbers import Integral, Real
from typing import Any

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
from llmtopics._state import restored_on_error
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._gibbs.expected_counts import to_topics

_CONCENTRATION = 14.0


class EmbeddingTopics(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Find topics among vectors of texts: each topic is a direction.

    Vectors are centred and put on the unit sphere, where k-means finds directions; then
    directions and the metric of the sphere are fitted to each other; a document belongs to
    every topic by its angle to them.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    concentration : float or None, default=None
        How sharply a document belongs to its nearest topics, τ. None stands for the τ under
        which the mixtures best foretell the words, if ``fit`` gets counts, and else for 14.

    max_iter : int, default=10
        Rounds, at most, in which topics and metric are fitted to each other. With 0, topics
        are those of k-means on the centred vectors.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the start of k-means. An int gives the same bits on every run; NumPy's global
        random state is never used.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_components, n_dimensions)
        Directions of the topics in the metric found, c. Rows have length one.

    concentration_ : float
        The τ used.

    labels_ : ndarray of shape (n_documents,)
        First topic of each document that was fitted.

    components_ : ndarray of shape (n_components, n_words)
        Weight of each word in each topic, by c-TF-IDF [2]_; only if ``fit`` got counts.
        Rows sum to one.

    n_iter_ : int
        Rounds made.

    n_features_in_ : int
        Length of the vectors.

    See Also
    --------
    TransformerEmbedder : Makes vectors of texts.
    FusionTopicModel : Joins these topics with those of word counts.

    Notes
    -----
    ``θ_dk = softmax_k(τ e_d·c_k)``: the posterior of a mixture of von Mises-Fisher
    distributions [1]_ of equal weights and concentrations, e being the vector on the sphere. A
    zero vector, which blank texts have, belongs to all topics alike.

    The metric makes the vectors of documents with the same first topic scatter alike in all
    directions, as in linear discriminant analysis [3]_: transformers put much of what
    they know into a few directions, and not all of it tells topics apart. With few
    documents the covariance is shrunk towards the identity.

    A document's mixture does not depend on what else is in ``X``, and ``fit_transform(X)``
    is ``fit(X).transform(X)``.

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

    _parameter_constraints: dict[str, list[Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "concentration": [Interval(Real, 0, 1e6, closed="right"), None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        n_components: int = 10,
        *,
        concentration: float | None = None,
        max_iter: int = 10,
        random_state: Any = None,
    ):
        self.n_components = n_components
        self.concentration = concentration
        self.max_iter = max_iter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, counts: ArrayLike | None = None):
        """Find the topics' directions.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dimensions)
            Vectors.
        y : None
            Ignored.
        counts : {array-like, sparse matrix} of shape (n_documents, n_words) or None
            Word counts, or weights, of the same documents, which give the topics words.

        Returns
        -------
        self : EmbeddingTopics
            The fitted estimator.

        Raises
        ------
        ValueError
            For vectors that are not finite, fewer non-zero vectors than topics, and counts
            of another number of documents.
        """
        with restored_on_error(self):
            X = self._check(X, reset=True)
            seed = as_seed(self.random_state)
            n_known = int(X.any(axis=1).sum())
            if n_known < self.n_components:
                raise ValueError(
                    f"n_samples={n_known} vectors that are not zero (blank texts are) cannot make "
                    f"n_components={self.n_components} topics: ask for fewer."
                )
            cosines = self._find(X, seed)
            self.labels_ = cosines.argmax(axis=1)
            self.concentration_ = self.concentration or _CONCENTRATION
            if hasattr(self, "components_"):
                del self.components_
            if counts is not None:
                self._give_words(cosines, counts)
        return self

    def _find(self, X: np.ndarray, seed: int) -> np.ndarray:
        """Find metric and directions; return the vectors' cosines with them."""
        vectors = X.astype(np.float32)  # halves the time of what is but a search
        moments = sphere.measure(vectors)
        self._sphere = sphere.centre(moments)
        points = sphere.to_points(vectors, self._sphere, by_rows=False)
        known = points[vectors.any(axis=1)]
        directions = sphere.start(known, self.n_components, seed)
        cosines = sphere.cosines(points, directions, by_rows=False)
        labels = None
        self.n_iter_ = 0
        while self.n_iter_ < self.max_iter:
            before, labels = labels, cosines.argmax(axis=1)
            if before is not None and (labels == before).all():
                break
            mixtures = sphere.memberships(cosines, _CONCENTRATION)
            self._sphere, points, directions = sphere.discriminate(
                vectors, mixtures, moments
            )
            cosines = sphere.cosines(points, directions, by_rows=False)
            self.n_iter_ += 1
        self.cluster_centers_ = directions.astype(np.float64)
        return cosines

    def _give_words(self, cosines: np.ndarray, counts: Any) -> None:
        counts = sp.csr_array(check_array(counts, accept_sparse="csr"))
        check_non_negative(counts, "EmbeddingTopics (counts)")
        if counts.shape[0] != len(cosines):
            raise ValueError(
                f"counts has {counts.shape[0]} documents, but X has {len(cosines)}."
            )
        if self.concentration is None:
            # words from half of the documents, judged on the other: a document's own words
            # would foretell themselves
            for _ in range(3):
                mixtures = sphere.memberships(cosines[::2], self.concentration_)
                phi = to_topics((counts[::2].T @ mixtures).T, 0.1)
                self.concentration_ = sphere.estimate_concentration(
                    cosines[1::2], counts[1::2], phi
                )
        mixtures = sphere.memberships(cosines, self.concentration_)
        self.components_ = class_tfidf(mixtures, counts)

    def _check(self, X: Any, *, reset: bool) -> np.ndarray:
        """Return the vectors, scaled by a power of two as those of ``fit`` were.

        The largest number of those is then about one, so that squares of all are floats.
        """
        name = type(self).__name__
        with numbers_only(
            X, name, "vectors", "embed texts first (TransformerEmbedder)"
        ):
            X = validate_data(self, X, dtype=np.float64, reset=reset)
        if reset:
            self._exponent = -int(np.frexp(np.abs(X).max())[1])
        # rows that would leave the range of floats keep their direction
        most = 400 - np.frexp(np.abs(X).max(axis=1, keepdims=True))[1]
        return np.ldexp(X, np.minimum(self._exponent, most))

    def transform(self, X):
        """Return the topic mixture of each vector.

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

        The mean over documents of ``log Σ_k exp(τ e_d·c_k) / K``; compare models of the
        same ``concentration`` and vectors only.

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
        """Return what ``_move`` needs of vectors: themselves in float32, their moments."""
        vectors = self._check(X, reset=False).astype(np.float32)
        return vectors, sphere.measure(vectors)

    def _move(
        self,
        vectors: np.ndarray,
        moments: sphere.Moments,
        mixtures: np.ndarray,
        words: tuple[sp.csr_array, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Refit metric and directions to given mixtures of the documents; return f, (D, K).

        Parameters
        ----------
        vectors, moments
            As ``_measure`` returns them.
        mixtures : ndarray of shape (D, K)
        words : (counts of shape (D, V), φ of shape (K, V)) or None
            To re-estimate the concentration. φ comes from documents 0, 2, 4 and so on, and
            is judged on the others: a document's own words would predict themselves.
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
        """Take the documents' labels and the topics' words from mixtures, after moves."""
        self.labels_ = mixtures.argmax(axis=1)
        self.components_ = class_tfidf(mixtures, counts)

    @property
    def _n_features_out(self):
        return self.cluster_centers_.shape[0]


def class_tfidf(mixtures: np.ndarray, X: Any) -> np.ndarray:
    """Return c-TF-IDF weights of words in topics; rows sum to one.

    ``tf_kw log(1 + A / f_w)``: the frequency of word w among the topic's tokens, times the
    logarithm of one plus the mean number of tokens a topic has over those of the word.
    """
    tokens = (X.T @ mixtures).T  # (K, V)
    frequency = tokens / np.maximum(tokens.sum(axis=1, keepdims=True), 1e-300)
    in_all = np.maximum(tokens.sum(axis=0), 1e-300)
    weights = frequency * np.log1p(tokens.sum() / len(tokens) / in_all)
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])  # of a topic without tokens
    return np.divide(weights, total, where=total > 0, out=even)
