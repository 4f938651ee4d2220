"""From a count matrix to the tokens that samplers draw topics for."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics._stored_counts import StoredCounts
from llmtopics.topics._gibbs.kernels.common import count_each, repeat_each

COUNTED = 2**24  # float32 can count one by one up to here


class Tokens(NamedTuple):
    """The tokens of a corpus, document by document.

    words : int32 (T,), word of each token
    starts : int64 (D + 1,), document d owns the tokens ``starts[d]:starts[d + 1]``
    n_words : int, size of the vocabulary, V
    """

    words: np.ndarray
    starts: np.ndarray
    n_words: int


def tokens_from_counts(X: sp.csr_array) -> Tokens:
    """Return the tokens counted in ``X``, an int32 CSR array of shape (D, V)."""
    starts = np.zeros(X.shape[0] + 1, np.int64)
    np.cumsum(X.sum(axis=1, dtype=np.int64), out=starts[1:])
    words = np.empty(starts[-1], np.int32)
    repeat_each(X.data, X.indices, words)
    return Tokens(words, starts, X.shape[1])


def as_tokens(X: sp.csr_array | StoredCounts) -> Tokens:
    """Return the tokens of counts in memory or on disk."""
    if isinstance(X, StoredCounts):
        return Tokens(X.words, X.starts, X.shape[1])
    return tokens_from_counts(X)


def n_of_words(tokens: Tokens) -> np.ndarray:
    """Return how often each word occurs, int64 (V,)."""
    counts = np.zeros(tokens.n_words, np.int64)
    count_each(tokens.words, counts)
    return counts


def topic_type(n_components: int) -> type:
    """Return the type of the topics of tokens."""
    return np.uint16 if n_components <= 2**16 else np.int32


def random_topics(
    tokens: Tokens, n_components: int, seed: int, topics: np.ndarray | None = None
) -> np.ndarray:
    """Return a topic for each token, drawn uniformly; written to ``topics``, if given."""
    rng, kind = np.random.default_rng([seed, 0]), topic_type(n_components)
    if topics is None:
        topics = np.empty(tokens.words.size, kind)
    for first in range(0, topics.size, COUNTED):  # needs little memory beside topics
        part = topics[first : first + COUNTED]
        part[:] = rng.integers(n_components, size=part.size, dtype=kind)
    return topics


def topics_from_prior(tokens: Tokens, prior: np.ndarray, seed: int) -> np.ndarray:
    """Return a topic for each token, drawn from the mean of its document's prior."""
    ends = np.cumsum(prior, axis=1)
    ends /= ends[:, -1:]
    D, K = prior.shape
    documents = np.repeat(np.arange(D), np.diff(tokens.starts))
    u = np.random.default_rng([seed, 0]).random(documents.size)
    slots = (ends + np.arange(D)[:, None]).ravel()  # [d, d + 1) is for document d
    topics = np.searchsorted(slots, documents + u, side="right") - documents * K
    return np.minimum(topics, K - 1).astype(topic_type(K))
