"""The section on grid searches."""

from collections import defaultdict
from statistics import median

from benchmarks.report.markdown import lines_of, table

SEARCH = """\
## Grid search against its single fits

Each table shows what `GridSearchCV` costs beside the same fits without it.

- `FusionTopicModel` on BBC news: 5 K (5 to 30) × 5 α (0.1 to 0.9) × 3 folds, without a refit.
- *Alone* is scored by the model's own `score`. *With a classifier* is a Pipeline with `LogisticRegression`,
  scored by accuracy. *Single fits* are the same 75 fits and scores, one after another in one process.
- Vectors are on disk beforehand, except where the cache is empty. Each measurement has its own process, and
  the workers of two jobs start within it.
- *Ratios* are to the single fits of the same round. With an empty cache, they are to those plus the encoding
  alone. All figures are medians over the rounds.
- The machine did other work at the same time. CPU seconds are more reliable than seconds, and two jobs had
  little more of the machine than one.
"""


def section() -> list[str]:
    runs: dict[tuple, dict] = defaultdict(dict)
    for line in lines_of("search"):
        found = runs[line["n_texts"], line["every"], line["max_iter"]]
        run = line["way"], line["n_jobs"], line["cold"]
        found.setdefault(run, {})[line["round"]] = line
    parts = [SEARCH] if runs else []
    names = {None: "encoding alone", 0: "single fits", 1: "1 job", 2: "2 jobs"}
    for (n_texts, every, max_iter), found in runs.items():
        which = f" (every {every}th article)" if every > 1 else ""
        rows = []
        for (way, n_jobs, cold), rounds in found.items():
            bases = [found.get((way.removesuffix(", memory"), 0, False), {})]
            if cold:
                bases.append(found.get(("encoding", None, True), {}))
            cells = []
            for name in ("seconds", "cpu_seconds"):
                ratios = [
                    line[name] / sum(base[number][name] for base in bases)
                    for number, line in rounds.items()
                    if n_jobs and all(number in base for base in bases)
                ]
                cells.append(f"{median(line[name] for line in rounds.values()):.0f}")
                cells.append(f"**{median(ratios):.2f}**" if ratios else "–")
            rows.append(
                [
                    "" if n_jobs is None else way,
                    "empty" if cold else "full",
                    names[n_jobs],
                    *cells,
                    str(len(rounds)),
                ]
            )
        head = ["estimator", "cache", "run", "seconds", "ratio"]
        head += ["CPU seconds", "ratio", "rounds"]
        parts += [
            f"### {n_texts:,} texts{which}, {max_iter} sweeps\n",
            table(head, rows),
        ]
    return parts
