"""Compiled inner loops of Pachinko allocation: draws of paths, and folding in.

A token's path is a super-topic s and a sub-topic t,
``p(s, t) ∝ A_s (n_dst + α_st) (n_tw + β)/(n_t + Vβ)`` with
``A_s = (n_ds + α_s)/(n_ds + Σ_t α_st)``, all without the token. Given t, the super-topic
depends on no word, so t is drawn first, under ``G_t = Σ_s A_s (n_dst + α_st)``, and then
s. G is kept up to date: a token that moves changes two A_s.

D documents, T tokens, S super-topics, K sub-topics, V words. Arguments that functions
share, beside those of ``_block_kernels``:

supers : uint16 or int32 (T,), super-topic of each token; changed
root : float32 (S,), α_s
below : float32 (S, B), α_st, zeros from K on
beneath : float32 (S,), Σ_t α_st
in_super, count, weight, share, mass : the document in work; n_ds, n_dst, n_dst + α_st, A_s, G_t
"""

import numpy as np

from llmtopics._compiled.compile import compiled, compiled_bare
from llmtopics._compiled.simd import LANES, compiled_simd, pick, weigh_row
from llmtopics.topics._block_kernels import scatter, uniform, zeros

_ONE = np.float32(1)
_NOTHING = np.float32(0)
_FRESH = 256  # changes after which G is summed anew, so that rounding does not grow


def room(n_super, width):
    """Return ``in_super, count, weight, share, mass, factor, sums, ends``."""
    return (
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
    """Write G, the sum of ``share_s weight_st``."""
    for t in range(mass.shape[0]):
        mass[t] = share[0] * weight[0, t]
    for s in range(1, share.shape[0]):
        for t in range(mass.shape[0]):
            mass[t] += share[s] * weight[s, t]


@compiled_bare
def load_paths(
    starts,
    topics,
    supers,
    d,
    root,
    below,
    beneath,
    in_super,
    count,
    weight,
    share,
    mass,
):
    """Count the paths of document d."""
    S, B = below.shape
    for s in range(S):
        in_super[s] = 0
        for t in range(B):
            count[s, t] = 0
    for i in range(starts[d], starts[d + 1]):
        in_super[supers[i]] += _ONE
        count[supers[i], topics[i]] += _ONE
    for s in range(S):
        share[s] = (in_super[s] + root[s]) / (in_super[s] + beneath[s])
        for t in range(B):
            weight[s, t] = count[s, t] + below[s, t]
    add_up(share, weight, mass)


@compiled_simd
def weigh_topics(
    w,
    own,
    above,
    table,
    own_count,
    inverse,
    root,
    below,
    beneath,
    beta,
    in_super,
    count,
    weight,
    share,
    mass,
    factor,
    sums,
):
    """Sum the weights of the sub-topics of a token of path (above, own), itself left out.

    Returns A_s and n_dst + α_st of its path without it, and the sum of all.
    """
    S, K = below.shape[0], inverse.shape[1]  # factor stays 0 behind the last topic
    n = in_super[above] - _ONE
    less = (n + root[above]) / (n + beneath[above])
    cell = count[above, own] - _ONE + below[above, own]
    if n > 0:
        change = less - share[above]
        for t in range(K):
            factor[0, t] = (mass[t] + change * weight[above, t]) * inverse[0, t]
    else:  # a difference of sums would have no digits left where α_s is small
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
        table,
        np.int64(w),
        factor,
        np.int64(0),
        sums,
        np.int64(own),
        total * inverse[1, own],
        own_count,
        beta,
    )
    return less, cell, everything


