import pickle
import sys
from shutil import copytree, rmtree

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from llmtopics import TransformerClassifier, TransformerEmbedder
from llmtopics._checks import as_seed
from llmtopics._language import classify, training_models
from llmtopics.finetune._classifier import _held_out


@pytest.fixture
def tiny(encoder):
    """Return a maker of classifiers on the encoder of random weights."""

    def make(training="lora", **parameters):
        settings = {"n_epochs": 3, "dtype": "float32", "cache_dir": False}
        return TransformerClassifier(
            str(encoder), training=training, **settings | parameters
        )

    return make


EVERY = pytest.mark.parametrize("training", ["head", "lora", "full"])
HEAD_LORA = pytest.mark.parametrize("training", ["head", "lora"])
HEAD_FULL = pytest.mark.parametrize("training", ["head", "full"])
TRAINED = pytest.mark.parametrize("training", ["lora", "full"])


def same(one, other, texts):
    return np.array_equal(one.predict_proba(texts), other.predict_proba(texts))


def test_the_head_is_logistic_regression_on_the_vectors(texts, subjects):
    found = TransformerClassifier(C=3).fit(texts[:20], subjects[:20])
    vectors = TransformerEmbedder().transform(texts).astype(float)
    expected = LogisticRegression(C=3, max_iter=1000).fit(vectors[:20], subjects[:20])
    assert_array_equal(found.predict_proba(texts), expected.predict_proba(vectors))
    assert_array_equal(found.predict(texts), expected.predict(vectors))
    assert_array_equal(
        found.decision_function(texts), expected.decision_function(vectors)
    )
    assert len(found.history_["loss"]) == 0


@pytest.mark.parametrize("name", ["accelerate", "psutil"])
def test_training_without_a_package_names_the_extra(
    tiny, texts, subjects, monkeypatch, name
):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"{name}: pip install .*\[finetune\]"):
        tiny("full").fit(texts, subjects)


@HEAD_LORA
def test_it_learns_and_probabilities_sum_to_one(
    tiny, texts, subjects, others, training
):
    model = tiny(training, C=100, learning_rate=0.01, n_epochs=6).fit(texts, subjects)
    others, expected = others
    assert model.score(others, expected) > 0.9
    shares = model.predict_proba(others)
    assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    assert_array_equal(model.classes_, ["money", "sport"])
    assert_array_equal(model.predict(others), model.classes_[shares.argmax(axis=1)])
    odds = model.decision_function(others)
    assert_allclose(shares[:, 1], 1 / (1 + np.exp(-odds)), rtol=1e-9)


@pytest.mark.parametrize(("training", "n_classes"), [("lora", 3), ("full", 2)])
def test_training_starts_with_the_head_and_lowers_the_loss(
    tiny, texts, training, n_classes
):
    y = np.arange(60) % 2
    if n_classes == 3:
        y[::6] = 2
    model = tiny(training, learning_rate=0.01, n_epochs=8).fit(texts, y)
    losses = model.history_["held_out_loss"]
    losses = losses[~np.isnan(losses)]
    kept = tiny(training, learning_rate=1e-30, n_epochs=1).fit(texts, y)
    held = kept.history_["held_out_loss"]
    # nothing was learned: the first check is that of the head
    assert_allclose(held[~np.isnan(held)], losses[0], rtol=1e-5)
    assert losses.min() < losses[0] - 0.05
    assert len(model.classes_) == n_classes


@TRAINED
def test_the_kept_weights_are_those_that_were_trained(tiny, texts, subjects, training):
    """The loss of the loaded model is the lowest that training saw."""
    model = tiny(training, learning_rate=0.01, n_epochs=4).fit(texts, subjects)
    classes = np.searchsorted(model.classes_, subjects)
    held = _held_out(classes, 0.1, as_seed(0))
    shares = model.predict_proba([texts[i] for i in held])
    loss = -np.log(shares[range(len(held)), classes[held]]).mean()
    assert loss == pytest.approx(np.nanmin(model.history_["held_out_loss"]), abs=1e-4)


