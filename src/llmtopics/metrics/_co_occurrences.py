"""Counts of documents or windows in which words occur together."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

from llmtopics._words import check_vocabulary
from llmtopics.metrics import _window_kernels as kernels


class CoOccurrences(NamedTuple):
    """Numbers of units (documents or windows) in which words and pairs of words occur.

    together : float64 (W, W), symmetric; the diagonal has the counts of single words
    n_units : int
    """

    together: np.ndarray
    n_units: int


def in_counts(
    words: dict[str, int], X: Any, vocabulary: Sequence[str] | np.ndarray
) -> CoOccurrences:
    X = check_array(
        X, accept_sparse=["csr", "csc"], dtype="numeric", input_name="reference"
    )
    check_non_negative(X, "coherence")
    columns = check_vocabulary(vocabulary, X.shape[1], "reference")
    n_documents = int(np.count_nonzero(X.sum(axis=1)))
    if not n_documents:
        raise ValueError("reference holds no words: pass at least one document.")
    known = [(i, columns[word]) for word, i in words.items() if word in columns]
    together = np.zeros((len(words), len(words)))
    if known:
        places, taken = map(list, zip(*known, strict=True))
        seen = (sp.csr_array(X[:, taken]) > 0).astype(np.int64)
        together[np.ix_(places, places)] = (seen.T @ seen).toarray()
    return CoOccurrences(together, n_documents)


def in_documents(words: dict[str, int], texts: Any) -> CoOccurrences:
    rows: list[set[int]] = []
    for text in _check_texts(texts):
        if len(text):
            rows.append({words[word] for word in text if word in words})
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter(chain.from_iterable(rows), np.int64, starts[-1])
    seen = sp.csr_array(
        (np.ones(columns.size, np.int64), columns, starts),
        shape=(len(rows), len(words)),
    )
    return CoOccurrences((seen.T @ seen).toarray().astype(float), len(rows))


def in_windows(
    words: dict[str, int], texts: Any, size: int, gensim_windows: bool
) -> CoOccurrences:
    texts = _check_texts(texts)
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    ids = map(words.get, chain.from_iterable(texts))
    tokens = np.fromiter((-1 if i is None else i for i in ids), np.int32, starts[-1])
    together, n_windows = kernels.count_windows(
        tokens, starts, len(words), size, gensim_windows
    )
    return CoOccurrences(together.astype(float), n_windows)


def _check_texts(texts: Any) -> list[Sequence[str]]:
    if isinstance(texts, str) or not isinstance(texts, Iterable) or sp.issparse(texts):
        raise ValueError(
            "reference must be a list of documents, each a list of words. For counts, pass "
            "their vocabulary too."
        )
    texts = list(texts)
    for row, text in enumerate(texts):
        if isinstance(text, str) or not isinstance(text, Sequence | np.ndarray):
            raise ValueError(
                f"reference[{row}] is not a list of words. Split texts into words first, "
                "with the TextAnalyzer of the model."
            )
    if not any(len(text) for text in texts):
        raise ValueError("reference holds no words: pass at least one document.")
    return texts
