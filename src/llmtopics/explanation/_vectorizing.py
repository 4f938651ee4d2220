"""Counts of texts, and the part of them from the texts' own words."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import make_pipeline

from llmtopics._vectorizers import steps_of
from llmtopics.augment import NextWordCounts


def count_rows(vectorizer: Any, texts: list[str]) -> sp.csr_array:
    """Return the counts of texts, (D, V), without stored zeros."""
    made = vectorizer.transform(texts)
    X = sp.csr_array(made if sp.issparse(made) else np.asarray(made))
    X.sum_duplicates()
    X.eliminate_zeros()
    return X


def own_counts(
    vectorizer: Any, texts: list[str], X: sp.csr_array
) -> tuple[sp.csr_array, Any]:
    """Return the part of ``X``, one row, from the text's own words, and their vectorizer.

    :class:`NextWordCounts`, if it is a step of the vectorizer, added the rest.
    """
    steps = list(steps_of(vectorizer))
    adding = [i for i, step in enumerate(steps) if isinstance(step, NextWordCounts)]
    if not adding:
        return X, vectorizer
    i = adding[0]
    adds = steps[i]
    plain = make_pipeline(*steps[:i], adds.vectorizer_, *steps[i + 1 :])
    for step in steps[:i]:
        texts = step.transform(texts)
    own, both = count_rows(adds.vectorizer_, texts), count_rows(adds, texts)
    if not adds.include_counts:
        own = 0 * own
    shares = own[:, X.indices].toarray() / both[:, X.indices].toarray()
    return sp.csr_array((X.data * shares[0], X.indices, X.indptr), shape=X.shape), plain
