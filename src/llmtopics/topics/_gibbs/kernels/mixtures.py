"""Topic proportions of documents, given fixed topics; deterministic.

Arguments with the same name mean the same in both loops.

counts : CSRCounts
components : float64 (V, K), φ, transposed: columns sum to one
stop : StopRule
first, last : range of documents
"""

from typing import NamedTuple

import numpy as np

from llmtopics._compiled.compile import compiled


class CSRCounts(NamedTuple):
    """Counts of words in documents, a CSR matrix of shape (D, V).

    data, indices, starts : int32, int32, int64
    """

    data: np.ndarray
    indices: np.ndarray
    starts: np.ndarray


class StopRule(NamedTuple):
    """When to stop.

    max_iter : passes over a document at most
    tol : stop when a pass moves no share of the document, of a topic or of a super-topic, by
        more than this
    """

    max_iter: int
    tol: float


@compiled
def infer(counts, components, doc_prior, stop, first, last, mixtures):
    """Find the topic proportions of some documents.

    doc_prior : float64 (1, K) or (D, K), α
    mixtures : float64 (D, K), written; rows sum to one

    Returns γ of the last document, float64 (longest document's words, K): how the topics
    share a token of each of its words.
    """
    data, indices, starts = counts
    K = components.shape[1]
    longest = 0
    for d in range(first, last):
        longest = max(longest, starts[d + 1] - starts[d])
    shares = np.empty((longest, K))  # γ
    share, expected, before = np.empty(K), np.empty(K), np.empty(K)
    for d in range(first, last):
        prior = doc_prior[d if doc_prior.shape[0] > 1 else 0]
        begin, n_words = starts[d], starts[d + 1] - starts[d]
        length = 0.0
        for i in range(n_words):
            for k in range(K):
                shares[i, k] = 0.0
        for k in range(K):
            expected[k] = prior[k]  # E[n_dk] + α_k
        for i in range(n_words):
            length += data[begin + i]
        for _ in range(stop.max_iter):
            for k in range(K):
                before[k] = expected[k]
            for i in range(n_words):
                total = 0.0
                for k in range(K):
                    # γ_k ∝ φ_kw (E[n_dk] without this token + α_k)
                    others = max(expected[k] - shares[i, k], prior[k])
                    share[k] = components[indices[begin + i], k] * others
                    total += share[k]
                count = data[begin + i]
                for k in range(K):
                    fresh = share[k] / total
                    expected[k] += count * (fresh - shares[i, k])
                    shares[i, k] = fresh
            moved = 0.0
            for k in range(K):
                expected[k] = max(expected[k], prior[k])  # against rounding errors
                moved = max(moved, abs(expected[k] - before[k]))
            if moved <= stop.tol * length:
                break
        total = 0.0
        for k in range(K):
            total += expected[k]
        for k in range(K):
            mixtures[d, k] = expected[k] / total
    return shares


@compiled
def infer_paths(
    counts, components, root, below, stop, first, last, mixtures, of_supers
):
    """Find the proportions of sub- and super-topics of some documents.

    root, below : float64 (S,), (S, K), α_s, α_st
    mixtures, of_supers : float64 (D, K), (D, S), written; rows sum to one

    Returns γ of the sub-topics for the last document, as ``infer`` does, and ν, the same
    of the super-topics, of shape (words, S).
    """
    data, indices, starts = counts
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
    super_before = np.empty(S)
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
        super_before[:] = 0
        for _ in range(stop.max_iter):
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
                    expected[s, k] = max(expected[s, k], 0.0)  # against rounding errors
                    total += expected[s, k]
                for s in range(S):
                    parting[s, k] = expected[s, k] / total if total > 0 else 1.0 / S
                moved = max(moved, abs(total - before[k]))
                before[k] = total
            for s in range(S):
                moved = max(moved, abs(of_super[s] - super_before[s]))
                super_before[s] = of_super[s]
            if moved <= stop.tol * length:
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
    return gamma, nu
