"""The section on coherence against gensim."""

from benchmarks.report.markdown import lines_of, table

COHERENCE = """\
## Coherence against gensim

Fifty topics of ten words on 20 Newsgroups without headers, quotes and footers; both get the
same lists of words (for UMass the documents' counts, made beforehand, as gensim's dictionary
is) and run in one process; medians of five alternating runs.
"""


def section() -> list[str]:
    rows = [
        [
            line["measure"],
            f"{line['difference']:.0e}",
            f"{line['seconds']:.3f}",
            f"{line['gensim_seconds']:.3f}",
            f"**{line['times_faster']:.0f}**",
        ]
        for line in lines_of("coherence")
    ]
    head = ["measure", "largest difference", "seconds", "gensim", "times faster"]
    return [COHERENCE, table(head, rows)]
