"""What plots of topics draw, on real news."""

import inspect
import sys
from itertools import combinations, pairwise

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import colors, pyplot
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    TextAnalyzer,
    read_topics,
    suggest_n_components,
)
from llmtopics import plots as all_plots
from llmtopics.datasets import load_bbc_news, make_topics
from llmtopics.plots import (
    plot_alpha,
    plot_groups,
    plot_map,
    plot_merge_tree,
    plot_n_components,
    plot_over_time,
    plot_quality,
    plot_similarity,
    plot_sizes,
    plot_trace,
    plot_words,
    topic_colors,
)
from llmtopics.plots._over_time import spread

NEWS = load_bbc_news()
TEXTS = [NEWS.data[i] for i in range(0, len(NEWS.data), 15)]
LABELS = [NEWS.target_names[NEWS.target[i]] for i in range(0, len(NEWS.data), 15)]
YEARS = [2001 + i % 3 for i in range(len(TEXTS))]
K = 6


def read(n_topics, texts=TEXTS, names=None):
    words = CountVectorizer(analyzer=TextAnalyzer())
    model = make_pipeline(words, GibbsLDA(n_topics, max_iter=30, random_state=0))
    return read_topics(
        model.fit(texts),
        texts,
        labels=LABELS[: len(texts)],
        times=YEARS[: len(texts)],
        names=names,
    )


@pytest.fixture(scope="module")
def topics():
    return read(K)


@pytest.fixture(scope="module")
def many():
    return read(300)


OF_TOPICS = {
    "words": plot_words,
    "sizes": plot_sizes,
    "map": plot_map,
    "similarity": plot_similarity,
    "merge_tree": plot_merge_tree,
    "groups": lambda topics, *shown, **more: plot_groups(topics.by(), *shown, **more),
    "over_time": lambda topics, *shown, **more: plot_over_time(
        topics.over(freq="Y"), *shown, **more
    ),
    "quality": plot_quality,
}
WITH_CHOICE = sorted({*OF_TOPICS} - {"similarity", "merge_tree"})


def figure_of(drawn):
    return np.ravel(np.asarray(drawn, dtype=object))[0].figure


def labels_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def hexes(artist):
    return [colors.to_hex(color) for color in artist.get_facecolors()]


def bars(ax):
    return [(bar.get_x(), bar.get_width()) for bar in ax.patches]


def bar_colors(ax):
    return [colors.to_hex(bar.get_facecolor()) for bar in ax.patches]


