"""Models, ours and the peers', behind one face: (counts, K, seed) → topics.

Every function returns the topics φ (rows sum to one), the prior α of the mixtures, the
seconds that fitting took, data already in the form that the model reads, and the sweeps
that a sampler made.
"""

import logging
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import NamedTuple

import lda
import numpy as np
import scipy.sparse as sp
import tomotopy
from sklearn.decomposition import LatentDirichletAllocation

from llmtopics import GibbsLDA
from llmtopics._threads import ONE
from llmtopics.topics._sampler import random_topics, start_chain
from llmtopics.topics._tokens import tokens_from_counts

logging.getLogger("lda").setLevel(logging.WARNING)
N_SWEEPS = 200


class Fitted(NamedTuple):
    components: np.ndarray
    doc_topic_prior: np.ndarray
    seconds: float
    n_sweeps: int | None = N_SWEEPS  # None: not a sampler


def judge(fitted: Fitted) -> GibbsLDA:
    """The one evaluator of all: mixtures and perplexity given φ and α."""
    model = GibbsLDA(len(fitted.components))
    model.components_, model.doc_topic_prior_ = fitted[:2]
    model.n_features_in_ = fitted.components.shape[1]
    return model


def to_rows(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=1, keepdims=True)


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


def tomotopy_lda(X: sp.csr_array, K: int, seed: int, alpha=None, beta=0.1) -> Fitted:
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


def tomotopy_components(
    model: tomotopy.LDAModel, K: int, n_words: int, beta: float
) -> np.ndarray:
    """Return φ of a model whose words are named by their columns."""
    columns = np.array(model.used_vocabs, int)
    weights = np.full((K, n_words), beta)  # words not seen have their prior alone
    for k in range(K):
        weights[k, columns] = model.get_topic_word_dist(k, normalize=False)
    return to_rows(weights)


def cython_lda(X: sp.csr_array, K: int, seed: int) -> Fitted:
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


NARROW = {"doc_topic_prior": 0.1, "topic_word_prior": 0.01}
MODELS: dict[str, Callable[[sp.csr_array, int, int], Fitted]] = {
    "GibbsLDA": gibbs_lda,
    "tomotopy": tomotopy_lda,
    "lda": cython_lda,
    "scikit-learn LDA": variational_lda,
    "scikit-learn LDA, 100 passes": partial(variational_lda, max_iter=100),
    "GibbsLDA, α=.1, β=.01": partial(gibbs_lda, **NARROW),
    "tomotopy, α=.1, β=.01": partial(tomotopy_lda, alpha=0.1, beta=0.01),
    "GibbsLDA, β=.01": partial(gibbs_lda, topic_word_prior=0.01),
    "GibbsLDA, β=.05": partial(gibbs_lda, topic_word_prior=0.05),
    "GibbsLDA, β=.2": partial(gibbs_lda, topic_word_prior=0.2),
    "GibbsLDA, last sample alone": last_sample,
    "GibbsLDA, 50 sweeps": partial(gibbs_lda, max_iter=50),
    "GibbsLDA, 800 sweeps": partial(gibbs_lda, max_iter=800),
}
