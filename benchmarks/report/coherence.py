"""The section on coherence against gensim."""

from benchmarks.report.markdown import lines_of, table

COHERENCE = """\
## Coherence against gensim

Coherence here and in gensim: the largest difference of the values, and the time.

Fifty topics of ten words on 20 Newsgroups without headers, quotes and footers. Both get the same lists of
words and run in one process. For UMass both get counts made beforehand. Medians of five alternating runs.
"""


def section() -> list[str]:
    rows = [
        [
            line["measure"],
            f"{line['difference']:.0g}",
            f"{line['seconds']:.3f}",
            f"{line['gensim_seconds']:.3f}",
            f"**{line['times_faster']:.0f}**",
        ]
        for line in lines_of("coherence")
    ]
    head = ["measure", "largest difference", "seconds", "gensim", "times faster"]
    return [COHERENCE, table(head, rows)]
