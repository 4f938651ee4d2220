"""What scorers and stability read off a fitted topic model, alone or ending a Pipeline."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from llmtopics.metrics._arrays import check_distributions


class FittedTopics(NamedTuple):
    """Topics of a fitted estimator.

    components : float64 (K, V), rows sum to one
    vocabulary : object (V,), the word of each column
    """

    components: np.ndarray
    vocabulary: np.ndarray


def split_pipeline(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Return the steps before the topic model (None if there are none), and the model."""
    if isinstance(estimator, Pipeline):
        before = estimator[:-1]
        return (before if len(before) else None), estimator[-1]
    return None, estimator


def topics_of(estimator: Any) -> FittedTopics:
    """Return the topics of a fitted estimator with ``components_``, or of a Pipeline's end.

    The words are those of the step before it; ``vocabulary_`` or ``feature_names_in_`` of
    the model itself; or the columns' numbers.
    """
    before, model = split_pipeline(estimator)
    components = getattr(model, "components_", None)
    if components is None:
        raise TypeError(
            f"{type(model).__name__} has no components_: a scorer of topics needs a fitted "
            "topic model, alone or as the last step of a Pipeline."
        )
    components = (
        np.maximum(components, 0) + np.finfo(float).tiny
    )  # a dead topic: uniform
    if before is not None:
        vocabulary = before.get_feature_names_out()
    elif hasattr(model, "feature_names_in_"):
        vocabulary = model.feature_names_in_
    else:
        vocabulary = np.arange(components.shape[1]).astype(str)
    return FittedTopics(
        check_distributions(components, "components_"), np.asarray(vocabulary, object)
    )


def counts_of(estimator: Any, X: Any) -> Any:
    """Return what the topic model itself reads: ``X`` after the steps before it."""
    before, _ = split_pipeline(estimator)
    return X if before is None else before.transform(X)
