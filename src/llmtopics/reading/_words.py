"""Words of topics: the model's own, or counted in the texts."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics._fitted_model import FittedModel
from llmtopics.text._vectorizer import default_vectorizer
from llmtopics.topics._keyness import keyness


class Words(NamedTuple):
    """Words of topics.

    weights, scores : (K, V): ``components_``, and by what words are ranked
    vocabulary : (V,)
    counts : (D, V): counts of the texts
    vectorizer : texts → counts, fitted
    """

    weights: np.ndarray
    scores: np.ndarray
    vocabulary: np.ndarray
    counts: sp.csr_array
    vectorizer: Any


def read_words(fitted: FittedModel, texts: list[str], mixtures: np.ndarray) -> Words:
    """Return the words of a model. A model that knows none gets those of the texts."""
    weights, words = fitted.weights, fitted.vocabulary
    if weights is None or words is None:
        return _count_words(texts, mixtures)
    made = fitted.counts(texts)
    counts = sp.csr_array(made if sp.issparse(made) else np.asarray(made))
    return Words(weights, fitted.word_scores(), words, counts, fitted.vectorizer)


def _count_words(texts: list[str], mixtures: np.ndarray) -> Words:
    """Return words of topics, with each token divided among topics by the θ of its document.

    Words are ranked by keyness.
    """
    vectorizer = default_vectorizer(len(texts))
    X = sp.csr_array(vectorizer.fit_transform(texts))
    totals = (X.T @ mixtures).T + 1e-2
    weights = totals / totals.sum(axis=1, keepdims=True)
    scores = keyness(mixtures, X, weights)
    words = vectorizer.get_feature_names_out()
    return Words(weights, scores, words, X, vectorizer)
