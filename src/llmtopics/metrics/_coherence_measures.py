"""The measures of coherence: a new one is one entry in ``MEASURES``.

Every score gets p, an array of shape (n, n) over the words of a topic. It has the share of
units (documents or windows) with both words, and on the diagonal the share with the word.
Values of a word that never occurs are divided by 1, so that its pairs get the lowest value.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_EPSILON = 1e-12


class CoherenceMeasure(NamedTuple):
    """How the coherence of one topic is computed.

    score : callable, ndarray of shape (n, n) → float
        Computes the value of a topic from p. Higher is better.
    window : int or None
        Tokens in a window, as published. None: whole documents.
    lowest : float
        The value of a topic whose words never occur together. In scorers, topics with fewer
        than two words get it.
    """

    score: Callable[[np.ndarray], float]
    window: int | None
    lowest: float


def _log_ratio(p: np.ndarray) -> np.ndarray:
    by_chance = np.outer(p.diagonal(), p.diagonal())
    return np.log((p + _EPSILON) / np.where(by_chance > 0, by_chance, 1))


def _normalized_log_ratio(p: np.ndarray) -> np.ndarray:
    bits = -np.log(np.minimum(p + _EPSILON, 1))  # 0 where both words are everywhere
    return np.divide(_log_ratio(p), bits, where=bits > 0, out=np.ones_like(p))


def _mean_of_pairs(values: np.ndarray) -> float:
    return float(values[~np.eye(len(values), dtype=bool)].mean())


def _uci(p: np.ndarray) -> float:
    return _mean_of_pairs(_log_ratio(p))


def _npmi(p: np.ndarray) -> float:
    # ε gives words that are together nearly everywhere a value above 1
    return _mean_of_pairs(np.clip(_normalized_log_ratio(p), -1, 1))


def _u_mass(p: np.ndarray) -> float:
    later, earlier = np.tril_indices(len(p), -1)
    there = p.diagonal() > 0
    alone = np.where(there[later] & there[earlier], p.diagonal()[earlier], 1)
    return float(np.log((p[later, earlier] + _EPSILON) / alone).mean())


def _c_v(p: np.ndarray) -> float:
    there = p.diagonal() > 0
    vectors = _normalized_log_ratio(p) * np.outer(there, there)
    total = vectors.sum(axis=0)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(total)
    # a word that never occurs has no direction: it gets the lowest cosine, -1
    cosines = np.divide(vectors @ total, lengths, where=lengths > 0, out=there - 1.0)
    return float(np.clip(cosines, -1, 1).mean())


MEASURES: dict[str, CoherenceMeasure] = {
    "npmi": CoherenceMeasure(_npmi, 10, -1.0),
    "c_v": CoherenceMeasure(_c_v, 110, -1.0),
    "uci": CoherenceMeasure(_uci, 10, np.log(_EPSILON)),
    "u_mass": CoherenceMeasure(_u_mass, None, np.log(_EPSILON)),
}
