"""Topics of two models, matched one to one."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist


def match_topics(
    weights: np.ndarray,
    vocabulary: np.ndarray,
    other_weights: np.ndarray,
    other_vocabulary: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the matched topic of the other model, (K,), -1 for none, and all distances.

    The distance is the Jensen-Shannon distance of distributions over the words of both
    models, from 0 (equal) to 1 (no word in common), (K, K').
    """
    words = {
        word: i
        for i, word in enumerate(dict.fromkeys([*vocabulary, *other_vocabulary]))
    }
    distances = cdist(
        _spread(weights, vocabulary, words),
        _spread(other_weights, other_vocabulary, words),
        "jensenshannon",
    )
    distances = np.nan_to_num(distances / np.sqrt(np.log(2)), nan=1.0)  # no words
    matched = np.full(len(weights), -1)
    rows, columns = linear_sum_assignment(distances)
    matched[rows] = columns
    return matched, distances


def _spread(
    weights: np.ndarray, vocabulary: np.ndarray, words: dict[str, int]
) -> np.ndarray:
    """Return φ with one column for each word of both models."""
    totals = weights.sum(axis=1, keepdims=True)
    found = np.zeros((len(weights), len(words)))
    found[:, [words[word] for word in vocabulary]] = np.divide(
        weights, totals, where=totals > 0, out=np.zeros_like(weights)
    )
    return found
