"""Held-out likelihood: how well half of a document predicts the other half."""

import numpy as np
import scipy.sparse as sp

_CELLS = 2**17  # (nonzero, topic) pairs per step: 1 MB, the cache of a core


def halves(X: sp.csr_array) -> tuple[sp.csr_array, sp.csr_array]:
    """Split every document into an observed and a held-out half.

    The tokens of a document, in the order of their columns, go to the halves in turn. The
    first token is observed. The split of a document depends only on its own row.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_words), int32
        Whole counts with sorted indices.

    Returns
    -------
    observed, held_out : csr_array of shape (n_documents, n_words)
        They add up to ``X``.
    """
    ends = np.cumsum(X.data, dtype=np.int64)
    starts = np.concatenate([[0], ends])[X.indptr[:-1]]  # of documents, in tokens
    last = ends - np.repeat(starts, np.diff(X.indptr))  # tokens of the row so far
    # of a row's first n tokens, n // 2 are held out
    held = (last // 2 - (last - X.data) // 2).astype(X.dtype)
    observed, held_out = (
        sp.csr_array((data, X.indices, X.indptr), shape=X.shape, copy=True)
        for data in (X.data - held, held)
    )
    observed.eliminate_zeros()
    held_out.eliminate_zeros()
    return observed, held_out


def log_likelihood(
    X: sp.csr_array, mixtures: np.ndarray, components: np.ndarray
) -> float:
    """Return the log-likelihood of the tokens in ``X``, in nats.

    ``Σ_d Σ_w X_dw log Σ_k θ_dk φ_kw``, without a dense (documents × words) array. A
    probability of zero counts as 1e-12.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_words)
    mixtures : ndarray of shape (n_documents, n_components)
        θ: rows sum to one.
    components : ndarray of shape (n_components, n_words)
        φ: rows sum to one.
    """
    p = probabilities(X, mixtures, components)
    # np.dot would let BLAS split the sum among threads: their number would change the bits
    return float(np.sum(X.data * np.log(np.maximum(p, 1e-12))))


def probabilities(
    X: sp.csr_array, mixtures: np.ndarray, components: np.ndarray
) -> np.ndarray:
    """Return ``Σ_k θ_dk φ_kw`` for every stored count of ``X``, in their order.

    Parameters are those of :func:`log_likelihood`.
    """
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    word_topic = np.ascontiguousarray(components.T)
    step = max(1, _CELLS // mixtures.shape[1])
    p = np.empty(X.nnz)
    for i in range(0, X.nnz, step):
        part = slice(i, i + step)
        p[part] = np.einsum(  # take is faster than indexing
            "ik,ik->i",
            mixtures.take(rows[part], axis=0),
            word_topic.take(X.indices[part], axis=0),
        )
    return p
