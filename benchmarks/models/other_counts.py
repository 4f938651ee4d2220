"""Peers that read counts alone: of the packages lda and scikit-learn."""

import logging
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer

from benchmarks.counts import Documents
from benchmarks.models.base import (
    N_SWEEPS,
    N_WORDS,
    Fitted,
    Topics,
    to_mixtures,
    to_rows,
)
from llmtopics import top_words


def cython_lda(X: sp.csr_array, K: int, seed: int) -> Fitted:
    import lda

    logging.getLogger("lda").setLevel(logging.WARNING)
    model = lda.LDA(
        K, N_SWEEPS, alpha=1 / K, eta=0.1, random_state=seed, refresh=N_SWEEPS
    )
    counts = X.astype(np.int64)
    start = perf_counter()
    model.fit(counts)
    return Fitted(model.topic_word_, np.full(K, 1 / K), perf_counter() - start)


def variational_lda(X: sp.csr_array, K: int, seed: int, max_iter: int = 10) -> Fitted:
    """scikit-learn's, batch; ten passes are its default."""
    model = LatentDirichletAllocation(
        K,
        doc_topic_prior=1 / K,
        topic_word_prior=0.1,
        max_iter=max_iter,
        random_state=seed,
    )
    start = perf_counter()
    model.fit(X)
    seconds = perf_counter() - start
    return Fitted(to_rows(model.components_), np.full(K, 1 / K), seconds, None)


def tfidf_nmf(corpus: Documents, K: int, seed: int) -> Topics:
    model = NMF(K, init="nndsvda", max_iter=400, random_state=seed)
    weights = model.fit_transform(TfidfTransformer().fit_transform(corpus.counts))
    words = top_words(model.components_, corpus.vocabulary, N_WORDS)
    return Topics(to_mixtures(weights), words)
