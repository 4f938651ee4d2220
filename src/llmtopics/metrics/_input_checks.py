"""Checks of the inputs of metrics: words of topics, distributions, fitted models."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

from llmtopics._fitted_model import FittedModel


def check_topics(topics: Iterable[Any]) -> list[list[str]]:
    """Return the words of each topic as lists.

    A flat list of words, a word that is not a str, and a word twice in a topic are errors.
    """
    if not isinstance(topics, Iterable):
        raise ValueError(
            f"Topics must be lists of words, one list per topic, got {topics!r}."
        )
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


def weights_of(fitted: FittedModel) -> np.ndarray:
    """Return ``components_`` of a fitted model: not negative, rows with any sum, also 0."""
    name = type(fitted.last).__name__
    if not hasattr(fitted.last, "components_"):
        raise TypeError(
            f"{name} has no components_: a scorer of topics needs a fitted topic model, alone "
            "or as the last step of a Pipeline."
        )
    return check_weights(fitted.last.components_, f"components_ of {name}")


def columns_of(fitted: FittedModel) -> list[str]:
    """Return the word of each column of ``components_``, or its number if unknown."""
    words = fitted.vocabulary
    found = range(fitted.last.components_.shape[1]) if words is None else words
    return [str(word) for word in found]
