"""Scores of topic models for searches and cross-validation; no labels needed."""

import warnings
from dataclasses import dataclass
from itertools import chain
from math import comb
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.utils import check_array

from llmtopics._checks import check_positive, warn_user
from llmtopics._parts import steps_of, tokens_of
from llmtopics._words import METHODS, top_words
from llmtopics.metrics._coherence import coherence
from llmtopics.metrics._distinctness import (
    exclusivity,
    inverted_rbo,
    topic_distances,
)
from llmtopics.metrics._fit import completion_split, perplexity
from llmtopics.metrics._models import (
    counts_of,
    split_pipeline,
    vocabulary_of,
    weights_of,
)


@dataclass(frozen=True)
class TopicScorer:
    """What :func:`topic_scorer` returns: call it as ``scorer(estimator, X, y=None)``."""

    measure: str
    n_words: int
    method: str | None
    window_size: int | str | None

    @config_context(transform_output="default")
    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Return the score of a fitted estimator on documents; higher is better."""
        weights = weights_of(estimator)
        _, model = split_pipeline(estimator)
        if self.measure == "completion":
            # a model that reads texts must not read the words that it is to foretell
            reads_texts = hasattr(model, "vectorizer_")
            return (
                estimator.score(X)
                if reads_texts
                else _completion(estimator, X, weights)
            )
        if self.measure in _OF_WEIGHTS:
            return _OF_WEIGHTS[self.measure](weights, self.n_words)
        vocabulary = vocabulary_of(estimator)
        if self.measure in _OF_WORDS:
            return _OF_WORDS[self.measure](
                self._words(model, weights, vocabulary, self.n_words)
            )
        counts = check_array(counts_of(estimator, X), accept_sparse="csr")
        topics = self._words_held(model, weights, vocabulary, counts)
        # a topic of fewer than two words is as incoherent as can be
        measure = "npmi" if self.measure == "quality" else self.measure
        alive = [topic for topic in topics if len(topic) > 1]
        if not alive:
            return _LOWEST[measure]
        reference: tuple[Any, list[str] | None] = (
            (counts, vocabulary)
            if self.window_size is None
            else (_token_lists(estimator, X), None)
        )
        values = coherence(
            alive, *reference, measure=measure, window_size=self.window_size
        )
        lost = (len(topics) - len(alive)) * _LOWEST[measure]
        value = float((values.sum() + lost) / len(topics))
        if self.measure == "quality":
            value -= abs(value) * (1 - _diversity(topics))
        return value

    def _words(
        self, model: Any, weights: np.ndarray, vocabulary: list[str], n_words: int
    ) -> list[list[str]]:
        """Return the words of each topic, as people see them."""
        if self.method in (None, "keyness") and hasattr(model, "top_words"):
            return model.top_words(n_words)
        if self.method == "keyness":
            raise ValueError(
                f"{type(model).__name__} does not rank words by keyness, only "
                "FusionTopicModel does: pass method=None or another method."
            )
        return top_words(weights, vocabulary, n_words, self.method or "term_score")

    def _words_held(
        self, model: Any, weights: np.ndarray, vocabulary: list[str], counts: Any
    ) -> list[list[str]]:
        """Return the first words of each topic that the held-out documents have."""
        held = np.asarray((counts > 0).sum(axis=0)).ravel() > 0
        there = {word for word, known in zip(vocabulary, held, strict=True) if known}
        listed = self._words(model, weights, vocabulary, _REACH * self.n_words)
        topics = [
            [word for word in topic if word in there][: self.n_words]
            for topic in listed
        ]
        unheard = sum(
            len(topic) < 2 <= len(all_words)
            for topic, all_words in zip(topics, listed, strict=True)
        )
        if unheard:
            warn_user(
                f"{unheard} of {len(topics)} topics cannot be judged: of the first "
                f"{_REACH * self.n_words} words of each, the {counts.shape[0]} held-out "
                "documents have fewer than two. They get the lowest value. Hold out more "
                "documents (fewer folds), or pass min_df to the vectorizer."
            )
        return topics


# Topics without weight add nothing: they are one another's copies, and have no words.


def _diversity(topics: list[list[str]]) -> float:
    longest = max(map(len, topics))
    return len(set(chain.from_iterable(topics))) / max(1, longest * len(topics))


def _inverted_rbo(topics: list[list[str]]) -> float:
    alive = [topic for topic in topics if topic]
    if len(alive) < 2:
        return 0.0
    return inverted_rbo(alive) * comb(len(alive), 2) / comb(len(topics), 2)


def _exclusivity(weights: np.ndarray, n_words: int) -> float:
    alive = weights[weights.any(axis=1)]
    return (
        exclusivity(alive, n_words=n_words).sum() / len(weights) if len(alive) else 0.0
    )


def _distance(weights: np.ndarray, n_words: int) -> float:
    alive = weights[weights.any(axis=1)]
    pairs = 2 * comb(len(weights), 2)
    return topic_distances(alive).sum() / pairs if len(alive) > 1 else 0.0


_OF_WORDS = {"diversity": _diversity, "inverted_rbo": _inverted_rbo}
_OF_WEIGHTS = {"exclusivity": _exclusivity, "distance": _distance}
_LOWEST = {"npmi": -1.0, "c_v": -1.0, "uci": np.log(1e-12), "u_mass": np.log(1e-12)}
_REACH = 5  # times n_words: how far down a topic words are looked for
_MEASURES = ("quality", *_LOWEST, *_OF_WORDS, *_OF_WEIGHTS, "completion")


def topic_scorer(
    measure: str = "quality",
    *,
    n_words: int = 10,
    method: str | None = None,
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
          fitted topics' words (words that a topic has fewer of than the others count as
          missing from its diversity); "exclusivity", "distance": mean :func:`exclusivity`, or mean
          of :func:`topic_distances` off the diagonal, of the topics. These four do not
          look at the held-out documents;
        - "completion": held-out log-likelihood per token by document completion, in nats,
          ``-log(perplexity)`` of every second token given the others: how well the model
          foretells words. Needs whole-number counts, so no tf-idf before the model.

        A topic without any weight, as NMF may leave, has the lowest value of each.

    n_words : int, default=10
        Words of a topic that count.
    method : str or None, default=None
        How words are chosen, as in :func:`llmtopics.top_words`, or "keyness" for
        :class:`llmtopics.FusionTopicModel`. None is what the model's own ``top_words``
        gives, or "term_score" for a model without.
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
        Here for an unknown ``measure`` or ``method`` and numbers below 1; when scoring, for
        what the metrics refuse, and for a window over n-grams.
    TypeError
        When scoring something without ``components_``.

    Warns
    -----
    UserWarning
        When scoring, if the held-out documents have fewer than two of a topic's words.

    Notes
    -----
    Held-out documents can judge only words that they have. So "quality" and the coherences
    take each topic's first ``n_words`` words that some held-out document has, among its first
    ``5 n_words`` words. Compare scores of the same folds only.
    "completion" and the coherences judge different things and often disagree: completion
    mostly asks for more topics than people want to read.

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
    >>> X = make_topics(200, n_components=4, random_state=0).data
    >>> search = GridSearchCV(
    ...     GibbsLDA(random_state=0), {"n_components": [2, 4, 8]}, scoring=topic_scorer()
    ... )
    >>> search.fit(X).best_params_
    {'n_components': 4}
    """
    for name, value, known in [
        ("measure", measure, _MEASURES),
        ("method", method, (None, "keyness", *METHODS)),
    ]:
        if value not in known:
            raise ValueError(
                f"{name} must be one of {', '.join(map(str, known))}, got {value!r}."
            )
    check_positive(n_words=n_words)
    if n_words < 2 and measure in ("quality", *_LOWEST):
        raise ValueError(
            f"{measure!r} is about pairs of words: n_words must be 2 or more."
        )
    if window_size not in (None, "auto"):
        check_positive(window_size=window_size)
    return TopicScorer(measure, n_words, method, window_size)


