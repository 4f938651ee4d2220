"""Bars of the words of each topic."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics.plots._figures import FONT_SIZE, finish, pyplot_for
from llmtopics.plots._labels import as_labels
from llmtopics.plots._shown import check_topics, shown_topics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_COLUMNS = 3
_WIDTH = 2.7  # inches of a panel


def plot_words(
    topics: Any,
    topics_to_show: int | Sequence[int | str] = 12,
    n_words: int = 8,
    *,
    axes: "Sequence[Axes] | None" = None,
) -> "np.ndarray":
    """Draw the words of topics as bars, one panel per topic.

    Parameters
    ----------
    topics : Topics
        Result of :func:`llmtopics.read_topics`.
    topics_to_show : int or list of topics, default=12
        How many topics, the largest first. Or which ones, by number or name.
    n_words : int, default=8
        Number of words per topic.
    axes : sequence of matplotlib.axes.Axes, default=None
        Where to draw: one per topic shown. None makes a new figure.

    Returns
    -------
    axes : ndarray of matplotlib.axes.Axes
        One per topic shown. A bar is the probability of the word in the topic (φ). Each panel
        has its own scale. Words are in the order of the model, which is not that of φ: typical
        words come before frequent ones.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``topics`` is not the result of ``read_topics``.
    ValueError
        If a topic does not exist, or there are fewer axes than topics to show.

    See Also
    --------
    llmtopics.reading.Topics.words : The same numbers as a table.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> from llmtopics.plots import plot_words
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> axes = plot_words(read_topics(model, texts), n_words=3)
    >>> len(axes)
    2
    """
    check_topics(topics, "plot_words")
    shown = shown_topics(topics.mixtures.mean(axis=0), topics.names, topics_to_show)
    tables = [topics.words(k, n_words) for k in shown.numbers]
    n = len(shown.numbers)
    if axes is None:
        panels = _panels(n, n_words, shown.note)
    else:
        panels = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(panels) < n:
            raise ValueError(
                f"There are {len(panels)} axes for {n} topics: pass one per topic, or a "
                "smaller topics_to_show."
            )
    titles, style = as_labels(shown.names, most=28)
    for ax, table, title, color in zip(
        panels, tables, titles, shown.colors, strict=False
    ):
        _draw(ax, table, n_words, color)
        ax.set_title(title, loc="left", **style)
    return np.array(panels[:n], dtype=object)


def _panels(n: int, n_words: int, note: str) -> list[Any]:
    """Return the axes of a new figure."""
    n_columns = min(n, _N_COLUMNS)
    n_rows = -(-n // n_columns)
    size = _WIDTH * n_columns, (0.55 + 0.16 * n_words) * n_rows + 0.25
    figure, grid = pyplot_for("plot_words").subplots(
        n_rows, n_columns, figsize=size, squeeze=False, layout="constrained"
    )
    for ax in grid.flat[n:]:
        ax.remove()
    figure.supxlabel(
        "probability of the word in the topic" + (f" ({note})" if note else ""),
        fontsize=FONT_SIZE,
    )
    return list(grid.flat[:n])


def _draw(ax: Any, table: Any, n_words: int, color: str) -> None:
    labels, style = as_labels(table["word"], most=20)
    rows = np.arange(len(labels))
    ax.barh(rows, table["weight"], color=color, height=0.75)
    ax.set_yticks(rows, labels, **style)
    ax.set_ylim(n_words - 0.4, -0.6)  # the first word is at the top
    finish(ax)
    ax.tick_params(axis="y", length=0)
    if len(rows):
        ax.locator_params(axis="x", nbins=4)
        ax.xaxis.set_major_formatter("{x:g}")
    else:
        ax.set_xticks([])
        ax.text(
            0.5,
            0.5,
            "no words",
            ha="center",
            fontsize=FONT_SIZE,
            transform=ax.transAxes,
        )
