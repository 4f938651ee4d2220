"""Blocked Gibbs sampling of topics; counts of words are lists of the topics of each word.

With many topics, the lists are much shorter than rows. The rest is as in ``rows``.
"""

from typing import NamedTuple

import numpy as np

from llmtopics._compiled.compile import compiled_bare
from llmtopics._compiled.simd import (
    LANES,
    compiled_simd,
    number_or_cell,
    pick,
    weigh_list,
    weigh_row,
)
from llmtopics.topics._gibbs.kernels.common import ONE, ZERO, hash64, uniform
from llmtopics.topics._gibbs.kernels.rows import IN_FLIGHT, load


class Lists(NamedTuple):
    """The topics of each word and their counts.

    begins, lengths : int64 (V + 1,), int32 (V,), place and length of each word's list
    topics, counts : int32, float32, the lists one after another; unused slots hold B and 0
    nothing : float32 (1, B), zeros
    """

    begins: np.ndarray
    lengths: np.ndarray
    topics: np.ndarray
    counts: np.ndarray
    nothing: np.ndarray


@compiled_simd
def draw(tokens, topics, fresh, first, last, lists, priors, key, scratch):
    """Draw as ``rows.draw`` does, from ``factor_k n_wk`` or from ``factor_k β_w``."""
    words = tokens.words
    begins, lengths, listed, counts, nothing = lists
    prior, beta, _, inverse = priors
    count, factor, sums, place, mass = scratch
    K = prior.shape[1]
    n_blocks = np.int64(nothing.shape[1] // LANES)
    other_key = hash64(key)
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
                    total = ZERO
                    for k in range(K):
                        total += factor[g, k]
                    mass[g] = total
                continue
            in_flight = True
            place[g, 0] = t + 1
            row = place[g, 2]
            w, own = words[t], np.int64(topics[t])
            n = count[g, own] - ONE
            own_factor = (n + np.float32(prior[row, own])) * inverse[1, own]
            total = mass[g] - factor[g, own] + own_factor
            begin = begins[w]
            n_listed = np.int64((lengths[w] + LANES - 1) // LANES)  # blocks of the list
            weigh_list(
                listed,
                counts,
                begin,
                n_listed,
                factor,
                np.int64(g),
                sums,
                own,
                own_factor,
            )
            slot = pick(
                sums,
                np.int64(g),
                n_listed,
                uniform(key, t),
                number_or_cell(beta, w, np.int64(0)) * total,
            )
            if slot < 0:
                weigh_row(
                    nothing,
                    np.int64(0),
                    factor,
                    np.int64(g),
                    sums,
                    own,
                    own_factor,
                    ZERO,
                    ONE,
                    np.int64(0),
                )
                k = pick(sums, np.int64(g), n_blocks, uniform(other_key, t), ZERO)
            else:
                k = np.int64(listed[begin + slot])
            if k < 0 or k >= K:
                k = own
            fresh[t] = k
            factor[g, own] = own_factor
            count[g, own] = n
            count[g, k] += ONE
            before = factor[g, k]
            factor[g, k] = (count[g, k] + np.float32(prior[row, k])) * inverse[0, k]
            mass[g] = total - before + factor[g, k]


@compiled_bare
def move(tokens, topics, fresh, first, last, low, high, lists):
    """Move the counts of some words; a topic whose count becomes 0 leaves the list."""
    words = tokens.words
    begins, lengths, listed, counts, nothing = lists
    for t in range(first, last):
        w = words[t]
        if low <= w < high and topics[t] != fresh[t]:
            begin, length = begins[w], lengths[w]
            slot = begin
            while listed[slot] != topics[t]:
                slot += 1
            counts[slot] -= ONE
            if counts[slot] == 0:
                length -= 1
                end = begin + length
                listed[slot], counts[slot] = listed[end], counts[end]
                listed[end], counts[end] = nothing.shape[1], 0
            lengths[w] = length
            add(w, fresh[t], lists)


@compiled_bare
def add(w, k, lists):
    """Count one more token of word w in topic k."""
    begins, lengths, listed, counts, _ = lists
    begin = begins[w]
    end = begin + lengths[w]
    slot = begin
    while slot < end and listed[slot] != k:
        slot += 1
    if slot == end:
        listed[slot] = k
        lengths[w] += 1
    counts[slot] += ONE


@compiled_bare
def fill(tokens, topics, lists):
    """Count all tokens."""
    for t in range(topics.shape[0]):
        add(tokens.words[t], topics[t], lists)


@compiled_bare
def to_rows(lists, table):
    """Write the lists into a table of zeros."""
    begins, lengths, listed, counts, _ = lists
    for w in range(table.shape[0]):
        for slot in range(begins[w], begins[w] + lengths[w]):
            table[w, listed[slot]] = counts[slot]


@compiled_bare
def add_up(lists, total):
    """Add the counts to ``total``, float64 (B + 1,); its last entry stays 0."""
    for slot in range(lists.counts.shape[0]):
        total[lists.topics[slot]] += lists.counts[slot]
