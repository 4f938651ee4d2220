"""Correlations of topics: which occur together in documents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from llmtopics._checks import pandas_for
from llmtopics.metrics._input_checks import check_mixtures, check_weights

if TYPE_CHECKING:
    import pandas as pd


def topic_correlations(
    mixtures: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    adjusted: bool = False,
) -> "pd.DataFrame":
    """Return how far documents with more of one topic have more of another.

    ``r_kj``, Pearson's correlation of the columns k and j of θ

    Parameters
    ----------
    mixtures : array-like of shape (n_documents, n_components)
        θ of at least two documents. Rows are divided by their sums; a row of zeros, a
        document without known words in NMF, is left out.
    names : sequence of str of length n_components, default=None
        Names of the topics; None: their numbers.
    adjusted : bool, default=False
        Whether to subtract the correlations that follow from the sum of one alone, so that
        0 is "as by chance". See Notes.

    Returns
    -------
    correlations : pandas.DataFrame of shape (n_components, n_components)
        Symmetric, 1 on the diagonal, else in [-1, 1], adjusted in [-1, 2]. Higher: more
        often together. A topic whose share is the same in every document (none, it
        may be) has 0 with all others.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        For fewer than two documents with topics, mixtures that are negative or not finite,
        or another number of names than of topics.

    See Also
    --------
    llmtopics.plots.plot_correlations : Draws them.

    Notes
    -----
    Shares that sum to one are correlated negatively by arithmetic: more of one topic leaves
    less for the rest, most of all for large ones [1]_. Under a single Dirichlet with the means
    m, topics that know nothing of each other, ``Var θ_k = m_k (1 - m_k) / (s + 1)`` and
    ``Cov(θ_k, θ_j) = -m_k m_j / (s + 1)``. The concentration s cancels out of

        ``r0_kj = -sqrt(m_k m_j / ((1 - m_k) (1 - m_j)))``

    and ``adjusted=True`` returns ``r_kj - r0_kj`` off the diagonal. Two topics alone always
    have ``r = r0 = -1``.

    θ estimated under a prior without correlations, as in LDA, shows them weaker than they are.

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
            f"{D}."
        )
    theta = check_mixtures(known)
    labels = list(range(K) if names is None else names)
    if len(labels) != K:
        raise ValueError(f"{len(labels)} names were given for {K} topics.")
    means = theta.mean(axis=0)
    centered = theta - means
    lengths = np.linalg.norm(centered, axis=0)
    varies = np.ptp(theta, axis=0) > 1e-12  # by more than rounding
    unit = np.divide(centered, lengths, where=varies, out=np.zeros_like(theta))
    values = np.clip(unit.T @ unit, -1, 1)
    if adjusted:
        odds = np.divide(means, 1 - means, where=varies, out=np.zeros(K))
        values += np.sqrt(np.outer(odds, odds))
    np.fill_diagonal(values, 1)
    return pd.DataFrame(values, index=labels, columns=labels)
