"""Heat map of the similarity of topics, and the tree that merges them."""

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform
from sklearn.utils import check_array

from llmtopics._checks import shortened as in_short
from llmtopics.plots._colors import NEUTRAL, topic_colors
from llmtopics.plots._figures import finish, new_axes
from llmtopics.plots._heat_map import draw_heat_map
from llmtopics.plots._labels import as_labels, longest, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_similarity(
    topics: Any, *, ax: "Axes | None" = None, ordered: bool = True
) -> "Axes":
    """Draw how similar the words of topics are, as a heat map.

    Parameters
    ----------
    topics : Topics or pandas.DataFrame of shape (n_components, n_components)
        Result of :func:`llmtopics.read_topics`, or of its method ``distances``.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure, large enough for all topics.
    ordered : bool, default=True
        Whether to sort the topics so that similar topics are side by side.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes of the map. Colors are 1 minus the Jensen-Shannon distance of the words. Up to 10
        topics, the values are written in the map. The diagonal is gray. Where names would overlap,
        only every n-th is shown.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``topics`` is neither Topics nor a table of distances.
    ValueError
        If distances are not square, not symmetric, missing, or not from 0 to 1.

    See Also
    --------
    llmtopics.reading.Topics.distances : The same numbers as a table.
    plot_correlations : Which topics occur in the same documents.

    Examples
    --------
    >>> import pandas as pd
    >>> from llmtopics.plots import plot_similarity
    >>> names = ["cats", "bonds", "dogs"]
    >>> distances = pd.DataFrame(
    ...     [[0, 0.9, 0.5], [0.9, 0, 0.8], [0.5, 0.8, 0]], index=names, columns=names
    ... )
    >>> ax = plot_similarity(distances)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['bonds', 'dogs', 'cats']
    """
    distances, names = _distances_of(topics, "plot_similarity")
    similarities = 1 - distances
    others = similarities[~np.eye(len(names), dtype=bool)]
    low, high = (others.min(), others.max()) if others.size else (0.0, 1.0)
    return draw_heat_map(
        "plot_similarity",
        ax,
        similarities,
        names,
        ordered=ordered,
        label="similarity of words",
        cmap="viridis",
        vmin=low,
        vmax=high if high - low > 1e-9 else low + 0.1,
    )


def plot_merge_tree(
    topics: Any, n_leaves: int = 50, *, ax: "Axes | None" = None
) -> "Axes":
    """Draw the tree that merges the topics with the most similar words (dendrogram).

    Parameters
    ----------
    topics : Topics or pandas.DataFrame of shape (n_components, n_components)
        Result of :func:`llmtopics.read_topics`, or of its method ``distances``.
    n_leaves : int, default=50
        Largest number of rows. Of more topics, the most similar ones are merged first, and share
        a row.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure, large enough for all rows.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. Two branches meet at the distance of their topics: the mean Jensen-Shannon
        distance of their words (average linkage). ``topics.merge(n_components=n)`` cuts this tree
        where n branches are left. If all distances are far from 0, the axis starts near the
        smallest, and says so.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``topics`` is neither Topics nor a table of distances.
    ValueError
        If distances are not square, not symmetric, missing, or not from 0 to 1, or if
        ``n_leaves`` is less than 2.

    See Also
    --------
    llmtopics.reading.Topics.merge : Merges topics.

    Examples
    --------
    >>> import pandas as pd
    >>> from llmtopics.plots import plot_merge_tree
    >>> names = ["cats", "bonds", "dogs"]
    >>> distances = pd.DataFrame(
    ...     [[0, 0.9, 0.5], [0.9, 0, 0.8], [0.5, 0.8, 0]], index=names, columns=names
    ... )
    >>> ax = plot_merge_tree(distances)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['bonds', 'dogs', 'cats']
    """
    distances, names = _distances_of(topics, "plot_merge_tree")
    if not isinstance(n_leaves, Integral) or n_leaves < 2:
        raise ValueError(
            f"n_leaves must be a whole number, 2 or more, got {in_short(n_leaves)}."
        )
    K = len(names)
    rows, lines = [[0]], np.empty((0, 4, 2))
    if K > 1:
        rows, lines = _branches(distances, n_leaves)
    names = [
        f"{shortened(names[first], 27)} + {len(others)} more"
        if others
        else names[first]
        for first, *others in rows
    ]
    if ax is None:
        width = 4.0 + longest([name[:40] for name in names])
        ax = new_axes("plot_merge_tree", width, 0.6 + 0.2 * len(rows))
    labels, style = as_labels(names)
    from matplotlib.collections import LineCollection

    start, end = _span(lines[:, 1:3, 0])
    ax.add_collection(LineCollection(list(lines), colors=NEUTRAL, linewidths=1.2))
    colors = topic_colors(K)
    ax.scatter(
        np.full(len(rows), start), range(len(rows)), s=28, clip_on=False, zorder=3,
        color=[colors[row[0]] for row in rows],
    )  # fmt: skip
    ax.set_yticks(range(len(rows)), labels, **style)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlim=(start, end))
    ax.set_xlabel(
        "distance of the words (Jensen–Shannon)"
        + f"\nThe axis starts at {start:.2f}." * bool(start)
    )
    finish(ax, "" if len(rows) == K else f"{K} topics in {len(rows)} rows")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0, pad=6)
    return ax


def _span(joins: np.ndarray) -> tuple[float, float]:
    """Return the ends of the axis. It starts at 0, or near joins that are all far from 0."""
    if not joins.any():
        return 0.0, 1.0
    nearest, farthest = float(joins.min()), float(joins.max())
    reach = max(farthest - nearest, 0.05)
    start = max(0.0, np.floor(100 * (nearest - 0.3 * reach)) / 100)
    if start < farthest / 2 or nearest == farthest:
        return 0.0, 1.03 * farthest
    return float(start), farthest + 0.05 * reach


def _branches(
    distances: np.ndarray, n_leaves: int
) -> tuple[list[list[int]], np.ndarray]:
    """Return the topics of each row, and the corners (x, y) of each branch."""
    K = len(distances)
    tree = linkage(
        squareform(distances, checks=False), "average", optimal_ordering=True
    )
    members = [[k] for k in range(K)]
    for a, b, *_ in tree:
        members.append(sorted(members[int(a)] + members[int(b)]))
    found = dendrogram(tree, p=n_leaves, truncate_mode="lastp", no_plot=True)
    rows = [members[leaf] for leaf in found["leaves"]]
    height = (np.array(found["icoord"]) - 5) / 10  # rows are 10 apart
    return rows, np.dstack([found["dcoord"], height])


def _distances_of(topics: Any, name: str) -> tuple[np.ndarray, list[str]]:
    """Return distances, (K, K), and names of topics.

    Raises
    ------
    TypeError, ValueError
        If there are none, or if they are no distances.
    """
    table = topics.distances() if hasattr(topics, "mixtures") else topics
    if not hasattr(table, "columns"):
        raise TypeError(
            f"{name} needs Topics, got {type(topics).__name__}: pass the result of "
            "read_topics(model, texts), or of its method distances."
        )
    values = check_array(np.array(table), dtype=np.float64, input_name="distances")
    K = len(values)
    if (
        values.shape != (K, K)
        or not np.allclose(values, values.T)
        or not ((values >= 0) & (values <= 1)).all()
    ):
        raise ValueError(
            "distances must be a square and symmetric table of numbers from 0 to 1: pass the "
            "result of Topics.distances."
        )
    np.fill_diagonal(values, 0)
    return (values + values.T) / 2, [str(name) for name in table.columns]
