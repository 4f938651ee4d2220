"""The section on Pachinko allocation."""

from collections import defaultdict
from statistics import median

from benchmarks.report.markdown import runs_of, spread, table

PACHINKO = """\
## Pachinko allocation

Each table compares {py:class}`llmtopics.PachinkoAllocation` with tomotopy's `PAModel` on one corpus, and
with LDA with K topics.

- S super-topics and K sub-topics, 200 sweeps, one thread. Both learn α_st from 0.1 with α_s at 0.1. Times
  include the learning of priors. The first quarter of our sweeps is an LDA.
- *Perplexity* is that of the second halves of documents, computed by the same code under each model's φ and
  priors. The next column has tomotopy's own inference of the same halves. Ours is in both columns.
- On 20 Newsgroups, tomotopy's first seeds were timed with other work on the machine and ours with less. The
  second seeds of both ran one after the other under the same load: 582 seconds against 70, 8.3 to 1.
"""


def section() -> list[str]:
    runs: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for (problem, model, seed), line in runs_of("pachinko").items():
        runs[problem][model][seed] = line
    parts = [PACHINKO] if runs else []
    for problem, models in runs.items():
        ours = models["PachinkoAllocation"]
        rows = []
        for model, by_seed in models.items():
            found = list(by_seed.values())
            own = [line["own_perplexity"] for line in found if "own_perplexity" in line]
            times = [
                by_seed[seed]["seconds"] / ours[seed]["seconds"]
                for seed in by_seed.keys() & ours.keys()
            ]
            rows.append(
                [
                    model,
                    spread([line["perplexity"] for line in found], 0),
                    spread(own, 0) if own else "the same",
                    f"{median(times):.1f}" if times else "–",
                    f"{median(line['seconds'] for line in found):.1f}",
                    f"{median(line['transform_seconds'] for line in found):.1f}",
                    str(len(found)),
                ]
            )
        head = ["model", "perplexity", "by its own inference", "time / ours"]
        head += ["seconds", "transform", "seeds"]
        parts += [f"### {problem}\n", table(head, rows)]
    return parts
