"""Bars of the sizes of topics."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics.plots._figures import FONT_SIZE, finish, new_axes, percent_axis
from llmtopics.plots._labels import as_labels, longest
from llmtopics.plots._shown import check_topics, shown_topics

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_sizes(
    topics: Any,
    topics_to_show: int | Sequence[int | str] = 30,
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the sizes of topics as bars, the largest first.

    Parameters
    ----------
    topics : Topics
        Result of :func:`llmtopics.read_topics`.
    topics_to_show : int or list of topics, default=30
        How many topics, the largest first. Or which ones, by number or name.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure, large enough for all topics.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. A bar is the share of the topic: the mean of θ. The number of documents whose
        first topic it is stands beside it.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``topics`` is not the result of ``read_topics``.
    ValueError
        If a topic does not exist.

    See Also
    --------
    llmtopics.reading.Topics.topic_table : The same numbers as a table.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> from llmtopics.plots import plot_sizes
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> ax = plot_sizes(read_topics(model, texts))
    >>> [text.get_text() for text in ax.texts]
    ['6', '5']
    """
    check_topics(topics, "plot_sizes")
    shares, counts = topics.mixtures.mean(axis=0), topics.sizes
    shown = shown_topics(shares, topics.names, topics_to_show)
    rows = np.arange(len(shown.numbers))
    if ax is None:
        width = 4.2 + longest([name[:40] for name in shown.names])
        ax = new_axes("plot_sizes", width, 0.6 + 0.22 * len(rows))
    labels, style = as_labels(shown.names)
    values = shares[shown.numbers]
    ax.barh(rows, values, color=shown.colors, height=0.75)
    for row, k in enumerate(shown.numbers):
        ax.annotate(
            f"{counts[k]:,}", (values[row], row), (4, 0), textcoords="offset points",
            va="center", fontsize=FONT_SIZE,
        )  # fmt: skip
    ax.set_yticks(rows, labels, **style)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.12 * values.max()))
    percent_axis(ax.xaxis)
    ax.set_xlabel("share of the topic (beside: documents with this first topic)")
    finish(ax, shown.note)
    ax.tick_params(axis="y", length=0)
    return ax
