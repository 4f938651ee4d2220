"""Log-likelihood of Gibbs sampling by sweep."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics.plots._colors import topic_colors
from llmtopics.plots._figures import finish, new_axes
from llmtopics.plots._labels import add_legend
from llmtopics.plots._shown import as_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_trace(models: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the log-likelihood of Gibbs sampling by sweep, to see whether it still rises.

    Parameters
    ----------
    models : GibbsLDA, PachinkoAllocation, or dict from str to these
        Fitted models, with their names if there are several. Arrays such as
        ``log_likelihood_`` are possible, too.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes: one line per model. It is the log-likelihood of words and topics per token,
        which the samplers measure after every tenth sweep.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If a model has no ``log_likelihood_``.
    ValueError
        If a model was not measured: it made fewer than ten sweeps, or its priors do not define
        this likelihood.

    Examples
    --------
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.datasets import make_topics
    >>> from llmtopics.plots import plot_trace
    >>> X = make_topics(50, 30, 3, random_state=0).data
    >>> ax = plot_trace(GibbsLDA(3, max_iter=100, random_state=0).fit(X))
    >>> ax.get_lines()[0].get_xdata()[:3].tolist()
    [10, 20, 30]
    """
    several = isinstance(models, Mapping)
    traces = {
        str(name): _trace_of(model)
        for name, model in (models if several else {"": models}).items()
    }
    if not traces:
        raise ValueError("models is empty: pass at least one fitted model.")
    if ax is None:
        ax = new_axes("plot_trace", 4.6, 3.0)
    colors = topic_colors(len(traces))
    for trace, color in zip(traces.values(), colors, strict=True):
        sweeps = 10 * np.arange(1, len(trace) + 1)
        ax.plot(
            sweeps,
            trace,
            color=color,
            linewidth=1.5,
            marker="." if len(trace) < 3 else "",
        )
    ax.set(xlabel="sweep", ylabel="log-likelihood per token")
    finish(ax, grid="y")
    if several:
        add_legend(ax, ax.get_lines(), traces)
    return ax


def _trace_of(model: Any) -> np.ndarray:
    """Return the log-likelihoods of a model, or a given array of them."""
    steps = getattr(model, "steps", None)
    last = steps[-1][1] if steps else model
    trace = getattr(last, "log_likelihood_", last)
    if (
        hasattr(trace, "get_params")
        or isinstance(trace, str)
        or not hasattr(trace, "__len__")
    ):
        raise TypeError(
            f"{type(last).__name__} has no log_likelihood_: pass a fitted GibbsLDA or "
            "PachinkoAllocation."
        )
    if not len(trace):
        raise ValueError(
            "log_likelihood_ is empty: the model made fewer than ten sweeps, or its priors do "
            "not define this likelihood."
        )
    return as_numbers(trace, "log_likelihood_")
