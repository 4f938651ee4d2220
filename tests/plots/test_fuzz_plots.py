"""Random input for every plot, as in ``tests/test_fuzz.py``."""

import warnings
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, plots, read_topics, suggest_n_components
from tests.fuzzing import (
    answer_or_refusal,
    as_tests,
    labels,
    odd,
    rarely,
    real,
    vectors,
)
from tests.nasty import TEXTS

NAMES = [
    *[
        "film",
        "tax",
        "",
        " ",
        "_hidden",
        "$x^2$",
        "\\frac{",
        "nan",
        "a\nb",
        "\0",
        "\ud800",
    ],
    *[
        "x" * 5000,
        "very long name of a topic " * 9,
        "中文" * 30,
        "👨‍👩‍👧‍👦",
        "שלום",
        "مرحبا",
    ],
    *TEXTS.values(),
]
NAMES = [name for name in NAMES if name.strip()] + ["topic 1", "topic 2"]
names = st.sampled_from(NAMES)
blank_or = names | st.just("")
BAD_NUMBERS = [0, -1, 1.5, np.nan, np.inf, "x", None, True, [1], 10**9]


@cache
def fitted(n_topics, n_documents):
    texts = (["apple pear plum", "bank money loan", "apple bank", ""] * 8)[:n_documents]
    counter = CountVectorizer(analyzer=TextAnalyzer(min_length=1))
    model = make_pipeline(counter, GibbsLDA(n_topics, max_iter=20, random_state=0))
    return read_topics(model.fit([*texts, "apple pear"]), texts)


def some_topics(data):
    """Topics of a small model, with any names."""
    K = data.draw(st.sampled_from([1, 2, 3, 25]))
    topics = fitted(K, data.draw(st.sampled_from([1, 2, 30])))
    given = answer_or_refusal(
        lambda: topics.rename(
            data.draw(st.lists(names, min_size=K, max_size=K, unique=True))
        )
    )
    return topics if given is None else given


