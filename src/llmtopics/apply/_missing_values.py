"""Missing values among ids and labels."""

from typing import Any

import numpy as np
from sklearn.utils._missing import is_pandas_na, is_scalar_nan


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT (no date) or NA of pandas."""
    if value is None or is_scalar_nan(value) or is_pandas_na(value):
        return True
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ == "NaTType"  # pandas is optional
