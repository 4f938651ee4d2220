"""Compiled left-to-right estimate of a document's probability.

Arguments and results are arrays. As plain Python every function gives the same numbers.
"""

import numpy as np

from llmtopics._compiled.compile import compiled


@compiled
def left_to_right(words, word_topic, prior, n_particles, rng):
    """Return an estimate of log p(words) of one document.

    Parameters
    ----------
    words : int32 (N,)
        The document's tokens, as columns of φ.
    word_topic : float64 (V, K)
        φ, transposed: columns sum to one.
    prior : float64 (K,)
        α.
    n_particles : int
        R, number of samples of the topics of the tokens so far.
    rng : numpy.random.Generator

    Returns
    -------
    log_likelihood : float
        In nats, of the tokens in this order.
    """
    K, N, R = prior.shape[0], words.shape[0], n_particles
    topics = np.empty((R, N), np.int64)
    counts = np.zeros((R, K), np.int64)
    cumulative, probability = np.empty(K), np.empty(R)
    total_prior, log_likelihood = add_up(prior), 0.0
    for n in range(N):
        for r in range(R):
            for i in range(n):  # move: redraw the topics of the tokens before n
                counts[r, topics[r, i]] -= 1
                topics[r, i] = draw_topic(
                    word_topic[words[i]], counts[r], prior, cumulative, rng.random()
                )
                counts[r, topics[r, i]] += 1
            probability[r] = 0.0  # p(w_n | topics of the tokens before n)
            for k in range(K):
                probability[r] += word_topic[words[n], k] * (counts[r, k] + prior[k])
            probability[r] /= n + total_prior
        log_likelihood += np.log(add_up(probability) / R)
        parents = resample(probability, rng.random())
        topics, counts = topics[parents], counts[parents]
        for r in range(R):
            topics[r, n] = draw_topic(
                word_topic[words[n]], counts[r], prior, cumulative, rng.random()
            )
            counts[r, topics[r, n]] += 1
    return log_likelihood


@compiled
def add_up(values):
    """Return the sum, added in order; NumPy adds in another order than numba."""
    total = 0.0
    for value in values:
        total += value
    return total


@compiled
def draw_topic(word, count, prior, cumulative, u):
    """Draw a topic ∝ φ_kw (n_k + α_k); ``cumulative`` (K,) is overwritten."""
    total = 0.0
    for k in range(prior.shape[0]):
        total += word[k] * (count[k] + prior[k])
        cumulative[k] = total
    return min(np.searchsorted(cumulative, u * total, side="right"), prior.shape[0] - 1)


@compiled
def resample(weights, u):
    """Return R indices in proportion to R weights, by systematic sampling from one u."""
    R = weights.shape[0]
    parents = np.empty(R, np.int64)
    step, reached, i = add_up(weights) / R, weights[0], 0
    for r in range(R):
        while reached <= (r + u) * step and i < R - 1:
            i += 1
            reached += weights[i]
        parents[r] = i
    return parents
