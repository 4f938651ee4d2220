"""Topic models of other make."""

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp


def weights_in_topics(model: Any, X: sp.csr_array) -> np.ndarray:
    """Return what ``model.transform`` gives of counts, of shape (D, K).

    Asked about documents without words alone, scikit-learn's ``NMF`` warns that it divides
    by zero and does not converge. Its zeros are right nevertheless.
    """
    if X.nnz:
        return np.asarray(model.transform(X), np.float64)
    with warnings.catch_warnings():  # the whole process's: threads would mix it up
        warnings.simplefilter("ignore")
        return np.asarray(model.transform(X), np.float64)
