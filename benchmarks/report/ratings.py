"""The section on coherence and people."""

from collections import defaultdict

from benchmarks.report.markdown import lines_of, table

RATINGS = """\
## Coherence and people

How well measures of topics agree with people (Spearman correlation).

150 topics of three models per corpus. *Rating* is the mean rating of a topic by people. *Intrusion* is the
share of people who found the intruder among its words (Hoyle et al. 2021). The values of NPMI, C_v, UCI and
UMass are the authors', counted on the models' own corpus. In brackets: the 95 % interval over resampled
topics.
"""


def section() -> list[str]:
    cells: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines_of("ratings"):
        cells[line["measure"]][f"{line['corpus']}, {line['task']}"] = (
            f"{line['spearman']:.2f} [{line['low']:.2f}, {line['high']:.2f}]"
        )
    head = list(next(iter(cells.values())))
    rows = [[name, *(row[column] for column in head)] for name, row in cells.items()]
    return [RATINGS, table(["measure", *head], rows)]
