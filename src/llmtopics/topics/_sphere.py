"""Directions of topics on the unit sphere of embeddings, as pure functions.

D documents, K topics, E dimensions. If a row must not depend on the other rows, products
are computed row by row, so that BLAS always gets the same shapes. BLAS uses one thread.
"""

from typing import NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from llmtopics._checks import warn_user
from llmtopics._compiled.blas import one_thread
from llmtopics._held_out import log_likelihood

_CONCENTRATIONS = (1.0, 200.0)  # the range that is searched
_N_SEARCHED = 2000  # documents used for that search
_N_SAMPLED = 5000  # documents on which k-means tries several starts


class Moments(NamedTuple):
    """Mean and covariance of the vectors; zero vectors (of blank texts) are left out.

    n_vectors : int
    mean : (E,)
    covariance : (E, E)
    """

    n_vectors: int
    mean: np.ndarray
    covariance: np.ndarray


class Classes(NamedTuple):
    """Number and sum of the vectors with the same first topic, for each topic.

    n_vectors : (K,)
    sums : (K, E)
    """

    n_vectors: np.ndarray
    sums: np.ndarray


class Sphere(NamedTuple):
    """How vectors become points on the sphere.

    mean : (E,), subtracted first
    scale : (E, E), multiplied with the result
    """

    mean: np.ndarray
    scale: np.ndarray


def measure(vectors: np.ndarray) -> Moments:
    """Return the moments of the vectors that are not zero."""
    known = vectors[vectors.any(axis=1)]
    n_vectors = max(1, len(known))
    mean = known.sum(axis=0, dtype=np.float64) / n_vectors
    with one_thread():
        centered = known - mean
        return Moments(n_vectors, mean, centered.T @ centered / n_vectors)


def merged(*parts: Moments) -> Moments:
    """Return the moments of several sets of vectors together."""
    n = sum(part.n_vectors for part in parts)
    weights = [part.n_vectors / max(1, n) for part in parts]
    mean = sum(w * part.mean for w, part in zip(weights, parts, strict=True))
    covariance = sum(
        w * (part.covariance + np.outer(part.mean - mean, part.mean - mean))
        for w, part in zip(weights, parts, strict=True)
    )
    return Moments(n, np.asarray(mean), np.asarray(covariance))


def center(moments: Moments) -> Sphere:
    """Return the sphere around the mean, without scaling."""
    return Sphere(moments.mean, np.eye(len(moments.mean)))


def whiten(moments: Moments) -> Sphere:
    """Return a sphere around the mean whose scale makes the covariance the identity.

    With the covariance ``U diag(λ) Uᵀ`` the scale is ``U diag(λ^(-1/2)) Uᵀ``, up to a factor.
    The covariance is first shrunk toward a multiple of the identity, more so for fewer
    vectors (oracle approximating shrinkage, Chen et al. 2010).
    """
    covariance, E = moments.covariance, len(moments.mean)
    size = np.trace(covariance) / E
    if size <= 0:
        return center(moments)
    square = np.mean(covariance**2)
    gap = (moments.n_vectors + 1) * (square - size**2 / E)
    shrinkage = min(1.0, (square + size**2) / gap) if gap > 0 else 1.0
    with one_thread():
        values, axes = np.linalg.eigh(covariance / size)
        values = (1 - shrinkage) * values + shrinkage
        return Sphere(
            moments.mean, (axes / np.sqrt(np.maximum(values, 1e-12))) @ axes.T
        )


def discriminate(
    vectors: np.ndarray, mixtures: np.ndarray, moments: Moments
) -> tuple[Sphere, np.ndarray, np.ndarray]:
    """Return the sphere that whitens topics, and the points and directions on it.

    Variation among documents of the same topic does not tell topics apart, however large it
    is. So the covariance within topics (of documents with the same first topic) is whitened,
    as in linear discriminant analysis (Fisher 1936).

    Parameters
    ----------
    vectors : ndarray of shape (D, E)
    mixtures : ndarray of shape (D, K)
        θ.
    moments : Moments
        Of ``vectors``.
    """
    classes = class_sums(vectors, mixtures)
    sphere = whiten_within(classes, moments)
    points = to_points(vectors, sphere, by_rows=False)
    return sphere, points, unit(direction_sums(points, mixtures, classes.n_vectors > 0))


def class_sums(vectors: np.ndarray, mixtures: np.ndarray) -> Classes:
    """Return the sums of vectors with the same first topic."""
    first = _first_topics(vectors, mixtures)
    with one_thread():
        return Classes(first.sum(axis=1, dtype=np.float64), first @ vectors)


