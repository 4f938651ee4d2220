"""Fit a pooling and its sides, and restore them from fitted attributes."""

import logging
from collections.abc import Mapping
from copy import copy, deepcopy
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer

from llmtopics._progress import stage
from llmtopics._vectorizers import words_of
from llmtopics.fusion._co_training import explained
from llmtopics.fusion._poolings import Pooling, pooling_for
from llmtopics.fusion._sides import CountSide, EmbeddingSide, n_components_of
from llmtopics.fusion._topic_words import count_words, recount_words
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._keyness import keyness

logger = logging.getLogger(__name__)

_EQUAL = 1e-3  # scores that differ by less say nothing about the weight
ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # what alpha="auto" compares


class Read(NamedTuple):
    """What does not depend on α: texts as both sides read them.

    own : (D, V), counts of the texts' own words
    X : (D, V), counts to find topics in
    inputs : input of the embedding side's topics, or None without it
    f : (D, K), first topics of the embedding side, or None without it
    word_prior : β with which φ is counted
    """

    own: sp.csr_array
    X: sp.csr_array
    inputs: Any
    f: np.ndarray | None
    word_prior: float | np.ndarray


def fit(
    given: SimpleNamespace, texts: list[str], seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit the pooling of ``given``, with the sides that it uses.

    Parameters
    ----------
    given : SimpleNamespace
        Parameters of the FusionTopicModel.
    texts : list of str
    seed : int

    Returns
    -------
    mixtures : ndarray of shape (D, K)
        θ of the texts.
    attributes : dict
        Fitted attributes by name, without the parts of a side with weight 0.
    """
    automatic = given.alpha == "auto"
    pooling = make_pooling(given, 0.5 if automatic else float(given.alpha))
    read = _read(pooling, texts, seed)
    attributes: dict[str, Any] = {}
    if automatic:
        pooling, f, scores = _best(pooling, read, seed)
        attributes["alpha_scores_"] = scores
        attributes["alpha_at_edge_"] = pooling.alpha in (ALPHAS[0], ALPHAS[-1])
    else:
        f = pooling.fit(read.X, read.inputs, read.f, seed)
    mixtures, fitted = _finished(pooling, read, f)
    return mixtures, attributes | fitted


def _read(pooling: Pooling, texts: list[str], seed: int) -> Read:
    """Fit what turns texts into the inputs of both sides."""
    counts, embeddings = pooling.counts, pooling.embeddings
    own = counts.fit_vectorizer(texts, expand=pooling.uses_counts)
    if not own.nnz:
        raise ValueError(
            "No text has a word of the vocabulary: check the vectorizer (min_df, "
            "max_df, stop words)."
        )
    word_prior = word_prior_of(pooling, own.shape[1])
    X = counts.expanded(texts, own)
    f = inputs = None
    if pooling.uses_embeddings:
        inputs = embeddings.fit(texts, X, seed)
        f = embeddings.mixtures(inputs)
    return Read(own, X, inputs, f, word_prior)


def word_prior_of(pooling: Pooling, n_words: int) -> float | np.ndarray:
    """Return the β with which φ is counted."""
    counts = pooling.counts
    word_prior = counts.word_prior(n_components_of(counts.given), n_words)
    if pooling.uses_embeddings and np.ndim(word_prior) == 2:
        raise ValueError(
            "topic_model has a topic_word_prior per topic and word, and the embedding side "
            "decides the order of topics: give one value per word, or alpha=0."
        )
    return word_prior


def _best(
    pooling: Pooling, read: Read, seed: int
) -> tuple[Pooling, np.ndarray | None, dict[float, float]]:
    """Fit each α; return the pooling whose topics both views explain best, f, and scores."""
    if read.X.shape[0] < 20:
        raise ValueError(
            f"alpha='auto' needs at least 20 texts, got {read.X.shape[0]}: pass more texts, "
            "or a number as alpha."
        )
    if pooling.embeddings.embedder is not None:
        vectors = sphere.unit(read.inputs)
    else:
        vectors = np.log(np.asarray(read.f) + 1e-12)
    views = TfidfTransformer().fit_transform(read.X), vectors
    best: tuple[Any, ...] = ()
    scores: dict[float, float] = {}
    with stage("alpha", len(ALPHAS), "weights") as weights:
        for alpha in ALPHAS:
            tried = type(pooling)(alpha, copy(pooling.counts), copy(pooling.embeddings))
            tried.embeddings.topics = deepcopy(pooling.embeddings.topics)
            f = tried.fit(read.X, read.inputs, read.f, seed)
            scores[alpha] = explained(tried.mix(read.X, f), views)
            rank = scores[alpha], -abs(alpha - 0.5)  # of equal scores, nearest to 0.5
            if not best or rank > best[0]:
                best = rank, tried, f
            weights.update()
    low, high = min(scores.values()), max(scores.values())
    if low == high or high - low < _EQUAL:  # both may be -inf
        logger.warning(
            "alpha='auto': all weights explain the topics equally well, so %s was taken. "
            "See alpha_scores_",
            best[1].alpha,
        )
    return *best[1:], scores


def _finished(
    pooling: Pooling, read: Read, f: np.ndarray | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return θ and the fitted attributes of a fitted pooling."""
    counts, own, X = pooling.counts, read.own, read.X
    mixtures = pooling.mix(X, f)
    pooling.co_train(mixtures, read.inputs, X)
    corrected = pooling.corrected(mixtures, read.inputs, X)
    phi = pooling.topic_words()
    if phi is None:
        phi = count_words(own, mixtures, read.word_prior)
    elif counts.expander is not None:
        phi = recount_words(own, mixtures, phi, read.word_prior)
    parts = {name: getattr(*place) for name, place in _places(pooling).items()}
    return corrected, {
        **{name: part for name, part in parts.items() if part is not None},
        "alpha_": pooling.alpha,
        "vocabulary_": words_of(counts.vectorizer, "FusionTopicModel"),
        "components_": phi,
        "keyness_": keyness(mixtures, own, phi),
        "labels_": corrected.argmax(axis=1),
        "document_alpha_": pooling.document_alpha(X.sum(axis=1)),
    }


def make_pooling(given: SimpleNamespace, alpha: float) -> Pooling:
    """Return the unfitted pooling for the parameters of a FusionTopicModel."""
    kind = pooling_for(given.pooling, alpha)
    return kind(alpha, CountSide(given), EmbeddingSide(given))


def restore_pooling(
    given: SimpleNamespace, alpha: float, attributes: Mapping[str, Any]
) -> Pooling:
    """Rebuild the fitted pooling from the attributes that ``fit`` returned."""
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
        "co_training_": (pooling, "co_training"),
        **{name: (pooling, own) for name, own in pooling.fitted_names.items()},
    }
