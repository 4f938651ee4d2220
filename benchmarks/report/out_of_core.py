"""The section on corpora that stay on disk."""

from statistics import median

from benchmarks.report.markdown import lines_of, table

TEXT = """\
## Counts on disk

`GibbsLDA` with 100 topics, α = 0.1 and β = 0.01, ten sweeps in two threads, on words that stay in files
([large corpora](guide/large.md)). Documents have the lengths and topic proportions of IMDB reviews, drawn with
replacement. Every token is drawn again from a model of the reviews, so no two documents are alike.

*Sweep* is the median over the sweeps after the first. *In all* includes the expected counts after the last sweep.
*Memory* is the peak without pages of the files, and with those that happened to be in memory. *Same bits after kills*:
another process was killed (SIGKILL) in mid-sweep, twice, and a third one finished its fit.
"""


def section() -> list[str]:
    lines = {line["n_tokens"]: line for line in lines_of("out_of_core")}
    rows = [
        [
            f"{line['n_tokens']:,}",
            f"{line['n_documents']:,}",
            f"{median(line['seconds_per_sweep']):.0f}",
            f"{line['seconds'] / 60:.1f}",
            f"{line['peak_anonymous_mib'] / 1024:.1f}",
            f"{line['peak_mib'] / 1024:.1f}",
            {True: "yes", False: "no", None: "not run"}[
                line.get("same_bits_after_kills")
            ],
        ]
        for _, line in sorted(lines.items())
    ]
    head = [
        "tokens",
        "documents",
        "sweep, s",
        "in all, min",
        "memory, GiB",
        "with pages, GiB",
        "same bits after kills",
    ]
    return [TEXT, table(head, rows)] if rows else []
