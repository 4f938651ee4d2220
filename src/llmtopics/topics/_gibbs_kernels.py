"""Compiled inner loops of collapsed Gibbs sampling and of folding in.

Arrays, scalars and a generator come in; arrays are changed in place or returned. No
estimator, SciPy object or global random state reaches this file, so every function
gives the same numbers when run as plain Python.

D documents, T tokens, K topics, V words.
"""

import numpy as np

from llmtopics._compiled.compile import compiled
from llmtopics._compiled.simd import number_or_cell


@compiled
def draw(cumulative, u):
    """Return the slot that ``u`` in [0, 1) hits when slots end at ``cumulative``."""
    low, high = 0, cumulative.shape[0] - 1  # rounding may put it on the last slot's end
    target = u * cumulative[high]
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] <= target:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def sweep(
    words,
    starts,
    topics,
    word_topic,
    topic_total,
    doc_prior,
    word_prior,
    prior_total,
    rng,
):
    """Redraw the topic of every token once, in place, given all the others.

    Parameters
    ----------
    words, topics : int32, uint16 or int32 (T,)
        Word and topic of each token, document by document; ``topics`` is changed.
    starts : int64 (D + 1,)
        Document d owns the tokens ``starts[d]:starts[d + 1]``.
    word_topic, topic_total : int32 or float64 (V, K), float64 (K,)
        Counts of ``topics``; changed with it.
    doc_prior : float64 (1, K) or (D, K)
        Dirichlet prior of each document's mixture, or the one they share. Written α.
    word_prior : float, or float64 (V,), or (V, K)
        Dirichlet prior of the words of a topic. Written β.
    prior_total : float64 (K,)
        Sum of the prior over the words, Σ_w β_kw.
    rng : numpy.random.Generator
        One draw a token.
    """
    K = word_topic.shape[1]
    count = np.empty(K, np.int64)  # n_dk
    factor = np.empty(K)  # (n_dk + α_dk) / (n_k + Σ_w β_kw)
    cumulative = np.empty(K)
    for d in range(starts.shape[0] - 1):
        alpha = doc_prior[d if doc_prior.shape[0] > 1 else 0]
        count[:] = 0
        for t in range(starts[d], starts[d + 1]):
            count[topics[t]] += 1
        for j in range(K):
            factor[j] = (count[j] + alpha[j]) / (topic_total[j] + prior_total[j])

        for t in range(starts[d], starts[d + 1]):
            w, k = words[t], topics[t]
            word_topic[w, k] -= 1
            topic_total[k] -= 1
            count[k] -= 1  # apart from α, which may be far below 1's last digit
            factor[k] = (count[k] + alpha[k]) / (topic_total[k] + prior_total[k])

            # p(z = k | all other z) ∝ (n_dk + α_dk)(n_kw + β_kw) / (n_k + Σ_w β_kw)
            total = 0.0
            for j in range(K):
                prior = number_or_cell(word_prior, w, j)
                total += factor[j] * (word_topic[w, j] + prior)
                cumulative[j] = total

            k = draw(cumulative, rng.random())
            topics[t] = k
            word_topic[w, k] += 1
            topic_total[k] += 1
            count[k] += 1
            factor[k] = (count[k] + alpha[k]) / (topic_total[k] + prior_total[k])


@compiled
def fold_in(
    data, indices, starts, components, doc_prior, max_iter, tol, first, last, mixtures
):
    """Find the topic mixtures of some documents, topics held fixed.

    Deterministic, and each row depends on its own document alone.

    Parameters
    ----------
    data, indices, starts : int32, int32, int64 arrays of a CSR matrix of shape (D, V)
    components : float64 (V, K)
        φ, transposed: columns sum to one.
    doc_prior : float64 (1, K) or (D, K)
        α.
    max_iter : int
        Passes over a document at most.
    tol : float
        Stop when no topic's share of the document moves by more than this in a pass.
    first, last : int
        Range of documents.
    mixtures : float64 (D, K)
        Written; rows sum to one.

    Returns
    -------
    shares : float64 (longest document's words, K)
        γ of the last document: how the topics share a token of each of its words.
    """
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
        for it in range(max_iter):
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
                if it == 0:
                    length += count
            moved = 0.0
            for k in range(K):
                expected[k] = max(expected[k], prior[k])  # rounding
                moved = max(moved, abs(expected[k] - before[k]))
            if moved <= tol * length:
                break
        total = 0.0
        for k in range(K):
            total += expected[k]
        for k in range(K):
            mixtures[d, k] = expected[k] / total
    return shares
