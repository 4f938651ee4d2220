"""The measures of :func:`topic_scorer`: a new one is a function and one entry in ``MEASURES``.

A measure gets a :class:`ScoredModel` and returns a number, higher for better models. NMF may
have topics without any weight. They are copies of each other and have no words, so they get
the lowest value. Every measure of coherence is a measure of the scorer, too.
"""

import warnings
from collections.abc import Callable
from functools import partial
from itertools import chain
from math import comb

import numpy as np

from llmtopics.metrics import _coherence_measures
from llmtopics.metrics._coherence import coherence
from llmtopics.metrics._distinctness import (
    exclusivity,
    inverted_rbo,
    topic_distances,
)
from llmtopics.metrics._perplexity import completion_split, perplexity
from llmtopics.metrics._scored_model import ScoredModel


def _coherence(scored: ScoredModel, measure: str) -> float:
    return _mean_coherence(scored, scored.held_out_words(), measure)


def _quality(scored: ScoredModel) -> float:
    topics = scored.held_out_words()
    value = _mean_coherence(scored, topics, "npmi")
    if any(len(topic) > 1 for topic in topics):
        value -= abs(value) * (1 - _share_of_different_words(topics))
    return value


def _mean_coherence(
    scored: ScoredModel, topics: list[list[str]], measure: str
) -> float:
    """Return the mean over topics; topics of fewer than two words get the lowest value."""
    lowest = _coherence_measures.MEASURES[measure].lowest
    alive = [topic for topic in topics if len(topic) > 1]
    if not alive:
        return lowest
    values = coherence(
        alive,
        *scored.reference(),
        measure=measure,
        window_size=scored.settings.window_size,
    )
    lost = (len(topics) - len(alive)) * lowest
    return float((values.sum() + lost) / len(topics))


def _diversity(scored: ScoredModel) -> float:
    return _share_of_different_words(scored.words())


def _share_of_different_words(topics: list[list[str]]) -> float:
    longest = max(map(len, topics))
    return len(set(chain.from_iterable(topics))) / max(1, longest * len(topics))


def _inverted_rbo(scored: ScoredModel) -> float:
    topics = scored.words()
    alive = [topic for topic in topics if topic]
    if len(alive) < 2:
        return 0.0
    return inverted_rbo(alive) * comb(len(alive), 2) / comb(len(topics), 2)


def _exclusivity(scored: ScoredModel) -> float:
    weights = scored.weights
    alive = weights[weights.any(axis=1)]
    if not len(alive):
        return 0.0
    return exclusivity(alive, n_words=scored.settings.n_words).sum() / len(weights)


def _distance(scored: ScoredModel) -> float:
    weights = scored.weights
    alive = weights[weights.any(axis=1)]
    pairs = 2 * comb(len(weights), 2)
    return topic_distances(alive).sum() / pairs if len(alive) > 1 else 0.0


def _completion(scored: ScoredModel) -> float:
    if scored.reads_texts:  # its own score cuts the texts, not the counts, in half
        return scored.estimator.score(scored.X)
    observed, held_out = completion_split(scored.fitted.counts(scored.X))
    with warnings.catch_warnings():  # the halves have no column names
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        mixtures = np.asarray(scored.model.transform(observed))
    # a topic without weight gives every word the same probability
    components = scored.weights + np.finfo(float).tiny
    return -float(np.log(perplexity(held_out, np.maximum(mixtures, 0), components)))


MEASURES: dict[str, Callable[[ScoredModel], float]] = {
    "quality": _quality,
    **{
        name: partial(_coherence, measure=name) for name in _coherence_measures.MEASURES
    },
    "diversity": _diversity,
    "inverted_rbo": _inverted_rbo,
    "exclusivity": _exclusivity,
    "distance": _distance,
    "completion": _completion,
}
NEED_PAIRS = {"quality", *_coherence_measures.MEASURES}  # n_words must be 2 or more
