"""The section on fits on a cluster, with the model of their costs."""

from benchmarks.report.markdown import lines_of, table

N_BLOCKS = 32
TEXT = """\
## Fits on a cluster

`DaskGibbsLDA` on processes of one machine with two cores, one thread per process: {K} topics and {V:,} words of
planted topics, 100 tokens per document. The least of five sweeps. The machine did other work at the same time (mean load {load}),
and two processes, the scheduler and the client share two cores. So these figures say nothing about the speed of a
cluster. They show what a block costs: waiting for others takes longer than drawing.

*Predicted* seconds per sweep are `32 ℓ + c T / W`, for T tokens and W workers. The seconds of a round trip, ℓ, and
of a token, c, are solved for from the two smaller corpora, for each number of workers. The largest corpus checks them.
"""
PREDICTION = """\
### A cluster of 64 workers

What the model of costs says about 10¹¹ tokens, 100,000 words and 200 topics on 64 workers of 16 threads each. This
extrapolates far. Nothing of it was measured.

- Assumptions: {rate:.1e} seconds per token and thread (one worker above, times 200 / {K} topics), 16 threads that scale
  perfectly, a round trip of 0.02 s, 1.25 GB/s per machine, no slow worker.
- Tables of changes are dense there, 83 MB each. After each block every worker receives the sums of eight groups. A worker
  that holds a sum sends it to 64 others.
- Memory per worker: 20 bytes per own token and 20 per word and topic.

| per sweep | seconds |
|---|---|
| drawing | {draw:,.0f} |
| round trips | {trips:.1f} |
| changes, after each block | {changes:,.0f} |
| changes, with `local_sweeps=1` | {alone:,.1f} |

Memory: {memory:.0f} GB per worker.
"""
LOCAL = """\
### Local sweeps

{n} sweeps of 8,000 documents on two workers, and the held-out likelihood per token of 1,000 others (document
completion, higher is better). One seed.
"""


def section() -> list[str]:
    lines = lines_of("distributed")
    if not lines:
        return []
    K, V = 50, 5000
    rows, token = [], {}
    for n_workers in sorted({line["workers"] for line in lines}):
        runs = [
            line
            for line in lines
            if line["what"] == "sweep" and line["workers"] == n_workers
        ]
        small, large = [line for line in runs if line["use"] == "fitted"]
        slope = (large["seconds"] - small["seconds"]) / (
            large["tokens"] - small["tokens"]
        )
        trip = small["seconds"] - slope * small["tokens"]
        token[n_workers] = slope
        for line in runs:
            predicted = trip + slope * line["tokens"]
            rows.append(
                [
                    str(n_workers),
                    f"{line['tokens']:,}",
                    f"{line['seconds']:.2f}",
                    f"{predicted:.2f}" if line["use"] == "checked" else "(fitted)",
                    f"{1000 * trip / N_BLOCKS:.0f}",
                ]
            )
    head = ["workers", "tokens", "seconds per sweep", "predicted", "ms per block, ℓ"]
    parts = [TEXT.format(K=K, V=V, load=lines[0]["load"]), table(head, rows)]
    parts += [_prediction(token[1], K), _local(lines)]
    return parts


def _prediction(per_token: float, K: int) -> str:
    tokens, words, topics, workers, threads = 1e11, 1e5, 200, 64, 16
    rate = max(per_token, 0) * topics / K
    dense = words * 208 * 4
    sent = workers * dense / 1.25e9  # by a worker that holds a sum
    return PREDICTION.format(
        rate=rate,
        K=K,
        draw=tokens * rate / workers / threads,
        trips=N_BLOCKS * 0.02,
        changes=N_BLOCKS * sent,
        alone=sent,
        memory=(20 * tokens / workers + 20 * words * 208) / 1e9,
    )


def _local(lines: list[dict]) -> str:
    rows = [
        [
            "after each block"
            if line["local_sweeps"] is None
            else f"after {line['local_sweeps']} sweeps (`local_sweeps={line['local_sweeps']}`)",
            f"{line['held_out']:.4f}",
            f"{line['seconds']:.0f}",
        ]
        for line in lines
        if line["what"] == "local_sweeps"
    ]
    n = next(line["n_sweeps"] for line in lines if line["what"] == "local_sweeps")
    head = ["changes are exchanged", "held-out likelihood", "seconds of the fit"]
    return LOCAL.format(n=n) + "\n" + table(head, rows)