def texts_of(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def by_size(topics):
    return np.argsort(-topics.mixtures.mean(axis=0), kind="stable")


# numbers ----------------------------------------------------------------------------------------


def test_bars_are_the_words_of_the_table(topics):
    axes = plot_words(topics, n_words=5)
    assert len(axes) == K
    for ax, k in zip(axes, by_size(topics), strict=True):
        table = topics.words(k, 5)
        assert ax.get_title(loc="left") == topics.names[k]
        assert labels_of(ax) == list(table.word)
        assert_allclose([width for _, width in bars(ax)], table.weight)
        assert set(bar_colors(ax)) == {topic_colors(K)[k]}
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first is at the top


def test_bars_are_the_sizes_of_the_table(topics):
    ax = plot_sizes(topics)
    table = topics.topic_table().sort_values("share", ascending=False, kind="stable")
    assert labels_of(ax) == list(table.name)
    assert_allclose([width for _, width in bars(ax)], table.share)
    assert [text.get_text() for text in ax.texts] == [str(n) for n in table.n_documents]
    assert bar_colors(ax) == [topic_colors(K)[k] for k in table.topic]


@pytest.mark.parametrize("method", ["topics", "pca"])
def test_the_map_has_all_documents_in_the_colors_of_their_topics(topics, method):
    found = topics.map(method)
    ax = plot_map(topics, method=method)
    (dots,) = ax.collections
    drawn = {
        (x, y, color)
        for (x, y), color in zip(dots.get_offsets(), hexes(dots), strict=True)
    }
    table = found.documents
    expected = zip(
        table.x, table.y, np.array(topic_colors(K))[table.topic], strict=True
    )
    assert drawn == set(expected)
    assert {text.get_text() for text in ax.texts} == set(topics.names)
    again = plot_map(found)
    assert_array_equal(again.collections[0].get_offsets(), dots.get_offsets())


def test_topics_without_a_name_on_the_map_are_gray(topics):
    ax = plot_map(topics, [topics.names[2], 0])
    assert [text.get_text() for text in ax.texts] == [topics.names[2], topics.names[0]]
    shares = np.isin(topics.first_topics, [0, 2]).sum()
    assert sum(color != "#9a9a9a" for color in hexes(ax.collections[0])) == shares
    assert ax.get_title(loc="right") == f"2 of {K} topics"


@pytest.mark.parametrize("given", [lambda topics: topics, lambda t: t.distances()])
def test_similarities_are_in_the_rows_of_their_names(topics, given):
    ax = plot_similarity(given(topics))
    order = [topics.names.index(name) for name in labels_of(ax)]
    assert sorted(order) == list(range(K))
    values = ax.images[0].get_array()
    assert_array_equal(values.mask, np.eye(K, dtype=bool))
    expected = 1 - topics.distances().to_numpy()[np.ix_(order, order)]
    assert_allclose(values[~values.mask], expected[~np.eye(K, dtype=bool)])


def test_distances_are_those_of_nearest(topics):
    table = topics.distances()
    nearest = topics.nearest(0, 1).iloc[0]
    assert table.iloc[0].drop(table.columns[0]).min() == pytest.approx(nearest.distance)
    assert_allclose(table, table.T)
    assert_allclose(np.diag(table), 0, atol=1e-9)


def test_branches_meet_at_the_distances_of_the_merge_tree(topics):
    ax = plot_merge_tree(topics)
    distances = squareform(topics.distances().to_numpy(), checks=False)
    heights = linkage(distances, "average")[:, 2]
    drawn = [segment[:, 0].max() for segment in ax.collections[0].get_segments()]
    assert_allclose(sorted(drawn), heights)
    assert sorted(labels_of(ax)) == sorted(topics.names)
    leaves = [topics.names.index(name) for name in labels_of(ax)]
    assert hexes(ax.collections[1]) == [topic_colors(K)[k] for k in leaves]


def test_the_axis_of_a_tree_starts_near_its_joins_and_says_so():
    names = list("abcd")
    for nearest, is_cut in ((0.9, True), (0.1, False)):
        distances = pd.DataFrame(np.full((4, 4), 0.95), index=names, columns=names)
        distances.iloc[0, 1] = distances.iloc[1, 0] = nearest
        distances.iloc[2, 3] = distances.iloc[3, 2] = 0.93
        ax = plot_merge_tree(distances)
        start, end = ax.get_xlim()
        assert (start > 0) == is_cut
        assert f"The axis starts at {start:.2f}" in ax.get_xlabel() or not is_cut
        assert start < nearest
        assert end > 0.95
        assert_array_equal(ax.collections[1].get_offsets()[:, 0], start)


def test_rows_of_a_short_tree_are_the_merged_topics(many):
    ax = plot_merge_tree(many, 20)
    assert ax.get_title(loc="right") == "300 topics in 20 rows"
    distances = squareform(many.distances().to_numpy(), checks=False)
    groups = fcluster(linkage(distances, "average"), 20, "maxclust")
    n_more = np.bincount(groups)[1:] - 1
    names = labels_of(ax)
    assert len(names) == 20
    shown = sorted(
        int(name.split(" + ")[1].split()[0]) if " + " in name else 0 for name in names
    )
    assert shown == sorted(n_more)


def test_groups_have_a_column_each_with_shares_and_intervals(topics):
    table = topics.by()
    ax = plot_groups(table)
    names = labels_of(ax)
    groups = sorted(set(LABELS))
    lines = [line for line in ax.collections if len(line.get_segments()) == K]
    assert len(lines) == len(groups)
    for g, group in enumerate(groups):
        rows = table[table.group == group].set_index("name").loc[names]
        drawn = bars(ax)[g * K : (g + 1) * K]
        assert_allclose([width for _, width in drawn], rows.share)
        (left,) = {x for x, _ in drawn}
        ends = np.array([segment[:, 0] for segment in lines[g].get_segments()])
        assert_allclose(ends - left, rows[["low", "high"]], atol=1e-9)
    assert bar_colors(ax)[:K] == [topic_colors(K)[topics.names.index(n)] for n in names]
    above = [text.get_text() for text in ax.child_axes[0].get_xticklabels()]
    assert above == [f"{group}\n{LABELS.count(group)} docs" for group in groups]


def test_many_groups_are_cut_to_the_largest(topics):
    groups = [f"group {min(i, 30)}" for i in range(len(TEXTS))]
    ax = plot_groups(topics.by(groups), 3, n_groups=4)
    assert len(ax.patches) == 12
    assert ax.get_title(loc="right") == f"3 of {K} topics, 4 of 31 groups"
    above = [text.get_text() for text in ax.child_axes[0].get_xticklabels()]
    assert any(name.startswith("group 30\n") for name in above)


def boxes_of(labels):
    """Return where texts are drawn, from left to right."""
    (figure,) = {label.figure for label in labels}
    figure.canvas.draw()
    shown = [label.get_window_extent() for label in labels if label.get_text()]
    return sorted(shown, key=lambda box: box.x0)


@pytest.mark.parametrize("n_groups", [1, 2, 8])
@pytest.mark.parametrize(
    "name",
    ["long name of the group {}", "{}" + "g" * 200, "体育新闻足球比赛报道评论{}"],
)
def test_names_of_groups_do_not_overlap(topics, name, n_groups):
    groups = [name.format(i % n_groups) for i in range(len(TEXTS))]
    ax = plot_groups(topics.by(groups))
    labels = ax.child_axes[0].get_xticklabels()
    boxes = boxes_of(labels)
    assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))
    assert len({label.get_text() for label in labels}) == n_groups
    width = ax.figure.bbox.width
    assert all(0 <= box.x0 <= box.x1 <= width for box in boxes_of([ax.xaxis.label]))


