"""Collapsed Gibbs sampling of topic assignments, as pure functions.

D documents, T tokens, K topics, V words.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from llmtopics.topics import _gibbs_kernels as kernels
from llmtopics.topics._tokens import Tokens


class State(NamedTuple):
    """Where a chain stands: an assignment of topics to tokens, and its counts.

    topics : int32 (T,), topic of each token
    word_topic : int32 (V, K), tokens of each word in each topic
    topic_total : int64 (K,), tokens in each topic
    n_sweeps : int, sweeps made since the start
    """

    topics: np.ndarray
    word_topic: np.ndarray
    topic_total: np.ndarray
    n_sweeps: int


def assign(tokens: Tokens, topics: np.ndarray, n_components: int) -> State:
    """Return the state in which token t has topic ``topics[t]``."""
    word_topic = np.zeros((tokens.n_words, n_components), np.int32)
    np.add.at(word_topic, (tokens.words, topics), 1)
    return State(topics, word_topic, word_topic.sum(axis=0, dtype=np.int64), 0)


def random_start(tokens: Tokens, n_components: int, seed: int) -> State:
    """Return a state in which every token has a topic drawn uniformly."""
    rng = np.random.default_rng([seed, 0])
    topics = rng.integers(n_components, size=tokens.words.size, dtype=np.int32)
    return assign(tokens, topics, n_components)


def to_topics(counts: np.ndarray, word_prior: float) -> np.ndarray:
    """Return φ of counts or weights of words in topics, both (K, V); rows sum to one."""
    weights = counts + word_prior
    return weights / weights.sum(axis=1, keepdims=True)


def sample(
    tokens: Tokens,
    state: State,
    doc_prior: np.ndarray,
    word_prior: float,
    n_sweeps: int,
    seed: int,
    progress: Callable[[range], Iterable[int]] = iter,
) -> State:
    """Return the state after ``n_sweeps`` more sweeps; the given one is not changed.

    Exact: each token is drawn from its conditional given the topics of all other tokens
    as they are at that moment, ``p(z = k) ∝ (n_dk + α_dk)(n_kw + β)/(n_k + Vβ)``
    (Griffiths & Steyvers 2004, equation 5). The draws of a sweep depend on ``seed`` and
    the sweep's number alone: a chain cut in two is the same chain.

    Parameters
    ----------
    tokens : Tokens
    state : State
    doc_prior : ndarray of shape (K,) or (D, K)
        Dirichlet prior of all documents' mixtures, or one row a document; entries ≥ 0,
        every row with a positive sum. Written α.
    word_prior : float, > 0
        Dirichlet prior of the words of a topic. Written β.
    n_sweeps : int
    seed : int
    progress : callable, range → iterable
        Wraps the sweeps, ``tqdm.tqdm`` for a bar.

    Returns
    -------
    state : State
    """
    # the kernel compiles for one layout only
    prior = np.ascontiguousarray(np.atleast_2d(doc_prior), np.float64)
    topics, word_topic, topic_total = (array.copy() for array in state[:3])
    end = state.n_sweeps + n_sweeps
    for number in progress(range(state.n_sweeps, end)):
        kernels.sweep(
            tokens.words,
            tokens.starts,
            topics,
            word_topic,
            topic_total,
            prior,
            word_prior,
            np.random.default_rng([seed, 1 + number]),
        )
    return State(topics, word_topic, topic_total, end)
