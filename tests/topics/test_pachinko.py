"""Paths are drawn from the right distribution, and planted super-topics are found."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.special import gammaln
from sklearn.exceptions import ConvergenceWarning

from llmtopics import PachinkoAllocation
from llmtopics._compiled.threads import ONE, workers
from llmtopics.datasets import load_reuters395
from llmtopics.topics import _pachinko
from llmtopics.topics._gibbs import chain as chains
from llmtopics.topics._gibbs import path_start
from llmtopics.topics._gibbs.assigned_paths import AssignedPaths, PathPrior
from llmtopics.topics._gibbs.chain import start_path_chain
from llmtopics.topics._gibbs.expected_counts import expected_counts
from llmtopics.topics._gibbs.kernels import mixtures as mixture_kernels
from llmtopics.topics._gibbs.kernels import paths as kernels
from llmtopics.topics._gibbs.kernels.common import zeros
from llmtopics.topics._gibbs.kernels.mixtures import CSRCounts, StopRule
from llmtopics.topics._gibbs.likelihood import divided_paths, tally_cells
from llmtopics.topics._gibbs.likelihood import log_joint as joint_of
from llmtopics.topics._gibbs.mixtures import infer_path_mixtures
from llmtopics.topics._gibbs.tokens import Tokens, tokens_from_counts


def corpus(*documents, n_words):
    words = np.array([w for document in documents for w in document], np.int32)
    return Tokens(words, np.cumsum([0, *map(len, documents)], dtype=np.int64), n_words)


def path_counts(tokens, topics, supers, shape):
    """n_dst, of shape (D, S, K)."""
    D = len(tokens.starts) - 1
    counts = np.zeros((D, *shape))
    docs = np.repeat(np.arange(D), np.diff(tokens.starts))
    np.add.at(counts, (docs, supers, topics), 1)
    return counts


def polya(counts, prior):
    """log p of counts, (..., K), their Dirichlets integrated out."""
    return (
        gammaln(prior.sum(-1))
        - gammaln((counts + prior).sum(-1))
        + (gammaln(counts + prior) - gammaln(prior)).sum(-1)
    ).sum()


def log_joint(tokens, topics, supers, prior, word_prior):
    """log p(w, s, t), all mixtures and topics integrated out (Li & McCallum 2006)."""
    n_dst = path_counts(tokens, topics, supers, prior.below.shape)
    n_kw = np.zeros((prior.below.shape[1], tokens.n_words))
    np.add.at(n_kw, (topics, tokens.words), 1)
    return (
        polya(n_dst.sum(axis=2), prior.root)
        + polya(n_dst, prior.below)
        + polya(n_kw, np.full(n_kw.shape, word_prior))
    )


def make_chain(tokens, shape, exact=True, word_prior=0.1, seed=0, workers=ONE):
    rng = np.random.default_rng(seed)
    supers, topics = (
        rng.integers(n, size=tokens.words.size, dtype=np.uint16) for n in shape
    )
    paths = AssignedPaths(topics, supers, *shape)
    sampler = "exact" if exact else "blocked"
    return start_path_chain(tokens, paths, word_prior, seed, workers, sampler=sampler)


def random_prior(shape, seed=0):
    rng = np.random.default_rng(seed)
    return PathPrior(rng.gamma(1, size=shape[0]), rng.gamma(0.5, size=shape) + 0.01)


# the sampler --------------------------------------------------------------------------


def distance_to_posterior(exact, n_sweeps):
    """Total variation between visits to 1,024 states and the posterior; and that by chance."""
    tokens = corpus([0, 0, 1], [1, 2], n_words=3)
    prior = PathPrior(np.array([0.7, 1.3]), np.array([[0.3, 0.9], [1.2, 0.4]]))
    paths = np.array(list(product(range(4), repeat=5)), np.int32)
    log_p = [log_joint(tokens, p % 2, p // 2, prior, 0.4) for p in paths]
    posterior = np.exp(np.array(log_p) - max(log_p))
    posterior /= posterior.sum()

    chain = make_chain(tokens, (2, 2), exact, word_prior=0.4)
    rng, place = np.random.default_rng(0), 4 ** np.arange(5)[::-1]
    visits = np.zeros(1024)
    for _ in range(n_sweeps):
        chain.sweep(prior)
        visits[(2 * chain.assigned.supers.astype(int) + chain.topics) @ place] += 1

    def distance(counts):
        return np.abs(counts / n_sweeps - posterior).sum() / 2

    chance = [distance(rng.multinomial(n_sweeps, posterior)) for _ in range(20)]
    return distance(visits), np.mean(chance)


LONG = pytest.param(100_000, marks=pytest.mark.slow)


@pytest.mark.parametrize("n_sweeps", [20_000, LONG])
def test_exact_sweeps_visit_the_exact_posterior(n_sweeps):
    found, chance = distance_to_posterior(True, n_sweeps)
    assert found < 1.3 * chance


def test_blocked_sweeps_on_five_tokens_are_near_the_posterior():
    found, chance = distance_to_posterior(False, 8_000)
    assert chance < found < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("n", [3_000, 20_000])
def test_sweeps_and_new_words_keep_the_joint_distribution(n):
    """Geweke (2004): sweeps and redrawn words give the same moments as forward draws."""
    lengths, V, shape, beta = [5, 4, 6], 4, (2, 3), 0.5
    prior, rng = random_prior(shape), np.random.default_rng(1)
    starts = np.cumsum([0, *lengths], dtype=np.int64)

    def words_given(topics):
        phi = rng.dirichlet(np.full(V, beta), shape[1]).cumsum(axis=1)
        words = (rng.random((topics.size, 1)) > phi[topics]).sum(axis=1)
        return np.minimum(words, V - 1).astype(np.int32)

    def forward():
        topics, supers = [], []
        for size in lengths:
            root = rng.dirichlet(prior.root)
            below = [rng.dirichlet(row) for row in prior.below]
            supers += rng.choice(shape[0], size, p=root).tolist()
            topics += [rng.choice(shape[1], p=below[s]) for s in supers[-size:]]
        topics, supers = np.array(topics, np.uint16), np.array(supers, np.uint16)
        return topics, supers, words_given(topics)

    def statistics(topics, supers, words):
        n_dst = path_counts(Tokens(words, starts, V), topics, supers, shape)
        n_wk = np.zeros((V, shape[1]))
        np.add.at(n_wk, (words, topics), 1)
        return [
            (n_dst**2).sum(),
            (n_dst.sum(axis=2) ** 2).sum(),
            (n_wk**2).sum(),
            n_wk.sum(axis=0).max(),
            (n_dst.sum(axis=0) ** 2).sum(),
            n_dst[:, 0].sum(),
            n_dst[0, supers[-1], topics[-1]],
        ]

    independent = np.array([statistics(*forward()) for _ in range(n)], float)
    topics, supers, words = forward()
    chain = np.empty_like(independent)
    for i in range(n):
        tokens = Tokens(words, starts, V)
        paths = AssignedPaths(topics, supers, *shape)
        start_path_chain(tokens, paths, beta, i, ONE, sampler="exact").sweep(prior)
        topics, supers = paths.topics, paths.supers
        words = words_given(topics)
        chain[i] = statistics(topics, supers, words)

    batches = chain.reshape(100, -1, chain.shape[1]).mean(axis=1)  # long against memory
    error = np.sqrt(independent.var(axis=0) / n + batches.var(axis=0) / len(batches))
    z = (chain.mean(axis=0) - independent.mean(axis=0)) / error
    assert (np.abs(z) < 3.5).all(), z


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (2, 16), (5, 17), (20, 40)])
def test_topics_weights_are_those_of_the_formula(planted, shape):
    """p(t) of every token, summed over super-topics; some tokens are alone in theirs."""
    tokens, prior, beta = (
        tokens_from_counts(planted.data[:20]),
        random_prior(shape),
        0.1,
    )
    chain = make_chain(tokens, shape, word_prior=beta)
    n_dst = path_counts(tokens, chain.topics, chain.assigned.supers, shape)
    table = chain.counts.word_topic().astype(float)
    total = table.sum(axis=0)
    expected = np.zeros((60, shape[1]))
    docs = np.repeat(np.arange(20), np.diff(tokens.starts))
    for d, w, t, s in zip(
        docs, tokens.words, chain.topics, chain.assigned.supers, strict=True
    ):
        n = n_dst[d].copy()
        n[s, t] -= 1
        share = (n.sum(axis=1) + prior.root) / (n.sum(axis=1) + prior.below.sum(axis=1))
        gamma = share @ (n + prior.below) * (table[w] + beta) / (total + 60 * beta)
        expected[w] += gamma / gamma.sum()
    counts, paths = chain.counts, chain.assigned
    priors = paths.priors(prior, chain.word_prior, total)
    priors = priors._replace(inverse=priors.inverse[[0, 0]])
    shares = zeros(60, counts.width)
    paths.share(tokens, (0, 20), (0, 60), counts.parts.table, priors, shares)
    assert_allclose(shares[:, : shape[1]], expected, rtol=2e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(3, 20), (40, 5)])
@pytest.mark.parametrize(
    ("length", "root", "below"),
    [(20_000, None, None), (15, 1e6, 1e-6), (15, 1e3, 1e-6), (30, 10, 1e-5)],
)
def test_sums_over_super_topics_are_kept_up_to_date(shape, length, root, below):
    """After many moves in one document they are still those of its counts."""
    rng = np.random.default_rng(0)
    tokens = corpus(rng.integers(50, size=length), n_words=50)
    chain, prior = make_chain(tokens, shape), random_prior(shape)
    if root is not None:
        prior = PathPrior(np.full(shape[0], root), np.full(shape, below))
    counts, paths, scratch = (
        chain.counts,
        chain.assigned,
        kernels.scratch(shape[0], chain.counts.width),
    )
    totals = counts.totals()
    for key in range(5):
        kernels.draw(
            tokens,
            kernels.Paths(paths.topics, paths.supers),
            paths.topics,
            0,
            1,
            counts.parts,
            totals,
            paths.priors(prior, chain.word_prior, totals),
            np.uint64(key),
            scratch,
        )
        (n,) = path_counts(tokens, paths.topics, paths.supers, shape)
        assert_array_equal(scratch.in_super, n.sum(axis=1))
        assert_array_equal(scratch.in_path[:, : shape[1]], n)
        n_s = n.sum(axis=1)
        share = (n_s + prior.root) / (n_s + prior.below.sum(axis=1))
        expected = share @ (n + prior.below)
        assert_allclose(scratch.mass[: shape[1]], expected, rtol=2e-5)
        assert_array_equal(totals, np.bincount(chain.topics, minlength=shape[1]))


@pytest.mark.parametrize("shape", [(1, 1), (2, 17), (30, 300)])
@pytest.mark.parametrize("exact", [True, False])
def test_counts_stay_those_of_the_assignment(planted, shape, exact):
    tokens, prior = tokens_from_counts(planted.data), random_prior(shape)
    chain = make_chain(tokens, shape, exact)
    for _ in range(3):
        chain.sweep(prior)
        counts = np.zeros((60, shape[1]))
        np.add.at(counts, (tokens.words, chain.topics), 1)
        assert_array_equal(chain.counts.word_topic(), counts)
        assert chain.assigned.supers.max() < shape[0]
    assert chain.n_sweeps == 3


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("least", [1e-6, 1e-3])
def test_small_priors_keep_their_ratios(exact, least):
    """A single token: the priors alone decide its path."""
    prior = PathPrior(
        np.array([9, 1]) * least, np.array([[1, 1, 2], [1, 3, 1]]) * least
    )
    chain = make_chain(corpus([0], n_words=1), (2, 3), exact)
    visits = np.zeros((2, 3))
    for _ in range(4000):
        chain.sweep(prior)
        visits[chain.assigned.supers[0], chain.topics[0]] += 1
    expected = [[0.9 / 4, 0.9 / 4, 0.9 / 2], [0.1 / 5, 0.3 / 5, 0.1 / 5]]
    assert_allclose(visits / 4000, expected, atol=0.03)


@pytest.mark.parametrize("shape", [(2, 4), (7, 300)])
def test_any_number_of_threads_gives_the_same_bits(planted, shape):
    tokens, prior = tokens_from_counts(planted.data), random_prior(shape)

    def run(workers):
        chain = make_chain(tokens, shape, exact=False, workers=workers)
        for _ in range(5):
            chain.sweep(prior)
        return chain.topics, chain.assigned.supers, expected_counts(chain, prior)

    alone = run(ONE)
    for n_jobs in (2, 3, 8):
        with workers(n_jobs) as threads:
            for found, expected in zip(run(threads), alone, strict=True):
                assert_array_equal(found, expected)


@pytest.mark.slow
def test_blocked_sweeps_end_as_likely_as_exact_ones():
    tokens, shape = tokens_from_counts(load_reuters395().data), (4, 12)
    prior = PathPrior(np.full(4, 0.5), np.full(shape, 0.2))

    def end(exact, seed):
        chain = make_chain(tokens, shape, exact, seed=seed)
        for _ in range(40):
            chain.sweep(prior)
        return log_joint(tokens, chain.topics, chain.assigned.supers, prior, 0.1)

    exact, blocked = (np.mean([end(e, seed) for seed in range(2)]) for e in (1, 0))
    assert_allclose(blocked, exact, rtol=0.01)


@pytest.mark.parametrize(
    ("documents", "n_words", "shape"),
    [
        ([[0, 1, 0]], 2, (1, 1)),
        ([[0, 0], [0]], 1, (2, 3)),
        ([[], [1], []], 2, (3, 2)),
        ([[1], []], 2, (50, 300)),
        ([[]], 2, (2, 2)),
        ([], 2, (2, 2)),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_small_corpora(documents, n_words, shape, exact):
    tokens, prior = corpus(*documents, n_words=n_words), random_prior(shape)
    chain = make_chain(tokens, shape, exact)
    for _ in range(3):
        chain.sweep(prior)
    assert chain.counts.word_topic().sum() == sum(map(len, documents))
    settled = expected_counts(chain, prior)
    assert_allclose(settled.sum(), sum(map(len, documents)), rtol=1e-5)


def test_the_trace_is_the_joint_likelihood(planted):
    X = sp.csr_array(planted.data, copy=True)
    X.data[0] = 700  # beyond the table of small counts
    tokens, shape = tokens_from_counts(X), (3, 4)
    prior, chain = random_prior(shape), make_chain(tokens, shape)
    chain.sweep(prior)
    divisions = zip(divided_paths(tokens.starts, chain.assigned), prior, strict=True)
    found = joint_of(tally_cells(chain), *divisions)
    by_hand = log_joint(tokens, chain.topics, chain.assigned.supers, prior, 0.1)
    assert_allclose(found, by_hand / tokens.words.size)


# mixtures ------------------------------------------------------------------------------


def infer(counts, topics, prior, n_passes, kernel=mixture_kernels.infer_paths):
    X, (S, K) = sp.csr_array(counts), prior.below.shape
    mixtures, supers = (
        np.full((len(counts), K), np.nan),
        np.full((len(counts), S), np.nan),
    )
    kernel(
        CSRCounts(X.data, X.indices, X.indptr.astype(np.int64)),
        np.ascontiguousarray(topics.T),
        *prior,
        StopRule(n_passes, 0.0),
        0,
        len(counts),
        mixtures,
        supers,
    )
    return mixtures, supers


def by_formula(row, topics, prior, n_passes):
    """γ_wst ∝ φ_tw A_s (n_st + α_st) without the word's own token; words in turn."""
    (S, K), V = prior.below.shape, row.size
    gamma, own = np.zeros((V, S, K)), np.zeros((V, S))
    n_s, n_st, parting = np.zeros(S), np.zeros((S, K)), np.zeros((S, K))
    for _ in range(n_passes):
        for w in np.flatnonzero(row):
            taken = gamma[w].sum(axis=0) * parting  # of one token
            others = n_s - own[w]
            share = (others + prior.root) / (others + prior.below.sum(axis=1))
            path = share[:, None] * (np.maximum(n_st - taken, 0) + prior.below)
            fresh = path * topics[:, w]
            fresh /= fresh.sum()
            n_st += row[w] * (fresh - taken)
            n_s += row[w] * (fresh.sum(axis=1) - own[w])
            gamma[w], own[w] = fresh, fresh.sum(axis=1)
        total = n_st.sum(axis=0)
        parting = np.divide(n_st, total, where=total > 0, out=np.full((S, K), 1 / S))
    share = (n_s + prior.root) / (n_s + prior.below.sum(axis=1))
    theta = share @ (n_st + prior.below)
    return theta / theta.sum(), (n_s + prior.root) / (n_s + prior.root).sum()


