"""The sampler draws from the right distribution for all sizes and priors."""

import threading
import time
from functools import partial
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammaln

from llmtopics._compiled.threads import ONE, workers
from llmtopics._held_out import halves, log_likelihood
from llmtopics.datasets import load_reuters395
from llmtopics.topics._gibbs import pieces
from llmtopics.topics._gibbs.chain import start_chain
from llmtopics.topics._gibbs.expected_counts import expected_counts, to_topics
from llmtopics.topics._gibbs.mixtures import infer_mixtures
from llmtopics.topics._gibbs.tokens import Tokens, random_topics, tokens_from_counts

SAMPLERS = "exact", "rows", "lists"


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
    """log p(w, z), the Dirichlets integrated out (Griffiths & Steyvers 2004, eq. 2-3).

    word_prior : a number, or of shape (V,) or (K, V)
    """
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

    return polya(n_dk, doc_prior) + polya(n_kw, np.broadcast_to(word_prior, n_kw.shape))


def make_chain(
    tokens, n_components, sampler="exact", topics=None, word_prior=0.1, **kw
):
    if topics is None:
        topics = random_topics(tokens, n_components, kw.get("seed", 0))
    return start_chain(
        tokens,
        topics,
        n_components,
        word_prior,
        kw.get("seed", 0),
        kw.get("workers", ONE),
        kw.get("others"),
        sampler="exact" if sampler == "exact" else "blocked",
        lists=sampler == "lists",
    )


def run(chain, n_sweeps, doc_prior):
    doc_prior = np.atleast_2d(np.asarray(doc_prior, float))
    if doc_prior.shape == (1, 1):
        doc_prior = np.full((1, chain.assigned.n_components), doc_prior[0, 0])
    for _ in range(n_sweeps):
        chain.sweep(doc_prior)
    return chain


WORD_PRIORS = {
    "one": 0.4,
    "per word": np.array([0.2, 1.5, 0.6]),
    "per cell": np.array([[2.0, 0.1, 0.4], [0.3, 0.7, 1.2]]),
}


def distance_to_posterior(sampler, n_sweeps, word_prior=0.4):
    """Total variation between visits to 256 states and the posterior; and that by chance."""
    tokens = corpus([0, 0, 1], [1, 2], [2, 2, 0], n_words=3)
    doc_prior = np.array([[0.3, 0.9], [1.2, 0.4], [0.5, 0.5]])
    states = np.array(list(product([0, 1], repeat=8)), np.int32)
    log_p = np.array([log_joint(tokens, z, doc_prior, word_prior) for z in states])
    exact = np.exp(log_p - log_p.max())
    exact /= exact.sum()

    chain = make_chain(tokens, 2, sampler, word_prior=word_prior)
    rng, place = np.random.default_rng(0), 2 ** np.arange(8)[::-1]
    visits = np.zeros(256)
    for _ in range(n_sweeps):
        chain.sweep(doc_prior)
        visits[chain.topics @ place] += 1

    def distance(counts):
        return np.abs(counts / n_sweeps - exact).sum() / 2

    chance = [distance(rng.multinomial(n_sweeps, exact)) for _ in range(20)]
    return distance(visits), np.mean(chance)


LACKING = "lists", "per cell"  # lists do not support a prior per topic and word
LONG = pytest.param(100_000, marks=pytest.mark.slow)


@pytest.mark.parametrize("word_prior", WORD_PRIORS)
@pytest.mark.parametrize("n_sweeps", [20_000, LONG])
def test_exact_sweeps_visit_the_exact_posterior(n_sweeps, word_prior):
    """Eight tokens; every document has its own prior."""
    found, chance = distance_to_posterior("exact", n_sweeps, WORD_PRIORS[word_prior])
    assert found < 1.3 * chance


