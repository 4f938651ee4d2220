"""The pictures of ``docs/benchmarks.md``."""

from collections.abc import Iterable
from math import inf
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

STYLE = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "legend.frameon": False,
    "svg.hashsalt": "llmtopics",  # the same numbers, the same file
}
WIDTH = 8.0  # inches: 800 pixels at 100 per inch


class Look(NamedTuple):
    color: str
    marker: str
    line: str = "-"
    width: float = 1.4


LOOKS = {  # colors of Okabe and Ito, which color-blind people can tell apart
    "GibbsLDA": Look("#0072b2", "o", width=2.2),
    "GibbsLDA, one thread": Look("#0072b2", "o", "--"),
    "GibbsLDA, exact": Look("#56b4e9", "s"),
    "tomotopy": Look("#d55e00", "^"),
    "topica sparse": Look("#009e73", "D"),
    "topica sparse, 5 samples": Look("#009e73", "*", ""),
    "topica warp": Look("#cc79a7", "v"),
    "FusionTopicModel": Look("#d55e00", "o"),
    "EmbeddingTopics": Look("#56b4e9", "s"),
    "BERTopic, UMAP + k-means": Look("#009e73", "D"),
    "KeyNMF": Look("#cc79a7", "v"),
}
MODELS = [  # of the summary
    "FusionTopicModel",
    "GibbsLDA",
    "EmbeddingTopics",
    "BERTopic, UMAP + k-means",
    "KeyNMF",
]


def short(value: float, _: object = None) -> str:
    """Write 20000 as 20k."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def mark(axis: Axis, ticks: list[float]) -> None:
    """Label these places of a logarithmic axis and no others."""
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(short))
    axis.set_minor_locator(NullLocator())


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def curve(runs: Iterable[dict], measure: str) -> list[float]:
    """Return a measure at every stop that all runs have, medians over the seeds."""
    by_stop = [
        {point["sweeps"]: point[measure] for point in run["points"]} for run in runs
    ]
    common = sorted(set.intersection(*map(set, by_stop)))
    return [median(points[stop] for points in by_stop) for stop in common]


def draw_line(axes: Axes, x: list[float], y: list[float], model: str) -> None:
    look = LOOKS[model]
    axes.plot(
        x,
        y,
        look.line,
        color=look.color,
        linewidth=look.width,
        marker=look.marker,
        markersize=10 if look.line == "" else 4,
        markeredgecolor="white",
        markeredgewidth=0.6,
        label=model,
        zorder=2 + look.width,
    )


def draw_race_panel(axes: Axes, problem: str, models: dict[str, dict]) -> None:
    best = inf
    for model, seeds in models.items():
        seconds = curve(seeds.values(), "seconds")
        perplexity = curve(seeds.values(), "perplexity")
        best = min(best, *perplexity)
        draw_line(axes, seconds, perplexity, model)
    threads = max(run["threads"] for seeds in models.values() for run in seeds.values())
    words = f"{threads} thread{'s' * (threads > 1)}"
    axes.set_title(words, loc="right", fontweight="normal", fontsize=8, color="#555555")
    axes.set(title=problem, xscale="log", ylim=(0.98 * best, 1.42 * best))
    mark(axes.xaxis, [n * 10**k for k in range(-2, 5) for n in (1, 2, 5)])


def draw_race(runs: dict[str, dict[str, dict]], path: Path) -> None:
    """Perplexity against seconds, one panel per problem; much worse values are cut off."""
    n_rows = -(-len(runs) // 2)
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            n_rows,
            2,
            figsize=(WIDTH, 0.7 + 2.5 * n_rows),
            layout="constrained",
            squeeze=False,
        )
        figure.get_layout_engine().set(h_pad=0.08, w_pad=0.08)
        for axes, (problem, models) in zip(panels.ravel(), runs.items(), strict=False):
            draw_race_panel(axes, problem, models)
        for axes in panels.ravel()[len(runs) :]:
            axes.set_axis_off()
        for axes in panels[:, 0]:
            axes.set_ylabel("held-out perplexity")
        for axes in panels[-1]:
            axes.set_xlabel("seconds")
        handles = {
            label: handle
            for axes in panels.ravel()
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        order = [model for model in LOOKS if model in handles]
        figure.legend(
            [handles[model] for model in order],
            order,
            loc="outside upper center",
            ncols=4,
        )
        save(figure, path)


def draw_summary(
    problems: list[str], runs: dict[tuple, dict[int, dict]], path: Path
) -> None:
    """Agreement and coherence, one panel each, one row per problem."""
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1, 2, figsize=(WIDTH, 4.2), layout="constrained", sharey=True
        )
        titles = {"nmi": "agreement with labels", "npmi": "coherence of the words"}
        for axes, (measure, title) in zip(panels, titles.items(), strict=True):
            for i, model in enumerate(MODELS):  # a little apart: no dot hides another
                values = [
                    mean(run[measure] for run in runs[problem, model].values())
                    for problem in problems
                ]
                look = LOOKS[model]
                axes.plot(
                    values,
                    [row + 0.13 * (i - 2) for row in range(len(problems))],
                    look.marker,
                    color=look.color,
                    markersize=7,
                    markeredgecolor="white",
                    label=model,
                )
            axes.set(title=title, xlabel=measure.upper())
            axes.set_yticks(range(len(problems)), problems)
        panels[0].invert_yaxis()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        save(figure, path)


SCALES = {  # measure -> what varies, its axis, its ticks
    "tokens": ("n_tokens", "tokens, K = 100", [10**k for k in range(5, 9)]),
    "topics": (
        "n_components",
        "topics K (dotted: from here on, lists)",
        [10, 20, 50, 100, 200, 500, 1000, 2000],
    ),
    "words": ("n_words", "words V, K = 100", [1000, 2000, 5000, 10000, 20000]),
}


def draw_scaling(lines: dict[str, list[dict]], path: Path) -> None:
    """Nanoseconds per token, one panel per measure, on one scale."""
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1, 3, figsize=(WIDTH, 2.6), layout="constrained", sharey=True
        )
        for axes, (measure, (name, label, ticks)) in zip(
            panels, SCALES.items(), strict=True
        ):
            places = [line[name] for line in lines[measure]]
            times = [line["nanoseconds"] for line in lines[measure]]
            draw_line(axes, places, times, "GibbsLDA")
            axes.set(xlabel=label, xscale="log", yscale="log")
            mark(axes.xaxis, ticks)
        panels[1].axvline(255.5, color="#888888", linewidth=0.8, linestyle=":")
        mark(panels[0].yaxis, [10, 15, 20, 30, 50, 70, 100, 150, 200, 300])
        panels[0].set_ylabel("nanoseconds per token")
        save(figure, path)