@pytest.mark.parametrize("n_passes", [1, 4])
def test_mixtures_equal_the_written_formula(n_passes):
    rng, prior = np.random.default_rng(0), random_prior((3, 4))
    counts, topics = rng.poisson(1.0, (6, 9)), rng.dirichlet(np.ones(9), 4)
    counts[2] = 0
    compiled = mixture_kernels.infer_paths
    for kernel in [compiled, getattr(compiled, "py_func", compiled)]:
        mixtures, supers = infer(
            counts.astype(np.int32), topics, prior, n_passes, kernel=kernel
        )
        for d, row in enumerate(counts):
            theta, of_supers = by_formula(row, topics, prior, n_passes)
            assert_allclose(mixtures[d], theta, rtol=1e-6)
            assert_allclose(supers[d], of_supers, rtol=1e-6)
    mean = prior.root / prior.root.sum()
    assert_allclose(supers[2], mean)
    assert_allclose(
        mixtures[2], mean @ (prior.below / prior.below.sum(axis=1, keepdims=True))
    )


def test_both_levels_of_mixtures_have_converged():
    rng, prior = np.random.default_rng(0), random_prior((3, 4))
    counts = rng.poisson(2.0, (12, 9)).astype(np.int32)
    topics, X = rng.dirichlet(np.ones(9), 4), sp.csr_array(counts)
    found = infer_path_mixtures(X, topics, *prior)
    converged = infer(counts, topics, prior, 20_000)
    assert_allclose(found[0], converged[0], atol=1e-3)
    assert_allclose(found[1], converged[1], atol=0.01)


