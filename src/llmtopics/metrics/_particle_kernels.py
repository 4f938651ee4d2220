"""Compiled left-to-right estimate of a document's probability.

Arrays come in and go out; as plain Python every function gives the same numbers.
"""

import numpy as np

from llmtopics._compile import compiled


@compiled
def left_to_right(words, word_topic, prior, n_particles, rng):
    """Return log p(words) of one document by Wallach's left-to-right algorithm.

    Parameters
    ----------
    words : int32 (N,)
        The document's tokens, as columns of φ.
    word_topic : float64 (V, K)
        φ, transposed: columns sum to one.
    prior : float64 (K,)
        α.
    n_particles : int
        R, copies of the document's topics that are sampled side by side.
    rng : numpy.random.Generator

    Returns
    -------
    log_likelihood : float
        In nats, of the tokens in this order.
    """
    K, N = prior.shape[0], words.shape[0]
    probability = np.zeros(N)  # p(w_n | w_<n), summed over the particles
    topics = np.empty(N, np.int64)
    cumulative = np.empty(K)
    for _ in range(n_particles):
        weight = prior.copy()  # n_k of the tokens so far, + α_k
        for n in range(N):
            for i in range(n):  # redraw the topics of the tokens before n
                weight[topics[i]] -= 1.0
                total = 0.0
                for k in range(K):
                    total += word_topic[words[i], k] * weight[k]
                    cumulative[k] = total
                topics[i] = min(
                    np.searchsorted(cumulative, rng.random() * total, side="right"),
                    K - 1,
                )
                weight[topics[i]] += 1.0
            total = 0.0
            for k in range(K):
                total += word_topic[words[n], k] * weight[k]
                cumulative[k] = total
            probability[n] += total / weight.sum()
            topics[n] = min(
                np.searchsorted(cumulative, rng.random() * total, side="right"), K - 1
            )
            weight[topics[n]] += 1.0
    return np.log(probability / n_particles).sum()