@compiled_simd
def draw_paths(
    words,
    starts,
    topics,
    supers,
    fresh,
    first,
    last,
    table,
    totals,
    inverse,
    root,
    below,
    beneath,
    beta,
    key,
    in_super,
    count,
    weight,
    share,
    mass,
    factor,
    sums,
    ends,
):
    """Draw a fresh path for each token of some documents.

    totals : float64 (K,), n_k: counts of words follow every draw, and ``fresh`` is
        ``topics``; or (0,): they stand still
    """
    S = below.shape[0]
    K = inverse.shape[1]
    n_blocks = np.int64(table.shape[1] // LANES)
    live = totals.shape[0] > 0
    v_beta = 0.0
    if live:
        v_beta = np.float64(beta) * table.shape[0]
    other_key = scatter(key)
    for d in range(first, last):
        load_paths(
            starts,
            topics,
            supers,
            d,
            root,
            below,
            beneath,
            in_super,
            count,
            weight,
            share,
            mass,
        )
        n_changes = 0
        for i in range(starts[d], starts[d + 1]):
            w, own, above = words[i], np.int64(topics[i]), np.int64(supers[i])
            less, cell, _ = weigh_topics(
                w,
                own,
                above,
                table,
                _ONE,
                inverse,
                root,
                below,
                beneath,
                beta,
                in_super,
                count,
                weight,
                share,
                mass,
                factor,
                sums,
            )
            k = pick(sums, np.int64(0), n_blocks, uniform(key, i), _NOTHING)
            if k < 0 or k >= K:
                k = own
            total = _NOTHING
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
            in_super[above] -= _ONE
            in_super[over] += _ONE
            count[above, own] -= _ONE
            count[over, k] += _ONE
            weight[above, own] = cell
            weight[over, k] = count[over, k] + below[over, k]
            if over != above:
                more = (in_super[over] + root[over]) / (in_super[over] + beneath[over])
                lost, won = less - share[above], more - share[over]
                share[above], share[over] = less, more
                n_changes += 1
                # a super-topic left or entered alone: as in weigh_topics
                alone = in_super[above] == 0 or in_super[over] == 1
                if alone or n_changes % _FRESH == 0:
                    add_up(share, weight, mass)
                else:
                    for t in range(mass.shape[0]):
                        mass[t] += lost * weight[above, t] + won * weight[over, t]
            here, there = _NOTHING, _NOTHING
            for s in range(S):
                here += share[s] * weight[s, own]
                there += share[s] * weight[s, k]
            mass[own], mass[k] = here, there
            if live and k != own:
                table[w, own] -= _ONE
                table[w, k] += _ONE
                for moved, step in ((own, -1.0), (k, 1.0)):
                    totals[moved] += step
                    inverse[0, moved] = 1 / (totals[moved] + v_beta)
                    inverse[1, moved] = 1 / (max(totals[moved] - 1, 0.0) + v_beta)


@compiled_simd
def share_paths(
    words,
    starts,
    topics,
    supers,
    low,
    high,
    table,
    inverse,
    root,
    below,
    beneath,
    beta,
    shares,
    in_super,
    count,
    weight,
    share,
    mass,
    factor,
    sums,
    ends,
):
    """Add to ``shares[w, k]`` the probabilities of topic k of all tokens of some words.

    The paths of a token's document stand still, without its own.
    """
    for d in range(starts.shape[0] - 1):
        load_paths(
            starts,
            topics,
            supers,
            d,
            root,
            below,
            beneath,
            in_super,
            count,
            weight,
            share,
            mass,
        )
        for i in range(starts[d], starts[d + 1]):
            w, own = words[i], np.int64(topics[i])
            if not low <= w < high:
                continue
            _, _, total = weigh_topics(
                w,
                own,
                np.int64(supers[i]),
                table,
                _NOTHING,
                inverse,
                root,
                below,
                beneath,
                beta,
                in_super,
                count,
                weight,
                share,
                mass,
                factor,
                sums,
            )
            if total == 0:  # all weights too small for a float32
                shares[w, own] += _ONE
                continue
            scale = _ONE / total
            for j in range(LANES):
                shares[w, j] += sums[0, j] * scale
            for j in range(LANES, table.shape[1]):
                shares[w, j] += (sums[0, j] - sums[0, j - LANES]) * scale


@compiled
def fold_in_paths(
    data,
    indices,
    starts,
    components,
    root,
    below,
    max_iter,
    tol,
    first,
    last,
    mixtures,
    of_supers,
):
    """Find the mixtures of some documents, sub- and super-topics held fixed.

    Deterministic, and each row depends on its own document alone.

    Parameters
    ----------
    data, indices, starts : int32, int32, int64 arrays of a CSR matrix of shape (D, V)
    components : float64 (V, K)
        φ, transposed: columns sum to one.
    root, below : float64 (S,), (S, K)
        α_s, α_st.
    max_iter : int
        Passes over a document at most.
    tol : float
        Stop when no topic's share of the document moves by more than this in a pass.
    first, last : int
        Range of documents.
    mixtures, of_supers : float64 (D, K), (D, S)
        Written; rows sum to one.

    Returns
    -------
    gamma : float64 (longest document's words, K)
        How the sub-topics share a token of each word of the last document.
    """
    S, K = below.shape
    longest = 0
    for d in range(first, last):
        longest = max(longest, starts[d + 1] - starts[d])
    gamma = np.empty((longest, K))  # how the sub-topics share a token of a word
    nu = np.empty((longest, S))  # how the super-topics do
    expected = np.empty((S, K))  # E[n_dst]
    of_super = np.empty(S)  # E[n_ds]
    parting = np.empty((S, K))  # how the super-topics share a sub-topic's tokens
    path, mass, fresh, before = (
        np.empty((S, K)),
        np.empty(K),
        np.empty(K),
        np.empty(K),
    )
    beneath = np.empty(S)
    for s in range(S):
        beneath[s] = 0
        for k in range(K):
            beneath[s] += below[s, k]
    for d in range(first, last):
        begin, n_words = starts[d], starts[d + 1] - starts[d]
        expected[:] = 0
        of_super[:] = 0
        parting[:] = 0
        gamma[:n_words] = 0
        nu[:n_words] = 0
        fresh_total = 0.0
        length = 0.0
        for i in range(n_words):
            length += data[begin + i]
        before[:] = 0
        for _ in range(max_iter):
            for i in range(n_words):
                count, w = data[begin + i], indices[begin + i]
                for k in range(K):
                    mass[k] = 0
                for s in range(S):
                    n = max(of_super[s] - nu[i, s], 0.0)
                    share = (n + root[s]) / (n + beneath[s])
                    for k in range(K):
                        path[s, k] = share * (
                            max(expected[s, k] - gamma[i, k] * parting[s, k], 0.0)
                            + below[s, k]
                        )
                        mass[k] += path[s, k]
                fresh_total = 0.0
                for k in range(K):
                    fresh[k] = components[w, k] * mass[k]
                    fresh_total += fresh[k]
                for k in range(K):
                    fresh[k] /= fresh_total
                    mass[k] = fresh[k] / mass[k]
                for s in range(S):
                    total = 0.0
                    for k in range(K):
                        now = mass[k] * path[s, k]
                        total += now
                        expected[s, k] += count * (now - gamma[i, k] * parting[s, k])
                    of_super[s] += count * (total - nu[i, s])
                    nu[i, s] = total
                for k in range(K):
                    gamma[i, k] = fresh[k]
            moved = 0.0
            for k in range(K):
                total = 0.0
                for s in range(S):
                    expected[s, k] = max(expected[s, k], 0.0)  # rounding
                    total += expected[s, k]
                for s in range(S):
                    parting[s, k] = expected[s, k] / total if total > 0 else 1.0 / S
                moved = max(moved, abs(total - before[k]))
                before[k] = total
            if moved <= tol * length:
                break
        total = 0.0
        for k in range(K):
            mass[k] = 0
        for s in range(S):
            n = max(of_super[s], 0.0)
            of_supers[d, s] = n + root[s]
            total += of_supers[d, s]
            share = of_supers[d, s] / (n + beneath[s])
            for k in range(K):
                mass[k] += share * (expected[s, k] + below[s, k])
        for s in range(S):
            of_supers[d, s] /= total
        total = 0.0
        for k in range(K):
            total += mass[k]
        for k in range(K):
            mixtures[d, k] = mass[k] / total
    return gamma
