"""More texts, balanced classes, and where each new row came from."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from llmtopics import LLMResampler

TEXTS = [
    "Goalkeeper saves two penalties in the cup final",
    "Bank of England holds interest rates for a third month",
    "Shares in airlines fall as oil price climbs",
    "Inflation slows to its lowest rate in a year",
]
SECTIONS = ["sport", "money", "money", "money"]


def resampler(llm, **parameters):
    return LLMResampler(llm, **{"max_new_tokens": 8, "random_state": 0, **parameters})


# with the real model ------------------------------------------------------------------


def test_classes_are_balanced_and_the_given_rows_come_first(llm):
    model = resampler(llm)
    texts, sections = model.fit_resample(TEXTS, SECTIONS)
    assert texts[:4] == TEXTS
    assert sections == [*SECTIONS, "sport", "sport"]
    assert model.sample_indices_.tolist() == [0, 1, 2, 3, 0, 0]
    assert len(set(texts)) == 6
    assert model.report_["new"] == 2
    assert model.report_["missing"] == 0
    assert model.usage_["n_calls"] + model.usage_["n_cached"] >= 2


def test_without_classes_each_text_gets_the_same_number(small_llm):
    model = resampler(small_llm, n_per_text=2)
    texts = model.fit_resample(TEXTS)
    assert texts[:4] == TEXTS
    assert model.sample_indices_.tolist() == [0, 1, 2, 3, 0, 0, 1, 1, 2, 2, 3, 3]
    model.set_params(sampling_strategy=None)
    again, sections = model.fit_resample(TEXTS, SECTIONS)
    assert again == texts
    assert sections == [SECTIONS[i] for i in model.sample_indices_]


def test_random_state_sets_the_new_texts(small_llm):
    def written(seed):
        return (
            clone(resampler(small_llm))
            .set_params(random_state=seed)
            .fit_resample(TEXTS)
        )

    assert written(0) == written(0)
    assert written(0) != written(1)
    assert written(np.random.RandomState(0)) == written(np.random.RandomState(0))


def test_only_training_texts_are_resampled_in_a_pipeline(small_llm):
    pipe = make_pipeline(resampler(small_llm), CountVectorizer(), LogisticRegression())
    pipe.fit(TEXTS, SECTIONS)
    assert len(pipe[0].sample_indices_) == 6
    assert pipe.predict(TEXTS).tolist() == SECTIONS
    assert len(pipe.predict_proba(TEXTS)) == 4
    scores = cross_val_score(pipe, TEXTS[:2] * 4, SECTIONS[:2] * 4, cv=2)
    assert scores.shape == (2,)


# numbers of new texts, and texts that are left out ------------------------------------


@pytest.fixture
def writer(fake_llm):
    """A language model that answers each call for a text differently."""

    class FakeWriter(fake_llm):
        def _compute(self, prompts, request, on_error):
            for i, prompt in enumerate(prompts):
                yield (
                    [i],
                    [f"{prompt} {request.seed} {'abcdefgh'[request.seed % 8]} new"],
                )

    return FakeWriter({})


@pytest.mark.parametrize(
    ("strategy", "sizes"),
    [
        ("auto", {0: 4, 1: 4, 2: 4}),
        (6, {0: 6, 1: 6, 2: 6}),
        (3, {0: 4, 1: 3, 2: 3}),
        (0.75, {0: 4, 1: 3, 2: 3}),
        ({2: 3}, {0: 4, 1: 2, 2: 3}),
        ({}, {0: 4, 1: 2, 2: 1}),
    ],
)
@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_classes_get_the_sizes_of_the_strategy(writer, strategy, sizes, container):
    y = container([0, 0, 0, 0, 1, 1, 2])
    texts = [f"text {letter}" for letter in "abcdefg"]
    model = LLMResampler(writer, sampling_strategy=strategy, max_similarity=1.0)
    new_texts, new_y = model.fit_resample(texts, y)
    assert type(new_y) is type(y)
    assert dict(pd.Series(new_y).value_counts()) == sizes
    assert len(new_texts) == len(new_y)
    assert_array_equal(new_y, np.array(y)[model.sample_indices_])


@pytest.mark.parametrize(
    "container",
    [
        list,
        np.array,
        lambda texts: np.array(texts, object),
        lambda texts: pd.Series(texts, name="news", index=[*"abcdefg"]),
        lambda texts: pd.Series(texts, dtype=object),
        lambda texts: pl.Series("news", texts),
    ],
    ids=["list", "array", "object array", "pandas", "pandas object", "polars"],
)
@pytest.mark.parametrize("with_classes", [False, True])
def test_texts_are_returned_in_the_same_container(writer, container, with_classes):
    texts = [f"text {letter}" for letter in "abcdefg"]
    X, y = container(texts), [0, 0, 0, 0, 1, 1, 2] if with_classes else None
    model = LLMResampler(writer, max_similarity=1.0, random_state=0)
    found = model.fit_resample(X, y)
    found = found[0] if with_classes else found
    assert type(found) is type(X)
    assert list(found[: len(texts)]) == texts
    plain = model.fit_resample(texts, y)
    assert list(found) == (plain[0] if with_classes else plain)
    if hasattr(X, "name"):
        assert found.name == X.name
    if hasattr(X, "dtype"):
        assert type(found.dtype) is type(X.dtype)
    if isinstance(X, pd.Series):
        assert_array_equal(found.index, X.index[model.sample_indices_])


def test_a_series_of_categories_becomes_one_of_texts(writer):
    X = pd.Series(["text a", "text b"], dtype="category")
    found = LLMResampler(writer).fit_resample(X)
    assert len(found) == 4
    assert found.map(type).eq(str).all()


def test_near_duplicates_are_left_out_and_missing_texts_reported(fake_llm):
    copied = "the cat sat on the mat by the door"
    llm = fake_llm({copied: copied.upper() + " today", "dog": "a dog ran"})
    model = LLMResampler(llm, n_per_text=2)
    with pytest.warns(UserWarning, match=r"0 0 of 2, 1 1 of 2.*9 were near-duplicates"):
        texts = model.fit_resample([copied, "dog"])
    assert texts == [copied, "dog", "a dog ran"]
    assert model.report_ == {
        "new": 1,
        "near_duplicate": 9,
        "too_short": 0,
        "refused": 0,
        "failed": 0,
        "missing": 3,
    }


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        ("<think>\nOkay.\n</think>\n\na cat slept", "new"),
        ('Sure! Here is another text:\n\n"a cat slept"', "new"),
        ("```\na cat slept\n```", "new"),
        ('{"text": "a cat slept"}', "new"),
        ("Another: a cat slept", "new"),
        ("<think>\nOkay, another text on", "too_short"),
        ("I'm sorry, but I can't help with that.", "refused"),
    ],
)
def test_only_the_new_text_itself_is_added(fake_llm, written, outcome):
    model = LLMResampler(fake_llm({"dog": written}), max_rounds=1)
    if outcome == "new":
        assert model.fit_resample(["dog"]) == ["dog", "a cat slept"]
    else:
        with pytest.warns(UserWarning, match="Too few new texts"):
            assert model.fit_resample(["dog"]) == ["dog"]
    assert model.report_[outcome] == 1


def test_failed_calls_and_blank_texts_are_counted(fake_llm):
    model = LLMResampler(fake_llm({"b": "..."}), on_error="keep", max_rounds=2)
    with pytest.warns(UserWarning, match=r"2 had no word, .* 2 calls failed.*blank"):
        assert model.fit_resample(["a", "b", ""]) == ["a", "b", ""]
    assert model.report_["missing"] == 3
    assert model.sample_indices_.tolist() == [0, 1, 2]


# errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("one bare string", None, "got one str"),
        (["a", None], None, "row 1 holds None"),
        ([], None, "at least one text"),
        (["a", "b"], [1], "y has 1 entries and there are 2 texts"),
        (["a", "b"], [1.0, np.nan], "no class in row 1"),
        (["a", "b"], [[1, 2], [3, 4]], "1d array"),
    ],
)
def test_bad_input_is_an_error(X, y, message):
    with pytest.raises(ValueError, match=message):
        LLMResampler().fit_resample(X, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sampling_strategy": {"art": 3}}, "'art', which is not in y.*'sport'"),
        ({"sampling_strategy": {"money": 2}}, "2 texts of class 'money', which has 3"),
        ({"sampling_strategy": "minority"}, "sampling_strategy"),
        ({"sampling_strategy": 0}, "sampling_strategy"),
        ({"sampling_strategy": 1.5}, "sampling_strategy"),
        ({"n_per_text": 0}, "n_per_text"),
        ({"prompt": "no place"}, "placeholder"),
        ({"temperature": 0}, "temperature"),
        ({"max_similarity": 0}, "max_similarity"),
        ({"max_rounds": 0}, "max_rounds"),
        ({"llm": None}, "llm"),
        ({"random_state": "seed"}, "random_state"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        LLMResampler(**parameters).fit_resample(TEXTS, SECTIONS)
