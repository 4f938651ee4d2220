"""The section on Pachinko allocation."""

from collections import defaultdict
from statistics import median

from benchmarks.report.markdown import lines_of, spread, table

PACHINKO = """## Pachinko allocation

{py:class}`llmtopics.PachinkoAllocation` and tomotopy's `PAModel` after 200 sweeps in one thread,
with S super-topics and K sub-topics, both learning α_st from .1 with α_s at .1; LDA with K topics
beside them. Perplexity is that of document completion, all by one evaluator under each model's φ
and priors; tomotopy's own inference of the same halves is in the next column. Learning of priors
is in the times. Our first quarter of the sweeps is that of an LDA. On 20 Newsgroups, tomotopy's first
seeds were timed with other work on the machine and ours with less; the second seeds of both ran
one after the other under the same load: 582 seconds against 70, 8.3 to 1.
"""


def section() -> list[str]:
    runs: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("pachinko"):
        runs[line["problem"]][line["model"]][line["seed"]] = line
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
                    spread(own, 0) if own else "–",
                    f"{median(times):.1f}" if times else "–",
                    f"{median(line['seconds'] for line in found):.1f}",
                    f"{median(line['transform_seconds'] for line in found):.1f}",
                    str(len(found)),
                ]
            )
        head = ["model", "perplexity", "by its own inference", "time / ours"]
        head += ["seconds", "transform", "seeds"]
        parts += [f"### {problem}", table(head, rows)]
    return parts