def test_scales_of_groups_do_not_overlap():
    ax = plot_groups(read(1).by())  # each bar is 100% long
    boxes = boxes_of(ax.get_xticklabels())
    assert len(boxes) == 2 * len(set(LABELS))
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_names_of_groups_have_one_line_where_no_layout_makes_room(topics):
    _, ax = pyplot.subplots(figsize=(3, 3))
    plot_groups(topics.by(), ax=ax)
    labels = [text.get_text() for text in ax.child_axes[0].get_xticklabels()]
    assert all(label.count("\n") == 1 for label in labels)
    assert any("…" in label for label in labels)


@pytest.mark.parametrize("bad", [0, 1.5, "two", None])
def test_numbers_of_rows_and_columns_are_whole(topics, bad):
    with pytest.raises(ValueError, match="n_groups must be a whole number"):
        plot_groups(topics.by(), n_groups=bad)
    with pytest.raises(ValueError, match="n_leaves must be a whole number"):
        plot_merge_tree(topics, bad)


def test_lines_over_time_are_the_shares_of_the_table(topics):
    table = topics.over(freq="Y")
    ax = plot_over_time(table, 4)
    assert len(ax.get_lines()) == len(ax.texts) == 4
    means = table.groupby("topic").share.mean()
    for line in ax.get_lines():
        k = topic_colors(K).index(line.get_color())
        rows = table[table.topic == k]
        assert_allclose(line.get_ydata(), rows.share)
        assert list(pd.to_datetime(line.get_xdata())) == list(rows.period)
        assert topics.names[k] in [text.get_text() for text in ax.texts]
        assert means[k] >= means.nsmallest(K - 4).max() - 1e-3
    assert ax.get_title(loc="right") == f"4 of {K} topics"


def test_names_at_the_ends_of_lines_are_in_the_order_of_the_lines():
    order, places = spread(np.array([0.2, 0.21, 0.9, 0.22]), 0.1)
    assert list(order) == [2, 3, 1, 0]
    assert_allclose(places, [0.9, 0.31, 0.21, 0.11])
    assert spread(np.zeros(3), 0.1)[1].min() == 0  # none below the axes


def test_quality_draws_the_columns_of_the_table(topics):
    ax = plot_quality(topics)
    table = topics.topic_table().iloc[by_size(topics)]
    (dots,) = ax.collections
    assert_allclose(dots.get_offsets(), table[["exclusivity", "coherence"]])
    assert_allclose(
        dots.get_sizes() / dots.get_sizes().max(), table.share / table.share.max()
    )
    assert {text.get_text() for text in ax.texts} <= set(topics.names)


