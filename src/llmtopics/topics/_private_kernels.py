"""What each document adds to the noisy sums of :class:`PrivateLDA`, in whole numbers."""

import numpy as np

from llmtopics._compiled.compile import compiled

LIMIT = 2**20  # most that one document adds, as a Euclidean norm over words and topics


@compiled
def add_documents(counts, components, mixtures, sums):
    """Add the expected counts of each document, scaled to norm ``LIMIT``, to ``sums``.

    What a document adds depends on its own row, ``components`` and nothing else. Rounding
    toward zero makes a norm smaller. The norm is checked in whole numbers: a document that
    exceeds it adds nothing.

    counts : CSRCounts
    components : float64 (V, K), φ, transposed
    mixtures : float64 (D, K), θ
    sums : int64 (V, K), changed
    """
    data, indices, starts = counts
    K = components.shape[1]
    share = np.empty(K)
    for d in range(mixtures.shape[0]):
        n_words = starts[d + 1] - starts[d]
        weights = np.empty((n_words, K))
        squares = np.float64(0)
        for i in range(n_words):
            at = starts[d] + i
            total = np.float64(0)
            for k in range(K):
                share[k] = mixtures[d, k] * components[indices[at], k]
                total += share[k]
            for k in range(K):
                weights[i, k] = data[at] * share[k] / total
                squares += weights[i, k] * weights[i, k]
        if not 0 < squares < np.inf:  # no words
            continue
        scale = LIMIT / np.sqrt(squares)
        norm = np.int64(0)
        whole = np.empty((n_words, K), np.int64)
        for i in range(n_words):
            for k in range(K):
                whole[i, k] = min(np.int64(weights[i, k] * scale), LIMIT)
                norm += whole[i, k] * whole[i, k]
        if norm > np.int64(LIMIT) * LIMIT:  # by the last bit: one unit less per entry
            norm = np.int64(0)
            for i in range(n_words):
                for k in range(K):
                    whole[i, k] = max(whole[i, k] - 1, 0)
                    norm += whole[i, k] * whole[i, k]
            if norm > np.int64(LIMIT) * LIMIT:
                continue
        for i in range(n_words):
            for k in range(K):
                sums[indices[starts[d] + i], k] += whole[i, k]
