"""Gibbs sampling of the paths of Pachinko allocation.

The path of a token is a super-topic s and a sub-topic t,
``p(s, t) ∝ A_s (n_dst + α_st) (n_tw + β)/(n_t + Vβ)`` with
``A_s = (n_ds + α_s)/(n_ds + Σ_t α_st)``. All counts leave out the token. Given t, s does not
depend on the word. So t is drawn first, with ``G_t = Σ_s A_s (n_dst + α_st)`` in place of the
factors of s. Then s is drawn. G is kept up to date: a token that moves changes two A_s.

S super-topics, K sub-topics, B: K rounded up to a multiple of 16.
"""

from typing import NamedTuple

import numpy as np

from llmtopics._compiled.compile import compiled_bare
from llmtopics._compiled.simd import LANES, compiled_simd, pick, weigh_row
from llmtopics.topics._gibbs.kernels.common import (
    ONE,
    ZERO,
    hash64,
    row_of_word,
    uniform,
    zeros,
)

_RENEW = 256  # changes after which G is summed again, against rounding errors


class Paths(NamedTuple):
    """Path of each token: sub-topic and super-topic, uint16 or int32 (T,)."""

    topics: np.ndarray
    supers: np.ndarray


class PathLevels(NamedTuple):
    """Dirichlet priors of the two levels of a document.

    root : float32 (S,), α_s
    below : float32 (S, B), α_st, zeros from K on
    beneath : float32 (S,), Σ_t α_st
    """

    root: np.ndarray
    below: np.ndarray
    beneath: np.ndarray


class PathScratch(NamedTuple):
    """Work space for one document; float32.

    in_super, in_path, weight : (S,), (S, B), (S, B), n_ds, n_dst, n_dst + α_st
    share, mass : (S,), (B,), A_s, G_t
    factor, sums : (1, B + 16), weights of the topics, their running sums
    ends : (S,), running sums over super-topics
    """

    in_super: np.ndarray
    in_path: np.ndarray
    weight: np.ndarray
    share: np.ndarray
    mass: np.ndarray
    factor: np.ndarray
    sums: np.ndarray
    ends: np.ndarray


def scratch(n_super, width):
    """Return PathScratch for tables of ``width`` columns."""
    return PathScratch(
        zeros(n_super),
        zeros(n_super, width),
        zeros(n_super, width),
        zeros(n_super),
        zeros(width),
        zeros(1, width + LANES),
        zeros(1, width + LANES),
        zeros(n_super),
    )


@compiled_bare
def add_up(share, weight, mass):
    """Write G_t = Σ_s A_s (n_dst + α_st), the sum of ``share_s weight_st``."""
    for t in range(mass.shape[0]):
        mass[t] = share[0] * weight[0, t]
    for s in range(1, share.shape[0]):
        for t in range(mass.shape[0]):
            mass[t] += share[s] * weight[s, t]


@compiled_bare
def load(tokens, paths, d, priors, scratch):
    """Count the paths of document d."""
    starts, topics, supers = tokens.starts, paths.topics, paths.supers
    root, below, beneath = priors.doc
    in_super, count, weight = scratch.in_super, scratch.in_path, scratch.weight
    share, mass = scratch.share, scratch.mass
    S, B = below.shape
    for s in range(S):
        in_super[s] = 0
        for t in range(B):
            count[s, t] = 0
    for i in range(starts[d], starts[d + 1]):
        in_super[supers[i]] += ONE
        count[supers[i], topics[i]] += ONE
    for s in range(S):
        share[s] = (in_super[s] + root[s]) / (in_super[s] + beneath[s])
        for t in range(B):
            weight[s, t] = count[s, t] + below[s, t]
    add_up(share, weight, mass)


@compiled_simd
def weigh_topics(w, own, above, rows, own_count, priors, scratch):
    """Sum the weights of the sub-topics for a token of path (above, own), left out itself.

    Returns A_s and n_dst + α_st of its path without the token, and the sum of all weights.
    """
    (root, below, beneath), beta, beta_row, inverse = priors
    in_super, count, weight, share, mass, factor, sums, _ = scratch
    S, K = below.shape[0], inverse.shape[1]  # factor stays 0 behind the last topic
    n = in_super[above] - ONE
    less = (n + root[above]) / (n + beneath[above])
    cell = count[above, own] - ONE + below[above, own]
    if n > 0:
        change = less - share[above]
        for t in range(K):
            factor[0, t] = (mass[t] + change * weight[above, t]) * inverse[0, t]
    else:  # with a small α_s, a difference of sums would have no digits left
        kept = share[above]
        share[above] = less
        for t in range(K):
            factor[0, t] = share[0] * weight[0, t]
        for s in range(1, S):
            for t in range(K):
                factor[0, t] += share[s] * weight[s, t]
        for t in range(K):
            factor[0, t] *= inverse[0, t]
        share[above] = kept
    total = less * cell
    for s in range(S):
        if s != above:
            total += share[s] * weight[s, own]
    everything = weigh_row(
        rows.table,
        np.int64(w),
        factor,
        np.int64(0),
        sums,
        np.int64(own),
        total * inverse[1, own],
        own_count,
        beta,
        row_of_word(beta, beta_row, w),
    )
    return less, cell, everything


