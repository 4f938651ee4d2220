"""Models of llmtopics."""

from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.counts import Documents
from benchmarks.models.base import N_SWEEPS, N_WORDS, Fitted, Topics, to_rows
from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    PrecomputedEmbeddings,
    top_words,
)
from llmtopics._compiled.threads import ONE
from llmtopics.topics._gibbs.chain import start_chain
from llmtopics.topics._gibbs.tokens import random_topics, tokens_from_counts


def gibbs_lda(
    X: sp.csr_array, K: int, seed: int, max_iter: int = N_SWEEPS, **parameters
) -> Fitted:
    model = GibbsLDA(K, max_iter=max_iter, random_state=seed, **parameters)
    for sampler in ("exact", "blocked"):  # compile, or read the compiled code from disk
        GibbsLDA(K, sampler=sampler, max_iter=1).fit(X[:10])
    start = perf_counter()
    model.fit(X)
    seconds = perf_counter() - start
    return Fitted(model.components_, model.doc_topic_prior_, seconds, max_iter)


def last_sample(X: sp.csr_array, K: int, seed: int) -> Fitted:
    """The same chain as the default's, its counts read at the end."""
    alpha, beta = np.full(K, 1 / K), 0.1
    tokens = tokens_from_counts(X)
    start = perf_counter()
    chain = start_chain(tokens, random_topics(tokens, K, seed), K, beta, seed, ONE)
    for _ in range(N_SWEEPS):
        chain.sweep(alpha[np.newaxis])
    seconds = perf_counter() - start
    return Fitted(to_rows(chain.word_topic().T + beta), alpha, seconds)


def gibbs_topics(corpus: Documents, K: int, seed: int) -> Topics:
    model = GibbsLDA(K, random_state=seed)
    mixtures = model.fit_transform(corpus.counts)
    return Topics(mixtures, top_words(model.components_, corpus.vocabulary, N_WORDS))


def fusion(corpus: Documents, K: int, seed: int, **parameters: Any) -> Topics:
    """Texts are cut and encoded beforehand."""
    known = dict(zip(corpus.texts, corpus.tokens, strict=True))
    model = FusionTopicModel(
        K,
        vectorizer=CountVectorizer(
            analyzer=known.__getitem__, vocabulary=corpus.vocabulary
        ),
        embedder=PrecomputedEmbeddings(corpus.texts, corpus.vectors),
        random_state=seed,
        **parameters,
    )
    mixtures = model.fit_transform(corpus.texts)
    return Topics(mixtures, model.top_words(N_WORDS), {"alpha": model.alpha_})


def pachinko(corpus: Documents, K: int, seed: int) -> Topics:
    """A super-topic for five sub-topics, and two at least."""
    S = max(2, K // 5)
    model = PachinkoAllocation(K, n_super_components=S, random_state=seed)
    mixtures = model.fit_transform(corpus.counts)
    return Topics(mixtures, top_words(model.components_, corpus.vocabulary, N_WORDS))


def embedding_topics(corpus: Documents, K: int, seed: int) -> Topics:
    model = EmbeddingTopics(K, random_state=seed)
    mixtures = model.fit(corpus.vectors, counts=corpus.counts).transform(corpus.vectors)
    return Topics(
        mixtures,
        top_words(model.components_, corpus.vocabulary, N_WORDS, method="probability"),
    )
