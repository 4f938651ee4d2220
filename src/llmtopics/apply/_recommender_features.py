"""Texts of items → features: topic proportions, vectors and words."""

from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import normalize

from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import check_mixtures
from llmtopics.fusion import FusionTopicModel
from llmtopics.text import TextAnalyzer

TOPICS, VECTORS, WORDS = "topics", "vectors", "words"
_TEXTS_PER_TOPIC, _MOST_TOPICS = 30, 100


@dataclass(frozen=True, eq=False)
class Features:
    """What is known of items from their texts.

    Attributes
    ----------
    mixtures : ndarray of shape (n_items, K)
        θ. Rows sum to one.
    all : ndarray of shape (n_items, n_features)
        The blocks beside each other. Rows of each block have length one, or are zero.
    blocks : dict of str to slice
        The columns of each block: "topics" (the square roots of θ), "vectors", "words".
    """

    mixtures: np.ndarray
    all: np.ndarray
    blocks: dict[str, slice]


def topic_model_for(given: SimpleNamespace, n_items: int, seed: int) -> Any:
    """Return an unfitted copy of the topic model, or the default for so many texts."""
    model = given.model
    if model is None:
        n = max(2, min(_MOST_TOPICS, n_items // _TEXTS_PER_TOPIC))
        model = FusionTopicModel(
            min(n, n_items),
            n_jobs=given.n_jobs,
            verbose=given.verbose,
        )
    model = clone(model)
    prefix = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    if model.get_params().get(f"{prefix}random_state", 0) is None:
        model.set_params(**{f"{prefix}random_state": seed})
    return model


def fit_words(
    texts: list[str], vectorizer: Any, n_features: int, seed: int
) -> Pipeline | None:
    """Return fitted steps from texts to latent features of words, or None without any."""
    if not n_features:
        return None
    if vectorizer is None:
        vectorizer = TfidfVectorizer(analyzer=TextAnalyzer(), sublinear_tf=True)
    vectorizer = clone(vectorizer)
    counts = vectorizer.fit_transform(texts)
    # of few texts, more features would only repeat single texts, and take minutes
    n = min(n_features, max(len(texts) // 3, 20), min(counts.shape) - 1)
    if n < 2:
        return None
    svd = TruncatedSVD(n, random_state=seed).fit(counts)
    return Pipeline([("vectorizer", vectorizer), ("svd", svd)])


def read_features(model: Any, words: Pipeline | None, texts: list[str]) -> Features:
    """Return the features of texts, by fitted parts."""
    mixtures = check_mixtures(model.transform(texts), "model.transform(texts)")
    parts = {TOPICS: np.sqrt(mixtures)}
    if (vectors := FittedModel(model).vectors(texts)) is not None:
        parts[VECTORS] = vectors
    if words is not None:
        parts[WORDS] = normalize(np.asarray(words.transform(texts), np.float64))
    ends = np.cumsum([part.shape[1] for part in parts.values()]).tolist()
    blocks = {
        name: slice(end - part.shape[1], end)
        for (name, part), end in zip(parts.items(), ends, strict=True)
    }
    return Features(mixtures, np.hstack(list(parts.values())), blocks)


def words_of_topics(model: Any, n_topics: int) -> list[list[str]]:
    """Return words that describe each topic, or empty lists if the model has none."""
    with suppress(ValueError):  # a step after the vectorizer has no names
        return FittedModel(model).top_words() or [[] for _ in range(n_topics)]
    return [[] for _ in range(n_topics)]
