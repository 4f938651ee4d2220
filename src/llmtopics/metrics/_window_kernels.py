"""Compiled counting of words that share a sliding window.

Arguments and results are arrays. As plain Python every function gives the same numbers.
"""

import numpy as np

from llmtopics._compiled.compile import compiled


@compiled
def count_windows(words, starts, n_words, size, forget):
    """Count the windows that each pair of words shares.

    A document of N tokens has ``max(1, N - size + 1)`` windows of ``size`` neighboring tokens.
    A document without tokens has none.

    Parameters
    ----------
    words : int32 (T,)
        Tokens, document by document; -1 for words that are not counted.
    starts : int64 (D + 1,)
        Document d owns the tokens ``starts[d]:starts[d + 1]``.
    n_words : int
        Number of words that are counted, W.
    size : int
    forget : bool
        Whether a word is lost when its first token leaves the window, even if the window has
        the word again, as in gensim 4.

    Returns
    -------
    together : int64 (W, W)
        Number of windows with both words; on the diagonal, of windows with the word.
    n_windows : int
    """
    together = np.zeros((n_words, n_words), np.int64)
    inside = np.zeros(n_words, np.int64)  # tokens of each word in the window
    present = np.empty(n_words, np.int64)  # the words in the window, unordered
    place = np.empty(n_words, np.int64)  # position of each word in `present`
    n_windows = 0
    for d in range(starts.shape[0] - 1):
        first, end = starts[d], starts[d + 1]
        if first == end:
            continue
        inside[:] = 0
        n_present = 0
        run = 0  # windows since the set of words last changed
        for t in range(first, end):
            # the window that ends at t: a token leaves, another enters
            left = words[t - size] if t - size >= first else -1
            entered = words[t]
            if left >= 0 and inside[left] > 0:
                inside[left] = 0 if forget else inside[left] - 1
                if inside[left] == 0:
                    add_pairs(together, present, n_present, run)
                    run = 0
                    n_present -= 1
                    last = present[n_present]
                    present[place[left]] = last
                    place[last] = place[left]
            if entered >= 0:
                if inside[entered] == 0:
                    add_pairs(together, present, n_present, run)
                    run = 0
                    present[n_present] = entered
                    place[entered] = n_present
                    n_present += 1
                inside[entered] += 1
            if t - first + 1 >= size or t == end - 1:
                run += 1
                n_windows += 1
        add_pairs(together, present, n_present, run)
    for i in range(n_words):
        for j in range(i):
            both = together[i, j] + together[j, i]
            together[i, j] = both
            together[j, i] = both
    return together, n_windows


@compiled
def add_pairs(together, present, n_present, run):
    """Add ``run`` windows to every pair of present words, in one order only."""
    if run == 0:
        return
    for i in range(n_present):
        for j in range(i + 1):
            together[present[i], present[j]] += run