def test_mixtures_are_near_the_posterior_means():
    """Of documents of four words, by enumeration of their paths."""
    errors = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        topics = rng.dirichlet(np.ones(5), 3)
        prior = PathPrior(rng.gamma(1, size=2) + 0.1, rng.gamma(1, size=(2, 3)) + 0.1)
        words, total, mean = rng.integers(5, size=4).tolist(), 0.0, np.zeros(3)
        tokens = corpus(words, n_words=5)
        for paths in product(range(6), repeat=4):
            supers, subs = np.divmod(paths, 3)
            (n,) = path_counts(tokens, subs, supers, (2, 3))
            p = np.exp(polya(n.sum(axis=1), prior.root) + polya(n, prior.below))
            p *= topics[subs, words].prod()
            n_s = n.sum(axis=1)
            share = (n_s + prior.root) / (n_s + prior.below.sum(axis=1))
            mean += p * (share @ (n + prior.below)) / (4 + prior.root.sum())
            total += p
        counts = np.bincount(words, minlength=5)[np.newaxis].astype(np.int32)
        found, _ = infer(counts, topics, prior, 500)
        errors.append(np.abs(found[0] - mean / total).max())
    assert np.mean(errors) < 0.02


# the estimator ------------------------------------------------------------------------


def planted_paths(seed, n_documents=600, word_prior=0.1, per=4, n_words=100):
    """Two super-topics of four sub-topics each, which no other has."""
    rng, K = np.random.default_rng(seed), 2 * per
    topics = rng.dirichlet(np.full(n_words, word_prior), K)
    root = rng.dirichlet([0.2, 0.2], n_documents)
    below = rng.dirichlet(np.full(per, 0.5), (n_documents, 2))
    theta = (root[:, :, np.newaxis] * below).reshape(n_documents, K)
    X = rng.multinomial(100, theta @ topics)
    return X, topics, theta, root