def drawn_axes(plot):
    """Return the axes, drawn, or None if the plot refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of fonts, and of too little room
        found = answer_or_refusal(plot)
        if found is not None:
            np.ravel(found)[0].figure.draw_without_rendering()
    return found


def closing(check):
    def closed(data):
        try:
            check(data)
        finally:
            plt.close("all")

    closed.__name__ = check.__name__
    return closed


which = st.sampled_from(
    [
        1,
        2,
        6,
        30,
        [0],
        [1, 0],
        ["film"],
        [0, 0],
        [],
        "film",
        {0: 1},
        [np.int64(0)],
        [[0]],
        *BAD_NUMBERS,
    ]
)


@closing
def check_plots_of_topics(data):
    topics = some_topics(data)
    given = {} if data.draw(st.booleans()) else {"topics_to_show": data.draw(which)}
    shares = topics.mixtures.mean(axis=0)
    kind = data.draw(
        st.sampled_from(["words", "sizes", "map", "quality", "tree", "similar"])
    )
    if kind == "words":
        n = {"n_words": data.draw(st.sampled_from([1, 3, *BAD_NUMBERS[:8]]))}
        n = n if rarely(data) else {}
        axes = drawn_axes(lambda: plots.plot_words(topics, **given, **n))
        if axes is not None:
            for ax in axes:
                widths = [bar.get_width() for bar in ax.patches]
                assert all(0 <= width <= 1 for width in widths)
    elif kind == "sizes":
        ax = drawn_axes(lambda: plots.plot_sizes(topics, **given))
        if ax is not None:
            widths = np.array([bar.get_width() for bar in ax.patches])
            assert np.isin(widths.round(12), shares.round(12)).all()
            assert len(ax.get_yticklabels()) == len(widths)
    elif kind == "map":
        ax = drawn_axes(lambda: plots.plot_map(topics, **given))
        if ax is not None:
            places = np.asarray(ax.collections[0].get_offsets())
            assert places.shape == (len(topics.texts), 2)
            assert np.isfinite(places).all()
    elif kind == "quality":
        several = {data.draw(names): some_topics(data), "x": topics}
        drawn_axes(
            lambda: (
                plots.plot_quality(several)
                if data.draw(st.booleans())
                else plots.plot_quality(topics, **given)
            )
        )
    elif kind == "tree":
        n = {"n_leaves": data.draw(st.sampled_from([2, 3, *BAD_NUMBERS]))}
        drawn_axes(lambda: plots.plot_merge_tree(topics, **(n if rarely(data) else {})))
    else:
        ordered = data.draw(st.booleans())
        ax = drawn_axes(lambda: plots.plot_similarity(topics, ordered=ordered))
        assert ax is not None


STRANGE = real | odd | names | st.none()


def changed(data, table, strange=STRANGE):
    """Return a table, now and then with a fault: a value, a row, or a column."""
    fault = data.draw(
        st.sampled_from(["none"] * 4 + ["value", "row", "column", "type"])
    )
    table = table.copy()
    if fault == "value" and len(table):
        column = data.draw(st.sampled_from([*table.columns]))
        values = table[column].to_list()
        values[data.draw(st.integers(0, len(values) - 1))] = data.draw(strange)
        table[column] = values
    elif fault == "row":
        kept = data.draw(st.lists(st.integers(0, max(len(table) - 1, 0)), max_size=5))
        table = table.iloc[[row for row in kept if row < len(table)]]
    elif fault == "column":
        table = table.drop(columns=data.draw(st.sampled_from([*table.columns])))
    elif fault == "type":
        how = [dict, pd.DataFrame.to_numpy, lambda t: t.to_dict("list"), list, str, len]
        return data.draw(st.sampled_from(how))(table)
    return table


TIMES = [
    2020,
    2021,
    1,
    "2020-01-01",
    "x",
    pd.Timestamp("1700-01-01"),
    np.nan,
    None,
    1e9,
]


@closing
def check_plots_of_groups(data):
    topics = some_topics(data)
    n = len(topics.texts)
    given = {} if data.draw(st.booleans()) else {"topics_to_show": data.draw(which)}
    if data.draw(st.booleans()):
        values = data.draw(
            st.lists(blank_or, min_size=n, max_size=n) | st.just([3, None] * n) | labels
        )
        table = answer_or_refusal(lambda: topics.by(values[:n]))
        if table is not None:
            table = changed(data, table)
            most = {"n_groups": data.draw(st.sampled_from(BAD_NUMBERS))}
            most = most if rarely(data) else {}
            drawn_axes(lambda: plots.plot_groups(table, **given, **most))
        return
    kind = data.draw(
        st.sampled_from([[2020, 2021, 2025], ["2020-01-01", "2020-02-09"], TIMES])
    )
    values = data.draw(st.lists(st.sampled_from(kind), min_size=n, max_size=n))
    freq = data.draw(st.sampled_from(["Y"] * 6 + ["M"] * 3 + ["D", "x", "", 5, None]))
    missing = data.draw(st.sampled_from(["error", "drop"]))
    table = answer_or_refusal(lambda: topics.over(values, freq=freq, missing=missing))
    if table is not None:
        table = changed(data, table)
        drawn_axes(lambda: plots.plot_over_time(table, **given))


SCORES = st.sampled_from([0, -1, 0.5, np.nan, 100])


@cache
def suggestion():
    X = np.random.default_rng(0).poisson(0.5, (30, 12))
    model = GibbsLDA(max_iter=3, random_state=0)
    return suggest_n_components(model, X, n_components=[2, 3, 5], n_runs=2)


@closing
def check_plots_of_choices(data):
    kind = data.draw(st.sampled_from(["n", "alpha", "search", "trace", "training"]))
    if kind == "n":
        found = replace(suggestion(), table=changed(data, suggestion().table, SCORES))
        drawn_axes(lambda: plots.plot_n_components(found))
    elif kind == "alpha":
        weights, values = st.sampled_from([0, 0.1, 0.5, 1]), real
        if rarely(data):
            weights |= st.sampled_from([1.5, -1, np.nan, "x", None, "0.5", (1,)])
            values |= st.none() | names
        scores = data.draw(st.dictionaries(weights, values, max_size=4))
        drawn_axes(lambda: plots.plot_alpha(scores))
    elif kind == "search":
        n = data.draw(st.integers(0, 3))
        scores = st.lists(real, min_size=n, max_size=n)
        alphas = st.sampled_from([0, 0.5, 1, "auto", np.nan, None])
        found = {
            "param_alpha": data.draw(st.lists(alphas, min_size=n, max_size=n)),
            "mean_test_score": data.draw(scores),
            "std_test_score": np.abs(data.draw(scores)),
        }
        drawn_axes(lambda: plots.plot_alpha(SimpleNamespace(cv_results_=found)))
    elif kind == "trace":
        traces = st.lists(real, max_size=4) | st.sampled_from(
            [3, "x", None, [[1]], ["x"]]
        )
        given = data.draw(traces | st.dictionaries(names, traces, max_size=3))
        drawn_axes(lambda: plots.plot_trace(given))
    else:
        n = data.draw(st.integers(0, 3))
        column = st.lists(real, min_size=n, max_size=n) | st.lists(
            real | names, max_size=3
        )
        keys = ["step", "loss", "held_out_loss"]
        history = pd.DataFrame({key: pd.Series(data.draw(column)) for key in keys})
        drawn_axes(lambda: plots.plot_training(changed(data, history)))


@closing
def check_plots_of_numbers(data):
    if data.draw(st.booleans()):
        given = data.draw(st.none() | st.lists(names, max_size=4))
        ordered = data.draw(st.booleans())
        values = data.draw(vectors)
        if data.draw(st.booleans()):
            values = np.asarray(
                values.toarray() if hasattr(values, "toarray") else values
            )
            n = min(values.shape) if values.ndim == 2 else 0
            values = values[:n, :n] + values[:n, :n].T if n else values
        drawn_axes(
            lambda: plots.plot_correlations(values, names=given, ordered=ordered)
        )
        return
    n = data.draw(st.integers(0, 3))
    shares = st.sampled_from([-1, 0, 1, 0.3]) | odd
    columns = {
        name: data.draw(st.lists(shares, min_size=n, max_size=n))
        for name in ("mean", "low", "high")
    }
    table = pd.DataFrame(
        {"topic": data.draw(st.lists(names, min_size=n, max_size=n)), **columns}
    )
    ordered = data.draw(st.booleans())
    table = changed(data, table)
    drawn_axes(lambda: plots.plot_topic_sentiment(table, ordered=ordered))


CHECKS = {
    check_plots_of_topics: 50,
    check_plots_of_groups: 50,
    check_plots_of_choices: 60,
    check_plots_of_numbers: 60,
}
(
    test_any_input_is_drawn_or_refused,
    test_much_more_input_is_drawn_or_refused,
) = as_tests(CHECKS)
