"""What workers do in a fit of ``DaskFusionTopicModel``: functions of one partition, and of sums.

Each is a pure function of its arguments. If a worker is lost, Dask calls them again, with the
same result. D documents and T tokens of the partition, K topics, V words, E dimensions.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics._compiled.threads import ONE
from llmtopics.dask._futures import stacked
from llmtopics.dask._shard import add_shares, begin_pass, hold
from llmtopics.fusion._co_training import CoTraining, co_train
from llmtopics.fusion._poolings._prior import mean_mixtures, words_of_every_other
from llmtopics.topics import EmbeddingTopics, GibbsLDA
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._embedding import tfidf_of_tokens
from llmtopics.topics._gibbs.chain import start_chain
from llmtopics.topics._gibbs.expected_counts import to_topics
from llmtopics.topics._gibbs.kernels.common import count_pairs, filled_up, zeros
from llmtopics.topics._gibbs.kernels.rows import relax
from llmtopics.topics._gibbs.tokens import (
    Tokens,
    tokens_from_counts,
    topics_from_prior,
)
from llmtopics.topics._gibbs.word_prior import WordPrior
from llmtopics.topics._keyness import Together, keyness_of


@dataclass(frozen=True)
class Chain:
    """What all partitions share while topics of tokens are drawn.

    n_components : int
    seed : int
    strength : s, the number of tokens that f counts as
    epsilon : (K,), what is added to s f
    word_prior : WordPrior
    sampler : str
    """

    n_components: int
    seed: int
    strength: float
    epsilon: np.ndarray
    word_prior: WordPrior
    sampler: str

    def prior(self, f: np.ndarray) -> np.ndarray:
        """Return the prior of each document, (D, K)."""
        return self.strength * f + self.epsilon


def _own(X: Any) -> Any:
    """Return an array or a matrix that compiled loops can read.

    Arrays that arrive from other workers are read-only, which is another type to them.
    """
    if not sp.issparse(X):
        return np.require(X, requirements="W")
    parts = (
        np.require(part, requirements="W") for part in (X.data, X.indices, X.indptr)
    )
    return sp.csr_array(tuple(parts), shape=X.shape)


def _tokens(X: sp.csr_array) -> Tokens:
    return tokens_from_counts(_own(X))


# the embedding side -----------------------------------------------------------------------------


def _single(topics: EmbeddingTopics, vectors: np.ndarray) -> np.ndarray:
    """Return vectors in single precision, scaled as in the fit to the sample."""
    return topics._check(vectors, reset=False).astype(np.float32)


def moments_of(topics: EmbeddingTopics, vectors: np.ndarray) -> sphere.Moments:
    known, moments = topics._measure(vectors)
    return moments._replace(n_vectors=int(known.any(axis=1).sum()))


def mixtures_of(topics: EmbeddingTopics, vectors: np.ndarray) -> np.ndarray:
    """Return f, (D, K)."""
    return topics.transform(vectors)


def posterior_means(
    chain: Chain, X: sp.csr_array, assigned: np.ndarray, f: np.ndarray
) -> np.ndarray:
    """Return the mean mixtures given the tokens' topics, (D, K)."""
    return mean_mixtures(_tokens(X), assigned, chain.prior(f))


def classes_of(
    topics: EmbeddingTopics, vectors: np.ndarray, mixtures: np.ndarray
) -> sphere.Classes:
    """Return number and sum of the vectors of each first topic."""
    found = sphere.class_sums(_single(topics, vectors), mixtures)
    return found._replace(sums=found.sums.astype(np.float64))


def direction_sums(
    topics: EmbeddingTopics,
    vectors: np.ndarray,
    mixtures: np.ndarray,
    classes: sphere.Classes,
    metric: sphere.Sphere,
) -> np.ndarray:
    points = sphere.to_points(_single(topics, vectors), metric, by_rows=False)
    sums = sphere.direction_sums(points, mixtures, classes.n_vectors > 0)
    return sums.astype(np.float64)


def moved(
    topics: EmbeddingTopics, metric: sphere.Sphere, sums: np.ndarray
) -> EmbeddingTopics:
    """Return topics in another metric, with other directions."""
    topics = copy(topics)
    directions = sphere.unit(sums.astype(np.float32))
    topics._sphere, topics.cluster_centers_ = metric, directions.astype(np.float64)
    return topics


def words_of_half(
    chain: Chain, X: sp.csr_array, assigned: np.ndarray, first: int
) -> np.ndarray:
    """Return counts of words in topics from every other document, (K, V)."""
    tokens = _tokens(X)
    return words_of_every_other(tokens, assigned, chain.n_components, first)


def quick_mixtures(topics: EmbeddingTopics, vectors: np.ndarray) -> np.ndarray:
    """Return f in single precision, (D, K)."""
    return sphere.memberships(quick_cosines(topics, vectors), topics.concentration_)


def quick_cosines(topics: EmbeddingTopics, vectors: np.ndarray) -> np.ndarray:
    points = _single(topics, vectors)
    points = sphere.to_points(points, topics._sphere, by_rows=False)
    directions = topics.cluster_centers_.astype(np.float32)
    return sphere.cosines(points, directions, by_rows=False)


