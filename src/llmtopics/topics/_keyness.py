"""Keyness: how typical each word is of each topic, counted over documents."""

from typing import NamedTuple

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
    return keyness_of(together(mixtures, X), components)


class Together(NamedTuple):
    """Words and topics in the same documents. Those of parts of a corpus add up.

    n_documents : number of documents with words
    shares : (K,), sum of θ over these documents
    df : (V,), number of documents with each word
    of_words : (V, K), sum of θ over the documents with each word
    """

    n_documents: int
    shares: np.ndarray
    df: np.ndarray
    of_words: np.ndarray


def together(mixtures: np.ndarray, X: sp.csr_array) -> Together:
    """Return what ``keyness`` reads of θ and counts."""
    seen = sp.csr_array((np.ones(X.nnz), X.indices, X.indptr), shape=X.shape)
    known = mixtures[np.diff(X.indptr) > 0]
    return Together(len(known), known.sum(axis=0), seen.sum(axis=0), seen.T @ mixtures)


def keyness_of(found: Together, components: np.ndarray) -> np.ndarray:
    """Return what ``keyness`` does."""
    df = np.maximum(found.df, 1)
    p = np.minimum(found.of_words.T / df, 1)
    q = (found.shares / found.n_documents)[:, None] if found.n_documents else p
    gain = df * (rel_entr(p, q) + rel_entr(1 - p, np.maximum(1 - q, 0)))
    return np.where((p > q) & (q < 1), gain, 0) * components / components.max(axis=0)
