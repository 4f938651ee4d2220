"""Scores of topic models for searches and cross-validation; no labels needed."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmtopics._words import top_words
from llmtopics.metrics._coherence import coherence
from llmtopics.metrics._distinctness import (
    exclusivity,
    inverted_rbo,
    topic_distances,
    topic_diversity,
)
from llmtopics.metrics._fit import completion_split, perplexity
from llmtopics.metrics._models import FittedTopics, counts_of, split_pipeline, topics_of

_MEASURES = (
    "quality",
    "npmi",
    "c_v",
    "uci",
    "u_mass",
    "diversity",
    "inverted_rbo",
    "exclusivity",
    "distance",
    "completion",
)


@dataclass(frozen=True)
class TopicScorer:
    """What :func:`topic_scorer` returns: call it as ``scorer(estimator, X, y=None)``."""

    measure: str
    n_words: int
    method: str
    window_size: int | str | None

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Return the score of a fitted estimator on documents; higher is better."""
        if self.measure == "completion":
            return _completion(estimator, X)
        fitted = topics_of(estimator)
        if self.measure == "exclusivity":
            return float(exclusivity(fitted.components, n_words=self.n_words).mean())
        if self.measure == "distance":
            distances = topic_distances(fitted.components)
            return float(distances.sum() / max(1, distances.size - len(distances)))
        topics = top_words(
            fitted.components, fitted.vocabulary, self.n_words, self.method
        )
        if self.measure == "diversity":
            return topic_diversity(topics)
        if self.measure == "inverted_rbo":
            return inverted_rbo(topics)
        if self.measure == "quality":
            npmi = self._coherence("npmi", topics, fitted, estimator, X)
            return npmi - abs(npmi) * (1 - topic_diversity(topics))
        return self._coherence(self.measure, topics, fitted, estimator, X)

    def _coherence(
        self,
        measure: str,
        topics: list[list[str]],
        fitted: FittedTopics,
        estimator: Any,
        X: Any,
    ) -> float:
        with warnings.catch_warnings():  # small folds lack words; the docstring says so
            warnings.filterwarnings("ignore", "[0-9]+ of the topics' [0-9]+ words")
            if self.window_size is None:
                counts = counts_of(estimator, X)
                values = coherence(
                    topics, counts, fitted.vocabulary, measure=measure, window_size=None
                )
            else:
                values = coherence(
                    topics,
                    _token_lists(estimator, X),
                    measure=measure,
                    window_size=self.window_size,
                )
        return float(values.mean())


def topic_scorer(
    measure: str = "quality",
    *,
    n_words: int = 10,
    method: str = "term_score",
    window_size: int | str | None = None,
) -> TopicScorer:
    """Make a scorer of topic models for ``GridSearchCV(scoring=...)`` and its kin.

    The scorer takes a fitted topic model, or a Pipeline that ends in one, and documents
    that it was not fitted on. It needs no labels. A score is higher for better models.

    Parameters
    ----------
    measure : str, default="quality"
        What is computed:

        - "quality": ``NPMI - |NPMI| (1 - diversity)``, coherence and distinctness at once,
          since either alone can be driven up by giving the other away: the one to choose a
          number of topics by, for people to read;
        - "npmi", "c_v", "uci", "u_mass": mean :func:`coherence` of the fitted topics' words
          in the held-out documents;
        - "diversity", "inverted_rbo": :func:`topic_diversity` or :func:`inverted_rbo` of the
          fitted topics' words; "exclusivity", "distance": mean :func:`exclusivity`, or mean
          of :func:`topic_distances` off the diagonal, of the topics. These four do not
          look at the held-out documents;
        - "completion": held-out log-likelihood per token by document completion, in nats,
          ``-log(perplexity)`` of every second token given the others: how well the model
          foretells words.

    n_words : int, default=10
        Words of a topic that count.
    method : str, default="term_score"
        How words are chosen, as in :func:`llmtopics.top_words`.
    window_size : int, None or "auto", default=None
        Where words must meet for the coherences: in the same document (None), or in a
        window of this many tokens. Windows need a Pipeline that starts from texts with one of
        scikit-learn's vectorizers; "auto" is the published window of the measure.

    Returns
    -------
    scorer : callable (estimator, X, y=None) → float
        Can be pickled, and named in a dict for several measures at once.

    Raises
    ------
    ValueError
        Here for an unknown ``measure``; when scoring, for what the metrics refuse.
    TypeError
        When scoring something without ``components_``.

    Notes
    -----
    Words that no held-out document has count as occurring once, alone; small folds lack
    more of them, so compare scores of the same folds only. "completion" and the coherences
    judge different things and often disagree: completion mostly asks for more topics than
    people want to read.

    References
    ----------
    A. Dieng, F. Ruiz and D. Blei, "Topic modeling in embedding spaces", TACL 2020 (the
    product of coherence and diversity, which "quality" equals where coherence is positive;
    where it is negative, the product would reward repetition).

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.datasets import make_topics
    >>> from llmtopics.metrics import topic_scorer
    >>> X = make_topics(n_components=4, random_state=0).data
    >>> search = GridSearchCV(
    ...     GibbsLDA(random_state=0), {"n_components": [2, 4, 8]}, scoring=topic_scorer()
    ... )
    >>> search.fit(X).best_params_
    {'n_components': 4}
    """
    if measure not in _MEASURES:
        raise ValueError(
            f"measure must be one of {', '.join(_MEASURES)}, got {measure!r}."
        )
    return TopicScorer(measure, n_words, method, window_size)


def _completion(estimator: Any, X: Any) -> float:
    _, model = split_pipeline(estimator)
    components = topics_of(estimator).components
    observed, held_out = completion_split(counts_of(estimator, X))
    # a model that leaves a document without topics says nothing of it: uniform
    mixtures = np.maximum(model.transform(observed), 0) + np.finfo(float).tiny
    return -float(np.log(perplexity(held_out, mixtures, components)))


def _token_lists(estimator: Any, X: Any) -> list[list[str]]:
    before, _ = split_pipeline(estimator)
    if before is None or not hasattr(before[0], "build_analyzer"):
        raise ValueError(
            "A window needs the words of the documents in their order: score a Pipeline "
            "that starts with CountVectorizer, or pass window_size=None."
        )
    analyze = before[0].build_analyzer()
    return [analyze(text) for text in X]