def test_quality_of_models_is_the_mean_of_their_topics(topics, many):
    ax = plot_quality({"few": topics, "_many": many})
    *_, dots = ax.collections
    few = topics.topic_table()[["exclusivity", "coherence"]].mean()
    assert_allclose(dots.get_offsets()[0], few)
    assert [text.get_text() for text in ax.texts] == ["few", "_many"]


def test_the_choice_of_k_has_all_curves():
    X = make_topics(100, 40, 4, random_state=0).data
    found = suggest_n_components(GibbsLDA(max_iter=20), X, n_components=[2, 4, 8])
    axes = plot_n_components(found)
    assert len(axes) == 4
    for ax, name in zip(
        axes, ["quality", "coherence", "likelihood", "stability"], strict=True
    ):
        line, *curves = ax.get_lines()
        (curve,) = [each for each in curves if each.get_marker() == "o"]
        assert line.get_xdata() == [found.n_components] * 2
        assert_allclose(curve.get_xdata().astype(float), found.table.n_components)
        assert_allclose(curve.get_ydata().astype(float), found.table[name])
        for number in found.plateau:
            assert any(
                patch.get_x() < number < patch.get_x() + patch.get_width()
                for patch in ax.patches
            )
    with pytest.raises(ValueError, match="2 axes for 4 measures"):
        plot_n_components(found, axes=pyplot.subplots(1, 2)[1])
    with pytest.raises(TypeError, match="result of suggest_n_components"):
        plot_n_components(found.table)


def test_alpha_of_a_model_of_a_search_and_of_a_dict():
    auto = FusionTopicModel(3, alpha="auto", random_state=0).fit(TEXTS[:40])
    for given in (auto, auto.alpha_scores_):
        curve, best = plot_alpha(given).get_lines()
        assert list(curve.get_xdata()) == sorted(auto.alpha_scores_)
        assert best.get_xdata()[0] == auto.alpha_
    grid = {"alpha": [0.0, 0.5], "n_components": [2, 3]}
    search = GridSearchCV(
        FusionTopicModel(2, random_state=0),
        grid,
        scoring=lambda model, _: model.alpha + 0.01 * model.n_components,
        cv=2,
    ).fit(TEXTS[:40])
    curve, best, *_ = plot_alpha(search).get_lines()
    assert_allclose(curve.get_xydata(), [[0, 0.03], [0.5, 0.53]])
    assert best.get_xdata()[0] == 0.5


def test_the_best_weight_is_written_above_its_error_bar():
    search = GridSearchCV(
        FusionTopicModel(2, random_state=0),
        {"alpha": [0.0, 0.5]},
        scoring=lambda model, texts: model.alpha + len(texts),  # folds differ
        cv=3,
    ).fit(TEXTS[:40])
    ax = plot_alpha(search)
    (text,) = ax.texts
    bars = ax.collections[0].get_segments()
    assert text.xy[1] == pytest.approx(max(y for bar in bars for _, y in bar))


def test_tiny_differences_of_alpha_look_tiny():
    low, high = plot_alpha({0.1: 0.947, 0.5: 0.950, 0.9: 0.948}).get_ylim()
    assert high - low > 10 * 0.003
    low, high = plot_alpha({0.1: 0.2, 0.5: 0.9, 0.9: 0.5}).get_ylim()
    assert high - low < 1.0


def test_alpha_without_scores_is_refused():
    with pytest.raises(TypeError, match="alpha='auto'"):
        plot_alpha(FusionTopicModel())
    with pytest.raises(ValueError, match="No score is finite"):
        plot_alpha({0.1: -np.inf, 0.5: np.nan})


def test_traces_are_the_log_likelihoods_of_the_models():
    X = make_topics(50, 30, 3, random_state=0).data
    models = {f"_{k} topics": GibbsLDA(k, max_iter=50).fit(X) for k in (2, 3)}
    ax = plot_trace(models)
    for line, model in zip(ax.get_lines(), models.values(), strict=True):
        assert_array_equal(line.get_xdata(), [10, 20, 30, 40, 50])
        assert_array_equal(line.get_ydata(), model.log_likelihood_)
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == list(models)  # matplotlib hides names with an underscore
    with pytest.raises(TypeError, match="has no log_likelihood_"):
        plot_trace(GibbsLDA(2))
    with pytest.raises(ValueError, match="fewer than ten sweeps"):
        plot_trace(GibbsLDA(2, max_iter=5).fit(X))