@compiled_simd
def draw(tokens, paths, fresh, first, last, rows, totals, priors, key, scratch):
    """Draw a new path for each token of some documents; ``paths.supers`` is changed.

    totals : float64 (K,), n_k, to update counts of words after every draw (``fresh`` is then
        ``paths.topics``); of shape (0,) to keep them fixed
    """
    words, starts, table = tokens.words, tokens.starts, rows.table
    topics, supers = paths
    (root, below, beneath), beta, _, inverse = priors
    in_super, count, weight, share, mass, _, sums, ends = scratch
    S = below.shape[0]
    K = inverse.shape[1]
    n_blocks = np.int64(table.shape[1] // LANES)
    live = totals.shape[0] > 0
    v_beta = 0.0
    if live:
        v_beta = np.float64(beta) * table.shape[0]
    other_key = hash64(key)
    for d in range(first, last):
        load(tokens, paths, d, priors, scratch)
        n_changes = 0
        for i in range(starts[d], starts[d + 1]):
            w, own, above = words[i], np.int64(topics[i]), np.int64(supers[i])
            less, cell, _ = weigh_topics(w, own, above, rows, rows.own, priors, scratch)
            k = pick(sums, np.int64(0), n_blocks, uniform(key, i), ZERO)
            if k < 0 or k >= K:
                k = own
            total = ZERO
            for s in range(S):
                if s != above:
                    total += share[s] * weight[s, k]
                elif k == own:
                    total += less * cell
                else:
                    total += less * weight[s, k]
                ends[s] = total
            target = uniform(other_key, i) * total
            over = 0
            for s in range(S - 1):
                over += ends[s] <= target
            fresh[i] = k
            supers[i] = over
            if k == own and over == above:
                continue
            in_super[above] -= ONE
            in_super[over] += ONE
            count[above, own] -= ONE
            count[over, k] += ONE
            weight[above, own] = cell
            weight[over, k] = count[over, k] + below[over, k]
            if over != above:
                more = (in_super[over] + root[over]) / (in_super[over] + beneath[over])
                lost, won = less - share[above], more - share[over]
                share[above], share[over] = less, more
                n_changes += 1
                # a super-topic lost its last token or got its first: see weigh_topics
                alone = in_super[above] == 0 or in_super[over] == 1
                if alone or n_changes % _RENEW == 0:
                    add_up(share, weight, mass)
                else:
                    for t in range(mass.shape[0]):
                        mass[t] += lost * weight[above, t] + won * weight[over, t]
            here, there = ZERO, ZERO
            for s in range(S):
                here += share[s] * weight[s, own]
                there += share[s] * weight[s, k]
            mass[own], mass[k] = here, there
            if live and k != own:
                table[w, own] -= ONE
                table[w, k] += ONE
                for moved, step in ((own, -1.0), (k, 1.0)):
                    totals[moved] += step
                    inverse[0, moved] = 1 / (totals[moved] + v_beta)
                    inverse[1, moved] = 1 / (max(totals[moved] - 1, 0.0) + v_beta)


@compiled_simd
def share(tokens, paths, first, last, low, high, rows, priors, shares, scratch):
    """Add the probability of topic k to ``shares[w, k]`` for each token of some words.

    The paths of the other tokens of a document stay fixed.
    """
    words, starts, table = tokens.words, tokens.starts, rows.table
    topics, supers = paths
    sums = scratch.sums
    for d in range(first, last):
        load(tokens, paths, d, priors, scratch)
        for i in range(starts[d], starts[d + 1]):
            w, own = words[i], np.int64(topics[i])
            if not low <= w < high:
                continue
            _, _, total = weigh_topics(
                w, own, np.int64(supers[i]), rows, ZERO, priors, scratch
            )
            if total == 0:  # all weights too small for a float32
                shares[w, own] += ONE
                continue
            scale = ONE / total
            for j in range(LANES):
                shares[w, j] += sums[0, j] * scale
            for j in range(LANES, table.shape[1]):
                shares[w, j] += (sums[0, j] - sums[0, j - LANES]) * scale
