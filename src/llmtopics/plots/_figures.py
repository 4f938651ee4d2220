"""New figures, large enough for their labels; all plots import pyplot from here."""

from typing import Any

FONT_SIZE = 8.0  # points
_CELL = 0.2  # inches per topic


def pyplot_for(name: str) -> Any:
    """Return matplotlib's pyplot; raise an error for the function ``name`` if it is missing."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{name} needs matplotlib: pip install 'llmtopics[plot]'"
        ) from error
    return pyplot


def new_axes(name: str, width: float, height: float) -> Any:
    """Return the axes of a new figure, for the function ``name``. Sizes are in inches."""
    size = width, height
    return pyplot_for(name).subplots(figsize=size, layout="constrained")[1]


def heat_map_axes(name: str, n_topics: int, labels: float) -> Any:
    """Return the axes of a new figure for a square map of topics.

    ``labels`` is the length of the longest label, in inches.
    """
    side = _CELL * min(max(n_topics, 12), 40)
    labels += 0.1
    return new_axes(name, side * 1.1 + labels + 0.6, side + labels)


def finish(ax: Any, note: str = "", grid: str = "x") -> None:
    """Take the frame away that carries nothing, and write a note above."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.xaxis.label.set_fontsize(FONT_SIZE)
    ax.yaxis.label.set_fontsize(FONT_SIZE)
    if grid:
        ax.grid(axis=grid, alpha=0.25, linewidth=0.6)
        ax.set_axisbelow(True)
    if note:
        ax.set_title(note, loc="right", fontsize=FONT_SIZE - 1)


def percent_axis(axis: Any) -> None:
    """Write shares as percentages, at few round numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g}%"))
