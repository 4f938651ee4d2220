"""Heat map of the correlations of topics."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from sklearn.utils import check_array

from llmtopics.plots._figures import FONT_SIZE, heat_map_axes
from llmtopics.plots._fonts import fonts_for, length_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_correlations(
    correlations: ArrayLike,
    *,
    ax: "Axes | None" = None,
    names: Sequence[str] | None = None,
    ordered: bool = True,
) -> "Axes":
    """Draw the correlations of topics as a heat map.

    Parameters
    ----------
    correlations : pandas.DataFrame or array-like of shape (n_components, n_components)
        Result of :func:`llmtopics.metrics.topic_correlations`, adjusted or not. The diagonal
        is not used and is gray.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure, large enough for all topics.
    names : sequence of str of length n_components, default=None
        Names of the topics. None uses the columns of the DataFrame, or numbers.
    ordered : bool, default=True
        Whether to sort the topics so that correlated topics are side by side. False keeps
        their order. See Notes.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes of the map. Colors are centered on 0. Their limits are plus and minus the
        largest absolute correlation. Where names would overlap, only every n-th is shown.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        For correlations that are not square, not symmetric or not finite, or if the number of
        names is not the number of topics.

    Notes
    -----
    In a notebook the figure appears by itself. In a script, call
    ``matplotlib.pyplot.show()`` or ``ax.figure.savefig(path)``.

    Names may be in any script. If matplotlib's font lacks their characters, another installed
    font is used. If none has them, a warning names the script. matplotlib 3.11 or newer writes
    Arabic, Hebrew and Devanagari correctly.

    Topics are sorted by hierarchical clustering with average linkage on ``1 - r``. Branches
    are ordered so that neighbors are as similar as possible [1]_.

    References
    ----------
    .. [1] Z. Bar-Joseph, D. Gifford and T. Jaakkola, "Fast optimal leaf ordering for
       hierarchical clustering", Bioinformatics 17, 2001.

    Examples
    --------
    >>> from llmtopics.plots import plot_correlations
    >>> correlations = [[1, -0.2, 0.6], [-0.2, 1, -0.5], [0.6, -0.5, 1]]
    >>> ax = plot_correlations(correlations, names=["cats", "bonds", "dogs"])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['bonds', 'cats', 'dogs']
    """
    values = check_array(
        np.array(correlations), dtype=np.float64, input_name="correlations"
    )
    K = len(values)
    if values.shape != (K, K) or not np.allclose(values, values.T):
        raise ValueError(
            "correlations must be square and symmetric, one row and column per topic, "
            f"got shape {values.shape}. Pass the result of topic_correlations."
        )
    known = getattr(correlations, "columns", range(K)) if names is None else names
    # matplotlib refuses lone surrogates
    labels = [str(name).encode("utf-8", "replace").decode() for name in known]
    if len(labels) != K:
        raise ValueError(
            f"{len(labels)} names were given for {K} topics: pass one name per topic."
        )
    np.fill_diagonal(values, 0)
    limit = np.abs(values).max().round(9) or 1.0  # zeros may have rounding errors
    order = np.arange(K)
    if ordered and K > 1:
        distances = squareform(values.max() - values, checks=False)  # ordered as 1 - r
        order = leaves_list(linkage(distances, "average", optimal_ordering=True))
    if ax is None:
        ax = heat_map_axes("plot_correlations", K, max(map(length_of, labels)))
    blank = np.ma.masked_array(values[np.ix_(order, order)], np.eye(K, dtype=bool))
    ax.set_facecolor("0.85")  # the diagonal is gray, because white is 0
    image = ax.imshow(blank, cmap="RdBu_r", vmin=-limit, vmax=limit)
    bar = ax.inset_axes((1.03, 0, 0.04, 1))  # always as high as the map
    ax.figure.colorbar(image, cax=bar, label="correlation")
    side = min(ax.get_window_extent().size) / ax.figure.dpi * 72
    step = int(np.ceil(1.2 * FONT_SIZE * K / side))
    ticks, shown = range(0, K, step), [labels[k] for k in order[::step]]
    font: dict[str, Any] = {"fontsize": FONT_SIZE, "fontfamily": fonts_for(shown)}
    ax.set_xticks(ticks, shown, rotation=90, **font)
    ax.set_yticks(ticks, shown, **font)
    return ax
