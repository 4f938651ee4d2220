"""From a count matrix to the tokens that samplers walk over."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp


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
    ends = np.concatenate([[0], np.cumsum(X.data, dtype=np.int64)])
    return Tokens(np.repeat(X.indices, X.data), ends[X.indptr], X.shape[1])
