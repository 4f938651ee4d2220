import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics.metrics import topic_correlations


@pytest.fixture
def theta(rng):
    return rng.dirichlet([0.2, 0.5, 1, 2, 4], size=20_000)


def off_diagonal(table):
    return table.to_numpy()[~np.eye(len(table), dtype=bool)]


def test_equal_to_numpy(theta):
    found = topic_correlations(theta)
    assert_allclose(found, np.corrcoef(theta.T), atol=1e-12)
    assert_array_equal(np.diag(found), 1)
    assert_array_equal(found, found.T)
    assert list(found.index) == list(found.columns) == list(range(5))


def test_independent_topics_are_adjusted_to_zero(theta):
    assert off_diagonal(topic_correlations(theta)).min() < -0.5
    assert_allclose(
        off_diagonal(topic_correlations(theta, adjusted=True)), 0, atol=0.04
    )


@pytest.mark.parametrize("adjusted", [False, True])
def test_topics_planted_together_have_the_highest_correlations(rng, adjusted):
    groups = rng.dirichlet(np.ones(4), size=500)
    shares = rng.dirichlet([20, 20], size=500)  # of topics 0 and 4 in the first group
    theta = np.column_stack(
        [groups[:, 0] * shares[:, 0], groups[:, 1:], groups[:, 0] * shares[:, 1]]
    )
    found = topic_correlations(theta, adjusted=adjusted).to_numpy(copy=True)
    np.fill_diagonal(found, -1)
    assert set(np.unravel_index(found.argmax(), found.shape)) == {0, 4}
    assert found.max() > 0.7


def test_two_topics_alone_are_as_by_chance(rng):
    theta = rng.dirichlet([1, 3], size=50)
    assert_allclose(off_diagonal(topic_correlations(theta)), -1)
    assert_allclose(
        off_diagonal(topic_correlations(theta, adjusted=True)), 0, atol=1e-9
    )


@pytest.mark.parametrize("adjusted", [False, True])
def test_weights_of_any_sum_are_accepted(theta, rng, adjusted):
    """NMF has such weights."""
    weights = theta[:50] * rng.uniform(0.1, 9, size=(50, 1))
    weights[0] = 0  # no known word
    found = topic_correlations(weights, adjusted=adjusted)
    expected = topic_correlations(theta[1:50], adjusted=adjusted)
    assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("share", [0, 0.1, 0.7])
def test_a_topic_that_never_varies_is_correlated_with_none(rng, share, adjusted):
    theta = np.insert(rng.dirichlet([1, 1, 1], 30) * (1 - share), 1, share, axis=1)
    found = topic_correlations(
        np.vstack([theta * 3, np.zeros(4)]), adjusted=adjusted
    ).to_numpy()
    assert_array_equal(found[1], [0, 1, 0, 0])
    assert (found[0, 2:] != 0).all()


@pytest.mark.parametrize("adjusted", [False, True])
def test_one_topic_has_correlation_one(adjusted):
    assert topic_correlations([[1], [2]], adjusted=adjusted).to_numpy() == [[1]]


def test_names_are_on_both_sides(theta):
    names = ["game", "film", "bank", "vote", "phone"]
    for given in [names, np.array(names), pd.Series(names, index=range(5, 0, -1))]:
        found = topic_correlations(theta, names=given)
        assert list(found.index) == list(found.columns) == names


@pytest.mark.parametrize(
    ("mixtures", "message"),
    [
        ([[0.5, 0.5]], "at least two that have topics, got 1"),
        ([[0, 0], [0, 0]], "at least two that have topics, got 0"),
        ([[0.5, -0.5], [1, 0]], "Negative"),
        ([[0.5, np.nan], [1, 0]], "NaN"),
        ([0.5, 0.5], "1D array"),
    ],
)
def test_bad_mixtures_are_refused(mixtures, message):
    with pytest.raises(ValueError, match=message):
        topic_correlations(mixtures)


def test_a_wrong_number_of_names_is_an_error(theta):
    with pytest.raises(ValueError, match="2 names were given for 5 topics"):
        topic_correlations(theta, names=["a", "b"])


def test_without_pandas_the_extra_is_named(theta, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"topic_correlations.*llmtopics\[pandas\]"):
        topic_correlations(theta)
