import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from llmtopics import _held_out
from llmtopics._held_out import halves, log_likelihood


def halves_by_hand(X):
    held_out = np.zeros_like(X)
    for row, out in zip(X, held_out, strict=True):
        tokens = np.repeat(np.arange(len(row)), row)
        np.add.at(out, tokens[1::2], 1)
    return X - held_out, held_out


def test_halves_take_tokens_in_turn(rng):
    X = rng.poisson(0.7, (50, 12)).astype(np.int32)
    X[[0, -1, 7]] = 0
    for found, expected in zip(halves(sp.csr_array(X)), halves_by_hand(X), strict=True):
        assert_array_equal(found.toarray(), expected)
        assert (found.data > 0).all()


def test_halves_do_not_change_their_input(rng):
    X = sp.csr_array(rng.poisson(0.7, (5, 12)).astype(np.int32))
    before = X.copy()
    for half in halves(X):
        half.data[:] = 9
        half.indices[:] = 0
    assert_array_equal(X.toarray(), before.toarray())


@pytest.mark.parametrize("cells", [1, 7, 100, 2**20])
def test_log_likelihood_equals_the_dense_formula(monkeypatch, rng, cells):
    monkeypatch.setattr(_held_out, "_CELLS", cells)
    X = rng.poisson(0.7, (50, 12))
    mixtures, components = rng.dirichlet(np.ones(3), 50), rng.dirichlet(np.ones(12), 3)
    dense = (X * np.log(mixtures @ components)).sum()
    assert_allclose(log_likelihood(sp.csr_array(X), mixtures, components), dense)


def test_log_likelihood_does_not_depend_on_threads(rng):
    X = sp.csr_array(rng.poisson(1, (300, 200)))
    mixtures, components = (
        rng.dirichlet(np.ones(3), 300),
        rng.dirichlet(np.ones(200), 3),
    )
    found = set()
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads):
            found.add(log_likelihood(X, mixtures, components))
    assert len(found) == 1
