"""Exact collapsed Gibbs sampling of topics, in double precision.

U is the number of distinct rows of a prior per topic and word.
"""

from typing import Any, NamedTuple

import numpy as np

from llmtopics._compiled.compile import compiled
from llmtopics._compiled.simd import number_or_cell
from llmtopics.topics._gibbs.kernels.common import row_of_word


class Table(NamedTuple):
    """Counts that are updated after every draw.

    word_topic : int32 or float64 (V, K), n_wk
    topic_total : float64 (K,), n_k
    """

    word_topic: np.ndarray
    topic_total: np.ndarray


class ExactPriors(NamedTuple):
    """Dirichlet priors in double precision.

    doc : (1, K) or (D, K), α of all documents or of each
    word : float, or (V,), or (U, K): β, β_w or β_kw
    word_row : int32 (V,), row of each word in a ``word`` of shape (U, K); else (0,)
    word_total : (K,), Σ_w β_kw
    """

    doc: np.ndarray
    word: Any
    word_row: np.ndarray
    word_total: np.ndarray


@compiled
def find(cumulative, u):
    """Return the slot of ``u`` in [0, 1): inverse-CDF sampling by binary search.

    ``cumulative`` has running sums of the weights. They need not end at 1.
    """
    low, high = 0, cumulative.shape[0] - 1  # rounding may put u at the last slot's end
    target = u * cumulative[high]
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] <= target:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def draw(tokens, topics, table, priors, rng, first, last):
    """Redraw the topic of each token of some documents in place, given all others.

    ``topics`` and ``table`` are changed. ``rng``, a numpy.random.Generator, gives one
    number per token.
    """
    words, starts, word_topic, topic_total = (
        tokens.words,
        tokens.starts,
        table.word_topic,
        table.topic_total,
    )
    beta, beta_total = priors.word, priors.word_total
    K = word_topic.shape[1]
    count = np.empty(K, np.int64)  # n_dk
    factor = np.empty(K)  # (n_dk + α_dk) / (n_k + Σ_w β_kw)
    cumulative = np.empty(K)
    for d in range(first, last):
        alpha = priors.doc[d if priors.doc.shape[0] > 1 else 0]
        count[:] = 0
        for t in range(starts[d], starts[d + 1]):
            count[topics[t]] += 1
        for j in range(K):
            factor[j] = (count[j] + alpha[j]) / (topic_total[j] + beta_total[j])

        for t in range(starts[d], starts[d + 1]):
            w, k = words[t], topics[t]
            word_topic[w, k] -= 1
            topic_total[k] -= 1
            count[k] -= 1  # α is added later: 1 + α - 1 would lose a tiny α
            factor[k] = (count[k] + alpha[k]) / (topic_total[k] + beta_total[k])

            # p(z = k | all other z) ∝ (n_dk + α_dk)(n_wk + β_kw) / (n_k + Σ_w β_kw)
            total = 0.0
            row = row_of_word(beta, priors.word_row, w)
            for j in range(K):
                prior = number_or_cell(beta, row, j)
                total += factor[j] * (word_topic[w, j] + prior)
                cumulative[j] = total

            k = find(cumulative, rng.random())
            topics[t] = k
            word_topic[w, k] += 1
            topic_total[k] += 1
            count[k] += 1
            factor[k] = (count[k] + alpha[k]) / (topic_total[k] + beta_total[k])
