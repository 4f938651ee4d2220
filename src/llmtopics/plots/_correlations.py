"""Heat map of the correlations of topics."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from llmtopics.plots._heat_map import draw_heat_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_LARGEST = 2.0  # of adjusted correlations; others are at most 1


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
        For correlations that are not square, not symmetric, not finite or too large, or if the
        number of names is not the number of topics.

    Notes
    -----
    In a notebook the figure appears by itself. In a script, call
    ``matplotlib.pyplot.show()`` or ``ax.figure.savefig(path)``.

    Names may be in any script. If matplotlib's font lacks their characters, another installed
    font is used. If none has them, emoji are left out, other characters become question marks,
    and a warning names the script. matplotlib 3.11 or newer writes Arabic, Hebrew and Devanagari
    correctly. Names longer than 40 characters are cut.

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
    if len(known) != K:
        raise ValueError(
            f"{len(known)} names were given for {K} topics: pass one name per topic."
        )
    np.fill_diagonal(values, 0)
    if (np.abs(values) > _LARGEST).any():
        at = np.unravel_index(np.abs(values).argmax(), values.shape)
        raise ValueError(
            f"correlations must be between -1 and 1 ({-_LARGEST:g} and {_LARGEST:g} if "
            f"adjusted), got {values[at]:g} in row {at[0]}, column {at[1]}."
        )
    limit = np.abs(values).max().round(9) or 1.0  # zeros may have rounding errors
    return draw_heat_map(
        "plot_correlations",
        ax,
        values,
        known,
        ordered=ordered,
        label="correlation",
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
    )