@pytest.mark.parametrize(
    ("sampler", "word_prior"),
    [(s, p) for s in ("rows", "lists") for p in WORD_PRIORS if (s, p) != LACKING],
)
def test_blocked_sweeps_on_eight_tokens_are_near_the_posterior(sampler, word_prior):
    """One document per block; the error comes from n_k and n_kw, which stay fixed."""
    found, chance = distance_to_posterior(sampler, 8_000, WORD_PRIORS[word_prior])
    assert chance < found < 0.2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_array_of_equal_priors_gives_the_topics_of_the_number(planted, sampler):
    tokens, K, beta = tokens_from_counts(planted.data), 20, 0.25  # sums are exact

    def topics(word_prior):
        chain = run(make_chain(tokens, K, sampler, word_prior=word_prior), 5, 0.1)
        return chain.topics, expected_counts(chain, np.full((1, K), 0.1))

    expected = topics(beta)
    for shape in [(60,), (K, 60)][: 1 if sampler == "lists" else 2]:
        for found, same in zip(topics(np.full(shape, beta)), expected, strict=True):
            assert_array_equal(found, same)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5_000, 20_000])
def test_sweeps_and_new_words_keep_the_joint_distribution(n):
    """Geweke (2004): sweeps and redrawn words give the same moments as forward draws."""
    lengths, V, K, alpha, beta = [5, 4, 6], 4, 3, 0.7, 0.5
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
        ).astype(np.uint16)
        return topics, words_given(topics)

    def statistics(topics, words):
        n_dk = doc_topic_counts(Tokens(words, starts, V), topics, K)
        n_wk = np.zeros((V, K))
        np.add.at(n_wk, (words, topics), 1)
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
        topics = run(
            make_chain(tokens, K, topics=topics, word_prior=beta, seed=i), 1, prior
        ).topics
        words = words_given(topics)
        chain[i] = statistics(topics, words)

    batches = chain.reshape(100, -1, chain.shape[1]).mean(axis=1)  # long against memory
    error = np.sqrt(independent.var(axis=0) / n + batches.var(axis=0) / len(batches))
    z = (chain.mean(axis=0) - independent.mean(axis=0)) / error
    assert (np.abs(z) < 3.5).all(), z


@pytest.mark.parametrize("alpha", [1e-3, 1e-12, 1e-17, 1e-30])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_tiny_priors_keep_their_ratio(alpha, sampler):
    """A single token: its topic is drawn by the prior, 10 to 1."""
    tokens, prior = corpus([0], n_words=1), np.array([[10 * alpha, alpha]])
    chain, first = make_chain(tokens, 2, sampler), 0
    for _ in range(4000):
        chain.sweep(prior)
        first += chain.topics[0] == 0
    assert_allclose(first / 4000, 10 / 11, atol=0.02)


