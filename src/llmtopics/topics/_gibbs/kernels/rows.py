"""Blocked Gibbs sampling of topics; counts of words are rows of a dense table.

A block is a range of documents. ``draw`` gives each of their tokens a new topic while the
counts of words stay fixed. Then ``move`` updates these counts. No two calls write to the same
place: ``draw`` writes tokens of its documents, ``move`` counts of its words. So the result
does not depend on how threads share a block.

``IN_FLIGHT`` documents are drawn together, one token of each in turn. This interleaving hides
memory latency: the next token does not need the counts that were just written.

B is K rounded up to a multiple of 16, the width of the vector instructions.
"""

from typing import Any, NamedTuple

import numpy as np

from llmtopics._compiled.compile import compiled_bare
from llmtopics._compiled.simd import (
    LANES,
    compiled_simd,
    number_or_cell,
    pick,
    weigh_row,
)
from llmtopics.topics._gibbs.kernels.common import (
    ONE,
    ZERO,
    row_of_word,
    uniform,
    zeros,
)

IN_FLIGHT = 4


class Rows(NamedTuple):
    """Counts of words in topics.

    table : float32 (V, B), n_wk, zeros from K on
    own : float32, amount to subtract from ``table`` for the current token: 1, or 0 if
        ``table`` counts other tokens only
    """

    table: np.ndarray
    own: Any


class Scratch(NamedTuple):
    """Work space for the documents that are drawn together.

    in_topic : (IN_FLIGHT, B), n_dk
    factor : float32 (IN_FLIGHT, B + 16), (n_dk + α_k) / (n_k + Σ_w β_kw), zeros from K on
    sums : float32 (IN_FLIGHT, B + 16), running sums as ``_compiled.simd`` leaves them
    place : int64 (IN_FLIGHT, 3), next token, end of the tokens (exclusive), row of the prior
    mass : float32 (IN_FLIGHT,), sum of ``factor``
    """

    in_topic: np.ndarray
    factor: np.ndarray
    sums: np.ndarray
    place: np.ndarray
    mass: np.ndarray


def scratch(width, kind=np.float32):
    """Return Scratch for tables of ``width`` columns.

    kind : type of the counts; float64 where a float32 would stop at 2**24
    """
    return Scratch(
        zeros(IN_FLIGHT, width, kind=kind),
        zeros(IN_FLIGHT, width + LANES),
        zeros(IN_FLIGHT, width + LANES),
        np.zeros((IN_FLIGHT, 3), np.int64),
        np.zeros(IN_FLIGHT, np.float32),
    )


@compiled_bare
def load(tokens, topics, d, priors, g, scratch):
    """Load document d into slot g of ``scratch``."""
    starts, prior, inverse = tokens.starts, priors.doc, priors.inverse
    count, factor, place = scratch.in_topic, scratch.factor, scratch.place
    K = prior.shape[1]
    row = d if prior.shape[0] > 1 else 0
    for k in range(K):
        count[g, k] = 0
    for t in range(starts[d], starts[d + 1]):
        count[g, topics[t]] += ONE
    for k in range(K):
        factor[g, k] = (count[g, k] + np.float32(prior[row, k])) * inverse[0, k]
    place[g, 0], place[g, 1], place[g, 2] = starts[d], starts[d + 1], row


