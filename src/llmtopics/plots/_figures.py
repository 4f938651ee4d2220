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


def heat_map_axes(name: str, n_topics: int, longest: float) -> Any:
    """Return the axes of a new figure for a square map of topics.

    ``longest`` is the length of the longest label, in characters.
    """
    side = _CELL * min(max(n_topics, 12), 40)
    labels = 0.6 * FONT_SIZE / 72 * longest + 0.1
    size = side * 1.1 + labels + 0.6, side + labels
    return pyplot_for(name).subplots(figsize=size, layout="constrained")[1]
