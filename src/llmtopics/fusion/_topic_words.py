"""Words of the topics: φ from the texts' own counts, and the ranking of words."""

import numpy as np
import scipy.sparse as sp

from llmtopics._checks import check_positive
from llmtopics._held_out import probabilities
from llmtopics._words import METHODS, rank_words, top_words
from llmtopics.topics._gibbs.expected_counts import to_topics


def count_words(
    X: sp.csr_array, mixtures: np.ndarray, word_prior: float | np.ndarray
) -> np.ndarray:
    """Return φ, (K, V), with each token of a text divided among topics by the text's θ."""
    return to_topics((X.T @ mixtures).T, word_prior)


def recount_words(
    X: sp.csr_array,
    mixtures: np.ndarray,
    components: np.ndarray,
    word_prior: float | np.ndarray,
) -> np.ndarray:
    """Return φ, (K, V), with tokens of ``X`` divided by ``θ_dk φ_kw`` of the given φ."""
    expected = np.maximum(probabilities(X, mixtures, components), 1e-300)
    ratios = sp.csr_array((X.data / expected, X.indices, X.indptr), shape=X.shape)
    return to_topics((ratios.T @ mixtures).T * components, word_prior)


def ranked_words(
    keyness: np.ndarray,
    components: np.ndarray,
    vocabulary: np.ndarray,
    n_words: int,
    method: str,
) -> list[list[str]]:
    """Return the words of each topic, ranked by keyness or by a method of ``top_words``."""
    if method == "keyness":
        check_positive(n_words=n_words)
        return rank_words(keyness, components, list(vocabulary), n_words)
    if method not in METHODS:
        raise ValueError(
            f"method must be one of keyness, {', '.join(METHODS)}, got {method!r}."
        )
    return top_words(components, vocabulary, n_words, method)
