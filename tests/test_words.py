import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import NMF, LatentDirichletAllocation

from llmtopics import top_words
from llmtopics._words import _SCORES, _distributions

METHODS = list(_SCORES)
PHI = np.array([[0.5, 0.3, 0.2], [0.5, 0.1, 0.4]])
VOCABULARY = ["the", "cat", "bank"]


def test_scores_equal_their_formulas():
    geometric = np.sqrt(PHI[0] * PHI[1])
    assert_allclose(_SCORES["term_score"](PHI), PHI * np.log(PHI / geometric))
    lift = PHI / PHI.mean(axis=0)
    assert_allclose(_SCORES["relevance"](PHI), 0.6 * np.log(PHI) + 0.4 * np.log(lift))
    assert_allclose(_SCORES["probability"](PHI), PHI)
    # topic 0: frequency ranks 3 2 1, exclusivities 0.5 0.75 0.33 rank 2 3 1 (of 3)
    frequency, exclusivity = np.array([3, 2, 1]) / 3, np.array([2, 3, 1]) / 3
    expected = 1 / (0.5 / frequency + 0.5 / exclusivity)
    assert_allclose(_SCORES["frex"](PHI)[0], expected)


def test_a_word_common_everywhere_leads_by_probability_alone():
    words = {method: top_words(PHI, VOCABULARY, 1, method) for method in METHODS}
    assert words["probability"] == [["the"], ["the"]]
    assert words["term_score"] == [["cat"], ["bank"]]
    assert words["relevance"] == [["the"], ["the"]]
    assert words["frex"] == [["the"], ["the"]]  # ties: ranks swap


@pytest.mark.parametrize("method", METHODS)
def test_words_come_from_scikit_learns_models_too(planted, method):
    vocabulary = np.array([f"w{i}" for i in range(60)])
    for model in [
        NMF(4, init="nndsvda", random_state=0, max_iter=1000),
        LatentDirichletAllocation(4, random_state=0),
    ]:
        phi = model.fit(planted.data.astype(float)).components_
        words = top_words(phi, vocabulary, 5, method)
        assert [len(topic) for topic in words] == [5] * 4
        # the first words of a found topic are probable in one planted topic
        mass = planted.components[:, [int(w[1:]) for topic in words for w in topic]]
        assert mass.reshape(4, 4, 5).sum(axis=2).max(axis=0).min() > 0.2


@pytest.mark.parametrize("method", METHODS)
def test_scores_are_finite_with_zeros_and_empty_topics(method):
    components = np.array([[3.0, 0, 1, 0], [0, 0, 0, 0], [0, 2, 0, 0]])
    words = top_words(components, list("abcd"), 3, method)
    assert words == [["a", "c"], [], ["b"]]  # words without weight are not listed
    phi = np.array([[0.5, 0.5, 0.0], [1e-300, 1.0, 0.0]])
    assert np.isfinite(_SCORES[method](np.maximum(phi, 1e-3 / 3))).all()


def test_words_are_floored_at_a_thousandth_of_chance():
    """c has no weight in two topics: its score in the third shows the floor."""
    phi = np.array([[1, 0, 0], [1, 0, 0], [0.999, 0, 0.001]])
    floored = np.maximum(phi, 1e-3 / 3)
    ratio = floored[2, 2] / floored[:, 2].prod() ** (1 / 3)
    assert_allclose(
        _SCORES["term_score"](_distributions(phi))[2, 2], 0.001 * np.log(ratio)
    )


@pytest.mark.parametrize(
    "vocabulary",
    [
        pd.Series(VOCABULARY, index=[2, 1, 0]),
        pd.Series(VOCABULARY, index=["x", "y", "z"]),
        pl.Series(VOCABULARY),
        tuple(VOCABULARY),
    ],
    ids=["pandas", "named", "polars", "tuple"],
)
def test_vocabularies_are_indexed_by_position(vocabulary):
    assert top_words(PHI, vocabulary, 1) == [["cat"], ["bank"]]


@pytest.mark.parametrize("method", METHODS)
def test_one_topic_lists_its_most_probable_words(method):
    assert top_words([[1, 3, 2]], list("abc"), 2, method) == [["b", "c"]]


@pytest.mark.parametrize("method", METHODS)
def test_scale_of_a_topic_does_not_matter(method):
    scaled = PHI * [[1e-6], [1e6]]
    assert top_words(scaled, VOCABULARY, 3, method) == top_words(
        PHI, VOCABULARY, 3, method
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PHI, VOCABULARY[:2]), "vocabulary has 2 words"),
        ((PHI, {"the": 0, "cat": 1, "bank": 2}), "order of the columns, .* got a dict"),
        ((PHI, set(VOCABULARY)), "got a set"),
        ((PHI, VOCABULARY, 0), "n_words"),
        ((PHI, VOCABULARY, 2.5), "n_words"),
        ((PHI, VOCABULARY, 3, "best"), "method must be one of term_score"),
        ((-PHI, VOCABULARY), "Negative values"),
        ((PHI * np.nan, VOCABULARY), "NaN"),
        ((PHI[0], VOCABULARY), "1D array"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        top_words(*arguments)