@compiled_simd
def draw(tokens, topics, fresh, first, last, rows, priors, key, scratch):
    """Draw a new topic for each token of some documents, p(k) ∝ factor_k (n_wk + β)."""
    words, table, own_count = tokens.words, rows.table, rows.own
    prior, beta, beta_row, inverse = priors
    count, factor, sums, place, _ = scratch
    K = prior.shape[1]
    n_blocks = np.int64(table.shape[1] // LANES)
    for g in range(IN_FLIGHT):
        place[g, 0] = place[g, 1] = 0
    d = first
    in_flight = True
    while in_flight:
        in_flight = False
        for g in range(IN_FLIGHT):
            t = place[g, 0]
            if t == place[g, 1]:
                if d < last:
                    load(tokens, topics, d, priors, g, scratch)
                    d += 1
                    in_flight = True
                continue
            in_flight = True
            place[g, 0] = t + 1
            row = place[g, 2]
            own = np.int64(topics[t])
            n = count[g, own] - ONE
            own_factor = (n + np.float32(prior[row, own])) * inverse[1, own]
            w = words[t]
            weigh_row(
                table,
                np.int64(w),
                factor,
                np.int64(g),
                sums,
                own,
                own_factor,
                own_count,
                beta,
                row_of_word(beta, beta_row, w),
            )
            k = pick(sums, np.int64(g), n_blocks, uniform(key, t), ZERO)
            if k < 0 or k >= K:  # by rounding, no topic was hit: keep the old one
                k = own
            fresh[t] = k
            factor[g, own] = own_factor
            count[g, own] = n
            count[g, k] += ONE
            factor[g, k] = (count[g, k] + np.float32(prior[row, k])) * inverse[0, k]


@compiled_bare
def move(tokens, topics, fresh, first, last, low, high, rows):
    """Move the counts of some words from ``topics`` to ``fresh``."""
    words, table = tokens.words, rows.table
    for t in range(first, last):
        w = words[t]
        if low <= w < high and topics[t] != fresh[t]:
            table[w, topics[t]] -= ONE
            table[w, fresh[t]] += ONE


@compiled_simd
def share(tokens, topics, first, last, low, high, rows, priors, shares, scratch):
    """Add the probability of topic k to ``shares[w, k]`` for each token of some words.

    The topics of the other tokens of a document stay fixed.
    """
    words, table = tokens.words, rows.table
    prior, beta, beta_row, inverse = priors
    count, factor, sums, place, _ = scratch
    for d in range(first, last):
        load(tokens, topics, d, priors, 0, scratch)
        t, end, row = place[0, 0], place[0, 1], place[0, 2]
        while t < end:
            w, own = words[t], np.int64(topics[t])
            n_repeats = 1  # tokens of the same word and topic, next to each other
            t += 1
            while t < end and words[t] == w and topics[t] == own:
                n_repeats += 1
                t += 1
            if not low <= w < high:
                continue
            n = count[0, own] - ONE
            own_factor = np.float32((n + np.float32(prior[row, own])) * inverse[1, own])
            total = weigh_row(
                table,
                np.int64(w),
                factor,
                0,
                sums,
                own,
                own_factor,
                ZERO,
                beta,
                row_of_word(beta, beta_row, w),
            )
            if total == 0:  # all weights too small for a float32
                shares[w, own] += np.float32(n_repeats)
                continue
            scale = np.float32(n_repeats) / total
            for j in range(LANES):
                shares[w, j] += sums[0, j] * scale
            for j in range(LANES, table.shape[1]):
                shares[w, j] += (sums[0, j] - sums[0, j - LANES]) * scale


@compiled_bare
def relax(shares, others, table, low, high, beta, beta_row):
    """Over-relaxation: step from the counts in ``table`` beyond ``shares``; set ``shares`` to 0.

    ``others``, of shape (V, K) or empty, are the counts of earlier documents. They are part of
    ``table`` and do not change: they are subtracted first and added again at the end. With s from ``shares`` and n from ``table``: n ← s (s + β) / (n + β), at most 4 s.
    In logarithms, that is twice the step n ← s. The result is scaled so that each word keeps
    its number of tokens.
    """
    K = others.shape[1]
    for w in range(low, high):
        row = row_of_word(beta, beta_row, w)
        total, stepped = np.float64(0), np.float64(0)  # plain Python: not float32
        for k in range(table.shape[1]):
            part = shares[w, k]
            beside = others[w, k] if k < K else ZERO
            prior = number_or_cell(beta, row, k)
            table[w, k] = part * min(
                (part + prior) / (max(table[w, k] - beside, ZERO) + prior),
                np.float32(4),
            )
            total += part
            stepped += table[w, k]
            shares[w, k] = 0
        scale = np.float32(total / stepped) if stepped > 0 else ONE
        for k in range(table.shape[1]):
            beside = others[w, k] if k < K else ZERO
            table[w, k] = table[w, k] * scale + beside
