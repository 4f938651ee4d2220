"""Shares of topics in groups of documents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics._checks import check_positive
from llmtopics.plots._figures import finish, new_axes
from llmtopics.plots._labels import as_labels, longest, shortened, two_lines
from llmtopics.plots._shown import Shown, columns_of, shown_topics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NUMBERS = ("topic", "share", "low", "high", "n_documents")
_GAP = 1.12  # from one group to the next, in the longest bars


def plot_groups(
    table: Any,
    topics_to_show: int | Sequence[int | str] = 12,
    n_groups: int = 8,
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the share of each topic in each group of documents, with intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of :meth:`llmtopics.reading.Topics.by`: of groups, or of labels.
    topics_to_show : int or list of topics, default=12
        How many topics, those with the largest mean share first. Or which ones, by number or
        name.
    n_groups : int, default=8
        Largest number of groups. Of more, those with the most documents are shown.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure, large enough for all bars.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes: a row per topic and a column per group. All bars have one scale, so compare them
        along rows and columns. The black (in dark themes, white) line is the interval.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``table`` is no table.
    ValueError
        If a column is missing, a number is missing, a group has not one row per topic, or a topic
        does not exist.

    See Also
    --------
    plot_over_time : The same for periods.

    Examples
    --------
    >>> import pandas as pd
    >>> from llmtopics.plots import plot_groups
    >>> table = pd.DataFrame(
    ...     {
    ...         "group": ["blog", "blog", "news", "news"],
    ...         "topic": [0, 1, 0, 1],
    ...         "name": ["film", "tax"] * 2,
    ...         "share": [0.7, 0.3, 0.2, 0.8],
    ...         "low": [0.6, 0.2, 0.1, 0.7],
    ...         "high": [0.8, 0.4, 0.3, 0.9],
    ...         "n_documents": [20, 20, 30, 30],
    ...     }
    ... )
    >>> ax = plot_groups(table)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['tax', 'film']
    """
    groups, shares, sizes, shown = read_shares(table, "group", topics_to_show)
    check_positive(n_groups=n_groups)
    kept = np.sort(np.argsort(-sizes, kind="stable")[:n_groups])
    share, low, high = shares[:, kept][:, :, shown.numbers]
    largest = max(float(share.max()), float(high[high < 1].max(initial=0)), 1e-3)
    step, n = _GAP * largest, len(shown.numbers)
    if ax is None:
        width = 0.4 + longest([name[:40] for name in shown.names])
        width += max(1.05 * len(kept), 3.2)  # room for the label below
        ax = new_axes("plot_groups", width, 0.95 + 0.24 * n)
    rows, line = np.arange(n), ax.xaxis.label.get_color()
    for g in range(len(kept)):
        left = g * step
        ax.axvline(left, color=line, linewidth=0.6)
        ax.barh(rows, share[g], left=left, color=shown.colors, height=0.7)
        ends = left + np.minimum(low[g], largest), left + np.minimum(high[g], largest)
        ax.hlines(rows, *ends, color=line, linewidth=1)
    labels, style = as_labels(shown.names)
    ax.set_yticks(rows, labels, **style)
    ax.set(ylim=(n - 0.4, -0.6), xlim=(0, len(kept) * step))
    note = "" if len(kept) == len(groups) else f"{len(kept)} of {len(groups)} groups"
    finish(ax, ", ".join(filter(None, [shown.note, note])), grid="")
    _name_groups(ax, [groups[g] for g in kept], sizes[kept], step, largest)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def _name_groups(
    ax: Any, groups: list[Any], sizes: np.ndarray, step: float, largest: float
) -> None:
    """Write the scale of each group below, and its name and number of documents above."""
    whole = _round_share(largest)
    places = [g * step + part for g in range(len(groups)) for part in (0, whole)]
    ax.set_xticks(
        places, ["0", f"{whole:.0%}" if whole >= 0.01 else f"{whole:.1%}"] * len(groups)
    )
    if whole > 0.8 * largest:  # near the 0 of the next group
        for label in ax.get_xticklabels()[1::2]:
            label.set_horizontalalignment("right")
    ax.set_xlabel("share of the topic in the group (line: interval)")
    labels, style = as_labels(groups)
    ax.figure.draw_without_rendering()  # the layout decides how wide the axes are
    inches = ax.get_window_extent().width / ax.figure.dpi / len(groups)
    most = max(inches / longest("x") - 1.5, 4)
    grows = ax.figure.get_layout_engine() is not None  # makes room for a second line
    labels = [(two_lines if grows else shortened)(label, most) for label in labels]
    above = ax.secondary_xaxis("top")
    above.set_xticks([g * step for g in range(len(groups))])
    above.tick_params(length=0)
    above.set_xticklabels(
        [f"{label}\n{n:,.0f} docs" for label, n in zip(labels, sizes, strict=True)],
        ha="left", **style,
    )  # fmt: skip
    above.spines[:].set_visible(False)


def _round_share(largest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, … percent that is not above ``largest``."""
    power = 10 ** np.floor(np.log10(largest))
    return float(power * max(m for m in (1, 2, 5) if m * power <= largest * (1 + 1e-9)))


def read_shares(
    table: Any, kind: str, topics_to_show: int | Sequence[int | str]
) -> tuple[list[Any], np.ndarray, np.ndarray, Shown]:
    """Return the groups, their numbers, their sizes, and the topics to show.

    Returns
    -------
    groups : list of length G
    shares : ndarray of shape (3, G, K)
        share, low and high.
    sizes : ndarray of shape (G,)
    shown : Shown

    Raises
    ------
    TypeError, ValueError
        If it is not what ``Topics.by`` or ``Topics.over`` returned.
    """
    source = "Topics.by" if kind == "group" else "Topics.over"
    found = columns_of(table, _NUMBERS, (kind, "name"), source)
    groups = list(dict.fromkeys(found[kind]))
    names = dict(zip(found["topic"], found["name"], strict=True))
    K, G = len(names), len(groups)
    numbers = found["topic"].reshape(-1, K) if len(found["topic"]) == K * G else None
    if numbers is None or not (numbers == np.arange(K)).all():
        raise ValueError(
            f"table must have one row per {kind} and topic, in order: pass the whole result of "
            f"{source}, and topics_to_show for some of the topics."
        )
    shares = np.array([found[each].reshape(G, K) for each in ("share", "low", "high")])
    if not ((shares >= 0) & (shares <= 1 + 1e-9)).all():
        raise ValueError("share, low and high must be between 0 and 1.")
    sizes = found["n_documents"].reshape(G, K)[:, 0]
    means = sizes @ shares[0] / sizes.sum()
    return (
        groups,
        shares,
        sizes,
        shown_topics(means, list(names.values()), topics_to_show),
    )
