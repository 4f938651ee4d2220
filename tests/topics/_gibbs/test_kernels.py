"""The compiled loops follow their formulas, and give the same as plain Python."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics.topics._gibbs.kernels import exact, mixtures
from llmtopics.topics._gibbs.kernels.exact import ExactPriors, Table
from llmtopics.topics._gibbs.kernels.mixtures import CSRCounts, StopRule
from llmtopics.topics._gibbs.tokens import Tokens

D, V, K, T = 6, 9, 3, 80


def as_python(kernel):
    return getattr(kernel, "py_func", kernel)  # NUMBA_DISABLE_JIT=1 has no py_func


@pytest.fixture(params=[(), (V,), (V, K)], ids=["one β", "β_w", "β_kw"])
def sweep_arguments(rng, request):
    words = rng.integers(V, size=T, dtype=np.int32)
    starts = np.sort(np.concatenate([[0, T], rng.integers(T, size=D - 1)]))
    topics = rng.integers(K, size=T, dtype=np.uint16)
    word_topic = np.zeros((V, K), np.int32)
    np.add.at(word_topic, (words, topics), 1)
    total = word_topic.sum(axis=0, dtype=float)
    prior = rng.gamma(1, size=(D, K))
    beta = rng.gamma(1, size=request.param)
    cells = beta if beta.ndim != 1 else beta[:, np.newaxis]
    beta_total = np.broadcast_to(cells, (V, K)).sum(axis=0)
    beta = beta if beta.ndim else float(beta)
    priors = ExactPriors(prior, beta, rng.permutation(V).astype(np.int32), beta_total)
    return Tokens(words, starts, V), topics, Table(word_topic, total), priors


@pytest.mark.parametrize("one_prior", [True, False])
def test_compiled_sweep_equals_plain_python(sweep_arguments, one_prior):
    tokens, topics, table, priors = sweep_arguments
    if one_prior:
        priors = priors._replace(doc=priors.doc[:1])
    twin = topics.copy(), Table(*(counts.copy() for counts in table))
    exact.draw(tokens, topics, table, priors, np.random.default_rng(1), 0, D)
    as_python(exact.draw)(tokens, *twin, priors, np.random.default_rng(1), 0, D)
    assert_array_equal(topics, twin[0])
    for compiled, plain in zip(table, twin[1], strict=True):
        assert_array_equal(compiled, plain)


@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 40])
def test_find_hits_slots_in_proportion(n):
    widths = np.arange(1, n + 1)
    grid = (np.arange(100 * widths.sum()) + 0.5) / (100 * widths.sum())
    for find in [exact.find, as_python(exact.find)]:
        if find is not exact.find:
            grid = grid[::10]
        hits = np.bincount(
            [find(np.cumsum(widths) / 7.0, u) for u in grid], minlength=n
        )
        assert_allclose(hits, widths * grid.size / widths.sum(), atol=1)


def test_find_stays_inside_at_the_edges():
    cumulative = np.array([0.1, 0.1, 0.3])  # the second slot has no width
    assert exact.find(cumulative, 0.0) == 0
    assert exact.find(cumulative, 0.1 / 0.3) == 2
    assert exact.find(cumulative, 1 - 2.0**-53) == 2
    assert exact.find(cumulative, 1.0) == 2


def infer(X, topics, prior, max_iter, tol=0.0, kernel=mixtures.infer):
    found = np.full((D, K), np.nan)
    counts = CSRCounts(X.data, X.indices, X.indptr.astype(np.int64))
    kernel(counts, topics.T.copy(), prior, StopRule(max_iter, tol), 0, D, found)
    return found


def mixtures_by_formula(counts, topics, prior, n_steps, tol=0.0):
    """CVB0 with φ fixed: γ_wk ∝ φ_kw (α_k + Σ n γ without one token), words in turn."""
    found = []
    for d, row in enumerate(counts):
        alpha = prior[d if len(prior) > 1 else 0]
        gamma = np.zeros((V, K))
        for _ in range(n_steps):
            before = row @ gamma
            for w in np.flatnonzero(row):
                others = alpha + row @ gamma - gamma[w]
                gamma[w] = topics[:, w] * others / (topics[:, w] @ others)
            if np.abs(row @ gamma - before).max() <= tol * row.sum():
                break
        found.append((alpha + row @ gamma) / (alpha + row @ gamma).sum())
    return np.array(found)


@pytest.mark.parametrize("one_prior", [True, False])
def test_mixtures_equal_the_written_formula(rng, one_prior):
    counts = rng.poisson(1.5, (D, V)).astype(np.int32)
    counts[2] = 0
    topics = rng.dirichlet(np.ones(V), K)
    prior = rng.gamma(1, size=(1 if one_prior else D, K))

    X = sp.csr_array(counts)
    found = infer(X, topics, prior, 4)
    assert_allclose(found, mixtures_by_formula(counts, topics, prior, 4))
    assert_allclose(
        found[2], prior[-1 if one_prior else 2] / prior[-1 if one_prior else 2].sum()
    )
    plain = infer(X, topics, prior, 4, kernel=as_python(mixtures.infer))
    assert_allclose(found, plain, rtol=1e-14)


@pytest.mark.parametrize("tol", [0.1, 1e-2, 1e-4])
def test_inference_stops_when_a_pass_moves_little(rng, tol):
    counts = rng.poisson(1.5, (D, V)).astype(np.int32)
    X, prior = sp.csr_array(counts), np.full((1, K), 0.1)
    topics = rng.dirichlet(np.ones(V), K)
    found = infer(X, topics, prior, 1000, tol)
    expected = mixtures_by_formula(counts, topics, prior, 1000, tol)
    assert_allclose(found, expected, rtol=1e-9)