@pytest.mark.parametrize("seed", range(3))
def test_finds_planted_super_topics(seed):
    X, topics, theta, root = planted_paths(seed)
    model = PachinkoAllocation(8, n_super_components=2, random_state=seed).fit(X)
    distance = cdist(model.components_, topics, "jensenshannon")
    found, true = linear_sum_assignment(distance)
    assert distance[found, true].mean() < 0.1
    order = found[np.argsort(true)]
    made_of = model.super_sub_[:, order].reshape(2, 2, 4).sum(axis=2)
    first = made_of[:, 0].argmax()  # the super-topic of the first four
    assert made_of[[first, 1 - first], [0, 1]].min() > 0.9
    assert np.abs(model.transform(X)[:, order] - theta).mean() < 0.05
    assert np.abs(model.transform_super(X)[:, [first, 1 - first]] - root).mean() < 0.1
    r = model.topic_correlations().to_numpy()[np.ix_(order, order)]
    within = np.kron(np.eye(2), np.ones((4, 4))).astype(bool)
    assert r[within & ~np.eye(8, dtype=bool)].mean() > r[~within].mean() + 0.1


@pytest.fixture(scope="module")
def fitted():
    X = planted_paths(0, 300)[0]
    return X, PachinkoAllocation(8, n_super_components=2, random_state=0).fit(X)