def _completion(estimator: Any, X: Any, weights: np.ndarray) -> float:
    _, model = split_pipeline(estimator)
    observed, held_out = completion_split(counts_of(estimator, X))
    with warnings.catch_warnings():  # the halves are no longer the user's DataFrame
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        mixtures = np.asarray(model.transform(observed))
    # a topic without weight foretells every word alike
    components = weights + np.finfo(float).tiny
    return -float(np.log(perplexity(held_out, np.maximum(mixtures, 0), components)))


def _token_lists(estimator: Any, X: Any) -> list[list[str]]:
    """Return the words of the documents in their order, as the vectorizer finds them."""
    before, model = split_pipeline(estimator)
    maker = before
    if hasattr(model, "vectorizer_"):  # a model that reads texts
        maker, X = model.vectorizer_, X if before is None else before.transform(X)
    vectorizer = next(
        (step for step in steps_of(maker) if hasattr(step, "build_analyzer")), None
    )
    if vectorizer is None:
        raise ValueError(
            "A window needs the words of the documents in their order: score a Pipeline "
            "with CountVectorizer, or pass window_size=None."
        )
    decides = vectorizer.analyzer if callable(vectorizer.analyzer) else vectorizer
    n_words = getattr(decides, "ngram_range", (1, 1))[1]
    if n_words > 1 or vectorizer.analyzer in ("char", "char_wb"):
        raise ValueError(
            "A window needs single words in their order, but the vectorizer makes n-grams: "
            "pass window_size=None."
        )
    return tokens_of(maker, X) or []
