"""Weights, words and counts of a fitted topic model, alone or at the end of a Pipeline."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from llmtopics._vectorizers import find_words
from llmtopics.metrics._input_checks import check_weights


def split_pipeline(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Return the steps before the topic model (None if there are none), and the model."""
    if isinstance(estimator, Pipeline):
        before = estimator[:-1]
        return (before if len(before) else None), estimator[-1]
    return None, estimator


def weights_of(estimator: Any) -> np.ndarray:
    """Return ``components_`` of a fitted model: not negative, rows with any sum, also 0."""
    _, model = split_pipeline(estimator)
    if not hasattr(model, "components_"):
        raise TypeError(
            f"{type(model).__name__} has no components_: a scorer of topics needs a fitted "
            "topic model, alone or as the last step of a Pipeline."
        )
    return check_weights(model.components_, f"components_ of {type(model).__name__}")


def vocabulary_of(estimator: Any) -> list[str]:
    """Return the word of each column of ``components_``.

    The first that exists: the words of a model of texts; the names from the steps before the
    model; its ``feature_names_in_``; the numbers of the columns.
    """
    before, model = split_pipeline(estimator)
    if hasattr(model, "vectorizer_"):  # a model of texts
        return [str(name) for name in model.vocabulary_]
    if before is not None and (words := find_words(before)) is not None:
        return [str(word) for word in words]
    names = getattr(model, "feature_names_in_", range(model.components_.shape[1]))
    return [str(name) for name in names]


def counts_of(estimator: Any, X: Any) -> Any:
    """Return the counts that the topic model gets: ``X`` after the steps before it."""
    before, model = split_pipeline(estimator)
    X = X if before is None else before.transform(X)
    return model.vectorizer_.transform(X) if hasattr(model, "vectorizer_") else X
