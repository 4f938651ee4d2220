"""Embedding coherence: how close in meaning the words of a topic are."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from llmtopics.metrics._input_checks import check_topics
from llmtopics.metrics._unit_vectors import vectors_of_words


def embedding_coherence(
    topics: Sequence[Sequence[str]],
    vectors: ArrayLike | Callable[[list[str]], ArrayLike],
    vocabulary: Sequence[str] | np.ndarray | None = None,
) -> np.ndarray:
    """Return how close in meaning the words of each topic are.

    ``(1 / pairs) Σ_{i<j} cos(e_i, e_j)`` over the words of a topic.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic, at least two per topic.
    vectors : array-like of shape (n_words, n_dimensions), or callable
        The vectors e of the words, one row per word of ``vocabulary``. Or a function that
        turns a list of words into such an array.
    vocabulary : sequence of str of length n_words, default=None
        The word of each row of ``vectors``.

    Returns
    -------
    coherence : ndarray of shape (K,)
        In [-1, 1]. Higher is better.

    Raises
    ------
    ValueError
        For a topic of fewer than two words, a word that has no vector, or a vector that
        is not finite or all zero.

    Notes
    -----
    It needs no corpus, so it works for short texts and rare words. It depends on the embedding
    model: do not compare values of different models. It does not measure whether topics
    differ, or whether they fit the documents.

    References
    ----------
    R. Ding, R. Nallapati and B. Xiang, "Coherence-aware neural topic modeling", EMNLP 2018.

    Examples
    --------
    >>> from llmtopics.metrics import embedding_coherence
    >>> vectors = [[1, 0], [1, 0], [0, 1]]
    >>> embedding_coherence([["cat", "dog"], ["cat", "bond"]], vectors,
    ...                     ["cat", "dog", "bond"])
    array([1., 0.])
    """
    values = []
    look_up = vectors_of_words(vectors, vocabulary)
    for k, topic in enumerate(check_topics(topics)):
        if len(topic) < 2:
            raise ValueError(f"Topic {k} needs at least two words, got {topic}.")
        total = look_up(topic).sum(axis=0)
        n = len(topic)
        values.append((total @ total - n) / (n * (n - 1)))
    return np.clip(values, -1, 1)
