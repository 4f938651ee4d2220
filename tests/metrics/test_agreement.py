from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)

from llmtopics.metrics import (
    harmonic_purity,
    inverse_purity,
    label_agreement,
    matched_accuracy,
    purity,
)

LABELS = ["a", "a", "a", "b", "b", "c"]
TOPICS = [0, 0, 1, 1, 1, 1]  # table: a 2 1, b 0 2, c 0 1


def test_purities_by_hand():
    assert_allclose(purity(LABELS, TOPICS), (2 + 2) / 6)
    assert_allclose(inverse_purity(LABELS, TOPICS), (2 + 2 + 1) / 6)
    best = 3 * max(2 * 2 / (3 + 2), 2 * 1 / (3 + 4)) + 2 * (2 * 2 / (2 + 4)) + 2 / 5
    assert_allclose(harmonic_purity(LABELS, TOPICS), best / 6)
    assert_allclose(matched_accuracy(LABELS, TOPICS), (2 + 2) / 6)


def test_each_topic_is_matched_with_a_label_of_its_own(rng):
    # by purity both topics would stand for label a
    assert matched_accuracy(list("aaaab"), [0, 0, 1, 1, 1]) == 3 / 5
    assert matched_accuracy(list("ab"), [0, 1]) == 1
    assert (
        matched_accuracy(list("aabb"), [0, 1, 2, 3]) == 2 / 4
    )  # more topics than labels
    labels, topics = rng.integers(5, size=(2, 60))
    best = max(
        (np.array(names)[topics] == labels).mean() for names in permutations(range(5))
    )
    assert_allclose(matched_accuracy(labels, topics), best)


@pytest.mark.parametrize(
    "measure", [purity, inverse_purity, harmonic_purity, matched_accuracy]
)
def test_perfect_agreement_is_one_for_any_names(measure):
    assert measure(LABELS, [7, 7, 7, -1, -1, 3]) == 1
    assert measure([1, 2], ["x", "y"]) == 1


@pytest.mark.parametrize(
    "measure", [purity, inverse_purity, harmonic_purity, matched_accuracy]
)
def test_hard_topics_are_mixtures_of_one(measure):
    mixtures = np.eye(4)[TOPICS]  # two topics without documents
    assert_allclose(measure(LABELS, mixtures), measure(LABELS, TOPICS))
    assert_allclose(measure(LABELS, 7 * mixtures), measure(LABELS, TOPICS))


def test_mixtures_count_in_every_topic_with_their_share():
    mixtures = [[0.75, 0.25], [0.5, 0.5]]  # table: a 0.75 0.25, b 0.5 0.5
    assert_allclose(purity(["a", "b"], mixtures), (0.75 + 0.5) / 2)
    assert_allclose(inverse_purity(["a", "b"], mixtures), (0.75 + 0.5) / 2)


def test_a_row_of_zeros_is_shared_evenly():
    assert_allclose(purity(["a", "b"], [[1, 0], [0, 0]]), (1 + 0.5) / 2)
    assert label_agreement(["a", "b"], [[1, 0], [0, 0]])["purity"] == 0.75


def test_one_column_of_mixtures_is_one_topic():
    weights = np.array([[0.3], [2.0], [0.0], [1.0], [0.1], [5.0]])  # as NMF(1) gives
    assert label_agreement(LABELS, weights) == label_agreement(LABELS, np.zeros(6))


def test_purity_rises_and_inverse_purity_falls_with_splitting(rng):
    labels, coarse = rng.integers(4, size=(2, 200))
    fine = coarse * 10 + rng.integers(10, size=200)
    assert purity(labels, fine) > purity(labels, coarse)
    assert inverse_purity(labels, fine) < inverse_purity(labels, coarse)
    assert purity(labels, np.arange(200)) == 1
    assert inverse_purity(labels, np.zeros(200)) == 1


def test_agreement_equals_scikit_learn(rng):
    labels, mixtures = rng.integers(4, size=100), rng.dirichlet(np.ones(5), 100)
    hard = mixtures.argmax(axis=1)
    for topics in (hard, mixtures):
        found = label_agreement(labels, topics)
        assert found["nmi"] == normalized_mutual_info_score(labels, hard)
        assert found["ami"] == adjusted_mutual_info_score(labels, hard)
        assert found["ari"] == adjusted_rand_score(labels, hard)
        assert found["matched_accuracy"] == matched_accuracy(labels, hard)
        assert found["purity"] == purity(labels, topics)
        assert found["inverse_purity"] == inverse_purity(labels, topics)
        assert found["harmonic_purity"] == harmonic_purity(labels, topics)


@pytest.mark.parametrize("measure", [purity, label_agreement])
@pytest.mark.parametrize(
    ("labels", "topics", "message"),
    [
        (["a"], [0, 1], "inconsistent"),
        (["a", "b"], [[1, 0]], "inconsistent"),
        (["a", "b"], [[1, 0], [0, -1]], "Negative"),
        (["a", "b"], [[1, 0], [0, np.nan]], "NaN"),
        ([[1, 0], [0, 1]], ["a", "b"], r"labels .* shape \(2, 2\). Pass labels first"),
        (["a", None], [0, 1], "labels: row 1 is None"),
        (["a", None], [[1, 0], [0, 1]], "labels: row 1 is None"),
        ([1, np.nan], [[1, 0], [0, 1]], "labels: row 1 is nan"),
        (pd.Series(["a", pd.NA]), [0, 1], "labels: row 1 is (<NA>|nan)"),
        (["a", "b"], [0, None], "topics: row 1 is None"),
        ([], [], "labels is empty"),
        ([], np.zeros((0, 2)), "labels is empty"),
    ],
)
def test_bad_input_is_named(measure, labels, topics, message):
    with pytest.raises(ValueError, match=message):
        measure(labels, topics)


def test_labels_may_be_of_any_kind():
    expected = label_agreement(LABELS, np.arange(6) % 2)
    names = {label: i for i, label in enumerate(dict.fromkeys(LABELS))}
    for kinds in [[0.5, 1.5, 2.5], ["a", 2, (3,)], [True, False, "no"]]:
        labels = pd.Series([kinds[names[label]] for label in LABELS])
        assert label_agreement(labels, np.arange(6) % 2) == pytest.approx(expected)
