"""The section on the web page about topics."""

from benchmarks.report.markdown import lines_of, table

PAGES = """\
## Web page about topics

`topic_report` of `GibbsLDA` topics. *Write* is the time to make the page in Python, after the fit. The others are
milliseconds in headless Chromium, medians of five times, until the result is on the screen. *First search* prepares
the texts. Two cores, no GPU.
"""
MEASURES = {
    "write_seconds": ("write, s", "{:.0f}"),
    "megabytes": ("size, MB", "{:.1f}"),
    "open_ms": ("open, ms", "{:.0f}"),
    "first_search_ms": ("first search", "{:.0f}"),
    "search_ms": ("search", "{:.0f}"),
    "filter_ms": ("filter", "{:.0f}"),
    "topic_ms": ("choose a topic", "{:.0f}"),
    "zoom_ms": ("zoom", "{:.0f}"),
}


def section() -> list[str]:
    last = {line["task"]: line for line in lines_of("topic_page")}
    rows = [
        [
            f"{task}, K={line['n_topics']}",
            f"{line['n_documents']:,}",
            *(form.format(line[key]) for key, (_, form) in MEASURES.items()),
        ]
        for task, line in last.items()
    ]
    head = ["corpus", "documents", *(name for name, _ in MEASURES.values())]
    return [PAGES, table(head, rows)]
