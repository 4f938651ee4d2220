"""The section on ``DaskGibbsLDA``: sweeps on workers, a cost model, local sweeps."""

from collections import defaultdict
from statistics import mean, median, stdev

from benchmarks import dask_cost as cost
from benchmarks.dask_lda import K
from benchmarks.report.markdown import lines_of, table

TEXT = """\
## Sweeps on a Dask cluster

`DaskGibbsLDA` and `GibbsLDA(sampler="blocked")` with 100 topics, α = 0.1 and β = 0.01, in the same run on one machine
with two cores. A worker is a process with one thread. The scheduler and the client need time of the same two cores.
Larger corpora than IMDB are drawn from a model of it. *Sweep* is the median of sweeps 5 to 10, with the quickest and the
slowest. *Bytes* are what workers send each other in a sweep. *Memory* is the peak of a worker, and of a worker before the
fit: of IMDB in the whole fit, otherwise until the last sweep. That of `GibbsLDA` is of its process, until the last sweep.

Two runs of each, in turn. The machine was shared with a little other work.
"""
COST = """\
### Cost model

`benchmarks/dask_cost.py` predicts seconds per sweep from tokens, words, topics and workers. The times of drawing a token,
finding what has moved and adding it up are measured in one process without Dask. Seconds per block and seconds per
received byte are fitted to the sweeps of the smaller corpora. The model has not seen the largest corpus. *Receive*
includes that two workers, the scheduler and the client shared two cores.
"""
BYTES = """\
### Bytes per sweep

Workers share one process here, so times would mean nothing. Bytes of 20 Newsgroups do not depend on that. *Predicted* takes
the share of moved tokens that one measured fit has, with two workers.
"""
LOCAL = """\
### The price of local sweeps

Held-out perplexity (document completion on a tenth of the documents) after 100 sweeps by four workers, with 100 topics.
Lower is better. Means over seeds ± their standard deviation. *Bytes* are per sweep, in the second half of the fit.
"""
ESTIMATE = (
    cost.Load(1e11, 100_000, K, 64, 0.0, 16),
    1.25e9,
    0.0005,
)  # of a network with 10 Gbit/s and half a millisecond per message


def sweeps() -> tuple[dict, dict]:
    """Return lines by corpus and setting, and the line of parts by corpus."""
    found: dict[str, dict[str, list[dict]]] = defaultdict(lambda: defaultdict(list))
    parts = {}
    for line in lines_of("dask_lda"):
        if line["task"].startswith("sweep"):
            if line["setting"] == "parts":
                parts[line["task"]] = line
            else:
                found[line["task"]][line["setting"]].append(line)
    by_size = sorted(found.items(), key=lambda pair: _first(pair[1])["n_tokens"])
    return dict(by_size), parts


def _first(settings: dict) -> dict:
    return next(iter(settings.values()))[0]


def middle(lines: list[dict]) -> float:
    return median(s for line in lines for s in line.get("seconds_per_sweep", []))


def moved_share(lines: list[dict]) -> float:
    """Return the share of tokens that move in a sweep, from the bytes of two workers."""
    (line, *_) = lines
    return median(line["bytes_per_sweep"]) / cost.PER_MOVE / line["n_tokens"]


def load(line: dict, n_workers: int, moved: float) -> cost.Load:
    return cost.Load(line["n_tokens"], line["n_words"], K, n_workers, moved)


def model() -> tuple[cost.Cost, list[tuple[str, cost.Load, float, bool]]]:
    """Return the fitted model, and each measured point: whether it was fitted."""
    found, parts = sweeps()
    *_, last = found
    known = max(
        (line for task, line in parts.items() if task != last),
        key=lambda line: line["n_tokens"],
    )
    points = []
    for task, settings in found.items():
        moved = moved_share(settings["DaskGibbsLDA, 2 workers"])
        for n in (1, 2):
            lines = settings[f"DaskGibbsLDA, {n} workers"]
            seen = task != last
            points.append((task, load(lines[0], n, moved), middle(lines), seen))
    fit = [(point, seconds) for _, point, seconds, seen in points if seen]
    measured = cost.Parts(**known["parts"])
    return cost.fitted(*map(list, zip(*fit, strict=True)), measured), points


def section() -> list[str]:
    found, parts = sweeps()
    if not found:
        return []
    rows = []
    for task, settings in found.items():
        for setting, lines in settings.items():
            named = setting.replace("1 threads", "1 thread").replace(
                "1 workers", "1 worker"
            )
            rows.append([task.removeprefix("sweep, "), named, *_row(lines)])
    head = ["corpus", "setting", "tokens", "sweep, s", "bytes, MB", "memory, MiB"]
    out = [TEXT, table(head, rows)]
    if parts:
        out += _cost()
    return [*out, *_bytes(), *_local()]


