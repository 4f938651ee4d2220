"""What models return, and what judges it."""

from typing import Any, NamedTuple

import numpy as np

from llmtopics import GibbsLDA

N_SWEEPS = 200
N_WORDS = 15  # the first ten are judged by most measures


class Fitted(NamedTuple):
    """What a model of counts returns.

    components : φ, rows sum to one
    doc_topic_prior : α of the mixtures
    seconds : that fitting took, with data already in the form that the model reads
    n_sweeps : of a sampler; None for other models
    """

    components: np.ndarray
    doc_topic_prior: np.ndarray
    seconds: float
    n_sweeps: int | None = N_SWEEPS


class Topics(NamedTuple):
    """What a model of texts returns.

    mixtures : (D, k)
    words : N_WORDS words of each topic, or fewer
    extra : values that only this model has, by name
    """

    mixtures: np.ndarray
    words: list[list[str]]
    extra: dict[str, float] = {}


def evaluator(fitted: Fitted) -> GibbsLDA:
    """Return the evaluator of all models: mixtures and perplexity given φ and α."""
    model = GibbsLDA(len(fitted.components))
    model.components_, model.doc_topic_prior_ = fitted[:2]
    model.n_features_in_ = fitted.components.shape[1]
    return model


def to_rows(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=1, keepdims=True)


def to_mixtures(weights: np.ndarray) -> np.ndarray:
    """Divide rows by their sums; rows without weight are even."""
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])
    return np.divide(weights, total, where=total > 0, out=even)


def heaviest_words(weights: Any, vocabulary: np.ndarray) -> list[list[str]]:
    """Return the words of the largest weights, as most peers rank them."""
    best = np.argsort(-np.asarray(weights), axis=1)[:, :N_WORDS]
    return np.asarray(vocabulary)[best].tolist()
