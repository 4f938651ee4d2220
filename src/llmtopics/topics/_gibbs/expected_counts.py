"""Expected counts of words in topics, from the last state of a chain."""

from functools import partial
from typing import Any

import numpy as np

from llmtopics._progress import stage
from llmtopics.topics._gibbs.chain import MANY_TOPICS, Chain
from llmtopics.topics._gibbs.kernels.common import filled_up, zeros
from llmtopics.topics._gibbs.kernels.rows import relax
from llmtopics.topics._gibbs.pieces import cut_all, cut_words
from llmtopics.topics._gibbs.tokens import COUNTED, Tokens, n_of_words

N_PASSES, N_PASSES_MANY = 8, 4  # with few and with many topics


def expected_counts(
    chain: Chain, doc_prior: Any, n_passes: int | None = None
) -> np.ndarray:
    """Return expected counts of words in topics, of shape (V, K); n_dk stays fixed.

    Given φ and the topics of the other tokens of its document, a token has topic k with
    probability γ_k ∝ (n_dk + α_dk) φ_kw. Given all γ, φ_kw ∝ Σ γ_k + β_kw. The two steps
    alternate, starting from the counts of the chain. Steps are twice as long in logarithms
    (over-relaxed expectation maximization). One short step gives φ of CGS_p.
    """
    tokens, assigned, prior = chain.tokens, chain.assigned, chain.word_prior
    K, V = assigned.n_components, tokens.n_words
    if n_passes is None:
        n_passes = N_PASSES if K < MANY_TOPICS else N_PASSES_MANY
    table = zeros(V, filled_up(K))
    shares = zeros(V, filled_up(K), kind=_type_of_sums(tokens))
    table[:, :K] = chain.counts.word_topic()
    others = np.zeros((0, 0), np.float32) if chain.others is None else chain.others
    words = cut_words(tokens, chain.workers.n)
    pieces = cut_all(tokens.starts, 1, assigned.n_alternatives)
    with stage("passes", n_passes * len(pieces), "parts", hidden=True) as parts:
        for _ in range(n_passes):
            total = table[:, :K].sum(axis=0, dtype=np.float64)
            priors = assigned.priors(doc_prior, prior, total)
            # φ is fixed, so a token is not taken out of it
            priors = priors._replace(inverse=priors.inverse[[0, 0]])
            share = partial(assigned.share, tokens)
            for documents in pieces:
                given = table, priors, shares
                chain.workers.run(
                    [partial(share, documents, piece, *given) for piece in words]
                )
                parts.update()
            chain.workers.run(
                [
                    partial(relax, shares, others, table, *piece, *prior.single)
                    for piece in words
                ]
            )
    return table[:, :K]


def _type_of_sums(tokens: Tokens) -> type:
    if tokens.words.size < COUNTED:
        return np.float32
    return type_of_sums(n_of_words(tokens), tokens.starts)


def type_of_sums(n_of_word: np.ndarray, starts: np.ndarray) -> type:
    """Return the type for sums of probabilities over a word or a document."""
    most = max(n_of_word.max(), np.diff(starts).max())
    return np.float32 if most < COUNTED else np.float64


def to_topics(counts: np.ndarray, word_prior: float | np.ndarray) -> np.ndarray:
    """Return φ of counts or weights of words in topics, both (K, V); rows sum to one."""
    weights = counts + word_prior
    return weights / weights.sum(axis=1, keepdims=True)
