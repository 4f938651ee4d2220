"""Correlations of topics: which topics occur together in documents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from llmtopics._checks import pandas_for
from llmtopics._mixtures import check_mixtures
from llmtopics.metrics._input_checks import check_weights

if TYPE_CHECKING:
    import pandas as pd


def topic_correlations(
    mixtures: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    adjusted: bool = False,
) -> "pd.DataFrame":
    """Return the correlations of topics over documents.

    ``r_kj`` is Pearson's correlation of the columns k and j of θ.

    Parameters
    ----------
    mixtures : array-like of shape (n_documents, n_components)
        θ of at least two documents. Rows are divided by their sums. A row of zeros is left
        out (NMF has such rows for documents without known words).
    names : sequence of str of length n_components, default=None
        Names of the topics; None: their numbers.
    adjusted : bool, default=False
        Whether to subtract the correlations that arise only because shares sum to one. Then 0
        means "as by chance". See Notes.

    Returns
    -------
    correlations : pandas.DataFrame of shape (n_components, n_components)
        Symmetric, with 1 on the diagonal. Other values are in [-1, 1], or in [-1, 2] if
        adjusted. Higher means more often together. A topic with the same share in every
        document (such as 0) has correlation 0 with all others.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        For fewer than two documents with topics, mixtures that are negative or not finite,
        or if the number of names is not the number of topics.

    See Also
    --------
    llmtopics.plots.plot_correlations : Draws them.

    Notes
    -----
    Shares that sum to one have negative correlations by arithmetic: more of one topic leaves
    less for the others, above all for large topics [1]_. A single Dirichlet models topics
    that depend on each other in no other way. With means m and concentration s it has
    ``Var θ_k = m_k (1 - m_k) / (s + 1)`` and ``Cov(θ_k, θ_j) = -m_k m_j / (s + 1)``. So

        ``r0_kj = -sqrt(m_k m_j / ((1 - m_k) (1 - m_j)))``

    does not depend on s. ``adjusted=True`` returns ``r_kj - r0_kj`` off the diagonal. With
    only two topics, ``r = r0 = -1`` always.

    If θ is estimated under a prior without correlations, as in LDA, the correlations are
    weaker than the true ones.

    References
    ----------
    .. [1] J. Aitchison, "The statistical analysis of compositional data", 1986, chapter 3
       (closure and the Dirichlet).

    Examples
    --------
    >>> from llmtopics.metrics import topic_correlations
    >>> mixtures = [[0.4, 0.4, 0.2], [0.1, 0.1, 0.8], [0.3, 0.2, 0.5]]
    >>> topic_correlations(mixtures, names=["cats", "dogs", "bonds"]).round(2)
           cats  dogs  bonds
    cats   1.00  0.93  -0.98
    dogs   0.93  1.00  -0.98
    bonds -0.98 -0.98   1.00
    """
    pd = pandas_for("topic_correlations")
    weights = check_weights(mixtures, "mixtures")
    known = weights[weights.any(axis=1)]
    D, K = known.shape
    if D < 2:
        raise ValueError(
            "topic_correlations compares documents: pass at least two that have topics, got "
            f"{D} of {len(weights)}."
        )
    theta = check_mixtures(known)
    labels = list(range(K) if names is None else names)
    if len(labels) != K:
        raise ValueError(
            f"{len(labels)} names were given for {K} topics: pass one name per topic."
        )
    means = theta.mean(axis=0)
    centered = theta - means
    lengths = np.linalg.norm(centered, axis=0)
    varies = np.ptp(theta, axis=0) > 1e-12  # more than rounding errors
    unit = np.divide(centered, lengths, where=varies, out=np.zeros_like(theta))
    values = np.clip(unit.T @ unit, -1, 1)
    if adjusted:
        odds = np.divide(means, 1 - means, where=varies, out=np.zeros(K))
        values += np.sqrt(np.outer(odds, odds))
    np.fill_diagonal(values, 1)
    return pd.DataFrame(values, index=labels, columns=labels)
