"""What every estimator promises. A new one joins by adding one instance to a list."""

import copy
import pickle
from itertools import pairwise

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    LLMTopics,
    NextWordCounts,
    PachinkoAllocation,
    TextAnalyzer,
)
from llmtopics.datasets import make_topics

LLM_WORDS = CountVectorizer(analyzer=TextAnalyzer(min_length=1, stop_words=None))
COUNT_MODELS = [
    GibbsLDA(n_components=3, max_iter=20, random_state=0),
    PachinkoAllocation(
        n_components=3, n_super_components=2, max_iter=20, random_state=0
    ),
]
TEXT_MODELS = [
    Pipeline(
        [
            ("counts", CountVectorizer(analyzer=TextAnalyzer())),
            ("topics", GibbsLDA(n_components=3, max_iter=20, random_state=0)),
        ]
    ),
    FusionTopicModel(n_components=3, max_iter=20, random_state=0),
    FusionTopicModel(
        n_components=3,
        expander=NextWordCounts(LLM_WORDS),
        max_iter=20,
        random_state=0,
    ),
]
# Topics given by name: no n_components, nothing random, columns that are the names
NAMED_MODELS = [LLMTopics(["animals", "money", "sport"], max_length=16)]
VECTOR_MODELS = [EmbeddingTopics(n_components=3, random_state=0)]

COUNTS = make_topics(60, 30, 3, doc_length=30, random_state=0).data
OTHER_COUNTS = make_topics(50, 20, 3, doc_length=30, random_state=1).data
_WORDS = np.array([f"{a}{b}word" for a in "bcdfgh" for b in "aeiou"])


def as_texts(X):
    rows = [np.repeat(X.indices[i:j], X.data[i:j]) for i, j in pairwise(X.indptr)]
    return [" ".join(_WORDS[row]) for row in rows]


TEXTS, OTHER_TEXTS = as_texts(COUNTS), as_texts(OTHER_COUNTS)


def last_step(model):
    return model[-1] if isinstance(model, Pipeline) else model


def models(counts=COUNTS, texts=TEXTS, named=False):
    """Parametrize over every model, with the input it reads."""
    cases = [(model, counts) for model in COUNT_MODELS]
    cases += [(model, texts) for model in TEXT_MODELS + NAMED_MODELS * named]
    ids = [type(last_step(model)).__name__ for model, _ in cases]
    ids = [f"{name}-{i}" for i, name in enumerate(ids)]
    return pytest.mark.parametrize(("model", "X"), cases, ids=ids)


count_models = pytest.mark.parametrize(
    "model", COUNT_MODELS, ids=lambda m: type(m).__name__
)
text_models = pytest.mark.parametrize(
    "model", TEXT_MODELS + NAMED_MODELS, ids=lambda m: type(m).__name__
)


def prior_mean(model):
    """What a document without words has of each of three topics."""
    if not hasattr(model, "super_sub_prior_"):
        return 1 / 3
    root, below = model.doc_super_prior_, model.super_sub_prior_
    return root / root.sum() @ (below / below.sum(axis=1, keepdims=True))


def take(X, rows):
    return X[rows] if sp.issparse(X) else [X[i] for i in rows]


def setting(model, name):
    """The name of a parameter, also where the model is the last step of a Pipeline."""
    return f"{model.steps[-1][0]}__{name}" if isinstance(model, Pipeline) else name


# 1. scikit-learn's own contract ---------------------------------------------------------


