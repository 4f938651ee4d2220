"""The section on corpora that stay on disk."""

from statistics import median

from benchmarks.report.markdown import lines_of, table

TEXT = """\
## Counts on disk

`GibbsLDA` with 100 topics, α = 0.1 and β = 0.01, ten sweeps in two threads, on words that stay in files
([large corpora](guide/large.md)). Documents have the lengths and topic proportions of IMDB reviews, drawn with
replacement. Every token is drawn again from a model of the reviews, so no two documents are alike.

*Sweep* is the median over the sweeps after the first. *In all* includes the expected counts after the last sweep.
*Memory* is the peak without pages of the files, and with those that happened to be in memory. *Killed after*: another
fit was killed (SIGKILL) in mid-sweep after these sweeps, and continued. *Same topics*: then all tokens had the same
topics as in the fit without kills.
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
            ", ".join(map(str, line["killed_after_sweeps"])),
            "yes" if line["same_topics_after_kills"] else "no",
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
        "killed after",
        "same topics",
    ]
    return [TEXT, table(head, rows)] if rows else []
