"""Topic proportions: rows of weights that sum to one."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative


def as_mixtures(weights: np.ndarray) -> np.ndarray:
    """Return rows divided by their sums. A row of zeros gets equal proportions.

    NMF and similar models give such rows for documents without a known word.
    """
    totals = weights.sum(axis=1, keepdims=True)
    # rows already sum to one: do not rescale
    totals[np.abs(totals - 1) < 1e-12] = 1
    even = np.full_like(weights, 1 / weights.shape[1])
    return np.divide(weights, totals, where=totals > 0, out=even)


def check_mixtures(weights: ArrayLike, name: str = "mixtures") -> np.ndarray:
    """Return :func:`as_mixtures` of what a user or another model gave.

    Raises
    ------
    ValueError
        If it is no table of finite numbers, or has negative ones. ``name`` is its name.
    """
    rows: np.ndarray = check_array(weights, dtype=np.float64, input_name=name)
    check_non_negative(rows, name)
    return as_mixtures(rows)