def _row(lines: list[dict]) -> list[str]:
    every = [s for line in lines for s in line.get("seconds_per_sweep", [])]
    time = f"{middle(lines):.2f} ({min(every):.2f}–{max(every):.2f})"
    line = lines[0]
    row = [f"{line['n_tokens']:,}", time]
    if "bytes_per_sweep" not in line:  # nothing is sent within a process
        return [*row, "no workers", memory(lines, "peak_mib", "mib_before")]
    sent = f"{median(line['bytes_per_sweep']) / 1e6:.1f}"
    return [*row, sent, memory(lines, "worker_peak_mib", "worker_mib_before")]


def memory(lines: list[dict], peak: str, before: str) -> str:
    """Return the largest peak, and the memory before the fit."""
    known = [line for line in lines if peak in line]
    if not known:
        return "not measured"
    return f"{max(line[peak] for line in known):,.0f} ({known[-1][before]:,.0f})"


def _cost() -> list[str]:
    found, points = model()
    rows = []
    for task, at, measured, seen in points:
        told = cost.seconds(at, found)
        rows.append(
            [
                task.removeprefix("sweep, "),
                str(at.n_workers),
                "fitted" if seen else "**not seen**",
                f"{measured:.2f}",
                f"{told:.2f}",
                f"{round(100 * (told / measured - 1)):+d}%",
            ]
        )
    head = ["corpus", "workers", "", "measured, s", "model, s", "difference"]
    each = found.parts
    units = [
        ["draw a token, ns", f"{each.draw * 1e9:.1f}"],
        ["find whether a token moved, ns", f"{each.change * 1e9:.1f}"],
        ["apply a moved token, ns", f"{each.apply * cost.PER_MOVE * 1e9:.1f}"],
        ["count a moved token in a table, ns", f"{each.table * 1e9:.1f}"],
        ["add a table, ns per byte", f"{each.add * 1e9:.2f}"],
        ["messages of a block, ms (fitted)", f"{found.block * 1e3:.1f}"],
        ["receive, ns per byte (fitted)", f"{found.receive * 1e9:.2f}"],
    ]
    return [COST, table(["part", "time"], units), table(head, rows), *_estimate(found)]


def _estimate(found: cost.Cost) -> list[str]:
    at, bandwidth, latency = ESTIMATE
    for line in lines_of("dask_lda"):
        if line["task"] == "receive":
            found = found._replace(receive=line["seconds_per_byte"])
    at = at._replace(moved=model()[1][-1][1].moved)
    sent = cost.exchange(at)
    rows = [
        ["draw, find and add up, s", f"{cost.work(at, found.parts):.0f}"],
        ["sweep, s", f"{cost.seconds(at, found, bandwidth, latency):.0f}"],
        ["received per worker and sweep, GB", f"{sent.received / 1e9:.0f}"],
        ["sent by the busiest worker, GB", f"{sent.sent / 1e9:.0f}"],
        ["memory per worker, GiB", f"{cost.memory(at) / 2**30:.0f}"],
    ]
    text = (
        "**An estimate, not a measurement**: 10¹¹ tokens, 100,000 words and 100 topics on 64 workers with 16 threads.\n"
        "Assumptions: 10 Gbit/s per worker, 0.5 ms per message, threads draw without loss, all other work in one "
        "thread,\nthe same share of moved tokens, a worker that sends a table to all others alone, and the "
        "least time of ten to\nreceive 80 MB in another process of this machine: "
        f"{found.receive * 1e9:.1f} ns per byte.\n"
    )
    return [text, table(["", "estimate"], rows)]


def _bytes() -> list[str]:
    lines = {
        line["n_workers"]: line
        for line in lines_of("dask_lda")
        if line["task"].startswith("bytes")
    }
    if 2 not in lines:
        return []
    moved = moved_share([lines[2]])
    rows = []
    for n, line in sorted(lines.items()):
        told = cost.exchange(load(line, n, moved)).total
        measured = median(line["bytes_per_sweep"])
        rows.append(
            [
                str(n),
                str(line["tasks_per_sweep"]),
                f"{measured / 1e6:.1f}",
                f"{told / 1e6:.1f}",
            ]
        )
    head = [
        "workers",
        "tasks per sweep",
        "measured, MB in all",
        "predicted, MB in all",
    ]
    return [BYTES, table(head, rows)]


def _local() -> list[str]:
    found: dict[str, dict[str, list[dict]]] = defaultdict(lambda: defaultdict(list))
    for line in lines_of("dask_lda"):
        if line["task"].startswith("local"):
            found[line["task"]][line["setting"]].append(line)
    rows = []
    for task, settings in found.items():
        for setting, lines in settings.items():
            values = [line["perplexity"] for line in lines]
            spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
            rows.append(
                [
                    task.removeprefix("local sweeps, "),
                    setting.removeprefix("local_sweeps="),
                    f"{mean(values):.1f}{spread}",
                    f"{mean(line['log_joint'] for line in lines):.4f}",
                    f"{mean(line['bytes_per_sweep'] for line in lines) / 1e6:.1f}",
                    str(len(values)),
                ]
            )
    head = ["corpus", "`local_sweeps`", "perplexity", "log p(w, z)", "MB", "seeds"]
    return [LOCAL, table(head, rows)] if rows else []
