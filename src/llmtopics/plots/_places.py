"""Names at places in a plane, which do not overlap."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmtopics.plots._figures import FONT_SIZE
from llmtopics.plots._labels import as_labels

_MOVES = (0, 1, -1, 2, -2, 3, -3, 4, -4)  # up and down, in heights of a label
_SIDES = (
    (0.5, 0),
    (-0.5, 0),
    (0, 1),
    (0, -1),
    (0.5, 1),
    (-0.5, 1),
    (0.5, -1),
    (-0.5, -1),
)
_DOT = 10.0  # points from a dot to its name


def write_names(
    ax: Any, places: np.ndarray, names: Sequence[str], *, beside: bool = False
) -> int:
    """Write names at their places, moved so that they do not overlap; return how many.

    Parameters
    ----------
    ax : Axes
        With its final limits.
    places : ndarray of shape (n, 2)
    names : sequence of n str
        The first ones are placed first. A name without room is left out.
    beside : bool, default=False
        Whether names are beside their places, where dots are, and not on them.
    """
    from matplotlib.patheffects import withStroke

    labels, style = as_labels(names, most=30, size=FONT_SIZE + (0 if beside else 1))
    glow = [withStroke(linewidth=3, foreground=ax.get_facecolor())]
    ax.figure.draw_without_rendering()  # the layout decides how large the axes are
    points = ax.figure.dpi / 72  # pixels per point
    inside, taken = ax.get_window_extent(), []
    if beside:
        from matplotlib.transforms import Bbox

        dots = ax.transData.transform(places)
        taken = [Bbox.from_extents(*(d - 5 * points), *(d + 5 * points)) for d in dots]
    n_dots = len(taken)
    for place, label in zip(places, labels, strict=True):
        text = ax.annotate(
            label, place, (0, 0), textcoords="offset points", ha="center", va="center",
            path_effects=glow, zorder=4, **style,
        )  # fmt: skip
        box = text.get_window_extent()
        for move in _moves(box, inside, beside, points):
            moved = box.translated(*move)
            fits = inside.y0 <= moved.y0 and moved.y1 <= inside.y1
            fits &= inside.x0 <= moved.x0 + 1 and moved.x1 - 1 <= inside.x1
            if fits and not any(moved.overlaps(other) for other in taken):
                text.xyann = tuple(np.array(move) / points)
                taken.append(moved)
                break
        else:
            text.remove()
    return len(taken) - n_dots


def _moves(
    box: Any, inside: Any, beside: bool, points: float
) -> list[tuple[float, float]]:
    """Return moves of a label to try, in pixels, the best first."""
    if beside:
        gap = _DOT * points
        return [
            (x * (box.width + 2 * gap), y * (box.height / 2 + (0.4 if x else 1) * gap))
            for x, y in _SIDES
        ]
    side = max(inside.x0 - box.x0, 0) - max(box.x1 - inside.x1, 0)
    return [(side, 1.1 * move * box.height) for move in _MOVES]
