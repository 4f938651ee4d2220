"""The section on names of topics."""

from collections import defaultdict

from benchmarks import naming
from benchmarks.report.markdown import lines_of, spread, table

NAMING = """\
## Names of topics

How many of K topics have a name that fits them better than the other topics.

A name is a hit if its vector (MiniLM) is nearer to representative documents of its own topic than to those
of any other topic. The measure is the mean cosine with ten documents. The language model did not see them:
it was shown the three before them. SmolLM2-135M, models with their defaults, means over the seeds ± their
standard deviation. *Three words* are the first three of each topic, without a language model.
"""


def section() -> list[str]:
    found: dict[tuple, dict[str, dict[int, int]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for line in lines_of("naming"):
        cell = line["corpus"], line["model"], line["n_topics"]
        found[cell][line["way"]][line["seed"]] = line["hits"]
    rows = [
        [
            f"{corpus}, K={K}",
            model,
            *(spread(list(by_way[way].values()), 1) for way in naming.WAYS),
            str(len(by_way[naming.WAYS[0]])),
        ]
        for (corpus, model, K), by_way in found.items()
    ]
    head = ["corpus", "topics of", *naming.WAYS, "seeds"]
    return [NAMING, table(head, rows)] if rows else []
