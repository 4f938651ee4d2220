"""Models of tomotopy."""

from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.counts import Documents
from benchmarks.models.base import N_SWEEPS, N_WORDS, Fitted, Topics, evaluator, to_rows
from llmtopics import top_words
from llmtopics.topics._gibbs.tokens import tokens_from_counts


def tomotopy_lda(X: sp.csr_array, K: int, seed: int, alpha=None, beta=0.1) -> Fitted:
    import tomotopy

    alpha = alpha or 1 / K
    model = tomotopy.LDAModel(k=K, alpha=alpha, eta=beta, seed=seed)
    model.optim_interval = 0  # priors stay as given
    tokens = tokens_from_counts(X)
    words = np.array([str(w) for w in range(X.shape[1])])[tokens.words].tolist()
    for first, last in zip(tokens.starts, tokens.starts[1:], strict=False):
        model.add_doc(words[first:last])
    model.train(0)
    start = perf_counter()
    model.train(N_SWEEPS, workers=1)
    seconds = perf_counter() - start
    phi = tomotopy_components(model, K, X.shape[1], beta)
    return Fitted(phi, np.full(K, alpha), seconds)


def tomotopy_components(model: Any, K: int, n_words: int, beta: float) -> np.ndarray:
    """Return φ of a model whose words are named by their columns."""
    columns = np.array(model.used_vocabs, int)
    weights = np.full((K, n_words), beta)  # words not seen have their prior alone
    for k in range(K):
        weights[k, columns] = model.get_topic_word_dist(k, normalize=False)
    return to_rows(weights)


def tomotopy_topics(corpus: Documents, K: int, seed: int) -> Topics:
    fitted = tomotopy_lda(corpus.counts, K, seed)
    mixtures = evaluator(fitted).transform(corpus.counts)
    return Topics(mixtures, top_words(fitted.components, corpus.vocabulary, N_WORDS))
