"""How good ranked lists of recommendations or search results are."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from llmtopics._checks import check_positive


def recall_at_k(
    ranked: Sequence[Sequence[Any]], relevant: Sequence[Iterable[Any]], k: int = 20
) -> np.ndarray:
    """Return the share of relevant items among the first k of each list.

    Parameters
    ----------
    ranked : sequence of n sequences
        Recommended items, best first, one list per user. Lists may be shorter than k.
    relevant : sequence of n iterables
        The items that the user liked and the recommender did not see.
    k : int, default=20
        Length of the lists.

    Returns
    -------
    recall : ndarray of shape (n,)
        Between 0 and 1. NaN for users without relevant items.

    Raises
    ------
    ValueError
        If the numbers of lists differ, or a list has an item twice.

    Examples
    --------
    >>> from llmtopics.metrics import recall_at_k
    >>> recall_at_k([["a", "b", "c"]], [["b", "d"]], k=2).tolist()
    [0.5]
    """
    hits, n_relevant = _hits(ranked, relevant, k)
    return hits.sum(axis=1) / np.where(n_relevant, n_relevant, np.nan)


def ndcg_at_k(
    ranked: Sequence[Sequence[Any]], relevant: Sequence[Iterable[Any]], k: int = 20
) -> np.ndarray:
    """Return the normalized discounted cumulative gain (nDCG) of the first k of each list.

    A relevant item at rank r counts ``1 / log2(r + 1)``. The sum is divided by that of the
    best list possible.

    Parameters
    ----------
    ranked : sequence of n sequences
        Recommended items, best first, one list per user. Lists may be shorter than k.
    relevant : sequence of n iterables
        The items that the user liked and the recommender did not see.
    k : int, default=20
        Length of the lists.

    Returns
    -------
    ndcg : ndarray of shape (n,)
        Between 0 and 1. NaN for users without relevant items.

    Raises
    ------
    ValueError
        If the numbers of lists differ, or a list has an item twice.

    Notes
    -----
    See K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM
    Transactions on Information Systems 20, 2002.

    Examples
    --------
    >>> from llmtopics.metrics import ndcg_at_k
    >>> ndcg_at_k([["a", "b", "c"]], [["b", "d"]], k=2).round(2).tolist()
    [0.39]
    """
    hits, n_relevant = _hits(ranked, relevant, k)
    gains = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    ideal = np.concatenate([[np.nan], gains.cumsum()])
    return hits @ gains / ideal[np.minimum(n_relevant, hits.shape[1])]


def _hits(
    ranked: Sequence[Sequence[Any]], relevant: Sequence[Iterable[Any]], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the first k are relevant, and how many relevant items there are.

    There are fewer than k columns if all lists are shorter.
    """
    check_positive(k=k)
    if len(ranked) != len(relevant):
        raise ValueError(
            f"ranked has {len(ranked)} lists, and relevant has {len(relevant)}: pass one of "
            "each per user."
        )
    pairs = []
    for row, both in enumerate(zip(ranked, relevant, strict=True)):
        for name, one in zip(("ranked", "relevant"), both, strict=True):
            if isinstance(one, str) or not isinstance(one, Iterable):
                raise ValueError(
                    f"{name} has {one!r} in row {row}: pass a list of items per user."
                )
        pairs.append((list(both[0])[:k], set(both[1])))
    # no more columns than items: k may be huge
    width = min(k, max((len(items) for both in pairs for items in both), default=0))
    hits, counts = np.zeros((len(pairs), width)), np.zeros(len(pairs), int)
    for row, (first, those) in enumerate(pairs):
        if len(set(first)) < len(first):
            raise ValueError(
                f"ranked has an item more than once in row {row}: remove the repetition."
            )
        hits[row, : len(first)] = [item in those for item in first]
        counts[row] = len(those)
    return hits, counts
