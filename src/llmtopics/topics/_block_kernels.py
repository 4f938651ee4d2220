"""Compiled inner loops of blocked Gibbs sampling.

A block is some documents. ``draw_*`` gives every token of them a fresh topic while the
counts of words stand still; then ``move_*`` changes these counts. Each call owns what it
writes: ``draw_*`` the tokens of its documents, ``move_*`` the counts of its words. So a
block may be cut among threads anyhow, and the result is the same.

Documents are taken ``IN_FLIGHT`` at a time, one token of each in turn: what is written for
one token is not read for the next, which then need not wait for it.

Counts of words come as rows, a dense (V, B) float32 table with K filled up to B, a
multiple of sixteen; or as lists of the topics that a word has, which are short where topics
are many.

D documents, T tokens, K topics, V words. Arguments that all functions share:

words : int32 (T,), word of each token
starts : int64 (D + 1,), document d owns the tokens ``starts[d]:starts[d + 1]``
topics, fresh : uint16 or int32 (T,), topic of each token before and after the draw
first, last : range of documents to draw for, or of tokens to move
low, high : range of the words whose counts this call owns
inverse : float32 (2, K), 1 / (n_k + Σ_w β_kw), and the same without one token
prior : float64 (1, K) or (D, K), α, of all documents or of each
beta : float32, or float32 (V,), or (V, B) with ones behind the last topic: β, β_w or β_kw
key : uint64, names the stream of random numbers; token t takes number t of it
count, factor, sums, place, mass : room to work in, as ``room`` makes it for all
"""

import math

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

IN_FLIGHT = 4
_ONE = np.float32(1)
_NOTHING = np.float32(0)


def zeros(*shape, kind=np.float32):
    """Return zeros that start with a line of the cache, and so do their rows."""
    n = math.prod(shape)
    wide = np.zeros(n + LANES, kind)
    first = -wide.__array_interface__["data"][0] % 64 // wide.itemsize
    return wide[first : first + n].reshape(shape)


def room(width, counted=np.float32):
    """Return ``count, factor, sums, place, mass`` for tables of this width.

    counted : type of the counts; float64 where a float32 would stop at 2**24
    """
    return (
        zeros(IN_FLIGHT, width, kind=counted),  # n_dk
        # (n_dk + α_k) / (n_k + Vβ), and 0 behind the last topic
        zeros(IN_FLIGHT, width + LANES),
        zeros(IN_FLIGHT, width + LANES),  # as simd leaves them
        np.zeros((IN_FLIGHT, 3), np.int64),  # next token, last token, row of the prior
        np.zeros(IN_FLIGHT, np.float32),  # sum of factor
    )


