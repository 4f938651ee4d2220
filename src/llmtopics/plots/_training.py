"""Curve of the training of a language model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length

from llmtopics.plots._figures import pyplot_for
from llmtopics.plots._shown import as_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_training(
    history: Mapping[str, ArrayLike], *, ax: "Axes | None" = None
) -> "Axes":
    """Draw the loss of a language model while it is trained.

    Parameters
    ----------
    history : dict or pandas.DataFrame
        ``history_`` of a :class:`llmtopics.finetune.LanguageModelTuner`. "step", "loss" and
        "held_out_loss" are read. They have one value per row, NaN where a row has none.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes: loss by step, on the texts of training and on texts that were held out. A
        dot marks the least held-out loss. The model at this step is the one that is kept. At
        step 0 it is the model before training.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``history`` is no table, such as a tuner.
    ValueError
        If a column is missing, has another length or an infinite value, or if there is no
        loss to draw.

    Examples
    --------
    >>> from llmtopics.plots import plot_training
    >>> nan = float("nan")
    >>> ax = plot_training(
    ...     {"step": [0, 5, 10], "loss": [nan, 3.2, 2.5], "held_out_loss": [3.6, nan, 2.9]}
    ... )
    >>> [line.get_label() for line in ax.get_lines()]
    ['training', 'held out', 'kept']
    """
    if not hasattr(history, "keys"):
        raise TypeError(
            f"history must be a table, got {type(history).__name__}: pass history_ of a tuner."
        )
    names = ("step", "loss", "held_out_loss")
    if missing := [name for name in names if name not in history]:
        raise ValueError(
            f"history has no column {missing[0]!r}: pass history_ of a tuner."
        )
    step, loss, held_out = (
        as_numbers(
            history[name], name, ensure_all_finite="allow-nan", ensure_min_samples=0
        )
        for name in names
    )
    check_consistent_length(step, loss, held_out)
    if np.isnan(loss).all() and np.isnan(held_out).all():
        raise ValueError("history has no loss: nothing was trained.")
    if ax is None:
        ax = pyplot_for("plot_training").subplots(layout="constrained")[1]
    for values, label in ((loss, "training"), (held_out, "held out")):
        known = ~np.isnan(values)
        if known.any():
            ax.plot(step[known], values[known], label=label)
    if not np.isnan(held_out).all():
        best = np.nanargmin(held_out)
        ax.plot(step[best], held_out[best], "o", color="C1", label="kept")
    ax.set(xlabel="step", ylabel="loss")
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return ax
