"""Precomputed vectors, looked up by text."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from llmtopics import PrecomputedEmbeddings


def test_vectors_are_found_by_text(looked_up):
    found = looked_up.transform(
        [looked_up.texts[3], "", looked_up.texts[0], looked_up.texts[3]]
    )
    assert_array_equal(found, np.vstack([looked_up.vectors, np.zeros(3)])[[3, 5, 0, 3]])


def test_cloning_and_folds_share_the_vectors(looked_up):
    twin = clone(make_pipeline(looked_up))[0]
    assert twin is not looked_up
    assert twin.vectors is looked_up.vectors
    assert twin.texts is looked_up.texts
    assert_array_equal(
        clone(looked_up).fit_transform(looked_up.texts), looked_up.vectors
    )


def test_a_clone_keeps_its_class_and_containers(looked_up):
    class Mine(PrecomputedEmbeddings):
        """Another class."""

    mine = Mine(looked_up.texts, looked_up.vectors).set_output(transform="pandas")
    assert type(clone(mine)) is Mine
    assert list(clone(mine).transform(looked_up.texts).columns) == [
        "mine0",
        "mine1",
        "mine2",
    ]


def test_vectors_are_found_in_a_search_with_two_processes():
    texts = [f"{word} {i}" for word in ["cat", "bank"] for i in range(12)]
    labels = np.repeat([0, 1], 12)
    vectors = np.column_stack([labels, 1 - labels])
    pipeline = make_pipeline(
        PrecomputedEmbeddings(texts, vectors), LogisticRegression()
    )
    grid = {"logisticregression__C": [1, 10]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(texts, labels)
    assert search.best_score_ == 1


@pytest.mark.parametrize(
    ("texts", "vectors", "message"),
    [
        (["a", "b"], np.ones((3, 2)), "has 2 texts and 3 vectors"),
        (["a", "b"], [[1, np.nan], [1, 1]], "vectors contains NaN"),
        (["a", "b"], [1, 2], "1D array"),
        (["a", "a"], [[1, 2], [1, 3]], "two vectors for the text in rows 0 and 1: 'a'"),
        (["a", 3], [[1, 2], [1, 3]], r"row 1 holds 3 of type int"),
    ],
)
def test_bad_vectors_are_an_error(texts, vectors, message):
    with pytest.raises(ValueError, match=message):
        PrecomputedEmbeddings(texts, vectors).transform(["a"])


def test_vectors_of_a_repeated_text_may_differ_by_rounding(rng):
    vectors = rng.normal(size=(3, 384))
    vectors[2] = vectors[0] * (1 + rng.normal(size=384) * 0.02)  # cosine 0.9998
    found = PrecomputedEmbeddings(["a", "b", "a"], vectors).transform(["b", "a"])
    assert_array_equal(found, vectors[[1, 0]].astype(np.float32))
    away = rng.normal(size=384)
    away -= away @ vectors[0] / (vectors[0] @ vectors[0]) * vectors[0]
    away *= np.linalg.norm(vectors[0]) / np.linalg.norm(away)
    for other in [
        vectors[0] + 0.1 * away,  # cosine 0.995
        1.1 * vectors[0],
        -vectors[0],
        np.zeros(384),
    ]:
        with pytest.raises(ValueError, match=r"two vectors .* in rows 0 and 2"):
            PrecomputedEmbeddings(["a", "b", "a"], [*vectors[:2], other]).transform(
                ["a"]
            )
    close = [*vectors[:2], vectors[0] + 0.04 * away]  # cosine 0.9992
    assert_array_equal(
        PrecomputedEmbeddings(["a", "b", "a"], close).transform(["a"])[0],
        vectors[0].astype(np.float32),
    )


def test_iterators_are_an_error_and_are_not_consumed():
    for texts, vectors in [(iter(["a"]), [[1]]), (["a"], iter([[1]]))]:
        embedder = PrecomputedEmbeddings(texts, vectors)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"is an iterator.*Pass list\("):
                embedder.transform(["a"])


def test_the_error_quotes_a_text_without_a_vector(looked_up):
    with pytest.raises(ValueError, match=r"row 1: 'A cat sat on the mat.A cat"):
        looked_up.transform([looked_up.texts[0], looked_up.texts[0] * 2 + " " * 60])
    assert_array_equal(
        PrecomputedEmbeddings(["a", "a"], [[1, 2], [1, 2]]).transform(["a"]), [[1, 2]]
    )


def test_numbers_beyond_float32_are_refused():
    table = pd.DataFrame([[1e300, 0.0]])
    for vectors in (table, table.to_numpy(), table.to_numpy().tolist()):
        with pytest.raises(ValueError, match="vectors contains infinity"):
            PrecomputedEmbeddings(["a text"], vectors).transform(["a text"])