def test_a_fixed_seed_gives_the_same_bits(tiny, texts, subjects):
    def fitted(seed):
        return tiny(random_state=seed, max_steps=4).fit(texts, subjects)

    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = fitted(0)
    assert_array_equal(before, np.random.get_state()[1])
    assert same(first, fitted(0), texts)
    assert not same(first, fitted(1), texts)


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a"],
        [3, -1],
        [True, False],
        np.array(["b", "a"], object),
        np.array([1.0, 2.0]),
    ],
    ids=["str", "int", "bool", "object", "whole floats"],
)
@HEAD_LORA
def test_labels_of_any_kind(tiny, texts, labels, training):
    y = np.array([labels[i % 2] for i in range(60)], getattr(labels, "dtype", None))
    model = tiny(training, max_steps=1).fit(texts, y)
    assert_array_equal(model.classes_, sorted(labels))
    assert model.predict(texts).dtype == y.dtype
    assert set(model.predict(texts)) <= set(labels)


@pytest.mark.parametrize(
    "container", [list, tuple, pd.Series, pl.Series, pd.Categorical]
)
def test_containers_of_labels(tiny, texts, subjects, container):
    expected = tiny("head").fit(texts, subjects)
    assert same(tiny("head").fit(texts, container(list(subjects))), expected, texts)


@HEAD_LORA
def test_a_weight_of_zero_leaves_a_text_out(tiny, texts, subjects, training):
    weights = np.ones(60)
    weights[[0, 5, 7]] = 0
    rows = np.flatnonzero(weights)
    weighted = tiny(training).fit(texts, subjects, sample_weight=weights)
    without = tiny(training).fit([texts[i] for i in rows], subjects[rows])
    assert same(weighted, without, texts)


@HEAD_FULL
def test_class_weight_is_a_weight_of_each_text(tiny, texts, training):
    y = np.where(np.arange(60) < 50, "a", "b")
    given = np.where(y == "a", 60 / (2 * 50), 60 / (2 * 10))
    balanced = tiny(training, class_weight="balanced").fit(texts, y)
    assert same(balanced, tiny(training).fit(texts, y, sample_weight=given), texts)
    as_dict = tiny(training, class_weight={"a": 0.6, "b": 3.0}).fit(texts, y)
    assert same(balanced, as_dict, texts)
    plain = tiny(training).fit(texts, y)
    rises = balanced.predict_proba(texts)[:, 1] - plain.predict_proba(texts)[:, 1]
    assert rises.mean() > 0.1


def test_weights_reach_the_training_of_the_encoder(tiny, texts, subjects):
    settings = {"learning_rate": 0.01, "n_epochs": 6, "validation_fraction": 0}
    wrong = np.where(np.arange(60) < 20, subjects[::-1], subjects)
    heavy = np.where(np.arange(60) < 20, 1e-3, 1.0)
    model = tiny("full", **settings).fit(texts, wrong, sample_weight=heavy)
    assert model.score(texts, subjects) > 0.95


@EVERY
def test_pickles_hold_what_was_trained_and_no_weights_of_the_base(
    tiny, texts, subjects, training
):
    model = tiny(training).fit(texts, subjects)
    model.predict(texts)  # a loaded model stays out, too
    data = pickle.dumps(model)
    assert same(pickle.loads(data), model, texts)
    small = TransformerClassifier().fit(texts, subjects)
    assert len(pickle.dumps(small)) < 20_000  # MiniLM has 90 MB


@HEAD_LORA
def test_a_base_that_is_gone_or_changed_is_said(
    texts, subjects, encoder, tmp_path, training
):
    folder = copytree(encoder, tmp_path / "base")
    model = TransformerClassifier(str(folder), training=training, max_steps=1)
    model.fit(texts, subjects)
    expected = model.predict_proba(texts)
    kept = (folder / "config.json").read_text("utf-8")
    (folder / "config.json").write_text(kept + " ", "utf-8")
    with pytest.raises(OSError, match="others than in fit"):
        model.predict(texts)
    (folder / "config.json").write_text(kept, "utf-8")
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(texts), expected)
    rmtree(folder)
    with pytest.raises(OSError, match="was not found"):
        model.predict(texts)


