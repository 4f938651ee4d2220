"""What the real matplotlib draws."""

import sys
import warnings
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager, pyplot
from matplotlib.font_manager import get_font
from numpy.testing import assert_array_equal

from llmtopics import LanguageModelTuner
from llmtopics.plots import (
    _fonts,
    plot_correlations,
    plot_topic_sentiment,
    plot_training,
)


def in_groups(n_topics, n_groups=3):
    """Correlations of topics in groups, which alternate in the order, and their names."""
    group = np.arange(n_topics) % n_groups
    values = np.where(np.equal.outer(group, group), 0.4, -0.1)
    names = [f"game team season {k}" for k in range(n_topics)]
    np.fill_diagonal(values, 1)
    return pd.DataFrame(values, index=names, columns=names), group


def drawn(ax):
    """Return the image, its colors' values, and the names on both sides."""
    (image,) = ax.images
    rows, columns = (
        [label.get_text() for label in axis.get_ticklabels()]
        for axis in (ax.yaxis, ax.xaxis)
    )
    assert rows == columns
    return image, image.get_array(), rows


def test_values_are_in_the_rows_and_columns_of_their_names():
    table, _ = in_groups(6)
    table.iloc[0, 1] = table.iloc[1, 0] = -0.7
    image, values, names = drawn(plot_correlations(table))
    assert_array_equal(values.mask, np.eye(6, dtype=bool))
    expected = table.loc[names, names].to_numpy()
    assert_array_equal(values[~values.mask], expected[~np.eye(6, dtype=bool)])
    assert image.get_clim() == (-0.7, 0.7)
    assert image.cmap(0.5)[:3] > (0.9, 0.9, 0.9)  # 0 is white
    assert image.colorbar is not None


def test_groups_are_side_by_side():
    table, group = in_groups(12)
    _, _, names = drawn(plot_correlations(table))
    sorted_groups = [group[table.index.get_loc(name)] for name in names]
    assert sum(a != b for a, b in pairwise(sorted_groups)) == 2


@pytest.mark.parametrize(("n_topics", "n_written"), [(1, 0), (6, 30), (11, 0)])
def test_values_of_few_topics_are_written_in_their_cells(n_topics, n_written):
    ax = plot_correlations(in_groups(n_topics)[0])
    assert len(ax.texts) == n_written
    values = ax.images[0].get_array()
    for text in ax.texts:
        column, row = text.get_position()
        assert float(text.get_text()) == pytest.approx(values[row, column], abs=0.006)


def test_the_order_can_be_kept():
    table, _ = in_groups(12)
    _, values, names = drawn(plot_correlations(table, ordered=False))
    assert names == list(table.index)
    assert values[0, 3] == 0.4


@pytest.mark.parametrize(
    ("given", "names", "expected"),
    [
        (pd.DataFrame, None, ["x", "y"]),
        (pd.DataFrame, ["a", "b"], ["a", "b"]),
        (np.asarray, ["a", "b"], ["a", "b"]),
        (np.asarray, ["a", "a"], ["a", "a"]),
        (np.ndarray.tolist, None, ["0", "1"]),
    ],
)
def test_names_are_given_or_read_or_numbers(given, names, expected):
    values = np.array([[1, 0.5], [0.5, 1]])
    if given is pd.DataFrame:
        values = pd.DataFrame(values, index=["x", "y"], columns=["x", "y"])
    else:
        values = given(values)
    assert drawn(plot_correlations(values, names=names, ordered=False))[2] == expected


@pytest.mark.parametrize(("n_topics", "n_names"), [(1, 1), (2, 2), (30, 30), (90, 45)])
def test_names_do_not_overlap_and_are_not_cut(n_topics, n_names):
    ax = plot_correlations(in_groups(n_topics)[0])
    ax.figure.canvas.draw()
    inside = ax.figure.bbox
    labels = ax.get_yticklabels()
    boxes = [label.get_window_extent() for label in labels]
    for box in boxes + [label.get_window_extent() for label in ax.get_xticklabels()]:
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert inside.y0 <= box.y0
        assert box.y1 <= inside.y1
    assert len(labels) == n_names
    assert all(lower.y1 <= upper.y0 for upper, lower in pairwise(boxes))


@pytest.mark.parametrize("rounding", [0, -1e-16])
def test_nothing_correlated_is_white(rounding):
    image, _, _ = drawn(plot_correlations(np.eye(3) + rounding))
    assert image.get_clim() == (-1, 1)


