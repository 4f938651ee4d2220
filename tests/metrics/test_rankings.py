import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from llmtopics.metrics import ndcg_at_k, recall_at_k


def test_ndcg_is_that_of_scikit_learn(rng):
    scores = rng.permuted(np.tile(np.arange(30.0), (20, 1)), axis=1)
    relevant = rng.random((20, 30)) < 0.2
    relevant[:, 0] = True
    lists = np.argsort(-scores, axis=1).tolist()
    found = ndcg_at_k(lists, [np.flatnonzero(row) for row in relevant], k=7)
    expected = [
        ndcg_score([row], [line], k=7)
        for row, line in zip(relevant.astype(int), scores, strict=True)
    ]
    np.testing.assert_allclose(found, expected)


def test_the_best_list_scores_one_and_the_worst_zero():
    for measure in (recall_at_k, ndcg_at_k):
        found = measure([["a", "b", "c"], ["c", "d"]], [["b", "a"], ["a"]], k=2)
        assert found.tolist() == [1, 0]


def test_short_lists_count_and_users_without_likes_are_nan():
    assert recall_at_k([["a"], ["a"]], [["a", "b"], []], k=5)[0] == 0.5
    assert np.isnan(ndcg_at_k([["a"], ["a"]], [["a", "b"], []], k=5)[1])


@pytest.mark.parametrize("measure", [recall_at_k, ndcg_at_k])
def test_bad_lists_are_refused(measure):
    with pytest.raises(ValueError, match="2 lists, and relevant has 1"):
        measure([["a"], ["b"]], [["a"]])
    with pytest.raises(ValueError, match="more than once in row 1"):
        measure([["a"], ["b", "b"]], [["a"], ["b"]])
    with pytest.raises(ValueError, match="ranked has 'ab' in row 0: pass a list"):
        measure(["ab"], [["a"]])
    with pytest.raises(ValueError, match="relevant has 3 in row 0: pass a list"):
        measure([["a"]], [3])
    with pytest.raises(ValueError, match="k must be"):
        measure([["a"]], [["a"]], k=0)


def test_k_may_be_larger_than_memory():
    for measure in (recall_at_k, ndcg_at_k):
        few, many = (measure([["a", "b"]], [["b", "c", "d"]], k=k) for k in (9, 10**12))
        assert few == many
    assert ndcg_at_k([], [], k=10**12).shape == (0,)
