from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammaln

from llmtopics.metrics import _left_to_right_kernels as kernels
from llmtopics.metrics import left_to_right


def exact_log_probability(words, phi, alpha):
    """Σ of p(w, z | φ, α) over all assignments, with the mixture integrated out."""
    K, N, total = len(phi), len(words), 0.0
    for topics in product(range(K), repeat=N):
        n_k = np.bincount(topics, minlength=K)
        log_p = (gammaln(n_k + alpha) - gammaln(alpha)).sum()
        log_p += gammaln(alpha.sum()) - gammaln(N + alpha.sum())
        total += np.exp(log_p) * phi[list(topics), words].prod()
    return np.log(total)


HARD = np.array([[1, 0], [0.5, 0.5]])  # the first token decides the topic, or almost
CASES = [
    (np.array([2, 1, 0, 3]), np.random.default_rng(0).dirichlet(np.ones(4), 3), 0.5),
    (np.array([6, 0]), HARD, 0.1),
    (np.array([6, 0]), HARD, 0.01),
    (np.array([5, 3]), np.array([[0.9, 0.1], [0.1, 0.9]]), 0.01),
]


@pytest.mark.parametrize(("row", "phi", "alpha"), CASES)
def test_left_to_right_converges_to_the_exact_probability(row, phi, alpha):
    words = np.repeat(np.arange(len(row)), row)
    exact = exact_log_probability(words, phi, np.full(len(phi), alpha))
    found = left_to_right([row, 0 * row], phi, alpha, n_particles=50_000)
    assert_allclose(found, [exact, 0], atol=0.05)


@pytest.mark.parametrize(("row", "phi", "alpha"), CASES)
def test_left_to_right_is_unbiased_with_few_particles(row, phi, alpha):
    words = np.repeat(np.arange(len(row)), row)
    exact = np.exp(exact_log_probability(words, phi, np.full(len(phi), alpha)))
    runs = np.exp(
        [
            left_to_right([row], phi, alpha, n_particles=5, random_state=s)
            for s in range(400)
        ]
    )
    assert abs(runs.mean() - exact) < 4 * runs.std() / np.sqrt(len(runs))


@pytest.mark.parametrize("alpha", [1e-12, 1e-20, 1e-30])
def test_left_to_right_with_tiny_priors(alpha):
    assert_allclose(left_to_right([[2, 0]], np.eye(2), alpha), np.log(0.5))


def test_resampling_is_in_proportion():
    weights = np.array([0.1, 0.0, 0.6, 0.3])
    for u in [0.0, 0.3, 0.999]:
        parents = kernels.resample(np.repeat(weights, 25), u) // 25
        assert_allclose(np.bincount(parents, minlength=4), 100 * weights, atol=1)


def test_left_to_right_equals_plain_python(rng):
    words, phi = rng.integers(6, size=12, dtype=np.int32), rng.dirichlet(np.ones(6), 3)
    arguments = words, phi.T.copy(), np.full(3, 0.3), 4
    compiled = kernels.left_to_right(*arguments, np.random.default_rng(0))
    plain = getattr(kernels.left_to_right, "py_func", kernels.left_to_right)
    assert_allclose(compiled, plain(*arguments, np.random.default_rng(0)), rtol=1e-12)


def test_left_to_right_of_a_document_depends_only_on_the_document(planted):
    X, phi = planted.data[:20], planted.components
    together = left_to_right(X, phi, 0.1)
    alone = [left_to_right(X[[d]], phi, 0.1)[0] for d in range(20)]
    assert_array_equal(together, alone)
    assert_array_equal(together[::-1], left_to_right(X[::-1], phi, 0.1))
    assert not np.array_equal(together, left_to_right(X, phi, 0.1, random_state=1))


def test_progress_is_shown_only_on_demand(planted, no_delay, capfd):
    left_to_right(planted.data[:3], planted.components, 0.1)
    assert capfd.readouterr() == ("", "")
    left_to_right(planted.data[:3], planted.components, 0.1, verbose=True)
    assert "left_to_right: 100%" in capfd.readouterr().err


def test_true_topics_predict_best(planted, rng):
    X, others = planted.data[:50], rng.dirichlet(np.ones(60), 4)
    blurred = (planted.components + others) / 2
    scores = [
        left_to_right(X, phi, 0.1).sum()
        for phi in (planted.components, blurred, others)
    ]
    assert scores == sorted(scores, reverse=True)


def test_a_certain_document_has_a_likelihood_of_one():
    """Rounding errors do not make it larger."""
    for n_topics in range(1, 12):
        one_word = np.ones((n_topics, 1))
        assert -1e-12 < left_to_right([[3]], one_word, 0.1)[0] <= 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: left_to_right([[1]], [[1, 1]], 0.1), "1 columns"),
        (lambda: left_to_right([[1, 1]], [[1, 0]], 0.1), "Column 1 of X .* no topic"),
        (lambda: left_to_right([[1, 1]], [[1, 1]], 0), "doc_topic_prior"),
        (lambda: left_to_right([[1, 1]], [[1, 1]], 1, n_particles=0), "n_particles"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