def test_rows_are_distributions(fitted):
    X, model = fitted
    for rows, shape in [
        (model.components_, (8, 100)),
        (model.super_sub_, (2, 8)),
        (model.transform_super(X), (300, 2)),
    ]:
        assert rows.shape == shape
        assert rows.dtype == np.float64
        assert (rows >= 0).all()
        assert_allclose(rows.sum(axis=1), 1)
    assert_allclose(model.super_counts_.sum(), X.sum())
    assert_allclose(model.topic_counts_.sum(), X.sum(), rtol=1e-5)
    blank = model.transform_super(np.zeros((1, 100)))[0]
    assert_allclose(blank, [0.5, 0.5])


def test_a_documents_super_topics_do_not_depend_on_the_batch(fitted):
    X, model = fitted
    together = model.transform_super(X[:9])
    alone = np.vstack([model.transform_super(X[[i]]) for i in range(9)])
    assert_array_equal(together, alone)


def test_priors_are_learned():
    X = planted_paths(0, 1000, word_prior=0.05)[0]
    model = PachinkoAllocation(
        8,
        n_super_components=2,
        doc_super_prior="auto",
        topic_word_prior="auto",
        random_state=0,
    ).fit(X)
    assert_allclose(model.doc_super_prior_, 0.2, rtol=0.2)
    assert_allclose(model.super_sub_prior_.sum(axis=1), 2, rtol=0.25)
    assert_allclose(model.topic_word_prior_, 0.05, rtol=0.15)
    assert model.log_likelihood_[-1] > model.log_likelihood_[0]


