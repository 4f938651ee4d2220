"""The section on names of topics."""

from collections import defaultdict

from benchmarks import naming
from benchmarks.report.markdown import lines_of, spread, table

NAMING = """\
## Names of topics

How many of K topics have a name that fits them better than the other topics.

A name is a hit if its vector (MiniLM) is nearer to representative documents of its own topic than to those
of any other topic. The measure is the mean cosine with ten documents. The language model did not see them:
it was shown the three before them. SmolLM2-135M, models with their defaults, means over the seeds. *By the
model* counts the names that the language model wrote; the other topics are named by three of their words. *Captions* are
names with three words beside them. *Unchecked* is
`check_documents=False`. *Three words* are the first three of each topic, without a language model.
SearchSnippets: a sample of 4,000. 20 Newsgroups: 3,000 posts. The constants of the check were chosen on other
documents: 4,000 titles of StackOverflow and 3,000 other posts.

- **Ahead**: names that pass the check by documents fit at least as often as the unchecked names of the same model.
- **Not ahead**: of three words. Words fit as often or more often. A language model of this size does not find names that
  fit better. A larger one is needed for that.
"""


def section() -> list[str]:
    found: dict[tuple, dict[str, dict[int, dict]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for line in lines_of("naming"):
        cell = line["corpus"], line["model"], line["n_topics"]
        found[cell][line["way"]][line["seed"]] = line
    rows = []
    for (corpus, model, K), by_way in found.items():
        hits = [
            spread([line["hits"] for line in by_way[way].values()], 1)
            if by_way[way]
            else "–"
            for way in naming.WAYS
        ]
        checked = list(by_way[naming.CHECKED].values())
        by_model = spread([line["by_model"] for line in checked], 1)
        rows.append(
            [f"{corpus}, K={K}", model, hits[0], by_model, *hits[1:], str(len(checked))]
        )
    ways = ["unchecked" if way == naming.UNCHECKED else way for way in naming.WAYS]
    head = ["corpus", "topics of", ways[0], "by the model", *ways[1:], "seeds"]
    return [NAMING, table(head, rows)] if rows else []
