"""Keyness: how typical each word is of each topic, counted over documents."""

import numpy as np
import scipy.sparse as sp
from scipy.special import rel_entr


def keyness(
    mixtures: np.ndarray, X: sp.csr_array, components: np.ndarray
) -> np.ndarray:
    """Return how typical each word is of each topic.

    It is ``df_w KL(p_kw ‖ q_k) φ_kw / max_j φ_jw`` where ``p_kw > q_k``, else 0. ``df_w`` is
    the number of documents with word w. ``p_kw`` is the share of topic k in these documents,
    ``q_k`` its share in all documents. ``df_w KL`` is half the log-likelihood ratio of "w
    depends on k" against "w occurs by chance" (Dunning 1993). The last factor lets topics
    compete for a word.

    Parameters
    ----------
    mixtures : ndarray of shape (n_documents, n_components)
        θ: rows sum to one.
    X : csr_array of shape (n_documents, n_words)
        Counts. Only whether a word occurs in a document matters.
    components : ndarray of shape (n_components, n_words)
        φ: rows sum to one, entries are positive.

    Returns
    -------
    scores : ndarray of shape (n_components, n_words)
        Nats, at least 0.
    """
    seen = sp.csr_array((np.ones(X.nnz), X.indices, X.indptr), shape=X.shape)
    not_blank = np.diff(X.indptr) > 0
    df = np.maximum(seen.sum(axis=0), 1)
    p = np.minimum((seen.T @ mixtures).T / df, 1)
    q = mixtures[not_blank].mean(axis=0)[:, None] if not_blank.any() else p
    gain = df * (rel_entr(p, q) + rel_entr(1 - p, np.maximum(1 - q, 0)))
    return np.where((p > q) & (q < 1), gain, 0) * components / components.max(axis=0)
