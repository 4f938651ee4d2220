"""Curves by which the number of topics and the fusion weight are chosen."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics._checks import shortened
from llmtopics.plots._figures import FONT_SIZE, finish, new_axes, pyplot_for
from llmtopics.plots._shown import columns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _CHOSEN = "#0072b2", "#d55e00"
_LEAST_SPAN = 0.05  # of a scale of scores without errors, as a part of the largest
_MEASURES = {  # column -> title
    "quality": "quality (coherence and diversity)",
    "coherence": "coherence (NPMI)",
    "likelihood": "held-out log-likelihood per token",
    "stability": "stability (1: the same topics)",
}


def plot_n_components(
    suggestion: Any, *, axes: "Sequence[Axes] | None" = None
) -> np.ndarray:
    """Draw the curves by which the number of topics is chosen.

    Parameters
    ----------
    suggestion : Suggestion
        Result of :func:`llmtopics.suggest_n_components`.
    axes : sequence of matplotlib.axes.Axes, default=None
        Where to draw: one per measure. None makes a new figure.

    Returns
    -------
    axes : ndarray of matplotlib.axes.Axes
        One per measure: quality, coherence, held-out likelihood (if the model has one) and
        stability. Dots are means over the runs, bars are standard errors. The gray area is the
        plateau: the numbers that quality cannot tell apart. The orange line is the suggested
        number.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``suggestion`` is not the result of ``suggest_n_components``.
    ValueError
        If there are fewer axes than measures.

    Examples
    --------
    >>> import numpy as np
    >>> from llmtopics import GibbsLDA, suggest_n_components
    >>> from llmtopics.datasets import make_topics
    >>> from llmtopics.plots import plot_n_components
    >>> X = make_topics(100, 40, 4, random_state=0).data
    >>> found = suggest_n_components(GibbsLDA(max_iter=30), X, n_components=[2, 4, 8])
    >>> len(plot_n_components(found))
    4
    """
    if not all(hasattr(suggestion, name) for name in ("table", "plateau", "reason")):
        raise TypeError(
            f"suggestion must be a Suggestion, got {type(suggestion).__name__}: pass the result "
            "of suggest_n_components."
        )
    table = suggestion.table
    columns = columns_of(table, ["n_components"], [], "suggest_n_components")
    measures = [name for name in _MEASURES if name in table]
    columns_of(
        table, [], [f"{name}_error" for name in measures], "suggest_n_components"
    )
    if (columns["n_components"] < 1).any():
        raise ValueError("n_components must be 1 or more in suggestion.table.")
    if axes is None:
        figure, grid = pyplot_for("plot_n_components").subplots(
            2, 2, figsize=(7.0, 4.8), sharex=True, squeeze=False, layout="constrained"
        )
        for ax in grid.flat[len(measures) :]:
            ax.remove()
            grid.flat[1].xaxis.set_tick_params(labelbottom=True)
        figure.supxlabel("number of topics, K", fontsize=FONT_SIZE + 1)
        panels = list(grid.flat[: len(measures)])
    else:
        panels = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(panels) < len(measures):
            raise ValueError(
                f"There are {len(panels)} axes for {len(measures)} measures "
                f"({', '.join(measures)}): pass one per measure."
            )
    for ax, name in zip(panels, measures, strict=False):
        _draw_numbers(ax, suggestion, name)
    return np.array(panels[: len(measures)], dtype=object)


def _draw_numbers(ax: Any, suggestion: Any, name: str) -> None:
    table = suggestion.table
    numbers = np.asarray(table["n_components"])
    edges = np.sqrt(
        numbers[1:] * numbers[:-1]
    )  # between neighbors, as the scale is log
    plateau = np.flatnonzero(np.isin(numbers, suggestion.plateau))
    sides = np.concatenate([[numbers[0] * 0.9], edges, [numbers[-1] * 1.1]])
    for i in plateau:
        ax.axvspan(sides[i], sides[i + 1], color="0.5", alpha=0.18, linewidth=0)
    ax.axvline(suggestion.n_components, color=_CHOSEN, linewidth=1.5)
    error = np.nan_to_num(np.asarray(table[f"{name}_error"], np.float64))
    ax.errorbar(
        numbers, table[name], error, fmt="o-", color=_LINE, capsize=2.5, markersize=4
    )
    ax.set_xscale("log")
    ax.set_xlim(sides[0], sides[-1])
    ax.set_xticks(_apart(numbers), [str(n) for n in _apart(numbers)])
    ax.minorticks_off()
    ax.set_title(_MEASURES[name], loc="left", fontsize=FONT_SIZE + 1)
    finish(ax, grid="y")


def _apart(numbers: np.ndarray) -> list[int]:
    """Return numbers that are far enough from each other on a logarithmic scale to be read."""
    apart = np.log(numbers[-1] / numbers[0]) / 14
    kept: list[int] = []
    for number in numbers:
        if not kept or np.log(number / kept[-1]) >= apart:
            kept.append(int(number))
    return kept


def plot_alpha(scores: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the score of each fusion weight α.

    Parameters
    ----------
    scores : FusionTopicModel, GridSearchCV, or dict from float to float
        A model fitted with ``alpha="auto"``, which has ``alpha_scores_``. A fitted search over
        ``alpha``, also that of a step (``fusiontopicmodel__alpha``). Or scores by weight.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. 0 is word counts alone, 1 is embeddings alone. The large dot is the best weight.
        Bars are standard errors over the folds of a search. If a search also varies other
        parameters, the best score of each weight is drawn. Without standard errors, the scale
        spans at least 5% of the largest score, so that tiny differences look tiny.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If there are no scores of weights.
    ValueError
        If no score is finite.

    Examples
    --------
    >>> from llmtopics.plots import plot_alpha
    >>> ax = plot_alpha({0.1: 0.20, 0.5: 0.31, 0.9: 0.28})
    >>> ax.get_lines()[0].get_xdata().tolist()
    [0.1, 0.5, 0.9]
    """
    found, label = _scores_of_alpha(scores)
    known = [
        (alpha, *found[alpha])
        for alpha in sorted(found)
        if np.isfinite(found[alpha][0])
    ]
    if not known:
        raise ValueError("No score is finite, so there is nothing to draw.")
    alpha, score, error = np.array(known, np.float64).T
    if ax is None:
        ax = new_axes("plot_alpha", 4.6, 3.0)
    if error.any():
        ax.errorbar(
            alpha, score, error, fmt="o-", color=_LINE, capsize=2.5, markersize=4
        )
    else:
        ax.plot(alpha, score, "o-", color=_LINE, markersize=4)
    best = min(range(len(alpha)), key=lambda i: (-score[i], abs(alpha[i] - 0.5)))
    ax.plot(alpha[best], score[best], "o", color=_CHOSEN, markersize=8)
    ax.annotate(
        f"α = {alpha[best]:g}", (alpha[best], score[best] + error[best]), (0, 8),
        textcoords="offset points", ha="center", fontsize=FONT_SIZE,
    )  # fmt: skip
    ax.margins(y=0.15)
    low, high = ax.get_ylim()
    spare = 0 if error.any() else _LEAST_SPAN * np.abs(score).max() - (high - low)
    ax.set_ylim(low - max(spare, 0) / 2, high + max(spare, 0) / 2)
    ax.set_xlim(-0.03, 1.03)
    ax.set(xlabel="fusion weight α   (0: word counts, 1: embeddings)", ylabel=label)
    finish(ax, grid="y")
    return ax


