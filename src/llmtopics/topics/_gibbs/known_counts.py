"""Draw topics of new documents, given known counts of words in topics."""

from functools import partial
from typing import Any

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics._gibbs.kernels import rows
from llmtopics.topics._gibbs.kernels.common import Priors, filled_up, zeros
from llmtopics.topics._gibbs.pieces import cut_all
from llmtopics.topics._gibbs.random_streams import stream_key
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import as_word_prior

_N_SWEEPS = 5


def draw_under_counts(
    tokens: Tokens,
    topics: np.ndarray,
    counts: np.ndarray,
    doc_prior: np.ndarray,
    word_prior: Any,
    seed: int,
    workers: Workers,
) -> np.ndarray:
    """Return topics of tokens drawn under fixed counts of words in topics.

    topics : where the draws start; overwritten
    counts : (V, K), taken as those of other tokens
    doc_prior : (K,), α
    """
    K = counts.shape[1]
    table = zeros(tokens.n_words, filled_up(K))
    table[:, :K] = counts
    prior = as_word_prior(word_prior, len(counts))
    inverse = prior.inverse(counts.sum(axis=0, dtype=np.float64))[[0, 0]]
    priors = Priors(doc_prior[np.newaxis], *prior.single, inverse)
    known = rows.Rows(table, np.float32(0))
    before, after = topics.copy(), topics
    for number in range(_N_SWEEPS):
        key = stream_key(seed, 0, number)
        workers.run(
            [
                partial(
                    rows.draw,
                    tokens,
                    before,
                    after,
                    *piece,
                    known,
                    priors,
                    key,
                    rows.scratch(table.shape[1]),
                )
                for piece in cut_all(tokens.starts, workers.n, K)
            ]
        )
        before, after = after, before
    return before