@compiled_bare
def scatter(x):
    """Return 64 bits that look random, of a number (the finalizer of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled_bare
def uniform(key, t):
    """Return number ``t`` of the stream ``key``: float32, in [0, 1)."""
    bits = scatter(key + np.uint64(t) * np.uint64(0x9E3779B97F4A7C15))
    return np.float32(bits >> np.uint64(40)) * np.float32(2.0**-24)


@compiled_bare
def load(starts, topics, d, prior, inverse, g, count, factor, place):
    """Put document d in place g: n_dk in ``count``, (n_dk + α_k) / (n_k + Vβ) in ``factor``."""
    K = prior.shape[1]
    row = d if prior.shape[0] > 1 else 0
    for k in range(K):
        count[g, k] = 0
    for t in range(starts[d], starts[d + 1]):
        count[g, topics[t]] += _ONE
    for k in range(K):
        factor[g, k] = (count[g, k] + np.float32(prior[row, k])) * inverse[0, k]
    place[g, 0], place[g, 1], place[g, 2] = starts[d], starts[d + 1], row


@compiled_simd
def draw_rows(
    words,
    starts,
    topics,
    fresh,
    first,
    last,
    table,
    own_count,
    inverse,
    prior,
    beta,
    key,
    count,
    factor,
    sums,
    place,
    mass,
):
    """Draw a fresh topic for each token of some documents, p(k) ∝ factor_k (n_wk + β).

    own_count : float32, what a token counts in ``table``: 1, or 0 if it is of other tokens
    """
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
                    load(starts, topics, d, prior, inverse, g, count, factor, place)
                    d += 1
                    in_flight = True
                continue
            in_flight = True
            place[g, 0] = t + 1
            row = place[g, 2]
            own = np.int64(topics[t])
            n = count[g, own] - _ONE
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
            )
            k = pick(sums, np.int64(g), n_blocks, uniform(key, t), _NOTHING)
            if k < 0 or k >= K:
                k = own
            fresh[t] = k
            factor[g, own] = own_factor
            count[g, own] = n
            count[g, k] += _ONE
            factor[g, k] = (count[g, k] + np.float32(prior[row, k])) * inverse[0, k]


@compiled_bare
def move_rows(words, topics, fresh, first, last, low, high, table):
    """Move the counts of some words from ``topics`` to ``fresh``."""
    for t in range(first, last):
        w = words[t]
        if low <= w < high and topics[t] != fresh[t]:
            table[w, topics[t]] -= _ONE
            table[w, fresh[t]] += _ONE


@compiled_simd
def share_rows(
    words,
    starts,
    topics,
    low,
    high,
    table,
    inverse,
    prior,
    beta,
    shares,
    count,
    factor,
    sums,
    place,
    mass,
):
    """Add to ``shares[w, k]`` the probabilities of topic k of all tokens of some words.

    The topics of a token's document stand still, without its own.
    """
    for d in range(starts.shape[0] - 1):
        load(starts, topics, d, prior, inverse, 0, count, factor, place)
        t, last, row = place[0, 0], place[0, 1], place[0, 2]
        while t < last:
            w, own = words[t], np.int64(topics[t])
            alike = 1  # tokens of the same word and topic, which stand together
            t += 1
            while t < last and words[t] == w and topics[t] == own:
                alike += 1
                t += 1
            if not low <= w < high:
                continue
            n = count[0, own] - _ONE
            own_factor = np.float32((n + np.float32(prior[row, own])) * inverse[1, own])
            total = weigh_row(
                table,
                np.int64(w),
                factor,
                0,
                sums,
                own,
                own_factor,
                _NOTHING,
                beta,
            )
            if total == 0:  # all weights too small for a float32
                shares[w, own] += np.float32(alike)
                continue
            scale = np.float32(alike) / total
            for j in range(LANES):
                shares[w, j] += sums[0, j] * scale
            for j in range(LANES, table.shape[1]):
                shares[w, j] += (sums[0, j] - sums[0, j - LANES]) * scale


@compiled_simd
def draw_lists(
    words,
    starts,
    topics,
    fresh,
    first,
    last,
    begins,
    lengths,
    listed,
    counts,
    nothing,
    inverse,
    prior,
    beta,
    key,
    count,
    factor,
    sums,
    place,
    mass,
):
    """Draw as ``draw_rows`` does: either from ``factor_k n_wk`` or from ``factor_k β_w``.

    begins, lengths : int64 (V + 1,), int32 (V,), where a word's list is
    listed, counts : int32, float32, its topics and counts; then width and 0
    nothing : float32 (1, B), zeros
    """
    K = prior.shape[1]
    n_blocks = np.int64(nothing.shape[1] // LANES)
    other_key = scatter(key)
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
                    load(starts, topics, d, prior, inverse, g, count, factor, place)
                    d += 1
                    in_flight = True
                    total = _NOTHING
                    for k in range(K):
                        total += factor[g, k]
                    mass[g] = total
                continue
            in_flight = True
            place[g, 0] = t + 1
            row = place[g, 2]
            w, own = words[t], np.int64(topics[t])
            n = count[g, own] - _ONE
            own_factor = (n + np.float32(prior[row, own])) * inverse[1, own]
            total = mass[g] - factor[g, own] + own_factor
            begin = begins[w]
            weigh_list(
                listed,
                counts,
                begin,
                np.int64((lengths[w] + LANES - 1) // LANES),
                factor,
                np.int64(g),
                sums,
                own,
                own_factor,
            )
            slot = pick(
                sums,
                np.int64(g),
                np.int64((lengths[w] + LANES - 1) // LANES),
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
                    _NOTHING,
                    _ONE,
                )
                k = pick(sums, np.int64(g), n_blocks, uniform(other_key, t), _NOTHING)
            else:
                k = np.int64(listed[begin + slot])
            if k < 0 or k >= K:
                k = own
            fresh[t] = k
            factor[g, own] = own_factor
            count[g, own] = n
            count[g, k] += _ONE
            before = factor[g, k]
            factor[g, k] = (count[g, k] + np.float32(prior[row, k])) * inverse[0, k]
            mass[g] = total - before + factor[g, k]


@compiled_bare
def move_lists(
    words,
    topics,
    fresh,
    first,
    last,
    low,
    high,
    begins,
    lengths,
    listed,
    counts,
    nobody,
):
    """Move the counts of some words; a topic that a word has no more leaves its list.

    nobody : int, fills the list behind its end
    """
    for t in range(first, last):
        w = words[t]
        if low <= w < high and topics[t] != fresh[t]:
            begin, length = begins[w], lengths[w]
            slot = begin
            while listed[slot] != topics[t]:
                slot += 1
            counts[slot] -= _ONE
            if counts[slot] == 0:
                length -= 1
                end = begin + length
                listed[slot], counts[slot] = listed[end], counts[end]
                listed[end], counts[end] = nobody, 0
            lengths[w] = length
            add_to_list(w, fresh[t], begins, lengths, listed, counts)


@compiled_bare
def relax(shares, others, table, low, high, beta):
    """Take a long step from the counts in ``table`` to ``shares``; empty ``shares``.

    With s of shares and n of table without ``others``, (V, K) or empty: n ← s (s + β) / (n + β),
    at most 4 s, scaled to as many tokens of a word as before; twice the step of n ← s, in
    logarithms. Then the others are added again.
    """
    K = others.shape[1]
    for w in range(low, high):
        total, stepped = np.float64(0), np.float64(0)  # not float32, as plain Python
        for k in range(table.shape[1]):
            share = shares[w, k]
            beside = others[w, k] if k < K else _NOTHING
            prior = number_or_cell(beta, w, k)
            table[w, k] = share * min(
                (share + prior) / (max(table[w, k] - beside, _NOTHING) + prior),
                np.float32(4),
            )
            total += share
            stepped += table[w, k]
            shares[w, k] = 0
        scale = np.float32(total / stepped) if stepped > 0 else _ONE
        for k in range(table.shape[1]):
            beside = others[w, k] if k < K else _NOTHING
            table[w, k] = table[w, k] * scale + beside


@compiled_bare
def add_to_list(w, k, begins, lengths, listed, counts):
    """Count one more token of word w in topic k."""
    begin = begins[w]
    end = begin + lengths[w]
    slot = begin
    while slot < end and listed[slot] != k:
        slot += 1
    if slot == end:
        listed[slot] = k
        lengths[w] += 1
    counts[slot] += _ONE


@compiled_bare
def fill_lists(words, topics, begins, lengths, listed, counts):
    """Count all tokens."""
    for t in range(words.shape[0]):
        add_to_list(words[t], topics[t], begins, lengths, listed, counts)


@compiled_bare
def lists_to_rows(begins, lengths, listed, counts, table):
    """Write the lists into a table of zeros."""
    for w in range(table.shape[0]):
        for slot in range(begins[w], begins[w] + lengths[w]):
            table[w, listed[slot]] = counts[slot]


@compiled_bare
def fill_rows(words, topics, table):
    """Count all tokens."""
    for t in range(words.shape[0]):
        table[words[t], topics[t]] += _ONE


@compiled_bare
def count_each(values, total):
    """Add to ``total[v]`` how often v occurs; without a copy of the values."""
    for t in range(values.shape[0]):
        total[values[t]] += 1


@compiled_bare
def spell_out(counts, indices, words):
    """Write each index as often as it is counted."""
    t = 0
    for i in range(indices.shape[0]):
        for _ in range(counts[i]):
            words[t] = indices[i]
            t += 1
