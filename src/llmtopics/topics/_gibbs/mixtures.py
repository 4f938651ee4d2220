"""Topic proportions of documents, given fixed topics; rows do not depend on each other.

``X`` is an int32 CSR array of shape (D, V). ``components`` is φ, of shape (K, V): rows sum to
one.
"""

from functools import partial

import numpy as np
import scipy.sparse as sp

from llmtopics._compiled.threads import workers
from llmtopics.topics._gibbs.kernels import mixtures as kernels
from llmtopics.topics._gibbs.kernels.mixtures import CSRCounts, StopRule
from llmtopics.topics._gibbs.pieces import cut_all

STOP = StopRule(max_iter=100, tol=1e-5)
_WEIGHT = 16  # one topic here takes as long as 16 topics of a draw


def infer_mixtures(
    X: sp.csr_array,
    components: np.ndarray,
    prior: np.ndarray,
    n_jobs: int | None = None,
    stop: StopRule = STOP,
) -> np.ndarray:
    """Return θ, of shape (D, K).

    prior : (K,) or (D, K), α of all documents or of each
    """
    counts, phi = _parts(X, components)
    K = len(components)
    alpha = np.ascontiguousarray(np.atleast_2d(prior), np.float64)
    if alpha.shape not in ((1, K), (X.shape[0], K)):  # compiled loops do not check
        raise ValueError(f"The prior has the shape {alpha.shape} for {K} topics.")
    mixtures = np.empty((X.shape[0], K))
    with workers(n_jobs) as threads:
        threads.run(
            [
                partial(kernels.infer, counts, phi, alpha, stop, *piece, mixtures)
                for piece in cut_all(counts.starts, threads.n, _WEIGHT * K)
            ]
        )
    return mixtures


def infer_path_mixtures(
    X: sp.csr_array,
    components: np.ndarray,
    root: np.ndarray,
    below: np.ndarray,
    n_jobs: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mixtures of sub-topics, (D, K), and of super-topics, (D, S).

    root, below : (S,), (S, K), α_s, α_st
    """
    counts, phi = _parts(X, components)
    S, K = below.shape
    mixtures, supers = np.empty((X.shape[0], K)), np.empty((X.shape[0], S))
    given = counts, phi, root, below, STOP
    with workers(n_jobs) as threads:
        threads.run(
            [
                partial(kernels.infer_paths, *given, *piece, mixtures, supers)
                for piece in cut_all(counts.starts, threads.n, _WEIGHT * S * K)
            ]
        )
    return mixtures, supers


def contributions(
    X: sp.csr_array, components: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each word of one document, and the prior, add to its mixture.

    ``θ_k ∝ Σ_w x_w γ_wk + α_k``, where γ_wk is the share of topic k in a token of word w.
    The sum is exact.

    X : of shape (1, V)
    prior : (K,), α

    Returns arrays of shape (words that X has, K) and (K,).
    """
    counts, phi = _one_document(X, components)
    mixtures = np.empty((1, prior.size))
    alpha = prior[np.newaxis]
    gamma = kernels.infer(counts, phi, alpha, STOP, 0, 1, mixtures)
    total = X.data.sum() + prior.sum()
    return X.data[:, np.newaxis] * gamma / total, prior / total


def path_contributions(
    X: sp.csr_array, components: np.ndarray, root: np.ndarray, below: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what ``contributions`` returns, for sub-topics.

    ``θ_k = Σ_s A_s (E[n_sk] + α_sk) / (N + Σα)``. Sub-topic k has ``E[n_k] = Σ_w x_w γ_wk``
    tokens. All of them have the same weight.
    """
    counts, phi = _one_document(X, components)
    theta, supers = np.empty((1, below.shape[1])), np.empty((1, root.size))
    given = counts, phi, root, below, STOP
    gamma, _ = kernels.infer_paths(*given, 0, 1, theta, supers)
    n = X.data.sum() + root.sum()
    of_super = supers[0] * n  # E[n_s] + α_s
    prior = of_super / (of_super - root + below.sum(axis=1)) @ below / n
    parts = X.data[:, np.newaxis] * gamma
    total = np.maximum(parts.sum(axis=0), np.finfo(float).tiny)
    return parts / total * np.maximum(theta[0] - prior, 0), prior


def super_contributions(
    X: sp.csr_array, components: np.ndarray, root: np.ndarray, below: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what ``contributions`` returns, for super-topics.

    ``θ_s ∝ Σ_w x_w ν_ws + α_s``, where ν_ws is the share of super-topic s in a token of word
    w. The sum is exact.
    """
    counts, phi = _one_document(X, components)
    theta, supers = np.empty((1, below.shape[1])), np.empty((1, root.size))
    given = counts, phi, root, below, STOP
    _, nu = kernels.infer_paths(*given, 0, 1, theta, supers)
    total = X.data.sum() + root.sum()
    return X.data[:, np.newaxis] * nu[: X.nnz] / total, root / total


def _parts(X: sp.csr_array, components: np.ndarray) -> tuple[CSRCounts, np.ndarray]:
    """Return counts of the words that X has, and φ of these words, transposed."""
    words, indices = np.unique(X.indices, return_inverse=True)
    counts = CSRCounts(X.data, indices.astype(np.int32), X.indptr.astype(np.int64))
    return counts, np.ascontiguousarray(components[:, words].T)


def _one_document(X: sp.csr_array, components: np.ndarray):
    """Return the same for one document, its words in the order of ``X.indices``."""
    places = np.arange(X.nnz, dtype=np.int32)
    counts = CSRCounts(X.data, places, X.indptr.astype(np.int64))
    return counts, np.ascontiguousarray(components[:, X.indices].T)
