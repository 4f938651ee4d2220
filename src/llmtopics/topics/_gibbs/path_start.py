"""The first paths of Pachinko allocation."""

from collections.abc import Callable

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics._gibbs.chain import start_chain
from llmtopics.topics._gibbs.expected_counts import to_topics
from llmtopics.topics._gibbs.known_counts import draw_under_counts
from llmtopics.topics._gibbs.learned_priors import LEAST
from llmtopics.topics._gibbs.tokens import COUNTED, Tokens, random_topics

_START_WEIGHT = 5.0  # sum of the first α_st of a super-topic
_START_PRIOR = 0.1  # prior of its sub-topics, before their counts are added
_START_TOKENS = 16  # tokens per document, on average, that give the first super-topics


def start_paths(
    tokens: Tokens,
    n_super: int,
    n_components: int,
    doc_prior: np.ndarray,
    word_prior: float,
    seed: int,
    workers: Workers,
    sampler: str,
    n_sweeps: int,
    advance: Callable[[], object],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the first sub- and super-topics of all tokens, and α_st.

    Super-topics drawn at random stay alike: each is a mixture of all sub-topics. So
    sub-topics are first sampled as the topics of an LDA. Then super-topics are sampled as
    the topics of a second LDA. Its words are the sub-topics of some tokens. Super-topics of
    all tokens are then drawn given its counts. Only some tokens per document are used,
    because many tokens of a document hardly move from one super-topic to another.

    doc_prior : (S,), α_s
    advance : called after every sweep of the first LDA
    """
    K, starts = n_components, tokens.starts
    alpha = np.full((1, K), 1 / K)
    topics = random_topics(tokens, K, seed)
    chain = start_chain(tokens, topics, K, word_prior, seed, workers, sampler=sampler)
    for _ in range(n_sweeps):
        chain.sweep(alpha)
        advance()
    sub_topics = chain.topics.astype(np.int32)
    chance = np.random.default_rng([seed + 1, 2**31]).random(sub_topics.size)
    n_taken = min(_START_TOKENS * (len(starts) - 1), 0.99 * COUNTED)
    taken = chance * sub_topics.size < n_taken
    some = Tokens(sub_topics[taken], np.append(0, np.cumsum(taken))[starts], K)
    supers = random_topics(some, n_super, seed + 1)
    upper = start_chain(
        some, supers, n_super, _START_PRIOR, seed + 1, workers, sampler=sampler
    )
    for _ in range(n_sweeps):
        upper.sweep(doc_prior[np.newaxis])
    counts = upper.counts.word_topic().astype(np.float32)
    everything = Tokens(sub_topics, starts, K)
    supers = draw_under_counts(
        everything,
        random_topics(everything, n_super, seed + 1),
        counts,
        doc_prior,
        _START_PRIOR,
        seed + 1,
        workers,
    )
    below = to_topics(counts.T.astype(np.float64), _START_PRIOR)
    return chain.topics, supers, np.maximum(_START_WEIGHT * below, LEAST)