# what all plots do ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_TOPICS)
def test_one_topic_is_drawn(name):
    figure = figure_of(OF_TOPICS[name](read(1, TEXTS[:20])))
    figure.canvas.draw()
    assert texts_of(figure)


@pytest.mark.parametrize("name", OF_TOPICS)
def test_300_topics_are_drawn_and_the_figure_says_how_many_are_shown(name, many):
    figure = figure_of(OF_TOPICS[name](many))
    figure.canvas.draw()
    assert max(figure.get_size_inches()) < 15
    notes = [text.get_text() for text in texts_of(figure) if "300" in text.get_text()]
    assert notes or name == "similarity"  # shows all


HARD_NAMES = [
    "costs $5 and $x_1$",
    "_hidden",
    "long " * 40,
    "<b>&amp;</b> {x} \\alpha",
    "two\nlines\tand \x07",
    "台灣選舉",
]


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("name", OF_TOPICS)
def test_hard_names_are_inside_the_figure_in_its_colors(name, style, topics):
    with pyplot.style.context(style):
        figure = figure_of(OF_TOPICS[name](topics.rename(HARD_NAMES)))
        figure.canvas.draw()
        wanted = colors.to_rgba(matplotlib.rcParams["text.color"])
    texts = texts_of(figure)
    shown = {text.get_text() for text in texts}
    assert {"costs $5 and $x_1$", "_hidden", "台灣選舉"} <= shown
    cut = [text for text in shown if text.startswith("long long")]
    assert cut
    assert all(text.endswith("…") and len(text) <= 41 for text in cut)
    for text in texts:
        if text.get_text() in HARD_NAMES or text.get_text() in cut:
            assert colors.to_rgba(text.get_color()) == wanted
            box = text.get_window_extent()
            assert box.x0 >= -1, text
            assert box.x1 <= figure.bbox.x1 + 1, text
            assert box.y0 >= -1, text
            assert box.y1 <= figure.bbox.y1 + 1, text


@pytest.mark.parametrize("name", ["map", "quality", "over_time"])
def test_names_in_the_plane_do_not_overlap(name, many):
    ax = OF_TOPICS[name](many, 25)
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without arrows
    assert len(boxes) > 10
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


@pytest.mark.parametrize("name", WITH_CHOICE)
def test_topics_are_chosen_by_number_or_name_and_keep_their_colors(name, topics):
    chosen = [4, topics.names[1]]
    ax = np.ravel(np.asarray(OF_TOPICS[name](topics, chosen), dtype=object))[0]
    drawn = {
        *bar_colors(ax),
        *(colors.to_hex(line.get_color()) for line in ax.get_lines()),
        *(each for artist in ax.collections for each in hexes(artist)),
    }
    assert topic_colors(K)[4] in drawn
    others = {topic_colors(K)[k] for k in (0, 2, 3, 5)}
    assert not drawn & others


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (0, "must be 1 or more"),
        ("film", "put one topic in brackets"),
        ([], "at least one"),
        ([1, 1], "each topic once"),
        ([99], "has 99, which is no topic"),
        (["film"], "has 'film', which is no topic"),
        ([True], "has True, which is no topic"),
        (2.5, "a number or a list"),
    ],
)
@pytest.mark.parametrize("name", WITH_CHOICE)
def test_topics_that_do_not_exist_are_refused(name, which, message, topics):
    with pytest.raises(ValueError, match=message):
        OF_TOPICS[name](topics, which)
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("name", sorted({*OF_TOPICS} - {"words"}))
def test_given_axes_are_used_and_no_figure_is_made(name, topics):
    figure, (left, right) = pyplot.subplots(1, 2)
    assert OF_TOPICS[name](topics, ax=right) is right
    assert not left.has_data()
    assert pyplot.get_fignums() == [figure.number]


