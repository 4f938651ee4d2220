import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics import GibbsLDA
from llmtopics.metrics import completion_split, perplexity


def test_completion_equals_the_estimators_own(planted):
    model = GibbsLDA(4, max_iter=20, random_state=0).fit(planted.data)
    observed, held_out = completion_split(planted.data)
    assert_array_equal((observed + held_out).toarray(), planted.data.toarray())
    mixtures = model.transform(observed)
    found = perplexity(held_out, mixtures, model.components_)
    assert_allclose(found, model.perplexity(planted.data))


def test_perplexity_by_hand():
    theta, phi = np.array([[0.25, 0.75]]), np.array([[0.5, 0.5], [0.1, 0.9]])
    p = theta @ phi
    by_hand = np.exp(-(2 * np.log(p[0, 0]) + np.log(p[0, 1])) / 3)
    assert_allclose(perplexity([[2, 1]], theta, phi), by_hand)
    assert_allclose(perplexity([[2, 1]], 8 * theta, 3 * phi), by_hand)


def test_a_row_of_zeros_is_shared_evenly():
    phi = [[0.9, 0.1], [0.2, 0.8]]
    assert_allclose(
        perplexity([[1, 1]], [[0, 0]], phi), perplexity([[1, 1]], [[0.5, 0.5]], phi)
    )


def test_perplexity_of_words_without_probability_is_finite():
    value = perplexity([[1, 1]], [[1.0]], [[1.0, 0.0]])
    assert_allclose(value, np.exp(-np.log(1e-12) / 2))


def test_a_certain_document_has_a_perplexity_of_one(rng):
    """Rounding errors do not make it smaller."""
    for n_topics in range(1, 12):
        one_word = np.ones((n_topics, 1))
        mixtures = rng.dirichlet(np.ones(n_topics), size=20)
        for mixture in mixtures:
            assert 1 <= perplexity([[3]], [mixture], one_word) < 1 + 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: completion_split([[0.5]]), "completion_split needs whole"),
        (lambda: perplexity([[1, 1]], [[1.0]], [[1, 1], [1, 1]]), "must be"),
        (lambda: perplexity([[1, 1, 1]], [[1.0]], [[1, 1]]), "must be"),
        (lambda: perplexity([[1, 1]] * 2, [[1.0]], [[1, 1]]), "must be"),
        (lambda: perplexity([[0, 0]], [[1.0]], [[1, 1]]), "no tokens"),
        (lambda: perplexity([[1, 0.5]], [[1.0]], [[1, 1]]), "perplexity needs whole"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
