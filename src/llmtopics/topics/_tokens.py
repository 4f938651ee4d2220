"""From a count matrix to the tokens that samplers walk over."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics.topics._block_kernels import spell_out

COUNTED = 2**24  # a float32 counts up to here, one by one


class Tokens(NamedTuple):
    """The tokens of a corpus, document by document.

    words : int32 (T,), word of each token
    starts : int64 (D + 1,), document d owns the tokens ``starts[d]:starts[d + 1]``
    n_words : int, size of the vocabulary, V
    """

    words: np.ndarray
    starts: np.ndarray
    n_words: int


def tokens_from_counts(X: sp.csr_array) -> Tokens:
    """Return the tokens counted in ``X``, an int32 CSR array of shape (D, V)."""
    starts = np.zeros(X.shape[0] + 1, np.int64)
    np.cumsum(X.sum(axis=1, dtype=np.int64), out=starts[1:])
    words = np.empty(starts[-1], np.int32)
    spell_out(X.data, X.indices, words)
    return Tokens(words, starts, X.shape[1])
