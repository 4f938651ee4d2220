"""Words and tokens of the vectorizers that users pass to estimators."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import HasMethods


class IsVectorizer(HasMethods):
    """The constraint of ``vectorizer=``, whose error says what to do with an analyzer."""

    def __init__(self) -> None:
        super().__init__(["fit", "transform"])

    def __str__(self) -> str:
        wrap = "CountVectorizer(analyzer=TextAnalyzer(...))"
        return f"{super().__str__()} (an analyzer is none, wrap it: {wrap})"


def words_of(vectorizer: Any, name: str) -> np.ndarray:
    """Return :func:`find_words` of a vectorizer that must know its words.

    ``name`` is the estimator's name, for error messages.
    """
    words = find_words(vectorizer)
    if words is None:
        raise ValueError(
            f"{name} needs a vectorizer that knows its words (get_feature_names_out), and "
            f"{vectorizer!r} does not. Use CountVectorizer, alone or after steps that change "
            "texts."
        )
    return words


def find_words(vectorizer: Any) -> np.ndarray | None:
    """Return the word of each column of a fitted vectorizer, None if unknown.

    Parameters
    ----------
    vectorizer : transformer
        A vectorizer, or a Pipeline of steps that change texts, a vectorizer and steps that
        change its counts.

    Raises
    ------
    ValueError
        If a step after the vectorizer does not name its columns.
    """
    words = None
    for step in steps_of(vectorizer):
        try:
            if words is None:
                words = step.get_feature_names_out()
            else:
                words = step.get_feature_names_out(words)
        except (AttributeError, ValueError) as error:
            # a step before the vectorizer reads texts, which have no names
            if words is not None:
                raise ValueError(
                    f"The step {step!r} after the vectorizer does not name its columns "
                    "(get_feature_names_out), so their words are unknown. Leave it out, or "
                    "use one that does."
                ) from error
    return None if words is None else np.asarray(words)


def tokens_of(vectorizer: Any, texts: Sequence[str]) -> list[list[str]] | None:
    """Return the words of each text in order, None if the vectorizer has no analyzer."""
    steps = list(steps_of(vectorizer))
    for i, step in enumerate(steps):
        if hasattr(step, "build_analyzer"):
            for before in steps[:i]:
                texts = before.transform(texts)
            return [list(words) for words in map(step.build_analyzer(), texts)]
    return None


def unfrozen(model: Any) -> Any:
    """Return the model in scikit-learn's FrozenEstimator, or any other model itself."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    return model


def steps_of(vectorizer: Any) -> Iterator[Any]:
    """Yield the steps of a Pipeline and of Pipelines in it, or any other estimator itself.

    FrozenEstimators are seen through.
    """
    vectorizer = unfrozen(vectorizer)
    if not isinstance(vectorizer, Pipeline):
        yield vectorizer
        return
    for _, step in vectorizer.steps:
        if step is not None and not isinstance(step, str):  # "passthrough"
            yield from steps_of(step)
