"""Words and names of the topics of any topic model of texts."""

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from llmtopics._words import top_words
from llmtopics.metrics._fitted_models import vocabulary_of


def steps_in(model: Any) -> list[Any]:
    """Return the steps of a Pipeline, or the model alone, without FrozenEstimator."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    if not isinstance(model, Pipeline):
        return [model]
    found = [step for _, step in model.steps if step not in (None, "passthrough")]
    return [part for step in found for part in steps_in(step)]


def embedder_in(model: Any) -> Any:
    """Return the fitted embedder of a topic model, None if it has none."""
    found = [getattr(step, "embedder_", None) for step in steps_in(model)]
    return next((each for each in found if each is not None), None)


def words_of_topics(model: Any, n_topics: int, n_words: int) -> list[list[str]]:
    """Return the words of each topic, best first. Without known words, empty lists."""
    steps = steps_in(model)
    for i in range(len(steps) - 1, -1, -1):
        if hasattr(steps[i], "top_words"):
            return steps[i].top_words(n_words)
        if hasattr(steps[i], "components_"):
            vocabulary = vocabulary_of(make_pipeline(*steps[: i + 1]))
            return top_words(steps[i].components_, vocabulary, n_words)
    return [[] for _ in range(n_topics)]


def names_of_topics(model: Any, words: list[list[str]]) -> list[str]:
    """Return distinct names of topics: the model's own, or else their first words."""
    last = steps_in(model)[-1]
    try:
        own = [str(name) for name in last.get_feature_names_out()]
    except (AttributeError, ValueError):  # it needs the names of its inputs
        own = []
    numbered = [f"{type(last).__name__.lower()}{k}" for k in range(len(words))]
    if len(own) == len(words) == len(set(own)) and own != numbered:
        return own
    names: list[str] = []
    for k, some in enumerate(words):
        name = ", ".join(some[:3]) or f"topic {k}"
        names.append(name if name not in names else f"{name} ({k})")
    return names
