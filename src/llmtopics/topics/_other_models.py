"""Topic models of other libraries."""

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp


def weights_in_topics(model: Any, X: sp.csr_array) -> np.ndarray:
    """Return ``model.transform(X)`` as an array of shape (D, K).

    If no document has a word, scikit-learn's ``NMF`` warns that it divides by zero and does
    not converge. Its zeros are right nevertheless, so the warnings are hidden.
    """
    if X.nnz:
        return np.asarray(model.transform(X), np.float64)
    with warnings.catch_warnings():  # not thread-safe, so only where it is needed
        warnings.simplefilter("ignore")
        return np.asarray(model.transform(X), np.float64)