def test_given_priors_are_kept_and_change_the_topics():
    X = planted_paths(0, 200)[0]
    below = np.full((2, 4), 0.01)
    below[0, :2] = below[1, 2:] = 1
    model = PachinkoAllocation(
        4,
        n_super_components=2,
        doc_super_prior=[0.3, 0.6],
        super_sub_prior=below,
        random_state=0,
    ).fit(X)
    assert_array_equal(model.super_sub_prior_, below)
    assert_array_equal(model.doc_super_prior_, [0.3, 0.6])
    assert model.super_sub_[0, :2].sum() > 0.9
    assert model.super_sub_[1, 2:].sum() > 0.9
    assert_allclose(model.transform_super(np.zeros((1, 100)))[0], [1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_super_components", 0),
        ("doc_super_prior", [0.1, 0.1, 0.1]),
        ("doc_super_prior", 0),
        ("doc_super_prior", "none"),
        ("doc_super_prior", ["a", "b"]),
        ("super_sub_prior", np.ones((3, 2))),
        ("super_sub_prior", [0.1, 0.2, 0.3]),
        ("super_sub_prior", np.full((2, 3), np.nan)),
        ("super_sub_prior", 1e7),
        ("super_sub_prior", None),
        ("topic_word_prior", 1e-7),
    ],
)
def test_bad_parameters_are_refused(name, value):
    model = PachinkoAllocation(3, n_super_components=2).set_params(**{name: value})
    with pytest.raises(ValueError, match=name):
        model.fit(np.ones((3, 4), int))
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("root", [1e-6, 1e6])
@pytest.mark.parametrize("below", [1e-6, 1e6])
@pytest.mark.parametrize("beta", [1e-6, 1e6])
def test_extreme_priors_stay_finite(planted, root, below, beta):
    model = PachinkoAllocation(
        4,
        n_super_components=3,
        doc_super_prior=root,
        super_sub_prior=below,
        topic_word_prior=beta,
        max_iter=5,
        random_state=0,
    ).fit(planted.data[:100])
    mixtures = model.transform(planted.data)
    assert_allclose(mixtures.sum(axis=1), 1)
    assert np.isfinite(model.score(planted.data))


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
def test_the_same_bits_for_any_number_of_threads(sampler):
    X = load_reuters395().data

    def fit(n_jobs):
        return PachinkoAllocation(
            12,
            n_super_components=3,
            doc_super_prior="auto",
            topic_word_prior="auto",
            sampler=sampler,
            max_iter=12,
            n_jobs=n_jobs,
            random_state=0,
        ).fit(X)

    alone, together = fit(None), fit(3)
    for name in ("components_", "super_sub_", "super_sub_prior_", "log_likelihood_"):
        assert_array_equal(getattr(together, name), getattr(alone, name))
    assert_array_equal(together.transform(X), alone.transform(X))


