"""Cut documents and words into pieces, for threads and for a quick reaction to Ctrl-C."""

from itertools import pairwise

import numpy as np

from llmtopics.topics._gibbs.tokens import Tokens, n_of_words

_MOMENT = 2**24  # topics that are computed in a few hundredths of a second


def cut(starts: np.ndarray, first: int, last: int, n: int) -> list[tuple[int, int]]:
    """Cut a range of documents into at most n ranges of about as many tokens."""
    if n == 1:
        return [(first, last)]
    goals = starts[first] + (starts[last] - starts[first]) * np.arange(1, n) / n
    inner = np.searchsorted(starts[first:last], goals) + first
    return _ranges([first, *inner.tolist(), last])


def cut_all(starts: np.ndarray, n_threads: int, weight: int) -> list[tuple[int, int]]:
    """Cut all documents into pieces that take a moment, at least one for each thread.

    Ctrl-C can then stop the work between two pieces. ``weight`` is the cost of a token: about
    the number of topics that are computed for it.
    """
    n = max(n_threads, int(starts[-1]) * weight // _MOMENT)
    return cut(starts, 0, len(starts) - 1, n)


def cut_words(tokens: Tokens, n: int) -> list[tuple[int, int]]:
    """Cut the words into at most n ranges of about as many tokens."""
    if n == 1:
        return [(0, tokens.n_words)]
    ends = np.cumsum(n_of_words(tokens))
    inner = np.searchsorted(ends, ends[-1] * np.arange(1, n) / n, side="right")
    return _ranges([0, *inner.tolist(), tokens.n_words])


def _ranges(cuts: list[int]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in pairwise(cuts) if a < b]
