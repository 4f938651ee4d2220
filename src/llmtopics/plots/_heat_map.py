"""Square maps of topics: one row and one column per topic."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from llmtopics.plots._figures import FONT_SIZE, heat_map_axes
from llmtopics.plots._labels import as_labels, longest

_FEW = 10  # up to so many topics, values are written in the map
_NO_VALUE = "0.6"  # gray of the diagonal, in light and dark themes


def draw_heat_map(
    name: str,
    ax: Any,
    values: np.ndarray,
    names: Sequence[Any],
    *,
    ordered: bool,
    label: str,
    **colors: Any,
) -> Any:
    """Draw symmetric values as a heat map, without the diagonal, and return the axes.

    Parameters
    ----------
    name : str
        The function that draws, for errors.
    ax : Axes or None
    values : ndarray of shape (K, K)
        The larger, the more similar.
    names : sequence of length K
    ordered : bool
        Whether similar topics are side by side.
    label : str
        What the colors mean.
    **colors
        ``cmap``, ``vmin`` and ``vmax`` of ``imshow``.
    """
    K = len(values)
    order = np.arange(K)
    if ordered and K > 1:
        distances = squareform(values.max() - values, checks=False)
        order = leaves_list(linkage(distances, "average", optimal_ordering=True))
    if ax is None:
        ax = heat_map_axes(name, K, longest([str(each)[:40] for each in names]))
    labels, style = as_labels(names)
    blank = np.ma.masked_array(values[np.ix_(order, order)], np.eye(K, dtype=bool))
    ax.set_facecolor(_NO_VALUE)
    image = ax.imshow(blank, **colors)
    bar = ax.inset_axes((1.03, 0, 0.04, 1))  # always as high as the map
    ax.figure.colorbar(image, cax=bar)
    bar.set_ylabel(label, fontsize=FONT_SIZE)
    bar.tick_params(labelsize=FONT_SIZE)
    side = min(ax.get_window_extent().size) / ax.figure.dpi * 72
    step = int(np.ceil(1.2 * FONT_SIZE * K / side))
    ticks, shown = range(0, K, step), [labels[k] for k in order[::step]]
    ax.set_xticks(ticks, shown, rotation=90, **style)
    ax.set_yticks(ticks, shown, **style)
    if 1 < K <= _FEW:
        _write_values(ax, image, blank)
    return ax


def _write_values(ax: Any, image: Any, values: Any) -> None:
    """Write each value in its cell, black on light colors and white on dark ones."""
    for i, j in zip(*np.nonzero(~values.mask), strict=True):
        red, green, blue, _ = image.cmap(image.norm(values[i, j]))
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        ax.text(
            j, i, f"{values[i, j]:.2f}".replace("-0.00", "0.00"),
            ha="center", va="center", fontsize=5.5, color="black" if light else "white",
        )  # fmt: skip
