"""Colors of topics."""

from numbers import Integral

from llmtopics._checks import shortened

# The first six are those of Okabe and Ito. Each of the others is far from all before it, also as
# color-blind people see it. All have enough contrast to white and to black.
_COLORS = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#874b69",
    "#8778f0", "#b42d1e", "#96b487", "#b43c96", "#00a5c3", "#3c692d", "#e16969",
    "#5a4bc3", "#8796ff", "#e1873c", "#a5694b", "#965ad2", "#8778c3",
)  # fmt: skip
# parts of white (or of black, below 0) that are mixed in where colors are used again
_SHADES = (0.0, 0.24, -0.2, 0.12, -0.1)
NEUTRAL = "#8c8c8c"  # no topic; gray is the color of none


def topic_colors(n_topics: int) -> list[str]:
    """Return the colors of topics, the same in all plots.

    Parameters
    ----------
    n_topics : int
        Number of topics, K, such as ``len(topics.names)``.

    Returns
    -------
    colors : list of K str
        Colors such as "#0072b2". The color of topic k does not depend on K. The first 20 differ
        in hue. The next 80 are lighter and darker shades of these. Then they repeat.

    Raises
    ------
    ValueError
        If ``n_topics`` is no whole number, or negative.

    Notes
    -----
    The first six are the colors of Okabe and Ito without black and yellow [1]_, which are
    invisible on a black and on a white page. The others were chosen one after the other: the
    farthest in the color space OKLab from all before, as seen with normal vision and with three
    kinds of color blindness [2]_. About ten can be told apart by all people, so plots
    write names beside the colors.

    References
    ----------
    .. [1] M. Okabe and K. Ito, "Color universal design", 2008.
    .. [2] G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A physiologically-based model for
       simulation of color vision deficiency", IEEE TVCG 15, 2009.

    Examples
    --------
    >>> from llmtopics.plots import topic_colors
    >>> topic_colors(2)
    ['#0072b2', '#e69f00']
    """
    if not isinstance(n_topics, Integral) or isinstance(n_topics, bool) or n_topics < 0:
        raise ValueError(
            f"n_topics must be a whole number, 0 or more, got {shortened(n_topics)}. For Topics, "
            "pass len(topics.names)."
        )
    return [
        _shade(_COLORS[k % len(_COLORS)], _SHADES[k // len(_COLORS) % len(_SHADES)])
        for k in range(n_topics)
    ]


def _shade(color: str, part: float) -> str:
    """Return a color with a part of white in it, or of black if ``part`` is negative."""
    goal = 255 if part > 0 else 0
    values = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(
        f"{round(value + abs(part) * (goal - value)):02x}" for value in values
    )