@parametrize_with_checks(COUNT_MODELS + VECTOR_MODELS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@models()
def test_set_params_then_fit_obeys(model, X):
    model = clone(model).fit(X)
    model.set_params(**{setting(model, "n_components"): 5})
    assert model.fit(X).transform(X).shape[1] == 5
    assert model.get_params()[setting(model, "n_components")] == 5


@models(named=True)
def test_refit_forgets_the_old_fit(model, X):
    other = OTHER_COUNTS if sp.issparse(X) else OTHER_TEXTS
    twice = clone(model).fit(other).fit(X)
    assert_array_equal(twice.transform(X), clone(model).fit(X).transform(X))


@models(named=True)
def test_fit_changes_neither_its_input_nor_its_parameters(model, X):
    model, before = clone(model), copy.deepcopy(X)
    params = {k: repr(v) for k, v in model.get_params().items()}
    model.fit(X).transform(X)
    assert params.items() <= {k: repr(v) for k, v in model.get_params().items()}.items()
    if sp.issparse(X):
        assert_array_equal(X.toarray(), before.toarray())
    else:
        assert before == X


@count_models
def test_counts_in_disorder_are_left_as_they_were(model):
    parts = [np.array(part) for part in ([3, 1, 2, 4], [2, 0, 0, 1], [0, 3, 4])]
    X = sp.csr_array(tuple(parts), shape=(2, 3), copy=True)  # unsorted, one twice
    model = clone(model).fit(X)
    for use in [model.fit, model.transform, model.score]:
        use(X)
        for found, given in zip((X.data, X.indices, X.indptr), parts, strict=True):
            assert_array_equal(found, given)


@models(named=True)
def test_unfitted_says_so(model, X):
    with pytest.raises(NotFittedError):
        clone(model).transform(X)


# 2. a document's mixture depends on the document alone ------------------------------------


@models(named=True)
def test_mixture_does_not_depend_on_the_batch_or_the_order(model, X):
    """scikit-learn's own check sets n_components=1, where it cannot fail."""
    model = clone(model).fit(X)
    together = model.transform(X)
    n = together.shape[0]
    one_by_one = np.vstack([model.transform(take(X, [i])) for i in range(n)])
    assert_array_equal(together, one_by_one)
    assert_array_equal(together[::-1], model.transform(take(X, range(n)[::-1])))


@models(named=True)
def test_fit_transform_is_fit_then_transform(model, X):
    assert_array_equal(clone(model).fit_transform(X), clone(model).fit(X).transform(X))


# 3. mixtures ------------------------------------------------------------------------------


@models(named=True)
def test_rows_are_distributions_and_documents_without_words_get_the_prior(model, X):
    model = clone(model).fit(X)
    if sp.issparse(X):
        X = sp.vstack(
            [X[:5], sp.csr_array((1, X.shape[1]), dtype=X.dtype)], format="csr"
        )
    else:
        X = [*X[:5], ""]
    mixtures = model.transform(X)
    assert mixtures.dtype == np.float64
    assert mixtures.shape == (6, 3)
    assert (mixtures >= 0).all()
    assert_allclose(mixtures.sum(axis=1), 1, rtol=1e-12)
    assert_allclose(mixtures[5], prior_mean(last_step(model)))
    assert not np.allclose(mixtures[:5], 1 / 3, atol=0.1)


@models()
@pytest.mark.parametrize("n_components", [1, 2, 40])
def test_topics_asked_are_topics_given(model, X, n_components):
    model = clone(model).set_params(**{setting(model, "n_components"): n_components})
    assert model.fit_transform(X).shape[1] == n_components


# 4. randomness ----------------------------------------------------------------------------


@models()
def test_same_seed_same_bits_for_every_n_jobs(model, X):
    first = clone(model).fit(X).transform(X)
    for n_jobs in [None, 1, 2]:
        again = clone(model).set_params(**{setting(model, "n_jobs"): n_jobs}).fit(X)
        assert_array_equal(first, again.transform(X))


@models()
def test_seeds_and_generators_decide_the_result(model, X):
    def fitted(seed):
        return clone(model).set_params(**{setting(model, "random_state"): seed}).fit(X)

    def same(a, b):
        return np.array_equal(a.transform(X), b.transform(X))

    assert not same(fitted(0), fitted(1))
    assert not same(fitted(None), fitted(None))
    for kind in [np.random.default_rng, np.random.RandomState]:
        assert same(fitted(kind(0)), fitted(kind(0)))
        assert not same(fitted(kind(0)), fitted(kind(1)))
        assert not same(fitted(np.int64(0)), fitted(kind(1)))


@models()
@pytest.mark.parametrize("seed", [0, None])
def test_global_random_state_is_neither_read_nor_changed(model, X, seed):
    model = clone(model).set_params(**{setting(model, "random_state"): seed})
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = model.fit(X).transform(X)
    assert_array_equal(before, np.random.get_state()[1])
    np.random.seed(0)
    second = model.fit(X).transform(X)
    assert np.array_equal(first, second) == (seed is not None)


# 5. names, containers, displays -------------------------------------------------------------


@models()
def test_names_and_containers_of_the_output(model, X):
    model = clone(model).fit(X)
    names = model.get_feature_names_out()
    prefix = type(last_step(model)).__name__.lower()
    assert list(names) == [f"{prefix}{k}" for k in range(3)]
    mixtures = model.transform(X)
    for container, kind in [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]:
        framed = clone(model)
        last_step(framed).set_output(transform=container)
        framed = framed.fit(X).transform(X)
        assert isinstance(framed, kind)
        assert list(framed.columns) == list(names)
        assert_array_equal(framed.to_numpy(), mixtures)


@count_models
def test_names_of_the_input_are_kept_and_compared(model):
    X = pd.DataFrame(COUNTS.toarray(), columns=_WORDS)
    model = clone(model).fit(X)
    assert_array_equal(model.feature_names_in_, _WORDS)
    with pytest.raises(ValueError, match="feature names"):
        model.transform(X.rename(columns={_WORDS[0]: "else"}))


@count_models
@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        np.asfortranarray,
        lambda X: X.astype(np.int8),
        lambda X: X.astype(np.float32),
        lambda X: X.astype(np.float16),
        np.ndarray.tolist,
        sp.csr_matrix,
        sp.csc_array,
        sp.coo_array,
        lambda X: sp.csr_array(X).astype(np.float64),
        pd.DataFrame,
        lambda X: pl.DataFrame(X, schema=list(_WORDS)),
        lambda X: pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(X)),
    ],
)
def test_every_container_of_counts_gives_the_same_bits(model, container):
    X = container(COUNTS.toarray())
    found = clone(model).fit(X).transform(X)
    assert_array_equal(found, clone(model).fit(COUNTS).transform(COUNTS))


