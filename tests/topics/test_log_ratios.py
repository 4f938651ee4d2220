"""Log-ratios of topic proportions sum to zero and are finite."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.preprocessing import FunctionTransformer

from llmtopics import log_ratios


def test_log_ratios():
    theta = np.random.default_rng(0).dirichlet(np.ones(4), size=20)
    theta[0] = [1, 0, 0, 0]
    found = log_ratios(theta)
    assert np.isfinite(found).all()
    assert_allclose(found.sum(axis=1), 0, atol=1e-9)
    rest = found[1:, 0] - found[1:, 1]
    assert_allclose(rest, np.log(theta[1:, 0] / theta[1:, 1]))
    assert_allclose(log_ratios(theta[:1]), found[:1])
    assert_allclose(log_ratios(np.ones((2, 1))), 0)


def test_in_a_pipeline():
    step = FunctionTransformer(log_ratios, feature_names_out="one-to-one")
    theta = [[0.5, 0.5], [0.9, 0.1]]
    twin = pickle.loads(pickle.dumps(step.fit(theta)))
    assert_allclose(twin.transform(theta), log_ratios(theta))


@pytest.mark.parametrize("bad", [[[0.5, -0.5]], [[np.nan, 1]], [0.5, 0.5]])
def test_bad_input(bad):
    with pytest.raises(ValueError, match=r"[Nn]egative|NaN|2D array"):
        log_ratios(bad)
