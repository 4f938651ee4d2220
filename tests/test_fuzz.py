"""Random input of every kind: a right answer, or an error that says what is wrong.

``make soak`` tries many more examples than ``make test``.
"""

import re
import warnings
from inspect import signature

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TextAnalyzer,
    log_ratios,
    metrics,
    plots,
    read_topics,
    store_counts,
    top_words,
)
from llmtopics._language.clean_answer import clean_answer, is_refusal
from llmtopics._redact import redacted, restored
from llmtopics.apply._summarizer_writing import not_in_source
from llmtopics.naming._candidates import as_name, as_sentence, is_copy
from tests.nasty import TEXTS

# What Python and NumPy say of a slip in our own code, and never of wrong input
SLIPS = re.compile(
    r"zero-size array|could not be broadcast|empty sequence|index out of|out of bounds"
    r"|invalid literal|'NoneType'|not subscriptable|unhashable|inhomogeneous|cannot reshape"
    r"|mismatch in its core|not supported between|unexpected keyword|object is not|^$"
    r"|unsupported operand|ufunc|not iterable|must be real number|unpack|cannot convert float"
    r"|negative dimensions|must be str|probabilities|truth value"
)

REFUSALS = (TypeError, ValueError, InvalidParameterError)  # and none of their children


def answer_or_refusal(call, about=""):
    """Return what a call gives, or None if it refuses with an error that says why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice
        warnings.filterwarnings("ignore", module="sklearn")  # the users' own parts
        try:
            return call()
        except (TypeError, ValueError) as error:
            refusal = error
    if type(refusal) not in REFUSALS or SLIPS.search(str(refusal)):
        raise AssertionError(f"{about} does not say what is wrong") from refusal
    assert len(str(refusal)) < 3000
    return None


# strategies ------------------------------------------------------------------------------

whole = st.sampled_from([0, 0, 0, 1, 1, 2, 5, 300])
odd = st.sampled_from([0.5, -1, np.nan, np.inf, 2.0**31, 1e300, -0.0, 5e-324])
real = st.floats(-1e3, 1e3, width=32) | odd


@st.composite
def matrices(draw, values, most=6):
    rows, columns = draw(st.integers(0, most)), draw(st.integers(0, most))
    cells = st.lists(values, min_size=rows * columns, max_size=rows * columns)
    X = np.array(draw(cells), float).reshape(rows, columns)
    as_given = [
        lambda X: X,
        np.ndarray.tolist,
        sp.csr_array,
        sp.coo_array,
        pd.DataFrame,
    ]
    return draw(st.sampled_from(as_given))(X)


counts = matrices(whole) | matrices(whole | odd)
vectors = matrices(real, 5)
texts = st.text(max_size=30) | st.sampled_from([*TEXTS.values()])
corpora = st.lists(
    texts | st.sampled_from(["apple pear", "bank money loan"]), max_size=8
)
prior = st.sampled_from(
    [0.1, 1, 1e-30, 1e30, 0, -1, np.nan, np.inf, "auto", "x", [1, 2]]
)
components = st.sampled_from([1, 2, 3, 20, 0, -1, 2.5, None])
words = st.sampled_from(["apple", "bank", "", " ", "ß", "<b>", "\ud800", "nan"])
topics = st.lists(st.lists(words, max_size=5), max_size=4)
labels = st.lists(st.sampled_from([0, 1, 2, "a", None, np.nan, -1, 1.5]), max_size=8)


@st.composite
def shares(draw, n_rows=None, n_columns=None):
    """Proportions, or something near to them."""
    D = draw(st.integers(1, 6)) if n_rows is None else n_rows
    K = draw(st.integers(1, 4)) if n_columns is None else n_columns
    numbers = st.sampled_from([0, 0.25, 1, 1e-300, 3])
    made = np.array([draw(st.lists(numbers, min_size=K, max_size=K)) for _ in range(D)])
    made = made.reshape(D, K).astype(float)
    sums = made.sum(axis=1, keepdims=True)
    made = np.divide(made, sums, out=np.full_like(made, 1 / K), where=sums > 0)
    fault = draw(st.sampled_from([None] * 6 + [np.nan, -0.5, 2.0, np.inf]))
    if fault is not None:
        made[-1, -1] = fault
    return made


# properties ------------------------------------------------------------------------------


def assert_shares(theta, n):
    assert theta.shape[0] == n
    assert theta.dtype == np.float64
    assert np.isfinite(theta).all()
    assert (theta >= 0).all()
    np.testing.assert_allclose(theta.sum(axis=1), 1)


def n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def check_fit(model, X):
    """Fit; then any proportions and words are whole."""
    made = answer_or_refusal(lambda: model.fit(X))
    if made is not None:
        theta = model.transform(X)
        assert_shares(theta, n_rows(X))
        np.testing.assert_array_equal(theta, model.transform(X))
        components = getattr(model, "components_", None)
        if components is not None:
            assert_shares(components, theta.shape[1])


def count_model(data):
    make = data.draw(st.sampled_from([GibbsLDA, PachinkoAllocation]))
    given = {
        "n_components": data.draw(components),
        "topic_word_prior": data.draw(prior),
        "max_iter": data.draw(st.sampled_from([1, 3, 0, -2])),
        "sampler": data.draw(st.sampled_from(["auto", "exact", "blocked", "other"])),
        "random_state": data.draw(st.sampled_from([0, 2**32, -1, "x"])),
    }
    names = ["doc_topic_prior", "doc_super_prior"]
    given[names[make is PachinkoAllocation]] = data.draw(prior | st.none())
    some = data.draw(st.sets(st.sampled_from([*given]), max_size=3))
    safe = {"n_components": 2, "max_iter": 3, "random_state": 0}
    return make(**{**safe, **{name: given[name] for name in some}})


def check_count_models(data):
    check_fit(count_model(data), data.draw(counts))


def check_embedding_topics(data):
    model = EmbeddingTopics(
        data.draw(components),
        concentration=data.draw(st.sampled_from([None, None, 0, 1.0, 1e9, -1, np.nan])),
        max_iter=data.draw(st.sampled_from([0, 2])),
        random_state=0,
    )
    check_fit(model, data.draw(vectors))


def check_text_models(data):
    lsa = Pipeline([("words", TfidfVectorizer()), ("svd", TruncatedSVD(2))])
    model = data.draw(
        st.sampled_from(
            [
                make_pipeline(
                    CountVectorizer(analyzer=TextAnalyzer(min_length=1)),
                    GibbsLDA(2, max_iter=2, random_state=0),
                ),
                FusionTopicModel(2, embedder=lsa, max_iter=2, random_state=0),
                FusionTopicModel(2, alpha=0, max_iter=2, random_state=0),
            ]
        )
    )
    check_fit(model, data.draw(corpora))


def check_analyzer(data):
    """Words are not empty, have no blank, and are the same in any order of texts."""
    options = {
        "min_length": st.sampled_from([0, 1, 3, 99, -1, "x"]),
        "ngram_range": st.sampled_from([(1, 1), (1, 3), (2, 1), (0, 0), 5]),
        "stem": st.booleans(),
        "strip_accents": st.booleans(),
        "lowercase": st.booleans(),
        "stop_words": st.sampled_from([None, "auto", [], ["the"], "x", {""}]),
    }
    known = [name for name in signature(TextAnalyzer).parameters if name in options]
    some = data.draw(st.sets(st.sampled_from(known), max_size=3))
    given = {name: data.draw(options[name]) for name in sorted(some)}
    text = data.draw(texts)
    found = answer_or_refusal(lambda: TextAnalyzer(**given)(text))
    if found is not None:
        assert all(isinstance(word, str) and word for word in found)
        assert TextAnalyzer(**given)(text) == found
        if not given.keys() & {"ngram_range"}:
            assert all(len(word.split()) == 1 for word in found)


ARGUMENTS = {
    "X": counts,
    "components": shares() | vectors,
    "doc_topic_prior": prior,
    "doc_vectors": vectors,
    "k": st.sampled_from([1, 3, 0, -1, 2.5]),
    "labels": labels,
    "measure": st.sampled_from(["npmi", "uci", "umass", "c_v", "x", None]),
    "mixtures": shares() | vectors,
    "n_particles": st.sampled_from([1, 2, 0]),
    "n_topics": st.sampled_from([1, 3, 0]),
    "n_trials": st.sampled_from([1, 3, 0]),
    "n_words": st.sampled_from([1, 2, 5, 0, -1, 2.5]),
    "names": st.none() | st.lists(words, max_size=4),
    "p": st.sampled_from([0.9, 0, 1, -1, np.nan]),
    "random_state": st.sampled_from([0, -1, "x"]),
    "ranked": topics,
    "reference": corpora | counts,
    "relevant": topics,
    "topic_vectors": vectors,
    "vectors": vectors,
    "vocabulary": st.none() | st.lists(words, max_size=6),
    "window_size": st.sampled_from(["auto", None, 1, 5, 0, "x"]),
}
TOPICS_ARE_LABELS = {"topics": labels | shares()}
WITHOUT = {"rate_topics", "suggest_n_components", "topic_scorer", "topic_stability"}


def check_metrics(data):
    name = data.draw(st.sampled_from([n for n in metrics.__all__ if n not in WITHOUT]))
    function = getattr(metrics, name)
    takes = signature(function).parameters
    drawn = {**ARGUMENTS, "topics": labels if "labels" in takes else topics}
    given = {
        name: data.draw(drawn[name])
        for name, parameter in takes.items()
        if name in drawn
        and (parameter.default is parameter.empty or data.draw(st.booleans()))
    }
    found = answer_or_refusal(lambda: function(**given), f"{name}({given})")
    if name in ("purity", "inverse_purity", "matched_accuracy") and found is not None:
        assert 0 <= found <= 1


def check_word_tables(data):
    phi = data.draw(shares() | vectors)
    given = data.draw(st.lists(words, max_size=6))
    answer_or_refusal(lambda: top_words(phi, given, data.draw(ARGUMENTS["n_words"])))
    answer_or_refusal(lambda: log_ratios(data.draw(counts), data.draw(shares())))


MARKS = [
    *["<think>", "</think>", "<answer>", "<|im_end|>", "<|channel|>final<|message|>"],
    *["```", "**", '{"keywords": [', '"', "'", "\\", "]", "}", "- ", "1. ", "\n\n"],
    *["Keywords:", "Topic: ", "Sure!", "Here is", "I'm sorry", "sorry, I cannot"],
]


def check_parsers(data):
    """Nothing that a model writes is an error."""
    mark = st.sampled_from(MARKS)
    answer = "".join(data.draw(st.lists(mark | texts | words, max_size=8)))
    listed = data.draw(st.lists(words, max_size=4))
    text = clean_answer(answer, "Keywords")
    assert text == text.strip()
    is_refusal(text)
    name = as_name(answer)
    assert len(name) <= 60
    assert "\n" not in name
    is_copy(name, ", ".join(listed))
    sentence = as_sentence(answer, listed)
    assert "\n" not in sentence
    not_in_source(text, listed, "en")
    hidden, originals = redacted(answer, "pii")
    assert restored(hidden, originals) == restored(answer, originals)


PLOTS = [plots.plot_correlations, plots.plot_topic_sentiment, plots.plot_training]


def check_plots(data):
    import matplotlib.pyplot as plt

    plot = data.draw(st.sampled_from(PLOTS))
    value = data.draw(vectors)
    if plot is not plots.plot_correlations:
        keys = ["positive", "negative", "neutral", "step", "loss", "eval_loss", "topic"]
        value = data.draw(
            st.dictionaries(
                st.sampled_from(keys), st.lists(real, max_size=4), max_size=4
            )
        )
    try:
        with np.errstate(all="ignore"):
            axes = answer_or_refusal(lambda: plot(value))
        if axes is not None:
            with warnings.catch_warnings():  # labels such as 1e300 leave no room
                warnings.simplefilter("ignore", UserWarning)
                axes.figure.draw_without_rendering()
    finally:
        plt.close("all")


def check_topics(data):
    """Everything that is read from topics of a fitted model, about nasty texts."""
    some = [*data.draw(corpora), "apple pear plum", "bank money loan", "apple bank"]
    model = make_pipeline(
        CountVectorizer(analyzer=TextAnalyzer(min_length=1)),
        GibbsLDA(2, max_iter=2, random_state=0),
    ).fit(some)
    given = {
        name: data.draw(st.none() | st.lists(texts, min_size=n, max_size=n))
        for name, n in [("titles", len(some)), ("labels", len(some)), ("names", 2)]
    }
    found = answer_or_refusal(lambda: read_topics(model, some, **given))
    if found is None:
        return
    assert_shares(found.mixtures, len(some))
    assert len(found.documents(0, 3)) <= 3 if hasattr(found, "documents") else True
    assert "<script>" not in found._repr_html_()
    found.to_json()
    repr(found)


def check_stored_counts(data):
    import tempfile

    blocks = data.draw(st.lists(counts, max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        found = answer_or_refusal(lambda: store_counts(blocks, f"{folder}/counts"))
        if found is not None:
            expected = sp.vstack([sp.csr_array(np.asarray(_dense(b))) for b in blocks])
            got = sp.vstack([*found]) if len(found) else expected
            assert (got.toarray() == expected.toarray()).all()


def _dense(X):
    return X.toarray() if sp.issparse(X) else X


CHECKS = {
    check_count_models: 100,
    check_embedding_topics: 60,
    check_text_models: 40,
    check_analyzer: 150,
    check_metrics: 300,
    check_word_tables: 100,
    check_parsers: 200,
    check_plots: 60,
    check_topics: 20,
    check_stored_counts: 60,
}


def run(check, n):
    """Try a property on so many examples, always the same ones."""
    options = settings(
        max_examples=n,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    options(given(st.data())(check))()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
def test_any_input_is_answered_or_refused(check):
    run(check, CHECKS[check])


@pytest.mark.soak
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
def test_much_more_input_is_answered_or_refused(check):
    run(check, 50 * CHECKS[check])
