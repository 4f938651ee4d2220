"""Shares of topics over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.isotonic import isotonic_regression

from llmtopics.plots._figures import FONT_SIZE, finish, new_axes, percent_axis
from llmtopics.plots._groups import read_shares
from llmtopics.plots._labels import as_labels, longest

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_over_time(
    table: Any,
    topics_to_show: int | Sequence[int | str] = 6,
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the share of topics over time, with intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of :meth:`llmtopics.reading.Topics.over`.
    topics_to_show : int or list of topics, default=6
        How many topics, those with the largest share first. Or which ones, by number or name.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. A dot is a period. The band is the interval. Names stand at the right end of
        their lines.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``table`` is no table.
    ValueError
        If a column is missing, a number is missing, a period has not one row per topic, or a topic
        does not exist.

    See Also
    --------
    plot_groups : The same for groups.

    Examples
    --------
    >>> import pandas as pd
    >>> from llmtopics.plots import plot_over_time
    >>> table = pd.DataFrame(
    ...     {
    ...         "period": pd.to_datetime(["2024", "2024", "2025", "2025"]),
    ...         "topic": [0, 1, 0, 1],
    ...         "name": ["film", "tax"] * 2,
    ...         "share": [0.7, 0.3, 0.2, 0.8],
    ...         "low": [0.6, 0.2, 0.1, 0.7],
    ...         "high": [0.8, 0.4, 0.3, 0.9],
    ...         "n_documents": [20, 20, 30, 30],
    ...     }
    ... )
    >>> ax = plot_over_time(table)
    >>> [text.get_text() for text in ax.texts]
    ['tax', 'film']
    """
    periods, shares, _, shown = read_shares(table, "period", topics_to_show)
    if ax is None:
        width = 5.0 + longest([name[:30] for name in shown.names])
        height = max(3.6, 0.6 + 0.17 * len(shown.names))
        ax = new_axes("plot_over_time", width, height)
    share, low, high = shares[:, :, shown.numbers]
    times = np.array(periods)
    for i, color in enumerate(shown.colors):
        ax.fill_between(
            times, low[:, i], high[:, i], color=color, alpha=0.15, linewidth=0
        )
        ax.plot(times, share[:, i], "o-", color=color, markersize=3, linewidth=1.5)
    top = max(float(share.max()), float(high[high < 1].max(initial=0)))
    ax.set_ylim(0, 1.05 * top)
    ax.margins(x=0.02)
    percent_axis(ax.yaxis)
    if np.issubdtype(times.dtype, np.datetime64) or hasattr(periods[0], "toordinal"):
        _write_dates(ax, times)
    ax.set_ylabel("share of the topic")
    finish(ax, shown.note, grid="y")
    _write_names(ax, share[-1] / (1.05 * top), shown.names, shown.colors)
    return ax


def _write_dates(ax: Any, times: np.ndarray) -> None:
    """Write a date for each of a few periods, or else few short dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DateFormatter

    if len(times) > 6:
        locator = AutoDateLocator(minticks=2, maxticks=8)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        return
    ax.set_xticks(times)
    days = times.astype("datetime64[D]")
    of_years = (days == days.astype("datetime64[Y]")).all()
    of_months = (days == days.astype("datetime64[M]")).all()
    shown = "%Y" if of_years else "%b %Y" if of_months else "%d %b %Y"
    ax.xaxis.set_major_formatter(DateFormatter(shown))


def _write_names(
    ax: Any, ends: np.ndarray, names: list[str], colors: list[str]
) -> None:
    """Write names beside the ends of their lines, apart from each other."""
    labels, style = as_labels(names, most=30)
    height = ax.get_window_extent().height / ax.figure.dpi * 72
    apart = 1.35 * FONT_SIZE / height
    line = {"arrowstyle": "-", "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)}
    for i, y in zip(*spread(ends, apart), strict=True):
        ax.annotate(
            labels[i], (1, ends[i]), (16, (y - ends[i]) * height),
            xycoords="axes fraction", textcoords="offset points", va="center",
            arrowprops=line | {"color": colors[i]}, annotation_clip=False, **style,
        )  # fmt: skip


def spread(places: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an order from the top, and places from 0 to 1 that are some distance apart.

    Places move as little as possible (least squares).
    """
    order = np.argsort(-places, kind="stable")
    steps = np.arange(len(order)) * apart
    found = isotonic_regression(places[order] + steps, increasing=False) - steps
    return order, found - min(found.min(), 0)
