"""Checks of the inputs of metrics: words of topics, distributions, mixtures."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative


def check_topics(topics: Iterable[Any]) -> list[list[str]]:
    """Return the words of each topic as lists.

    A flat list of words, a word that is not a str, and a word twice in a topic are errors.
    """
    lists = []
    for k, topic in enumerate(topics):
        if isinstance(topic, str) or not isinstance(topic, Iterable):
            raise ValueError(
                f"Topics must be lists of words, one list per topic. Topic {k} is {topic!r}."
            )
        words = list(topic)
        if not all(isinstance(word, str) for word in words):
            raise ValueError(f"Words must be str. Topic {k} is {words}.")
        if len(set(words)) < len(words):
            raise ValueError(f"Topic {k} has a word twice: {words}.")
        lists.append(words)
    return lists


def check_weights(weights: ArrayLike, name: str) -> np.ndarray:
    """Return a finite, non-negative float array of two dimensions."""
    rows: np.ndarray = check_array(weights, dtype=np.float64, input_name=name)
    check_non_negative(rows, name)
    return rows


def check_distributions(weights: ArrayLike, name: str) -> np.ndarray:
    """Return non-negative rows divided by their sums; a row of zeros is an error."""
    rows = check_weights(weights, name)
    totals = rows.sum(axis=1, keepdims=True)
    if not totals.all():
        row = int(np.flatnonzero(totals == 0)[0])
        raise ValueError(f"{name}: row {row} is all zero. Leave out such topics.")
    return rows / totals


def check_mixtures(mixtures: ArrayLike, name: str = "mixtures") -> np.ndarray:
    """Return rows divided by their sums; a row of zeros gets equal proportions.

    NMF and similar models give such rows for documents without a known word.
    """
    rows = check_weights(mixtures, name)
    totals = rows.sum(axis=1, keepdims=True)
    even = np.full_like(rows, 1 / rows.shape[1])
    return np.divide(rows, totals, where=totals > 0, out=even)
