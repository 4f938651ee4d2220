"""The section on the race of samplers."""

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks.report.markdown import PICTURES, lines_of, table
from benchmarks.report.pictures import draw_race

OURS, CURVE, N_SWEEPS = "GibbsLDA", "tomotopy", 200
ONE_THREAD = ", one thread"
PEERS = ["tomotopy", "topica sparse", "topica sparse, 5 samples", "topica warp"]
RACE = """\
## The race of samplers

How good the topics are after how many seconds.

- All models get the same words and the same fixed priors, α = 0.1 and β = 0.01. Models alternate within a
  round. Each run has its own process.
- Each point of `GibbsLDA` or topica is a separate fit. Points of tomotopy are pauses of one chain.
- Seconds are those of `GibbsLDA.fit`, from counts to topics, once it is compiled. For tomotopy and topica
  they are those of `train` and `fit` alone, without adding the documents.

Topics are evaluated by the same code, which is not timed:

- *Perplexity*: every second token of the held-out tenth of the documents, predicted from the others, with
  topic proportions from `GibbsLDA.transform`.
- *NPMI*: coherence of each topic's ten most probable words in the training documents.
- *log p(w, z)*: of the chain's state per token, with topic proportions and topics integrated out
  (Griffiths & Steyvers 2004).
- *5 samples* are taken 25 sweeps apart and averaged. The topics of `GibbsLDA` come from expected counts.
  This is why its perplexity is better than its log p(w, z) suggests.
- *Peak memory* is that of the whole process.

The first table of each problem shows how long `GibbsLDA` takes to the perplexity that another sampler has
after 200 sweeps. *Time* is the time of its first point at or below this perplexity, divided by the time of
the other sampler: median and range over the rounds. Below 1 is faster, and ∞ is a perplexity that `GibbsLDA` did not
reach in its sweeps. The other two measures are those at this point, beside those of tomotopy after the same seconds,
interpolated. They are "–" if no point is reached, or if it is before tomotopy's first point or after its last. The
second table shows each model at its last point, as medians.

![Perplexity against seconds, one panel per problem](_static/race.svg)
"""
NUMBERS = ["no", "one", "two"]


class Finish(NamedTuple):
    """Where our curve is as good as a peer's end; None where tomotopy's does not reach."""

    ratio: float
    sweeps: int
    measures: dict[str, float | None]
    peer_measures: dict[str, float | None]


def race_runs() -> dict[str, dict[str, dict[int, dict]]]:
    """Return problem → model → seed → line; the last of several lines for a run counts."""
    runs: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("race"):
        problem = line["problem"].removesuffix(ONE_THREAD)
        alone = ONE_THREAD if problem != line["problem"] else ""
        runs[problem][line["model"] + alone][line["seed"]] = line
    return runs


def after(run: dict, seconds: float, measure: str) -> float | None:
    """Return a measure of a curve after so many seconds, between its stops."""
    points = [point for point in run["points"] if point[measure] is not None]
    times = [point["seconds"] for point in points]
    if not points or not times[0] <= seconds <= times[-1]:
        return None
    return float(np.interp(seconds, times, [point[measure] for point in points]))


def finish(ours: dict, peer: dict, curve: dict | None) -> Finish | None:
    """Compare two runs of a seed; None if ours is never as good."""
    end = next(point for point in peer["points"] if point["sweeps"] == N_SWEEPS)
    for point in ours["points"]:
        if point["perplexity"] <= end["perplexity"]:
            names = ("npmi", "log_joint")
            return Finish(
                point["seconds"] / end["seconds"],
                point["sweeps"],
                {name: point[name] for name in names},
                {
                    name: after(curve, point["seconds"], name) if curve else None
                    for name in names
                },
            )
    return None


def middle(values: Iterable[float | None], digits: int) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.{digits}f}" if known else "–"


def span(ratios: list[float]) -> str:
    """Return median and range; what was never reached is beyond all."""
    if min(ratios) == inf:
        return "never as good"
    low, mid, high = (
        "∞" if value == inf else f"{value:.2f}"
        for value in (min(ratios), median(ratios), max(ratios))
    )
    return f"**{mid}** ({low}–{high})"


def finish_table(models: dict[str, dict[int, dict]]) -> str:
    rows = []
    for peer in PEERS:
        pairs = [
            (models[OURS][seed], run, models[CURVE].get(seed))
            for seed, run in models.get(peer, {}).items()
            if seed in models[OURS]
        ]
        if not pairs:
            continue
        finishes = [finish(*pair) for pair in pairs]
        reached = [one for one in finishes if one]
        cells = [
            middle((one.measures[name] for one in reached), digits)
            + " / "
            + middle((one.peer_measures[name] for one in reached), digits)
            for name, digits in (("npmi", 3), ("log_joint", 3))
        ]
        rows.append(
            [
                peer,
                middle((run["points"][-1]["perplexity"] for _, run, _ in pairs), 0),
                middle((one.sweeps for one in reached), 0),
                span([one.ratio if one else inf for one in finishes]),
                *cells,
            ]
        )
    head = ["against", "its perplexity", "our sweeps", "time, ours / its"]
    return table(
        [*head, "NPMI, ours / tomotopy's", "log p(w, z), ours / tomotopy's"], rows
    )


def end_table(models: dict[str, dict[int, dict]]) -> str:
    rows = []
    for model, seeds in models.items():
        ends = [run["points"][-1] for run in seeds.values()]
        rows.append(
            [
                model,
                str(ends[0]["sweeps"]),
                middle((end["perplexity"] for end in ends), 0),
                middle((end["npmi"] for end in ends), 3),
                middle((end["log_joint"] for end in ends), 3),
                middle((end["seconds"] for end in ends), 1),
                middle((run["tokens_per_second"] / 1e6 for run in seeds.values()), 1),
                middle((run["peak_mib"] for run in seeds.values()), 0),
                str(len(seeds)),
            ]
        )
    head = ["model", "sweeps", "perplexity", "NPMI", "log p(w, z)", "seconds"]
    return table([*head, "M tokens/s", "peak MiB", "seeds"], rows)


def section() -> list[str]:
    runs = race_runs()
    if not runs:
        return []
    draw_race(runs, PICTURES / "race.svg")
    parts = [RACE]
    for problem, models in runs.items():
        size = next(iter(next(iter(models.values())).values()))
        n_threads = size["threads"]
        title = f"{problem}, {NUMBERS[n_threads]} thread{'s' * (n_threads > 1)}"
        parts.append(
            f"### {title}\n\n{size['n_documents']:,} documents, {size['n_words']:,} "
            f"words, {size['n_tokens']:,} tokens to fit.\n"
        )
        parts += [finish_table(models), end_table(models)]
    return parts