@count_models
def test_unsorted_and_repeated_entries_are_summed(model):
    rows, columns = COUNTS.nonzero()
    order = np.random.default_rng(0).permutation(COUNTS.data.sum())
    X = sp.csr_array(
        (
            np.ones(order.size, np.int8),
            (
                np.repeat(rows, COUNTS.data)[order],
                np.repeat(columns, COUNTS.data)[order],
            ),
        ),
        shape=COUNTS.shape,
    )
    assert_array_equal(
        clone(model).fit(X).transform(X), clone(model).fit(COUNTS).transform(COUNTS)
    )


@count_models
def test_sums_of_repeated_small_integers_do_not_overflow(model):
    X = sp.csr_array((np.full(3, 100, np.int8), [0, 0, 0], [0, 3]), shape=(1, 2))
    whole = np.array([[300, 0]])
    model = clone(model).fit(np.ones((3, 2), int))
    assert_array_equal(model.transform(X), model.transform(whole))


@text_models
@pytest.mark.parametrize(
    "container",
    [tuple, np.array, lambda t: np.array(t, object), pd.Series, pl.Series],
    ids=["tuple", "array", "object array", "pandas", "polars"],
)
def test_every_container_of_texts_is_read(model, container):
    model = clone(model).fit(TEXTS)
    assert_array_equal(model.transform(container(TEXTS)), model.transform(TEXTS))