def test_input_is_not_changed_and_given_axes_are_used(tmp_path):
    table, _ = in_groups(5)
    before = table.copy()
    figure, (left, right) = pyplot.subplots(1, 2)
    assert plot_correlations(table, ax=right) is right
    assert not left.images
    assert table.equals(before)
    assert pyplot.get_fignums() == [figure.number]
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        (np.ones((2, 3)), None, r"square.*\(2, 3\)"),
        ([[1, 0.5], [0, 1]], None, "symmetric"),
        ([1, 0.5], None, "1D array"),
        ([[1, np.nan], [np.nan, 1]], None, "correlations contains NaN"),
        ([[1, np.inf], [np.inf, 1]], None, "infinity"),
        (np.eye(3), ["a", "b"], "2 names were given for 3 topics"),
    ],
)
def test_bad_input_is_named(values, names, message):
    with pytest.raises(ValueError, match=message):
        plot_correlations(values, names=names)
    assert not pyplot.get_fignums()


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"llmtopics\[plot\]"):
        plot_correlations(np.eye(2))


NAN = np.nan
HISTORY = {
    "step": [0, 2, 4, 4, 6, 8, 8],
    "loss": [NAN, 4.0, 3.0, NAN, 2.5, 2.0, NAN],
    "held_out_loss": [5.0, NAN, NAN, 3.5, NAN, NAN, 3.6],
}


@pytest.mark.parametrize("kind", [dict, pd.DataFrame])
def test_training_draws_both_losses_and_the_model_that_is_kept(kind):
    lines = {
        line.get_label(): line for line in plot_training(kind(HISTORY)).get_lines()
    }
    assert_array_equal(
        lines["training"].get_xydata(), [[2, 4], [4, 3], [6, 2.5], [8, 2]]
    )
    assert_array_equal(lines["held out"].get_xydata(), [[0, 5], [4, 3.5], [8, 3.6]])
    assert_array_equal(lines["kept"].get_xydata(), [[4, 3.5]])


def test_steps_are_whole_numbers():
    ax = plot_training(
        {"step": [0, 1, 2], "loss": [3, 2, 1], "held_out_loss": [NAN] * 3}
    )
    assert [tick for tick in ax.get_xticks() if tick % 1] == []


def test_training_without_held_out_texts_draws_one_line():
    ax = plot_training(HISTORY | {"held_out_loss": [NAN] * 7})
    assert [line.get_label() for line in ax.get_lines()] == ["training"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": [NAN] * 7, "held_out_loss": [NAN] * 7}, "nothing was trained"),
        ({"loss": [1.0]}, "inconsistent"),
        ({"loss": [np.inf] * 7}, "loss contains infinity"),
    ],
)
def test_a_history_that_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        plot_training(HISTORY | change)
    with pytest.raises(ValueError, match="no column 'loss'"):
        plot_training({"step": [1]})
    with pytest.raises(ValueError, match="nothing was trained"):
        plot_training({"step": [], "loss": [], "held_out_loss": []})
    for history in [None, [1, 2], LanguageModelTuner()]:
        with pytest.raises(TypeError, match="pass history_ of a tuner"):
            plot_training(history)
    assert not pyplot.get_fignums()


SENTIMENT = {
    "topic": ["room", "food", "staff"],
    "mean": [-0.4, 0.5, 0.1],
    "low": [-0.6, 0.3, -0.1],
    "high": [-0.1, 0.6, 0.3],
}


def names_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("kind", [dict, pd.DataFrame])
def test_sentiment_draws_each_topic_with_its_interval(kind, tmp_path):
    ax = plot_topic_sentiment(kind(SENTIMENT))
    assert names_of(ax) == ["food", "staff", "room"]
    dots = {
        line.get_color(): line.get_xydata().tolist()
        for line in ax.get_lines()
        if line.get_marker() == "o"
    }
    assert dots == {
        "#3a86c8": [[0.5, 0]],
        "#8c8c8c": [[0.1, 1]],
        "#e1701a": [[-0.4, 2]],
    }
    bars = [bar.get_segments()[0].tolist() for bar in ax.collections]
    assert [[-0.6, 2], [-0.1, 2]] in bars
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first is at the top
    kept = plot_topic_sentiment(kind(SENTIMENT), ax=ax, ordered=False)
    assert kept is ax
    assert names_of(ax) == SENTIMENT["topic"]
    with pyplot.style.context("dark_background"):
        plot_topic_sentiment(SENTIMENT).figure.savefig(tmp_path / "dark.png")


@pytest.mark.parametrize("n_topics", [1, 3, 60])
def test_names_of_sentiment_do_not_overlap_and_are_not_cut(n_topics):
    means = np.linspace(-0.5, 0.5, n_topics)
    ax = plot_topic_sentiment(
        {
            "topic": [f"a long name of a topic, number {k}" for k in range(n_topics)],
            "mean": means,
            "low": means - 0.1,
            "high": means + 0.1,
        }
    )
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(box.x0 >= ax.figure.bbox.x0 for box in boxes)
    assert all(lower.y1 <= upper.y0 for upper, lower in pairwise(boxes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": [0, 0]}, "inconsistent"),
        ({"low": [np.nan, 0, 0]}, "low contains NaN"),
        ({"high": [0, 0, 1.5]}, r"high must be between -1 and 1, got 1.5 in row 2"),
        ({"group": ["a", "b", "b"]}, "several groups"),
        ({name: [] for name in SENTIMENT}, "minimum of 1"),
    ],
)
def test_a_table_of_sentiment_that_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        plot_topic_sentiment(SENTIMENT | change)
    with pytest.raises(ValueError, match="no column 'topic'"):
        plot_topic_sentiment({"mean": [0]})
    with pytest.raises(TypeError, match="pass table_"):
        plot_topic_sentiment([0.1, 0.2])
    assert not pyplot.get_fignums()


