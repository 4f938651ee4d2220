"""Texts of a partition: read and checked, counted, encoded."""

from collections import Counter
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from llmtopics._checks import as_counts, check_texts

NAME = "DaskFusionTopicModel"
_FLOATS = [np.float64, np.float32]


def texts_of(partition: Any, number: int) -> list[str]:
    """Return the texts of a partition."""
    rows = partition if hasattr(partition, "shape") else list(partition)
    if not len(rows):
        return []
    try:
        return check_texts(rows, NAME)
    except ValueError as error:
        raise ValueError(f"Partition {number}: {error}") from error


def documents_of_words(texts: list[str], vectorizer: Any) -> Counter:
    """Return in how many texts each word is."""
    analyze, found = vectorizer.build_analyzer(), Counter[str]()
    for text in texts:
        found.update(set(analyze(text)))
    return found


def counts_of(texts: list[str], vectorizer: Any, number: int) -> sp.csr_array:
    """Return the counts of words, (D, V)."""
    try:
        return as_counts(vectorizer.transform(texts), NAME)
    except ValueError as error:
        raise ValueError(f"Partition {number}: {error}") from error


def lengths_of(X: sp.csr_array) -> np.ndarray:
    """Return the number of tokens of each document."""
    return X.sum(axis=1)


def n_of_words(X: sp.csr_array) -> np.ndarray:
    """Return how often each word occurs, (V,)."""
    return X.sum(axis=0, dtype=np.int64)


def vectors_of(texts: list[str], embedder: Any, number: int) -> np.ndarray:
    """Return the vectors, (D, E)."""
    try:
        vectors = check_array(embedder.transform(texts), dtype=_FLOATS)
    except ValueError as error:
        raise ValueError(f"Partition {number}: {error}") from error
    if len(vectors) != len(texts):
        raise ValueError(
            f"Partition {number}: embedder made {len(vectors)} vectors of {len(texts)} "
            "texts: pass one that makes one vector per text."
        )
    return vectors
