"""What the loops share: arguments, random numbers and counting.

Arguments with the same name mean the same in all loops. B is K rounded up to a multiple of
16. U is the number of distinct rows of a prior per topic and word.

tokens : Tokens
topics, fresh : uint16 or int32 (T,), topic of each token before and after the draw
first, last : range of documents, or of tokens that are moved
low, high : range of the words whose counts this call owns
key : uint64, key of the stream of random numbers; token t uses number t
"""

import math
from typing import Any, NamedTuple

import numpy as np

from llmtopics._compiled.compile import by_dimensions, compiled_bare
from llmtopics._compiled.simd import LANES

ONE, ZERO = np.float32(1), np.float32(0)


class Priors(NamedTuple):
    """What stays fixed while tokens are drawn in single precision.

    doc : float64 (1, K) or (D, K), α of all documents or of each; of paths: PathLevels
    word : float32, or float32 (V,), or (U, B) with ones from K on: β, β_w or β_kw
    word_row : int32 (V,), row of each word in a ``word`` of shape (U, B); else (0,)
    inverse : float32 (2, K), 1 / (n_k + Σ_w β_kw), and the same without one token
    """

    doc: Any
    word: Any
    word_row: np.ndarray
    inverse: np.ndarray


# the row of a word in β: the arguments are ``Priors.word``, ``Priors.word_row`` and the word
row_of_word = by_dimensions(
    lambda word, word_row, w: np.int64(0),
    lambda word, word_row, w: np.int64(w),
    lambda word, word_row, w: np.int64(word_row[w]),
)


def filled_up(n: int) -> int:
    """Return the least multiple of 16 that is at least n."""
    return -(-n // LANES) * LANES


def zeros(*shape, kind=np.float32):
    """Return zeros; the array and each of its rows start at a cache line."""
    n = math.prod(shape)
    wide = np.zeros(n + LANES, kind)
    first = -wide.__array_interface__["data"][0] % 64 // wide.itemsize
    return wide[first : first + n].reshape(shape)


@compiled_bare
def hash64(x):
    """Return a hash of a 64-bit number (the finalizer of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled_bare
def uniform(key, t):
    """Return number ``t`` of the stream ``key``: float32, in [0, 1)."""
    bits = hash64(key + np.uint64(t) * np.uint64(0x9E3779B97F4A7C15))
    return np.float32(bits >> np.uint64(40)) * np.float32(2.0**-24)


@compiled_bare
def count_pairs(rows, columns, table):
    """Add the number of pairs (i, j) to ``table[i, j]``."""
    for t in range(rows.shape[0]):
        table[rows[t], columns[t]] += ONE


@compiled_bare
def count_each(values, total):
    """Add the number of values v to ``total[v]``, without a copy of the values."""
    for t in range(values.shape[0]):
        total[values[t]] += 1


@compiled_bare
def repeat_each(counts, indices, words):
    """Write each index as often as its count says."""
    t = 0
    for i in range(indices.shape[0]):
        for _ in range(counts[i]):
            words[t] = indices[i]
            t += 1