# fonts ----------------------------------------------------------------------------------

CJK = Path(__file__).parents[2] / "benchmarks/fonts/NotoSansCJK-subset.otf"
SCRIPTS = {
    "ARABIC": "اللغة العربية",
    "CJK": "台灣選舉",
    "DEVANAGARI": "हिन्दी किताबें",
    "HANGUL": "축구 경기",
    "HEBREW": "שלום עולם",
    "HIRAGANA": "ひらがな",
    "THAI": "ภาษาไทย",
}


@pytest.fixture
def shipped_fonts(monkeypatch):
    """Only the fonts that come with matplotlib, which lack most scripts."""
    known = font_manager.fontManager.ttflist
    own = Path(matplotlib.get_data_path())
    ours = [font for font in known if own in Path(font.fname).parents]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", ours)
    for cached in (_fonts._installed, _fonts._warn_of_fonts, _fonts._warn_of_shaping):
        cached.cache_clear()
    yield ours
    _fonts._installed.cache_clear()


def two_topics(name):
    return plot_correlations([[1, 0.2], [0.2, 1]], names=["cat", name])


@pytest.mark.parametrize("script", sorted({*SCRIPTS} - {"ARABIC", "HEBREW"}))
def test_a_script_without_a_font_is_named_once(shipped_fonts, script):
    with pytest.warns(UserWarning, match=f"scripts: {script}.*Install a font") as seen:
        two_topics(SCRIPTS[script])
    assert [each.filename for each in seen] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two_topics(SCRIPTS[script])


def test_emoji_are_left_out_and_matplotlib_adds_no_warnings(shipped_fonts):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ax = two_topics("👩‍🦰👧 film ❤️🫠")
        ax.figure.canvas.draw()
    (warning,) = seen
    assert "characters of these scripts: emoji. They" in str(warning.message)
    assert sorted(names_of(ax)) == ["cat", "film ❤"]  # DejaVu has the heart


def test_what_no_font_has_is_a_question_mark_and_never_a_box(shipped_fonts):
    with pytest.warns(UserWarning, match="CJK, emoji"):
        ax = plot_correlations(np.eye(3), names=["film 台灣", "🫠", "台"])
    ax.figure.canvas.draw()  # a missing character would warn
    assert sorted(names_of(ax)) == ["?", "?", "film ??"]


def test_markup_and_line_breaks_in_names_are_drawn_as_they_are():
    ax = two_topics("costs $5\n and $x_1$")
    ax.figure.canvas.draw()
    assert "costs $5 and $x_1$" in names_of(ax)
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())


def test_long_names_are_cut():
    label = next(name for name in names_of(two_topics("game " * 40)) if name != "cat")
    assert label.startswith("game game")
    assert label.endswith("…")
    assert len(label) <= 40


def test_lone_surrogates_in_names_are_replaced():
    ax = two_topics("\ud800dog")
    ax.figure.canvas.draw()
    assert "?dog" in [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("script", ["ARABIC", "HEBREW"])
def test_letters_from_right_to_left_are_ordered_or_a_warning_says_so(
    shipped_fonts, script, monkeypatch
):
    if _fonts._shapes():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            two_topics(SCRIPTS[script]).figure.canvas.draw()
        monkeypatch.setattr(_fonts, "_shapes", lambda: False)
    with pytest.warns(UserWarning, match=f"order letters of these scripts: {script}"):
        two_topics(SCRIPTS[script])


def test_an_installed_font_is_found(shipped_fonts):
    """The subset of a Chinese font that the benchmarks have."""
    shipped_fonts.append(font_manager.ttfFontProperty(get_font(CJK)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = two_topics("中国 上网")
        ax.figure.canvas.draw()  # a missing character would warn
    label = ax.get_yticklabels()[0]
    assert label.get_fontfamily()[-1] == "Noto Sans CJK SC"


@pytest.mark.parametrize("script", SCRIPTS)
def test_installed_fonts_draw_every_character(script):
    _fonts._warn_of_fonts.cache_clear()
    _fonts._warn_of_shaping.cache_clear()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ax = two_topics(SCRIPTS[script])
    if seen:
        pytest.skip(f"this machine cannot draw {script}: {seen[0].message}")
    ax.figure.canvas.draw()  # warnings are errors


def test_fonts_of_the_settings_come_first():
    with matplotlib.rc_context({"font.family": ["DejaVu Serif"]}):
        label = two_topics("dog").get_yticklabels()[0]
    assert label.get_fontfamily() == ["DejaVu Serif"]
