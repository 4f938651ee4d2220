"""Fit a pooling and its sides, and restore them from fitted attributes."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from llmtopics._vectorizers import words_of
from llmtopics.fusion._poolings import Pooling, pooling_for
from llmtopics.fusion._sides import CountSide, EmbeddingSide, n_components_of
from llmtopics.fusion._topic_words import count_words, recount_words
from llmtopics.topics._keyness import keyness


def fit_pooling(
    pooling: Pooling, texts: list[str], seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit a pooling and the sides that it uses.

    Parameters
    ----------
    pooling : Pooling
    texts : list of str
    seed : int

    Returns
    -------
    mixtures : ndarray of shape (D, K)
        θ of the texts.
    attributes : dict
        Fitted attributes by name, without the parts of a side with weight 0.
    """
    counts, embeddings = pooling.counts, pooling.embeddings
    own = counts.fit_vectorizer(texts, expand=pooling.uses_counts)
    if not own.nnz:
        raise ValueError(
            "No text has a word of the vocabulary: check the vectorizer (min_df, "
            "max_df, stop words)."
        )
    word_prior = counts.word_prior(n_components_of(counts.given), own.shape[1])
    if pooling.uses_embeddings and np.ndim(word_prior) == 2:
        raise ValueError(
            "topic_model has a topic_word_prior per topic and word, and the embedding side "
            "decides the order of topics: give one value per word, or alpha=0."
        )
    X = counts.expanded(texts, own)
    vocabulary = words_of(counts.vectorizer, "FusionTopicModel")
    f = inputs = None
    if pooling.uses_embeddings:
        inputs = embeddings.fit(texts, X, seed)
        f = embeddings.mixtures(inputs)
    f = pooling.fit(X, inputs, f, seed)
    mixtures = pooling.mix(X, f)
    phi = pooling.topic_words()
    if phi is None:
        phi = count_words(own, mixtures, word_prior)
    elif counts.expander is not None:
        phi = recount_words(own, mixtures, phi, word_prior)
    parts = {name: getattr(*place) for name, place in _places(pooling).items()}
    return mixtures, {
        **{name: part for name, part in parts.items() if part is not None},
        "vocabulary_": vocabulary,
        "components_": phi,
        "keyness_": keyness(mixtures, own, phi),
        "labels_": mixtures.argmax(axis=1),
        "document_alpha_": pooling.document_alpha(X.sum(axis=1)),
    }


def make_pooling(given: SimpleNamespace, alpha: float) -> Pooling:
    """Return the unfitted pooling for the parameters of a FusionTopicModel."""
    kind = pooling_for(given.pooling, alpha)
    return kind(alpha, CountSide(given), EmbeddingSide(given))


def restore_pooling(
    given: SimpleNamespace, alpha: float, attributes: Mapping[str, Any]
) -> Pooling:
    """Rebuild the fitted pooling from the attributes that ``fit_pooling`` returned."""
    pooling = make_pooling(given, alpha)
    for name, (owner, own_name) in _places(pooling).items():
        if name in attributes:
            setattr(owner, own_name, attributes[name])
    return pooling


def _places(pooling: Pooling) -> dict[str, tuple[Any, str]]:
    """Return the owner of each fitted attribute, and the attribute's name in it."""
    counts, embeddings = pooling.counts, pooling.embeddings
    return {
        "vectorizer_": (counts, "vectorizer"),
        "expander_": (counts, "expander"),
        "topic_model_": (counts, "model"),
        "embedder_": (embeddings, "embedder"),
        "language_topics_": (embeddings, "topics"),
        **{name: (pooling, own) for name, own in pooling.fitted_names.items()},
    }