def test_words_use_given_axes(topics):
    _, axes = pyplot.subplots(2, 2)
    drawn = plot_words(topics, 4, axes=axes)
    assert list(drawn) == list(axes.flat)
    with pytest.raises(ValueError, match="4 axes for 5 topics"):
        plot_words(topics, 5, axes=axes)


@pytest.mark.parametrize(
    "plot", [plot_words, plot_sizes, plot_map, plot_similarity, plot_merge_tree]
)
def test_what_is_not_topics_is_refused(plot):
    for given in (GibbsLDA(2), [0.1, 0.2], None):
        with pytest.raises(TypeError, match="pass the result of read_topics"):
            plot(given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="low"), "no column 'low'"),
        (lambda table: table.assign(share=np.nan), "share contains NaN"),
        (lambda table: table.iloc[1:], "one row per .* and topic"),
        (lambda table: table.iloc[::-1], "one row per .* and topic"),
        (lambda table: table.assign(high=2), "between 0 and 1"),
        (lambda table: table.iloc[:0], "minimum of 1"),
    ],
)
@pytest.mark.parametrize("name", ["groups", "over_time"])
def test_a_table_of_shares_that_cannot_be_drawn_is_refused(
    name, change, message, topics
):
    plot = {"groups": plot_groups, "over_time": plot_over_time}[name]
    table = topics.by() if name == "groups" else topics.over(freq="Y")
    with pytest.raises(ValueError, match=message):
        plot(change(table))
    with pytest.raises(TypeError, match=r"pass the result of Topics\."):
        plot([1, 2])
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(
    "values", [np.ones((2, 2)) * 2, np.ones((2, 3)), [[0, 0.1], [0.2, 0]]]
)
def test_distances_that_are_none_are_refused(values):
    with pytest.raises(ValueError, match="square and symmetric"):
        plot_similarity(pd.DataFrame(values))


def test_documents_without_a_group_are_named_or_left_out(topics):
    groups = np.array(LABELS, dtype=object)
    groups[3] = np.nan
    with pytest.raises(ValueError, match="no value in row 3"):
        plot_groups(topics.by(groups))
    plot_groups(topics.by(groups, missing="drop"))
    years = [None, *YEARS[1:]]
    with pytest.raises(ValueError, match="no value in row 0"):
        plot_over_time(topics.over(years, freq="Y"))


def test_a_topic_without_words_or_documents_is_drawn():
    model = make_pipeline(CountVectorizer(), GibbsLDA(3, random_state=0)).fit(TEXTS)
    model[-1].components_[2] = 0
    mixtures = model.transform(TEXTS)
    mixtures[:, 2] = 0
    mixtures /= mixtures.sum(axis=1, keepdims=True)
    topics = read_topics(model, TEXTS, mixtures=mixtures, labels=LABELS, times=YEARS)
    assert topics.sizes[2] == 0
    for name, plot in OF_TOPICS.items():
        figure_of(plot(topics)).canvas.draw()
        if name == "quality":
            assert [t for t in texts_of(pyplot.gcf()) if "2 of 3" in t.get_text()]
    axes = plot_words(topics)
    assert axes[2].texts[0].get_text() == "no words"


def test_one_period_and_groups_of_one_document_are_drawn(topics):
    ax = plot_over_time(topics.over([2020] * len(TEXTS), freq="Y"))
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2020"]
    table = topics.by([str(min(i, 2)) for i in range(len(TEXTS))])
    ax = plot_groups(table)  # intervals of one document are from 0 to 1
    ax.figure.canvas.draw()
    limit = ax.get_xlim()[1]
    assert all(
        segment[:, 0].max() <= limit
        for line in ax.collections
        for segment in line.get_segments()
    )


@pytest.mark.parametrize("name", OF_TOPICS)
def test_without_matplotlib_the_extra_is_named(name, topics, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"llmtopics\[plot\]"):
        OF_TOPICS[name](topics)


def test_every_plot_takes_axes_by_keyword_and_says_so():
    for name in all_plots.__all__:
        if name.startswith("plot_"):
            parameters = inspect.signature(getattr(all_plots, name)).parameters
            (axes,) = {"ax", "axes"} & {*parameters}
            assert parameters[axes].kind is inspect.Parameter.KEYWORD_ONLY
            assert parameters[axes].default is None
