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


ROWS = {
    "tokens": lambda line: f"{line['n_tokens']:,}",
    "documents": lambda line: f"{line['n_documents']:,}",
    "sweep, seconds": lambda line: f"{median(line['seconds_per_sweep']):.0f}",
    "in all, minutes": lambda line: f"{line['seconds'] / 60:.1f}",
    "memory, GiB": lambda line: f"{line['peak_anonymous_mib'] / 1024:.1f}",
    "memory with pages, GiB": lambda line: f"{line['peak_mib'] / 1024:.1f}",
    "killed after": lambda line: ", ".join(map(str, line["killed_after_sweeps"])),
    "same topics": lambda line: "yes" if line["same_topics_after_kills"] else "no",
}


def section() -> list[str]:
    lines = {line["n_tokens"]: line for line in lines_of("out_of_core")}
    fits = [lines[n_tokens] for n_tokens in sorted(lines)]
    head = ["", *(["fit"] * len(fits))]
    rows = [[name, *map(value, fits)] for name, value in ROWS.items()]
    return [TEXT, table(head, rows)] if fits else []
