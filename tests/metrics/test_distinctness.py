import numpy as np
import pytest
from numpy.testing import assert_allclose

from llmtopics.metrics import (
    exclusivity,
    inverted_rbo,
    topic_distances,
    topic_diversity,
)


def test_diversity_counts_different_words():
    assert topic_diversity([["a", "b"], ["c", "d"]]) == 1
    assert topic_diversity([["a", "b"]] * 4) == 1 / 4
    assert topic_diversity([["a", "b", "c"], ["c"]]) == 3 / 4


def test_inverted_rbo_of_equal_and_of_distinct_topics():
    assert_allclose(inverted_rbo([["a", "b", "c"]] * 3), 0, atol=1e-12)
    assert inverted_rbo([["a", "b"], ["c", "d"]]) == 1


def test_inverted_rbo_by_hand():
    """Lists of two with the second word in common: X_1 = 0, X_2 = 1."""
    p = 0.8
    overlap = (1 - p) / p * (1 / 2 * p**2) + 1 / 2 * p**2
    assert_allclose(inverted_rbo([["a", "c"], ["b", "c"]], p=p), 1 - overlap)


def test_inverted_rbo_of_unequal_lists_by_hand():
    """S = a, L = b a: X_1 = 0, X_2 = 1, s = 1, l = 2; X_s = 0."""
    p = 0.5
    overlap = (1 - p) / p * (1 / 2 * p**2) + (1 / 2 + 0) * p**2
    assert_allclose(inverted_rbo([["a"], ["b", "a"]], p=p), 1 - overlap)


def test_inverted_rbo_of_unequal_lists_with_words_in_common_by_hand():
    """S = a, L = a b c: X_d = 1 at every depth, s = 1, l = 3, so X_s = X_l = 1."""
    p = 0.7
    seen = p + p**2 / 2 + p**3 / 3
    unseen = 1 * (2 - 1) / (1 * 2) * p**2 + 1 * (3 - 1) / (1 * 3) * p**3
    overlap = (1 - p) / p * (seen + unseen) + (0 / 3 + 1 / 1) * p**3
    assert_allclose(inverted_rbo([["a"], ["a", "b", "c"]], p=p), 1 - overlap)


def test_inverted_rbo_gives_the_top_more_weight():
    base = list("abcdefghij")
    at_top = inverted_rbo([base, ["a", *"klmnopqrs"]])
    at_bottom = inverted_rbo([base, [*"klmnopqrs", "j"]])
    assert at_top < at_bottom


def test_distances_equal_their_formula(rng):
    phi = rng.dirichlet(np.ones(6), 4)
    distances = topic_distances(phi * [[1], [2], [3], [4]])

    def entropy(p):
        return -(p * np.log2(p)).sum()

    for i in range(4):
        for j in range(4):
            middle = entropy((phi[i] + phi[j]) / 2)
            squared = middle - (entropy(phi[i]) + entropy(phi[j])) / 2
            assert_allclose(distances[i, j] ** 2, squared, atol=1e-12)


def test_distances_of_equal_and_of_distinct_topics():
    distances = topic_distances([[1, 0], [0, 1], [0, 2]])
    assert_allclose(distances, [[0, 1, 1], [1, 0, 0], [1, 0, 0]], atol=1e-7)
    assert topic_distances([[1, 2]]).tolist() == [[0]]


def test_exclusivity_by_hand():
    components = [[6, 3, 1], [1, 3, 6]]
    expected = (0.6 / 0.7 + 0.3 / 0.6) / 2
    assert_allclose(exclusivity(components, n_words=2), [expected, expected])
    assert_allclose(exclusivity([[1, 2, 3]] * 2), 0.5)
    assert_allclose(exclusivity([[1, 0, 0], [0, 1, 1]], n_words=1), 1)
    assert_allclose(exclusivity(np.eye(3), n_words=2), 1)  # only words with weight


@pytest.mark.parametrize("function", [topic_distances, exclusivity])
@pytest.mark.parametrize(
    ("components", "message"),
    [
        ([[1, -1]], "Negative"),
        ([[1, np.nan]], "NaN"),
        ([[1, 1], [0, 0]], "row 1 is all zero"),
        ([1, 1], "1D array"),
    ],
)
def test_bad_components_are_named(function, components, message):
    with pytest.raises(ValueError, match=message):
        function(components)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: topic_diversity([]), "at least one word"),
        (lambda: topic_diversity(["cat", "dog"]), "Topic 0 is 'cat'"),
        (lambda: inverted_rbo(["cat", "dog"]), "Topic 0 is 'cat'"),
        (lambda: topic_diversity([[]]), "at least one word"),
        (lambda: inverted_rbo([["a"]]), "at least two"),
        (lambda: inverted_rbo([["a"], []]), "Topic 1"),
        (lambda: inverted_rbo([["a"], ["b", "b"]]), "Topic 1"),
        (lambda: inverted_rbo([["a"], ["b"]], p=1), "p must"),
        (lambda: exclusivity([[1]], n_words=0), "n_words"),
    ],
)
def test_bad_topics_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_inverted_rbo_of_equal_lists_is_never_below_zero(rng):
    for p in rng.uniform(0.05, 0.99, size=200):
        assert 0 <= inverted_rbo([list("abcdef")] * 2, p=p) < 1e-12
