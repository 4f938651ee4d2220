"""Topic proportions as features of a linear classifier."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

_LEAST = 1e-6  # a share of zero has no logarithm


def log_ratios(mixtures: ArrayLike) -> np.ndarray:
    """Return centered log-ratios of topic proportions, as features of a classifier.

    ``log θ_dk - (1/K) Σ_j log θ_dj``. A linear classifier separates classes better by them than by
    θ, whose rows sum to one. Put it into a Pipeline with scikit-learn's
    ``FunctionTransformer(log_ratios, feature_names_out="one-to-one")``.

    Parameters
    ----------
    mixtures : array-like of shape (n_documents, n_components)
        Topic proportions θ. Shares below 1e-6 count as 1e-6.

    Returns
    -------
    ratios : ndarray of shape (n_documents, n_components)
        Rows sum to zero.

    Raises
    ------
    ValueError
        For negative or non-finite numbers.

    References
    ----------
    J. Aitchison, "The statistical analysis of compositional data", Journal of the Royal
    Statistical Society B 44, 1982.

    Examples
    --------
    >>> from llmtopics import log_ratios
    >>> log_ratios([[0.5, 0.5], [0.9, 0.1]]).round(2)
    array([[ 0. ,  0. ],
           [ 1.1, -1.1]])
    """
    theta = check_array(mixtures, dtype=np.float64, input_name="mixtures")
    check_non_negative(theta, "log_ratios")
    logs = np.log(np.maximum(theta, _LEAST))
    return logs - logs.mean(axis=1, keepdims=True)