@HEAD_LORA
def test_predictions_of_a_text_do_not_depend_on_the_others(
    tiny, texts, subjects, training
):
    model = tiny(training).fit(texts, subjects)
    together = model.predict_proba(texts)
    alone = np.concatenate([model.predict_proba([text]) for text in texts])
    assert_allclose(together, alone, atol=1e-5)
    assert_allclose(together[::-1], model.predict_proba(texts[::-1]), atol=1e-5)


@HEAD_LORA
def test_parameters_set_after_fit_wait_for_the_next_fit(
    tiny, texts, subjects, training
):
    model = tiny(training, max_steps=1).fit(texts, subjects)
    expected = model.predict_proba(texts)
    later = {"model": "other", "training": "full", "C": 1e-9, "max_length": 8}
    model.set_params(**later, dtype="bfloat16", revision="main", batch_size=1)
    assert_array_equal(model.predict_proba(texts), expected)


def test_searches_calibration_and_stacking(texts, subjects):
    search = GridSearchCV(
        TransformerClassifier(), {"C": [1e-6, 1.0]}, cv=2, scoring="neg_log_loss"
    )
    low, high = search.fit(texts, subjects).cv_results_["mean_test_score"]
    assert high > low + 0.1
    calibrated = CalibratedClassifierCV(TransformerClassifier(), cv=2)
    assert calibrated.fit(texts, subjects).score(texts, subjects) > 0.9
    words = make_pipeline(TfidfVectorizer(), LogisticRegression())
    stack = StackingClassifier(
        [("meaning", TransformerClassifier()), ("words", words)], cv=2
    )
    assert stack.fit(texts, subjects).score(texts, subjects) > 0.9
    assert cross_val_score(TransformerClassifier(), texts, subjects, cv=2).mean() > 0.9


def test_a_search_over_what_is_trained(tiny, texts, subjects):
    search = GridSearchCV(
        tiny(max_steps=1), {"training": ["head", "lora", "full"]}, cv=2
    )
    assert search.fit(texts, subjects).score(texts, subjects) > 0.5