def _scores_of_alpha(given: Any) -> tuple[dict[float, tuple[float, float]], str]:
    """Return score and standard error by weight, and what the score is."""
    if hasattr(given, "alpha_scores_"):
        given = given.alpha_scores_
    if isinstance(given, Mapping):
        pairs = given.items()
        return {_weight(a): (_number(s), 0.0) for a, s in pairs}, "score"
    results = getattr(given, "cv_results_", {})
    names = [n for n in results if n.startswith("param_") and n.endswith("alpha")]
    if not names or "mean_test_score" not in results:
        raise TypeError(
            f"There are no scores of alpha in {type(given).__name__}: pass a FusionTopicModel "
            "fitted with alpha='auto', a search over alpha with one scorer, or a dict."
        )
    found: dict[float, tuple[float, float]] = {}
    folds = getattr(given, "n_splits_", 1)
    errors = np.asarray(results["std_test_score"]) / np.sqrt(max(folds - 1, 1))
    for alpha, score, error in zip(
        results[names[0]], results["mean_test_score"], errors, strict=True
    ):
        if (
            not isinstance(alpha, str)
            and score >= found.get(_weight(alpha), (-np.inf,))[0]
        ):
            found[_weight(alpha)] = float(score), float(error)
    return found, "mean score of the search"


def _weight(alpha: Any) -> float:
    weight = _number(alpha)
    if not 0 <= weight <= 1:
        raise ValueError(f"alpha must be between 0 and 1, got {shortened(alpha)}.")
    return weight


def _number(value: Any) -> float:
    if not isinstance(value, Real):
        raise ValueError(
            f"scores must have numbers by alpha, got {shortened(value)}: pass a dict such as "
            "{0.1: 0.2, 0.5: 0.3}."
        )
    return float(value)
