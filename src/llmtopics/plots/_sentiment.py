"""Polarity of topics with intervals."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length

from llmtopics.plots._colors import NEUTRAL
from llmtopics.plots._figures import FONT_SIZE, new_axes
from llmtopics.plots._labels import as_labels, longest
from llmtopics.plots._shown import as_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# told apart by color-blind people, and readable on white and on black
_NEGATIVE, _NEUTRAL, _POSITIVE = "#e1701a", NEUTRAL, "#3a86c8"
_NAMES = ("topic", "mean", "low", "high")


def plot_topic_sentiment(
    table: Mapping[str, ArrayLike], *, ax: "Axes | None" = None, ordered: bool = True
) -> "Axes":
    """Draw how positive texts are about each topic, with intervals.

    Parameters
    ----------
    table : pandas.DataFrame or dict
        Result of :meth:`llmtopics.TopicSentiment.table`, or ``table_``. "topic", "mean", "low"
        and "high" are read. Of a table with groups, pass the rows of one group.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure, large enough for all topics.
    ordered : bool, default=True
        Whether to sort the topics, the most positive first. False keeps their order.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. Each topic is a dot with its interval, on a scale with 0 in the middle. Blue is
        positive, orange is negative. It is gray if the interval contains 0.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``table`` is no table, such as an estimator.
    ValueError
        If a column is missing, has another length, or a value that is not between -1 and 1,
        or if the table has several groups.

    Examples
    --------
    >>> from llmtopics.plots import plot_topic_sentiment
    >>> table = {
    ...     "topic": ["room", "food"],
    ...     "mean": [-0.4, 0.5],
    ...     "low": [-0.6, 0.3],
    ...     "high": [-0.1, 0.6],
    ... }
    >>> ax = plot_topic_sentiment(table)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['food', 'room']
    """
    names, (mean, low, high) = _checked(table)
    order = np.argsort(-mean, kind="stable") if ordered else np.arange(len(mean))
    shown = [names[k] for k in order]
    if ax is None:
        width = 3.8 + longest([name[:40] for name in shown])
        ax = new_axes("plot_topic_sentiment", width, 0.8 + 0.28 * len(shown))
    labels, style = as_labels(shown)
    ax.axvline(0, color=_NEUTRAL, linewidth=0.8, zorder=0)
    rows = np.arange(len(order))
    for sign, color in ((-1, _NEGATIVE), (0, _NEUTRAL), (1, _POSITIVE)):
        of_sign = (low[order] > 0).astype(int) - (high[order] < 0) == sign
        some = order[of_sign]
        ax.hlines(rows[of_sign], low[some], high[some], color=color, linewidth=2)
        ax.plot(mean[some], rows[of_sign], "o", color=color, markersize=6)
    ax.set_yticks(rows, labels, **style)
    limit = 1.1 * max(np.abs(low).max(), np.abs(high).max(), 0.01)
    ax.set(xlim=(-limit, limit), ylim=(len(rows) - 0.5, -0.5))
    ax.locator_params(axis="x", nbins=5, symmetric=True)
    ax.tick_params(axis="x", labelsize=FONT_SIZE)
    ax.set_xlabel("← negative      polarity      positive →", fontsize=FONT_SIZE)
    return ax


def _checked(table: Any) -> tuple[list[str], list[np.ndarray]]:
    """Return the names of the topics, and the three columns of numbers."""
    if not hasattr(table, "keys"):
        raise TypeError(
            f"table must be a table, got {type(table).__name__}: pass table_ of a fitted "
            "TopicSentiment, or the result of its table()."
        )
    if missing := [name for name in _NAMES if name not in table]:
        raise ValueError(
            f"table has no column {missing[0]!r}: pass table_ of a TopicSentiment."
        )
    if "group" in table and len(set(table["group"])) > 1:
        raise ValueError(
            "table has several groups: pass the rows of one, such as "
            "table[table['group'] == name]."
        )
    labels = [str(name) for name in table["topic"]]
    numbers = [as_numbers(table[name], name) for name in _NAMES[1:]]
    check_consistent_length(labels, *numbers)
    for name, values in zip(_NAMES[1:], numbers, strict=True):
        if (np.abs(values) > 1).any():
            row = int(np.abs(values).argmax())
            raise ValueError(
                f"{name} must be between -1 and 1, got {values[row]} in row {row}."
            )
    return labels, numbers
