"""What the real matplotlib draws."""

import sys
from itertools import pairwise

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from numpy.testing import assert_array_equal

from llmtopics import LanguageModelTuner
from llmtopics.plots import plot_correlations, plot_training


@pytest.fixture(autouse=True)
def _nothing_on_screen(monkeypatch):
    matplotlib.use("Agg")
    monkeypatch.setattr(pyplot, "show", lambda: pytest.fail("shown"))
    yield
    pyplot.close("all")


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
