"""Arrays that metrics read."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative


def check_distributions(weights: ArrayLike, name: str) -> np.ndarray:
    """Return non-negative rows divided by their sums; a row of zeros is an error."""
    rows: np.ndarray = check_array(weights, dtype=np.float64, input_name=name)
    check_non_negative(rows, name)
    totals = rows.sum(axis=1, keepdims=True)
    if not totals.all():
        row = int(np.flatnonzero(totals == 0)[0])
        raise ValueError(f"{name}: row {row} has no weight at all.")
    return rows / totals
