"""Saved models give what the models gave."""

import os
import re
import stat
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import llmtopics
from llmtopics import (
    GibbsLDA,
    PrecomputedEmbeddings,
    TextAnalyzer,
    TopicMerger,
    TopicRecommender,
    TransformerClassifier,
    load,
    log_ratios,
    read_topics,
    save,
    top_words,
)
from llmtopics.metrics import topic_scorer
from llmtopics.saving._allowed import class_of
from tests.saving.conftest import COUNTS, LABELS, TEXTS


@pytest.fixture
def again(tmp_path):
    def saved_and_loaded(model, **options):
        save(model, tmp_path / "model")
        return load(tmp_path / "model", **options)

    return saved_and_loaded


def topics(**parameters):
    return GibbsLDA(2, max_iter=5, random_state=0, **parameters)


TABLE = pd.DataFrame({"text": TEXTS, "length": [float(len(t)) for t in TEXTS]})
MODELS = {
    "union": (
        make_union(TfidfVectorizer(), make_pipeline(CountVectorizer(), topics())),
        TEXTS,
    ),
    "columns": (
        ColumnTransformer(
            [
                ("topics", make_pipeline(CountVectorizer(), topics()), "text"),
                ("length", StandardScaler(), make_column_selector("len")),
                ("none", "drop", make_column_selector(dtype_include=[bool, np.int8])),
            ],
            remainder="drop",
        ),
        TABLE,
    ),
    "NMF": (make_pipeline(TfidfVectorizer(), NMF(2, random_state=0)), TEXTS),
    "scikit-learn's LDA": (
        make_pipeline(
            CountVectorizer(min_df=2, max_features=9),
            LatentDirichletAllocation(2, random_state=0),
        ),
        TEXTS,
    ),
    "function of ours": (
        make_pipeline(
            CountVectorizer(analyzer=TextAnalyzer()),
            topics(),
            FunctionTransformer(log_ratios),
        ),
        TEXTS,
    ),
    "search": (
        GridSearchCV(
            make_pipeline(CountVectorizer(), topics()),
            {"gibbslda__n_components": [2, 3], "gibbslda__max_iter": [2]},
            scoring=topic_scorer("completion"),
            cv=KFold(2),
        ),
        TEXTS,
    ),
    "generator": (
        make_pipeline(
            CountVectorizer(),
            topics().set_params(random_state=np.random.default_rng(0)),
        ),
        TEXTS,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_transformers_of_scikit_learn_around_ours(name, again):
    model, X = MODELS[name]
    model = clone(model).fit(X, LABELS)
    twin = again(model)
    found, expected = twin.transform(X), model.transform(X)
    if sp.issparse(expected):
        found, expected = found.toarray(), expected.toarray()
    assert_array_equal(found, expected)
    assert type(twin) is type(model)
    found, expected = (
        re.sub(" at 0x[0-9A-F]+", "", repr(one.get_params()), flags=re.IGNORECASE)
        for one in (twin, model)
    )
    assert found == expected
    again(clone(model))  # without a fit, too


@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(),
        SGDClassifier(loss="log_loss", random_state=0),
        SGDClassifier(random_state=0),
        CalibratedClassifierCV(MultinomialNB(), cv=2),
        CalibratedClassifierCV(MultinomialNB(), method="temperature", cv=2),
        MLPClassifier((3,), max_iter=3, random_state=0),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, scoring="roc_auc", cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_classifiers_of_topics(classifier, again):
    model = make_pipeline(CountVectorizer(), topics(), classifier).fit(TEXTS, LABELS)
    twin = again(model)
    assert_array_equal(twin.predict(TEXTS), model.predict(TEXTS))
    assert twin.score(TEXTS, LABELS) == model.score(TEXTS, LABELS)
    if hasattr(classifier, "partial_fit"):
        X = model[:-1].transform(TEXTS)
        one, other = (m[-1].partial_fit(X, LABELS) for m in (twin, model))
        assert_array_equal(one.predict(X), other.predict(X))
        for name in {"coef_", "coefs_"} & vars(other).keys():
            for found, expected in zip(vars(one)[name], vars(other)[name], strict=True):
                assert_array_equal(found, expected)


def test_a_loaded_model_continues_in_its_random_stream(lda, again):
    twin, model = again(lda), again(lda)
    one, other = (each.partial_fit(COUNTS[:9]) for each in (twin, model))
    assert_array_equal(one.components_, other.components_)
    assert not np.array_equal(one.components_, lda.components_)
    rng = np.random.default_rng(3)
    rng.random(5)
    model = GibbsLDA(2, random_state=rng)
    twin = again(model)
    assert twin.random_state.random() == rng.random()
    legacy = np.random.RandomState(3)
    legacy.normal()
    assert again(GibbsLDA(random_state=legacy)).random_state.normal() == legacy.normal()
    for bits in (np.random.SFC64, np.random.Philox, np.random.PCG64DXSM):
        for kind in (np.random.Generator, np.random.RandomState):
            model = GibbsLDA(random_state=kind(bits(5)))
            found, expected = again(model).random_state, model.random_state
            assert_array_equal(found.normal(size=3), expected.normal(size=3))


VALUES = [
    *(None, True, 3, -(2**100), 0.1, float("inf"), "é\ud800\n", "", b"\0\xff", 2 - 1j),
    *([], (), {}, set(), frozenset({"b", "a"}), [[1, [2.5]], ("x", None)]),
    {1: "a", "1": "b", (2, 3): [4], None: {}, 0.5: ...},
    *(date(2020, 2, 3), datetime(2020, 2, 3, 4, 5), range(2, 9, 3), slice(1, None)),
    *(np.float32(0.1), np.int64(5), np.bool_(True), np.datetime64("2020-01-02")),
    *(
        np.str_(""),
        np.bytes_(b"a\0b"),
        np.array([], "U0"),
        np.arange(3.0).astype(">f4"),
    ),
    *(np.array(3), np.arange(6.0).reshape(2, 3), np.zeros((0, 4), np.int8)),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(20)[::3],
    np.array(["a", "longer"]),
    np.array([["a", None], [[1, 2], 2.5]], dtype=object),
    np.array(["2020-01-02"], "datetime64[D]"),
    np.ma.MaskedArray([1.0, 2.0], [True, False]),
    *(np.float64, int, object, np.dtype("float32"), np.log1p),
    *(kind(np.eye(3)) for kind in (sp.csr_array, sp.csc_matrix)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_values_are_exact(value, again):
    found = again(GibbsLDA(doc_topic_prior=value)).doc_topic_prior
    assert type(found) is type(value)
    if sp.issparse(value):
        found, value = found.toarray(), value.toarray()
    if isinstance(value, np.ndarray):
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        if value.dtype == object:
            assert found.tolist() == value.tolist()
        else:
            assert_array_equal(found, value)
            assert found.flags.writeable
            assert (
                found.flags.f_contiguous == value.flags.f_contiguous or value.ndim < 2
            )
    else:
        assert found == value
        if not isinstance(
            value, frozenset
        ):  # its order is that of hashes and of insertion
            assert repr(found) == repr(value)


def test_shared_parts_stay_shared(again):
    prior = np.ones(3)
    model = GibbsLDA(doc_topic_prior=[prior, prior], topic_word_prior=prior)
    twin = again(model)
    assert twin.doc_topic_prior[0] is twin.doc_topic_prior[1] is twin.topic_word_prior
    loop = [1]
    loop.append(loop)
    found = again(GibbsLDA(doc_topic_prior=loop)).doc_topic_prior
    assert found[1] is found


def test_topics_keep_names_merges_and_documents(pipeline, again):
    topics = read_topics(pipeline, TEXTS, labels=LABELS).rename({0: "First"})
    for one in (topics, topics.merge([["First", 1]])):
        twin = again(one)
        assert twin.names == one.names
        assert twin.texts == one.texts
        pd.testing.assert_frame_equal(twin.topic_table(), one.topic_table())
        pd.testing.assert_frame_equal(twin.document_table(), one.document_table())
        assert_array_equal(twin.model.transform(TEXTS), one.model.transform(TEXTS))
        names = one.model.get_feature_names_out()
        assert_array_equal(twin.model.get_feature_names_out(), names)
        assert list(twin.rename({0: "Else"}).names) == ["Else", *one.names[1:]]
    merger = TopicMerger(pipeline, 1).fit(TEXTS)
    assert_array_equal(again(merger).transform(TEXTS), merger.transform(TEXTS))


def test_recommenders_by_ease_are_saved(pipeline, again):
    likes = sp.csr_array(np.repeat(np.eye(3), 10, axis=1))
    model = TopicRecommender(pipeline, collaborative="ease", random_state=0)
    model.fit(TEXTS, likes)
    pd.testing.assert_frame_equal(again(model).recommend(), model.recommend())
    for name in ("FixedUsers", "ItemSimilarity"):  # of models of implicit
        assert class_of(f"llmtopics.{name}").__name__ == name


def test_arrays_can_be_memory_mapped(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.poisson(0.1, (50, 3000))
    model = GibbsLDA(4, max_iter=2, random_state=0).fit(X)
    save(model, tmp_path / "model")
    plain = load(tmp_path / "model")
    for mode in ("r", "c"):
        twin = load(tmp_path / "model", mmap_mode=mode)
        assert twin.components_.ctypes.data % 64 == 0
        assert type(twin.components_) is np.ndarray
        assert isinstance(twin.components_.base, np.memmap)
        assert twin.components_.flags.writeable == (mode == "c")
        assert_array_equal(twin.transform(X), model.transform(X))
    before = (tmp_path / "model").read_bytes()
    twin.components_[:] = 0  # "c": the file stays
    assert (tmp_path / "model").read_bytes() == before
    assert plain.components_.flags.writeable
    with pytest.raises(ValueError, match="mmap_mode must be None, 'r' or 'c'"):
        load(tmp_path / "model", mmap_mode="r+")


def test_the_same_model_gives_the_same_bytes(pipeline, tmp_path):
    for name in ("one", "two"):
        save(pipeline, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_process_loads_it(pipeline, tmp_path):
    save(pipeline, tmp_path / "model")
    code = (
        "import sys, numpy, llmtopics\n"
        "model = llmtopics.load(sys.argv[1])\n"
        "numpy.save(sys.argv[2], model.transform(['the cat and the bank']))\n"
        "assert 'torch' not in sys.modules"
    )
    arguments = [str(tmp_path / name) for name in ("model", "out.npy")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    expected = pipeline.transform(["the cat and the bank"])
    assert_array_equal(np.load(tmp_path / "out.npy"), expected)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_the_mode_of_the_file_follows_the_umask_and_an_older_file(lda, tmp_path):
    before = os.umask(0o027)
    try:
        save(lda, tmp_path / "model")
        assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o640
        (tmp_path / "model").chmod(0o600)
        save(lda, tmp_path / "model")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o600


def test_a_link_stays_a_link(lda, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    save(lda, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "model").n_components == 3


def test_a_card_says_what_is_in_the_file(pipeline, tmp_path):
    topics = read_topics(pipeline, TEXTS).rename({0: "A | b"})
    save(topics, tmp_path / "topics", card={"npmi": 0.12})
    card = (tmp_path / "topics.md").read_text("utf-8")
    for part in ("| npmi | 0.12 |", "A \\| b", "gibbslda__max_iter | `20`", "numpy"):
        assert part in card
    assert TEXTS[0] not in card
    save(pipeline, tmp_path / "plain", card=True)
    plain = (tmp_path / "plain.md").read_text("utf-8")
    assert "# Pipeline" in plain
    words = pipeline[0].get_feature_names_out()
    for k, some in enumerate(top_words(pipeline[1].components_, words, 10)):
        assert f"| {k} | {', '.join(some)} |" in plain
    save(clone(pipeline), tmp_path / "unfitted", card=True)
    assert "| topic |" not in (tmp_path / "unfitted.md").read_text("utf-8")
    save(pipeline, tmp_path / "none")
    assert not (tmp_path / "none.md").exists()
    secret = PrecomputedEmbeddings(TEXTS, np.ones((30, 2)))
    save(secret, tmp_path / "secret", card=True)
    assert "bank" not in (tmp_path / "secret.md").read_text("utf-8")
    with pytest.raises(ValueError, match="card must be"):
        save(pipeline, tmp_path / "wrong", card="npmi")


def test_a_card_says_what_a_search_has_chosen(tmp_path):
    words = CountVectorizer()
    model = make_pipeline(words, GibbsLDA(max_iter=5, random_state=0))
    search = GridSearchCV(model, {"gibbslda__n_components": [2, 3]}, cv=2).fit(TEXTS)
    save(search, tmp_path / "search", card=True)
    card = (tmp_path / "search.md").read_text("utf-8")
    best = search.best_params_["gibbslda__n_components"]
    assert f"| gibbslda__n_components | `{best}` |" in card
    assert f"| {search.best_score_:.4g} |" in card
    topics = top_words(
        search.best_estimator_[1].components_,
        search.best_estimator_[0].get_feature_names_out(),
        10,
    )
    assert all(", ".join(some) in card for some in topics)


@pytest.mark.slow
@pytest.mark.parametrize("training", ["lora", "full"])
def test_what_was_trained_is_in_the_file(training, again):
    model = TransformerClassifier(training=training, max_length=16)
    model.fit(TEXTS[:8], LABELS[:8])
    twin = again(model)
    assert_array_equal(twin.predict_proba(TEXTS), model.predict_proba(TEXTS))


@pytest.mark.slow
@pytest.mark.skipif(
    "LLMTOPICS_OTHER_PYTHON" not in os.environ,
    reason="LLMTOPICS_OTHER_PYTHON names no other Python",
)
def test_another_python_without_pytorch_loads_models_of_counts(lda, tmp_path):
    """CONTRIBUTING.md says what this Python is."""
    models = {"lda": lda, "words": MODELS["NMF"][0].fit(TEXTS)}
    models["topics"] = make_pipeline(
        CountVectorizer(analyzer=TextAnalyzer()), topics()
    ).fit(TEXTS)
    for name, model in models.items():
        save(model, tmp_path / name)
    code = (
        "import importlib.util, sys, numpy, llmtopics\n"
        "assert importlib.util.find_spec('torch') is None\n"
        "for name in ('lda', 'words', 'topics'):\n"
        "    model = llmtopics.load(f'{sys.argv[1]}/{name}')\n"
        "    X = numpy.eye(30, dtype=int) if name == 'lda' else ['the cat and the bank']\n"
        "    numpy.save(f'{sys.argv[1]}/{name}.npy', model.transform(X))\n"
    )
    python = os.environ["LLMTOPICS_OTHER_PYTHON"]
    source = str(Path(llmtopics.__file__).parents[1])
    subprocess.run(
        [python, "-W", "ignore", "-c", code, str(tmp_path)],
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": source},
    )
    for name, model in models.items():
        X = np.eye(30, dtype=int) if name == "lda" else ["the cat and the bank"]
        found = np.load(tmp_path / f"{name}.npy")
        assert_allclose(found, model.transform(X), rtol=1e-10)