BAD_LABELS = {
    "one class": (["a"] * 60, "one class, 'a'"),
    "another length": (["a", "b"], "y has 2 rows, and there are 60 texts"),
    "None": ([*"ab" * 29, "a", None], "no label in row 59"),
    "NaN": ([0.0, 1.0] * 29 + [0.0, np.nan], "no label in row 59"),
    "pandas NA": (pd.Series([*"ab" * 29, "a", pd.NA], dtype="string"), "in row 59"),
    "continuous": (np.linspace(0, 1, 60), "continuous"),
    "multilabel": (np.eye(2, dtype=int)[np.arange(60) % 2], "2 columns.*MultiOutput"),
    "mixed": (["a", 1] * 30, "different types, number and str"),
    "nothing": (None, "requires y"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels_are_named(tiny, texts, case):
    y, message = BAD_LABELS[case]
    with pytest.raises(ValueError, match=message):
        tiny().fit(texts, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(60), "Negative"),
        (np.zeros(60), "weight"),
        (np.ones(59), "shape"),
        (np.full(60, np.nan), "NaN"),
    ],
)
def test_bad_weights_are_named(tiny, texts, subjects, weights, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(texts, subjects, sample_weight=weights)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["", " "] * 30, "all 60 are blank"),
        (["a text"] * 59 + [None], "row 59"),
        (sp.eye_array(60).tocsr(), "reads texts, got numbers"),
        (np.ones((60, 2)), "reads texts, got numbers"),
        (pd.DataFrame({"text": ["a"] * 60, "more": ["b"] * 60}), "pass one column"),
        ([], "at least one text"),
    ],
)
def test_bad_texts_are_named(tiny, subjects, X, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(X, subjects)


@HEAD_FULL
def test_a_class_of_one_text_and_blank_texts_are_learned(
    tiny, texts, subjects, training
):
    y = [*subjects[:-2], "other", "blank"]
    model = tiny(training).fit([*texts[:-1], " "], y)
    assert_array_equal(model.classes_, ["blank", "money", "other", "sport"])
    assert np.isfinite(model.predict_proba(["", "the bank"])).all()


@HEAD_LORA
def test_one_text_of_each_class_is_enough(tiny, texts, training):
    model = tiny(training).fit(texts[:2], ["a", "b"])
    assert_array_equal(model.predict(texts[:2]), ["a", "b"])


def test_labels_that_were_not_trained_on_count_as_wrong(tiny, texts, subjects):
    model = tiny("head").fit(texts, subjects)
    assert model.score(texts, ["war"] * 60) == 0


@HEAD_LORA
def test_long_texts_are_cut_and_said(tiny, texts, subjects, training, caplog):
    model = tiny(training, max_steps=1, max_length=8).fit(texts, subjects)
    assert "longer than 8 tokens" in caplog.text
    assert "(max_length)" in caplog.text  # the classifier has no long_texts
    start = "the bank share market profit"
    found = model.predict_proba([f"{start} {'goal ' * n}" for n in (5, 50)])
    assert_allclose(found[0], found[1], atol=1e-6)


def test_a_window_that_the_model_does_not_have_is_refused(tiny, texts, subjects):
    with pytest.raises(ValueError, match="max_length=9999"):
        tiny(max_length=9999).fit(texts, subjects)


def test_a_loss_that_is_not_finite_stops_training(tiny, texts, subjects):
    model = tiny(learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        model.fit(texts, subjects)
    with pytest.raises(NotFittedError):
        model.predict(texts)


def test_an_interrupt_keeps_the_fit_before(tiny, texts, subjects, monkeypatch):
    model = tiny(max_steps=1).fit(texts, subjects)
    expected = model.predict_proba(texts)

    def fake_interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(classify, "train", fake_interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(training="full").fit(texts[::-1], subjects)
    assert_array_equal(model.predict_proba(texts), expected)


def test_too_little_memory_is_said_before_training(tiny, texts, subjects, monkeypatch):
    monkeypatch.setattr(training_models, "_free_bytes", lambda device: 1000)
    with pytest.raises(
        MemoryError, match=r"GiB are free\. Use training='lora' or 'head'"
    ):
        tiny("full").fit(texts, subjects)


def test_training_is_limited_in_steps_and_time(tiny, texts, subjects):
    history = tiny(max_steps=2).fit(texts, subjects).history_
    assert history["step"].max() == 2
    history = tiny(n_epochs=1000, max_minutes=1e-9).fit(texts, subjects).history_
    assert history["step"].max() == 1


def test_training_stops_where_the_held_out_loss_rises(tiny, texts):
    y = np.random.default_rng(0).integers(0, 2, 60)  # nothing to learn
    model = tiny("full", n_epochs=20, learning_rate=0.01, patience=1).fit(texts, y)
    assert model.history_["step"].max() < 20 * 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("training", "all"), ("C", 0), ("batch_size", 0), ("class_weight", "even")],
)
def test_bad_parameters_are_named(texts, subjects, name, value):
    with pytest.raises(ValueError, match=name):
        clone(TransformerClassifier()).set_params(**{name: value}).fit(texts, subjects)


def test_the_head_beats_words_on_few_articles():
    from llmtopics.datasets import load_bbc_news

    corpus = load_bbc_news()
    order = np.random.default_rng(0).permutation(len(corpus.data))
    # their starts, which are quick to encode
    texts = [" ".join(corpus.data[i].split()[:60]) for i in order[:160]]
    y = np.array(corpus.target)[order[:160]]
    words = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    found = [
        model.fit(texts[:60], y[:60]).score(texts[60:], y[60:])
        for model in (TransformerClassifier(), words)
    ]
    assert found[0] > found[1] + 0.05