@text_models
@pytest.mark.parametrize("bad", [None, 3, float("nan")])
def test_what_is_not_a_text_is_refused(model, bad):
    # CountVectorizer hands the analyzer one text at a time: it cannot name the row
    with pytest.raises((TypeError, ValueError), match=r"TextAnalyzer|np\.nan|row 60"):
        clone(model).fit([*TEXTS, bad])


@text_models
def test_one_bare_string_is_refused(model):
    with pytest.raises(ValueError, match=r"string object received|got one str"):
        clone(model).fit("one bare string")


@models(named=True)
def test_html_representation_shows(model, X):
    assert type(model).__name__ in clone(model)._repr_html_()


# 6. round trips -----------------------------------------------------------------------------


@models(named=True)
def test_copies_and_files_give_equal_outputs(model, X, tmp_path):
    model = clone(model).fit(X)
    mixtures = model.transform(X)
    joblib.dump(model, tmp_path / "model")
    for twin in [
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model"),
    ]:
        assert_array_equal(twin.transform(X), mixtures)


# 7. searches ----------------------------------------------------------------------------------


@models()
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_grid_search_really_changes_the_model(model, X, n_jobs):
    grid = {setting(model, "n_components"): [1, 3, 7]}
    split = ShuffleSplit(1, random_state=0)
    search = GridSearchCV(model, grid, cv=split, n_jobs=n_jobs).fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) == 3
    assert scores[1] > scores[0]  # three topics were planted
    assert search.transform(X).shape[1] == next(iter(search.best_params_.values()))


# 8. errors --------------------------------------------------------------------------------------


def with_entry(value, dtype=float):
    X = COUNTS.toarray().astype(dtype)
    X[3, 2] = value
    return X


BAD_COUNTS = {
    "NaN": (with_entry(np.nan), "NaN"),
    "infinity": (with_entry(np.inf), "infinity"),
    "negative": (with_entry(-1), "Negative.*row 3, column 2 holds -1"),
    "fraction": (with_entry(0.5), "row 3, column 2 holds 0.5"),
    "sparse fraction": (sp.csr_array(with_entry(0.5)), "row 3, column 2 holds 0.5"),
    "too many": (with_entry(2**40, np.int64), "row 3, column 2 holds 1099511627776"),
    "wrapped below zero": (with_entry(2**64 - 3, np.uint64), "row 3, column 2"),
    "strings": (with_entry("word", object), "could not convert"),
    "no words at all": (np.zeros((5, 30)), "no words"),
    "one dimension": (np.ones(30), "1D array"),
    "no documents": (np.ones((0, 30)), "0 sample"),
    "no vocabulary": (np.ones((5, 0)), "0 feature"),
}


@count_models
@pytest.mark.parametrize("case", BAD_COUNTS)
def test_bad_counts_are_refused_and_nothing_half_fitted_is_left(model, case):
    X, message = BAD_COUNTS[case]
    model = clone(model)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    model.fit(OTHER_COUNTS)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert model.transform(OTHER_COUNTS).shape == (50, 3)  # the old fit is whole


@count_models
def test_wrong_number_of_columns_is_refused(model):
    model = clone(model).fit(COUNTS)
    for method in [model.transform, model.score]:
        with pytest.raises(ValueError, match=r"20 features.*expecting 30"):
            method(OTHER_COUNTS)


@models()
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", 0),
        ("n_components", 2.5),
        ("max_iter", 0),
        ("random_state", "seed"),
        ("random_state", -1),
        ("verbose", "much"),
        ("n_jobs", "all"),
    ],
)
def test_bad_parameters_are_named(model, X, name, value):
    model = clone(model).set_params(**{setting(model, name): value})
    with pytest.raises(ValueError, match=name):
        model.fit(X)


@models()
def test_quiet_by_default_and_progress_on_demand(model, X, capfd):
    clone(model).fit(X).transform(X)
    assert capfd.readouterr() == ("", "")
    clone(model).set_params(**{setting(model, "verbose"): True}).fit(X)
    out, err = capfd.readouterr()
    assert out == ""
    assert "20/20" in err