def test_auto_is_exact_for_few_tokens_and_blocked_for_many(planted, monkeypatch):
    def fit(sampler):
        model = PachinkoAllocation(4, sampler=sampler, max_iter=8, random_state=0)
        return model.fit(planted.data).components_

    exact, blocked = fit("exact"), fit("blocked")
    assert not np.array_equal(exact, blocked)
    assert_array_equal(fit("auto"), exact)
    monkeypatch.setattr(chains, "FEW_TOKENS", planted.data.sum() - 1)
    assert_array_equal(fit("auto"), blocked)


def test_a_chain_stops_when_its_likelihood_does(planted):
    def fit(**parameters):
        model = PachinkoAllocation(4, n_super_components=2, random_state=0)
        return model.set_params(**parameters).fit(planted.data)

    full = fit(max_iter=400)
    early = fit(max_iter=400, tol=1e-2)
    assert full.n_iter_ == 400
    assert len(full.log_likelihood_) == 30
    assert early.n_iter_ < 400
    assert_array_equal(
        early.log_likelihood_, full.log_likelihood_[: len(early.log_likelihood_)]
    )
    with pytest.warns(
        ConvergenceWarning, match="PachinkoAllocation.*too few"
    ) as caught:
        fit(max_iter=40, tol=10)
    assert caught[0].filename == __file__


def test_an_interrupt_keeps_the_old_fit(monkeypatch, planted):
    model = PachinkoAllocation(4, max_iter=5, random_state=0).fit(planted.data)
    before = model.transform(planted.data)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_pachinko, "expected_counts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(n_components=7).fit(planted.data[:, :30])
    assert_array_equal(model.transform(planted.data), before)


def test_correlations_are_those_of_mixtures_drawn_from_the_priors(fitted):
    _, model = fitted
    r, S = np.random.default_rng(0), 2
    root = r.dirichlet(model.doc_super_prior_, 200_000)
    theta = sum(
        root[:, [s]] * r.dirichlet(model.super_sub_prior_[s], 200_000) for s in range(S)
    )
    found = model.topic_correlations()
    assert_allclose(found, np.corrcoef(theta.T), atol=0.01)
    assert (
        list(found.index) == list(found.columns) == list(model.get_feature_names_out())
    )
    one = PachinkoAllocation(1, max_iter=4).fit(np.ones((3, 4), int))
    assert one.topic_correlations().to_numpy() == [[1]]


def test_words_too_many_to_count_are_refused():
    with pytest.raises(
        ValueError, match=r"Column 0 of X counts 16,777,217.*document\.$"
    ):
        PachinkoAllocation(2).fit(np.array([[2**24 - 1, 1], [2, 5]]))
    with pytest.raises(ValueError, match="sample of the documents"):
        PachinkoAllocation(2).fit(sp.csr_array(np.full((2, 3), 2**30, dtype=np.int64)))


def test_super_topics_start_from_no_more_tokens_than_can_be_counted(
    planted, monkeypatch
):
    monkeypatch.setattr(path_start, "COUNTED", 500, raising=False)
    sizes, start = [], path_start.start_chain

    def started(tokens, *arguments, **parameters):
        sizes.append(tokens.words.size)
        return start(tokens, *arguments, **parameters)

    monkeypatch.setattr(path_start, "start_chain", started)
    PachinkoAllocation(3, max_iter=4, random_state=0).fit(planted.data)
    assert sizes[0] == planted.data.sum()
    assert 0 < sizes[1] < 600


def test_contributions_of_words_and_priors_sum_to_the_mixture(fitted):
    X, model = fitted
    for row in [*X[:5], np.eye(100, dtype=int)[3], np.zeros(100, int)]:
        row = sp.csr_array(row[np.newaxis].astype(np.int32))
        words, prior = model._contributions(row)
        assert words.shape == (row.nnz, 8)
        assert (words >= 0).all()
        assert (prior >= 0).all()
        assert_allclose(words.sum(axis=0) + prior, model.transform(row)[0], atol=1e-12)
    blank = model.transform(np.zeros((1, 100), int))[0]
    assert_allclose(prior, blank)  # all of it, without words