def test_the_start_depends_on_the_seed(planted):
    tokens = tokens_from_counts(planted.data)
    first, again, other = (random_topics(tokens, 4, seed) for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert_allclose(np.bincount(first) / first.size, 0.25, atol=0.03)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_chain_depends_on_the_seed_and_does_not_change_its_start(planted, sampler):
    tokens = tokens_from_counts(planted.data)
    start = random_topics(tokens, 4, 0)
    before = start.copy()
    first, again, other = (
        run(make_chain(tokens, 4, sampler, start, seed=seed), 3, 0.1).topics
        for seed in (0, 0, 1)
    )
    assert_array_equal(start, before)
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n_components", [1, 2, 17, 300])
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("others", [False, True])
def test_counts_stay_those_of_the_assignment(
    planted, n_components, sampler, others, rng
):
    tokens = tokens_from_counts(planted.data)
    beside = None
    if others and sampler != "lists":
        beside = rng.poisson(0.5, (60, n_components)).astype(np.float32)
    chain = make_chain(tokens, n_components, sampler, others=beside)
    for _ in range(5):
        chain.sweep(np.full((1, n_components), 0.1))
        counts = np.zeros((60, n_components))
        np.add.at(counts, (tokens.words, chain.topics), 1)
        assert_array_equal(
            chain.counts.word_topic(), counts if beside is None else counts + beside
        )
    assert chain.n_sweeps == 5


@pytest.mark.parametrize("n_components", [4, 300])
@pytest.mark.parametrize("sampler", ["rows", "lists"])
def test_any_number_of_threads_gives_the_same_bits(planted, n_components, sampler):
    tokens = tokens_from_counts(planted.data)
    prior = np.random.default_rng(0).gamma(1, size=(200, n_components))
    alone = run(make_chain(tokens, n_components, sampler), 5, prior)
    settled = expected_counts(alone, prior)
    for n_jobs in (2, 3, 8):
        with workers(n_jobs) as threads:
            chain = make_chain(tokens, n_components, sampler, workers=threads)
            run(chain, 5, prior)
            assert_array_equal(chain.topics, alone.topics)
            assert_array_equal(chain.counts.word_topic(), alone.counts.word_topic())
            assert_array_equal(expected_counts(chain, prior), settled)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_sweeps_raise_the_joint_likelihood(planted, sampler):
    tokens, prior = tokens_from_counts(planted.data), np.full((1, 4), 0.1)
    trace = []
    chain = make_chain(tokens, 4, sampler)
    for n in (0, 1, 9, 40):
        run(chain, n, prior)
        everyone = np.repeat(prior, 200, axis=0)
        trace.append(log_joint(tokens, chain.topics, everyone, 0.1))
    assert trace == sorted(trace)


@pytest.mark.slow
@pytest.mark.parametrize("n_components", [12, 300])
def test_blocked_sweeps_end_as_likely_as_exact_ones(n_components):
    """On Reuters-395, within the differences between seeds."""
    tokens = tokens_from_counts(load_reuters395().data)
    prior = np.full((1, n_components), 0.1)

    def end(sampler, seed):
        chain = run(make_chain(tokens, n_components, sampler, seed=seed), 60, prior)
        return log_joint(tokens, chain.topics, np.repeat(prior, 395, axis=0), 0.1)

    exact, *blocked = (np.mean([end(s, seed) for seed in range(3)]) for s in SAMPLERS)
    assert_allclose(blocked, exact, rtol=0.01)


def test_a_documents_own_prior_changes_its_topics():
    tokens = corpus([0, 1, 2, 3] * 5, [0, 1, 2, 3] * 5, n_words=4)
    prior = np.array([[1000.0, 1.0], [1.0, 1000.0]])
    for sampler in SAMPLERS:
        chain = run(make_chain(tokens, 2, sampler), 20, prior)
        counts = doc_topic_counts(tokens, chain.topics, 2)
        assert counts[0, 0] >= 18
        assert counts[1, 1] >= 18
        shared = run(make_chain(tokens, 2, sampler), 20, prior[:1])
        repeated = run(make_chain(tokens, 2, sampler), 20, prior[[0, 0]])
        assert_array_equal(shared.topics, repeated.topics)


@pytest.mark.parametrize(
    ("documents", "n_words", "n_components"),
    [
        ([[0, 1, 0]], 2, 1),  # K = 1
        ([[0, 0], [0]], 1, 3),  # V = 1
        ([[], [1], []], 2, 2),  # empty documents, a document of one token
        ([[1], []], 2, 300),  # more topics than tokens
        ([], 2, 2),  # no document
        ([[]], 2, 2),  # no token
    ],
)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_small_corpora(documents, n_words, n_components, sampler):
    tokens = corpus(*documents, n_words=n_words)
    chain = run(make_chain(tokens, n_components, sampler), 5, 0.1)
    assert chain.counts.word_topic().sum() == sum(map(len, documents))
    assert (chain.topics < n_components).all()
    settled = expected_counts(chain, np.full((1, n_components), 0.1))
    assert_allclose(settled.sum(), sum(map(len, documents)), rtol=1e-5)


@pytest.mark.parametrize("shape", [(), (60, 1), (60, 4)], ids=["β", "β_w", "β_kw"])
@pytest.mark.parametrize("known", [0, 3])
def test_expected_counts_alternate_the_two_steps(planted, rng, known, shape):
    """By hand: γ ∝ (n_dk without the token + α)(n_wk + β)/(n_k + Σβ), and long steps."""
    tokens, K, alpha = tokens_from_counts(planted.data), 4, 0.3
    beta = rng.gamma(1, size=shape) + 0.01 if shape else 0.1
    beside = rng.poisson(known, (60, K)).astype(np.float32)
    prior = np.squeeze(np.transpose(beta))  # (V,) or (K, V)
    chain = make_chain(tokens, K, "rows", others=beside, word_prior=prior)
    chain = run(chain, 10, alpha)
    table = chain.counts.word_topic().astype(float)
    n_dk = doc_topic_counts(tokens, chain.topics, K)
    docs = np.repeat(np.arange(200), np.diff(tokens.starts))
    others = n_dk[docs] - np.eye(K)[chain.topics]
    for _ in range(3):
        gamma = (others + alpha) * (table + beta)[tokens.words]
        gamma /= (table + beta).sum(axis=0)
        gamma /= gamma.sum(axis=1, keepdims=True)
        shares = np.zeros_like(table)
        np.add.at(shares, tokens.words, gamma)
        stepped = shares * np.minimum((shares + beta) / (table - beside + beta), 4)
        scale = shares.sum(axis=1) / np.maximum(stepped.sum(axis=1), 1e-9)
        table = stepped * scale[:, np.newaxis] + beside
    found = expected_counts(chain, np.full((1, K), alpha), 3)
    assert_allclose(found, table, rtol=1e-3, atol=1e-3)


def test_expected_counts_predict_held_out_words_better(planted):
    """They also keep the number of tokens of each word."""
    fit, held_out = planted.data[:150], planted.data[150:]
    tokens, prior = tokens_from_counts(fit), np.full((1, 4), 0.1)
    observed, rest = halves(held_out)
    scores = []
    chain = run(make_chain(tokens, 4, "rows"), 20, prior)
    for counts in (chain.counts.word_topic(), expected_counts(chain, prior)):
        assert_allclose(counts.sum(axis=1), fit.sum(axis=0), rtol=1e-5)
        phi = to_topics(counts.T.astype(float), 0.01)
        mixtures = infer_mixtures(observed, phi, prior)
        scores.append(log_likelihood(rest, mixtures, phi))
    assert scores[1] > scores[0]


def test_an_error_in_a_thread_reaches_the_caller():
    def fail():
        raise MemoryError("no room")

    for n_jobs in (1, 2, 3):
        with workers(n_jobs) as threads:
            for calls in ([fail], [int, fail], [fail, int, int]):
                with pytest.raises(MemoryError, match="no room"):
                    threads.run(calls)


def test_all_calls_end_before_the_error_is_raised():
    done, begun = [], threading.Event()

    def slow():
        begun.set()
        time.sleep(0.1)
        done.append(1)

    def fail():
        begun.wait()
        raise ValueError("at once")

    with workers(2) as threads:
        with pytest.raises(ValueError, match="at once"):
            threads.run([fail, slow, *[slow] * 1000])
        assert 1 <= len(done) < 1000  # those that had begun


def test_calls_are_made_once_each_by_any_number_of_threads():
    for n_jobs in (1, 2, 5):
        made: list[int] = []
        with workers(n_jobs) as threads:
            threads.run([partial(made.append, i) for i in range(100)])
            threads.run([])
        assert sorted(made) == list(range(100))


def test_one_thread_inside_a_worker_of_joblib():
    def count():
        with workers(8) as threads:
            return threads.n

    assert count() == 8
    for backend in ("threading", "loky"):
        nested = Parallel(2, backend=backend)(delayed(count)() for _ in range(2))
        assert nested == [1, 1]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_work_in_many_pieces_gives_the_same_bits(planted, monkeypatch, sampler):
    tokens = tokens_from_counts(planted.data)
    one, each = np.full((1, 300), 0.1), planted.doc_topic @ np.ones((4, 300)) + 0.1

    def run(prior):
        chain = make_chain(tokens, 300, sampler)
        for _ in range(2):
            chain.sweep(prior)
        phi = to_topics(expected_counts(chain, prior).T.astype(float), 0.1)
        return chain.topics, phi, infer_mixtures(planted.data, phi, prior)

    whole = [run(prior) for prior in (one, each)]
    monkeypatch.setattr(pieces, "_MOMENT", 300 * 100)
    for before, prior in zip(whole, (one, each), strict=True):
        for a, b in zip(before, run(prior), strict=True):
            assert_array_equal(a, b)


def test_tokens_are_the_counts():
    X = sp.csr_array(np.array([[2, 0, 1], [0, 0, 0], [0, 3, 0]], np.int32))
    tokens = tokens_from_counts(X)
    assert_array_equal(tokens.words, [0, 0, 2, 1, 1, 1])
    assert_array_equal(tokens.starts, [0, 3, 3, 6])
    assert tokens.n_words == 3
    assert_allclose(np.diff(tokens.starts), X.sum(axis=1))