def sharpened(
    topics: EmbeddingTopics, chain: Chain, words: np.ndarray, *asked: Any
) -> EmbeddingTopics:
    """Return topics with the concentration that predicts the words of the asked documents.

    words : (K, V), counts of other documents
    asked : cosines of partitions, and then as many counts
    """
    topics, n = copy(topics), len(asked) // 2
    phi = to_topics(words, chain.word_prior.values)
    cosines, X = stacked(asked[:n]), stacked(asked[n:])
    topics.concentration_ = sphere.estimate_concentration(cosines, X, phi)
    return topics


# topics of tokens -------------------------------------------------------------------------------


def first_topics(chain: Chain, X: sp.csr_array, f: np.ndarray, number: int):
    """Return a topic for each token of a partition, drawn from the mean of the prior."""
    tokens = _tokens(X)
    return topics_from_prior(tokens, chain.prior(f), chain.seed + number)


def counted(chain: Chain, X: sp.csr_array, assigned: np.ndarray) -> np.ndarray:
    """Return the counts of words in topics, int32 (V, K)."""
    table = np.zeros((X.shape[1], chain.n_components), np.int32)
    count_pairs(_tokens(X).words, _own(assigned), table)
    return table


def drawn(
    chain: Chain,
    X: sp.csr_array,
    assigned: np.ndarray,
    f: np.ndarray,
    total: np.ndarray,
    number: int,
    sweep: int,
) -> np.ndarray:
    """Return the topics after a sweep; the counts of other partitions stay as they are."""
    tokens = _tokens(X)
    if not tokens.words.size:
        return assigned
    others = total - counted(chain, X, assigned)
    given = chain.n_components, chain.word_prior, chain.seed + number, ONE
    part = start_chain(
        tokens, _own(assigned), *given, others.astype(np.float32), sampler=chain.sampler
    )
    part.n_sweeps = sweep
    part.sweep(chain.prior(f))
    return part.topics


def as_shares(total: np.ndarray) -> np.ndarray:
    """Return counts as the table that the passes after the last sweep start from."""
    return total.astype(np.float32)


def shares_of(
    chain: Chain,
    X: sp.csr_array,
    assigned: np.ndarray,
    f: np.ndarray,
    table: np.ndarray,
) -> np.ndarray:
    """Return how the tokens of a partition divide among topics, (V, B)."""
    words, starts, n_words = _tokens(X)
    if not words.size:
        return zeros(n_words, filled_up(chain.n_components))
    given = table, chain.word_prior, np.float32
    holder = begin_pass(hold(words, _own(assigned), starts, *given), chain.prior(f), [])
    return add_shares(holder, (0, n_words), None)


def relaxed(chain: Chain, table: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the table after a pass, (V, K)."""
    rows = zeros(*shares.shape)
    rows[:, : chain.n_components] = table
    none = np.zeros((0, 0), np.float32)
    relax(_own(shares), none, rows, 0, len(rows), *chain.word_prior.single)
    return rows[:, : chain.n_components].copy()


def topic_model(
    model: GibbsLDA, chain: Chain, table: np.ndarray, n_sweeps: int
) -> GibbsLDA:
    """Return the fitted topic model."""
    model = copy(model)
    model._keep_given(table, chain.epsilon, chain.word_prior, n_sweeps)
    return model


# results ----------------------------------------------------------------------------------------


def fused(chain: Chain, model: GibbsLDA, X: sp.csr_array, f: np.ndarray) -> np.ndarray:
    """Return θ before co-training, (D, K)."""
    model = copy(model)
    model.n_jobs = 1  # a worker runs as many tasks as it has threads
    return model._mixtures(_own(X), chain.strength * f)


def keyness_from(found: Together, model: GibbsLDA) -> np.ndarray:
    return keyness_of(found, model.components_)


def tokens_in_topics(f: np.ndarray, X: sp.csr_array) -> np.ndarray:
    """Return tokens of words in topics, (K, V)."""
    return (X.T @ f).T


def with_words(topics: EmbeddingTopics, tokens: np.ndarray) -> EmbeddingTopics:
    """Return topics with words by c-TF-IDF."""
    topics = copy(topics)
    topics.components_ = tfidf_of_tokens(tokens)
    return topics


def co_trained(share: float, *asked: Any) -> CoTraining | None:
    """Return the classifiers.

    asked : mixtures of partitions, as many arrays of vectors, and as many counts
    """
    n = len(asked) // 3
    mixtures, vectors = stacked(asked[:n]), stacked(asked[n : 2 * n])
    return co_train(
        mixtures, vectors.astype(np.float64), stacked(asked[2 * n :]), share
    )


def corrected(
    mixtures: np.ndarray,
    vectors: np.ndarray,
    X: sp.csr_array,
    co_training: CoTraining | None,
) -> np.ndarray:
    """Return θ, (D, K)."""
    if co_training is None:
        return mixtures
    return co_training.correct(mixtures, vectors.astype(np.float64), X)


def first_of(mixtures: np.ndarray) -> np.ndarray:
    return mixtures.argmax(axis=1)


def summed(mixtures: np.ndarray) -> np.ndarray:
    return mixtures.sum(axis=0)