def whiten_within(classes: Classes, moments: Moments) -> Sphere:
    """Return the sphere that whitens the covariance of vectors with the same first topic."""
    n, found = classes.n_vectors, classes.n_vectors > 0
    with one_thread():
        means = classes.sums[found] / n[found, None] - moments.mean
        between = (means.T * n[found]) @ means / moments.n_vectors
    return whiten(moments._replace(covariance=moments.covariance - between))


def direction_sums(
    points: np.ndarray, mixtures: np.ndarray, found: np.ndarray
) -> np.ndarray:
    """Return the sums of points with the same first topic, (K, E).

    found : (K,), whether a topic is first in some document, of all documents
    """
    with one_thread():
        sums = _first_topics(points, mixtures) @ points
        # a topic that is first in no document: all documents, weighted by their share of it
        sums[~found] = mixtures.T[~found].astype(points.dtype) @ points
    return sums


def _first_topics(vectors: np.ndarray, mixtures: np.ndarray) -> sp.csr_array:
    """Return (K, D): 1 where a topic is the first of a document that has a vector, otherwise 0."""
    D, K = mixtures.shape
    known = vectors.any(axis=1).astype(vectors.dtype)
    return sp.csr_array((known, (mixtures.argmax(axis=1), np.arange(D))), (K, D))


def to_points(
    vectors: np.ndarray, sphere: Sphere, *, by_rows: bool = True
) -> np.ndarray:
    """Return unit vectors of shape (D, E); zeros for zero vectors."""
    known = vectors.any(axis=1, keepdims=True)
    centered = (vectors - sphere.mean.astype(vectors.dtype)) * known
    return unit(products(centered, sphere.scale.astype(vectors.dtype), by_rows))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the rows divided by their lengths; zero rows stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.divide(
        vectors, lengths, where=lengths > 1e-12, out=np.zeros_like(vectors)
    )


def cosines(
    points: np.ndarray, directions: np.ndarray, *, by_rows: bool = True
) -> np.ndarray:
    """Return ``e_d·c_k``, of shape (D, K), float64."""
    transposed = np.ascontiguousarray(directions.T, points.dtype)
    return products(points, transposed, by_rows).astype(np.float64)


def memberships(cosines: np.ndarray, concentration: float) -> np.ndarray:
    """Return ``f_dk = softmax_k(τ e_d·c_k)``; rows sum to one."""
    return softmax(concentration * cosines, axis=1)


def start(points: np.ndarray, n_components: int, seed: int) -> np.ndarray:
    """Return directions by k-means: the best of ten k-means++ starts, on a sample."""
    rng = np.random.default_rng([seed, 1])
    some = rng.permutation(len(points))[: max(_N_SAMPLED, 10 * n_components)]
    sampled = KMeans(n_components, n_init=10, random_state=seed % 2**32)
    with one_thread(), catch_warnings():
        simplefilter("ignore", ConvergenceWarning)  # ours below says what to do
        means = sampled.fit(points[np.sort(some)])
        if len(some) < len(points):
            again = KMeans(n_components, init=means.cluster_centers_, n_init=1)
            means = again.fit(points)
    if (n_distinct := len(np.unique(means.labels_))) < n_components:
        warn_user(
            f"n_components={n_components} is more than the {n_distinct} distinct vectors of "
            "the texts. Some topics will have no documents. Lower n_components.",
            ConvergenceWarning,
        )
    return unit(means.cluster_centers_)


def estimate_concentration(
    cosines: np.ndarray, X: sp.csr_array, components: np.ndarray
) -> float:
    """Return the τ with which the memberships best predict the documents' words.

    It maximizes ``Σ_dw X_dw log Σ_k softmax_k(τ e_d·c_k) φ_kw``. Vectors alone cannot tell
    how wide a topic is, because their dimensions are not independent.
    """
    rows = np.linspace(
        0, X.shape[0], min(_N_SEARCHED, X.shape[0]), endpoint=False
    ).astype(int)
    X, some = X[rows], cosines[rows]
    found = minimize_scalar(
        lambda log_tau: (
            -log_likelihood(X, memberships(some, np.exp(log_tau)), components)
        ),
        bounds=np.log(_CONCENTRATIONS),
        method="bounded",
        options={"xatol": 0.02},
    )
    return float(np.exp(found.x))


def products(rows: np.ndarray, matrix: np.ndarray, by_rows: bool = True) -> np.ndarray:
    """Return ``rows @ matrix``."""
    with one_thread():
        return np.matmul(rows[:, None, :], matrix)[:, 0] if by_rows else rows @ matrix
