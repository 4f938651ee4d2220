"""The sampler draws from the right distribution, whatever the numbers."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammaln

from llmtopics.topics import _gibbs_kernels as kernels
from llmtopics.topics._sampler import assign, random_start, sample
from llmtopics.topics._tokens import Tokens, tokens_from_counts


def corpus(*documents, n_words):
    """Tokens of documents given as lists of word ids."""
    words = np.array([w for document in documents for w in document], np.int32)
    starts = np.cumsum([0, *map(len, documents)], dtype=np.int64)
    return Tokens(words, starts, n_words)


def doc_topic_counts(tokens, topics, n_components):
    docs = np.repeat(np.arange(len(tokens.starts) - 1), np.diff(tokens.starts))
    counts = np.zeros((len(tokens.starts) - 1, n_components), int)
    np.add.at(counts, (docs, topics), 1)
    return counts


def log_joint(tokens, topics, doc_prior, word_prior):
    """log p(w, z), the Dirichlets integrated out (Griffiths & Steyvers 2004, eq. 2-3)."""
    n_components = doc_prior.shape[1]
    n_dk = doc_topic_counts(tokens, topics, n_components)
    n_kw = np.zeros((n_components, tokens.n_words))
    np.add.at(n_kw, (topics, tokens.words), 1)

    def polya(counts, prior):
        return (
            gammaln(prior.sum(1))
            - gammaln((counts + prior).sum(1))
            + (gammaln(counts + prior) - gammaln(prior)).sum(1)
        ).sum()

    return polya(n_dk, doc_prior) + polya(n_kw, np.full(n_kw.shape, word_prior))


def test_sweeps_visit_the_exact_posterior():
    """256 assignments of eight tokens, enumerated; every document has its own prior."""
    tokens = corpus([0, 0, 1], [1, 2], [2, 2, 0], n_words=3)
    doc_prior = np.array([[0.3, 0.9], [1.2, 0.4], [0.5, 0.5]])
    word_prior, n_sweeps = 0.4, 300_000

    states = np.array(list(product([0, 1], repeat=8)), np.int32)
    log_p = np.array([log_joint(tokens, z, doc_prior, word_prior) for z in states])
    exact = np.exp(log_p - log_p.max())
    exact /= exact.sum()

    state = random_start(tokens, 2, 0)
    rng, place = np.random.default_rng(0), 2 ** np.arange(8)[::-1]
    visits = np.zeros(256)
    for _ in range(n_sweeps):
        kernels.sweep(
            tokens.words, tokens.starts, *state[:3], doc_prior, word_prior, rng
        )
        visits[state.topics @ place] += 1

    def distance(counts):
        return np.abs(counts / n_sweeps - exact).sum() / 2

    independent = [distance(rng.multinomial(n_sweeps, exact)) for _ in range(20)]
    assert distance(visits) < 1.3 * np.mean(independent)


def test_sweeps_and_new_words_keep_the_joint_distribution():
    """Geweke (2004): sweeps alternate with words redrawn given topics; forward draws tell."""
    lengths, V, K, alpha, beta = [5, 4, 6], 4, 3, 0.7, 0.5
    n = 20_000
    rng = np.random.default_rng(1)
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    prior = np.full((1, K), alpha)

    def words_given(topics):
        phi = rng.dirichlet(np.full(V, beta), K).cumsum(axis=1)
        words = (rng.random((topics.size, 1)) > phi[topics]).sum(axis=1)
        return np.minimum(words, V - 1).astype(np.int32)

    def forward():
        theta = rng.dirichlet(prior[0], len(lengths))
        topics = np.concatenate(
            [
                rng.choice(K, size, p=row)
                for size, row in zip(lengths, theta, strict=True)
            ]
        ).astype(np.int32)
        return topics, words_given(topics)

    def statistics(topics, words):
        tokens = Tokens(words, starts, V)
        n_dk = doc_topic_counts(tokens, topics, K)
        n_wk = assign(tokens, topics, K).word_topic
        return [
            (n_dk**2).sum(),
            (n_wk**2).sum(),
            n_wk.sum(axis=0).max(),
            n_wk.sum(axis=0).min(),
            n_dk[0, topics[-1]],
        ]

    independent = np.array([statistics(*forward()) for _ in range(n)], float)
    topics, words = forward()
    chain = np.empty_like(independent)
    for i in range(n):
        tokens = Tokens(words, starts, V)
        topics = sample(
            tokens, assign(tokens, topics, K), prior, beta, 1, seed=i
        ).topics
        words = words_given(topics)
        chain[i] = statistics(topics, words)

    batches = chain.reshape(100, -1, chain.shape[1]).mean(axis=1)  # long against memory
    error = np.sqrt(independent.var(axis=0) / n + batches.var(axis=0) / len(batches))
    z = (chain.mean(axis=0) - independent.mean(axis=0)) / error
    assert (np.abs(z) < 3.5).all(), z


@pytest.mark.parametrize("alpha", [1e-3, 1e-12, 1e-17, 1e-30])
def test_tiny_priors_keep_their_ratio(alpha):
    """One token in all: its topic is drawn as the prior says, 10 to 1."""
    tokens, prior = corpus([0], n_words=1), np.array([10 * alpha, alpha])
    state, first = random_start(tokens, 2, 0), 0
    for _ in range(4000):
        state = sample(tokens, state, prior, 0.1, 1, 0)
        first += state.topics[0] == 0
    assert_allclose(first / 4000, 10 / 11, atol=0.02)


def test_the_start_follows_the_seed(planted):
    tokens = tokens_from_counts(planted.data)
    first, again, other = (random_start(tokens, 4, seed).topics for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert_allclose(np.bincount(first) / first.size, 0.25, atol=0.03)


def test_a_chain_cut_in_two_is_the_same_chain(planted):
    tokens = tokens_from_counts(planted.data)
    start = random_start(tokens, 4, 0)
    whole = sample(tokens, start, np.full(4, 0.1), 0.1, 10, 0)
    first = sample(tokens, start, np.full(4, 0.1), 0.1, 4, 0)
    second = sample(tokens, first, np.full(4, 0.1), 0.1, 6, 0)
    for a, b in zip(whole, second, strict=True):
        assert_array_equal(a, b)


def test_sampling_changes_neither_state_nor_tokens(planted):
    tokens = tokens_from_counts(planted.data)
    state = random_start(tokens, 4, 0)
    before = [np.copy(part) for part in (*tokens, *state)]
    after = sample(tokens, state, np.full(4, 0.1), 0.1, 3, 0)
    for a, b in zip(before, (*tokens, *state), strict=True):
        assert_array_equal(a, b)
    assert not np.array_equal(after.topics, state.topics)


@pytest.mark.parametrize("n_components", [1, 2, 17])
def test_counts_stay_those_of_the_assignment(planted, n_components):
    tokens = tokens_from_counts(planted.data)
    state = random_start(tokens, n_components, 0)
    for _ in range(5):
        state = sample(tokens, state, np.full(n_components, 0.1), 0.1, 1, 0)
        recounted = assign(tokens, state.topics, n_components)
        assert_array_equal(state.word_topic, recounted.word_topic)
        assert_array_equal(state.topic_total, recounted.topic_total)
    assert state.topic_total.sum() == planted.data.sum()
    assert state.n_sweeps == 5


def test_sweeps_raise_the_joint_likelihood(planted):
    tokens, prior = tokens_from_counts(planted.data), np.full((200, 4), 0.1)
    start = random_start(tokens, 4, 0)
    trace = [
        log_joint(tokens, sample(tokens, start, prior, 0.1, n, 0).topics, prior, 0.1)
        for n in (0, 1, 10, 50)
    ]
    assert trace == sorted(trace)


def test_a_documents_own_prior_steers_it():
    tokens = corpus([0, 1, 2, 3] * 5, [0, 1, 2, 3] * 5, n_words=4)
    prior = np.array([[1000.0, 1.0], [1.0, 1000.0]])
    state = sample(tokens, random_start(tokens, 2, 0), prior, 0.1, 20, 0)
    counts = doc_topic_counts(tokens, state.topics, 2)
    assert counts[0, 0] >= 18
    assert counts[1, 1] >= 18
    shared = sample(tokens, random_start(tokens, 2, 0), prior[0], 0.1, 20, 0)
    repeated = sample(tokens, random_start(tokens, 2, 0), prior[[0, 0]], 0.1, 20, 0)
    assert_array_equal(shared.topics, repeated.topics)


@pytest.mark.parametrize(
    ("documents", "n_words", "n_components"),
    [
        ([[0, 1, 0]], 2, 1),  # K = 1
        ([[0, 0], [0]], 1, 3),  # V = 1
        ([[], [1], []], 2, 2),  # empty documents, a document of one token
        ([], 2, 2),  # no document
        ([[]], 2, 2),  # no token
    ],
)
def test_small_corpora(documents, n_words, n_components):
    tokens = corpus(*documents, n_words=n_words)
    start = random_start(tokens, n_components, 0)
    state = sample(tokens, start, np.full(n_components, 0.1), 0.1, 5, 0)
    assert state.topic_total.sum() == sum(map(len, documents))
    assert ((state.topics >= 0) & (state.topics < n_components)).all()


def test_tokens_are_the_counts():
    X = sp.csr_array(np.array([[2, 0, 1], [0, 0, 0], [0, 3, 0]], np.int32))
    tokens = tokens_from_counts(X)
    assert_array_equal(tokens.words, [0, 0, 2, 1, 1, 1])
    assert_array_equal(tokens.starts, [0, 3, 3, 6])
    assert tokens.n_words == 3
    assert_allclose(np.diff(tokens.starts), X.sum(axis=1))
