"""The section on samplers and priors of ``GibbsLDA``."""

from collections import defaultdict
from itertools import combinations

from benchmarks.report.markdown import lines_of, spread, table
from benchmarks.samplers import agreement

SAMPLERS = """\
## Exact and blocked sampling, fixed and learned priors

Each table compares the settings of `GibbsLDA` on one corpus, after 200 sweeps, starting from α = 1/K and
β = 0.1. Figures are means over the seeds ± their standard deviation.

*Perplexity*, *NPMI* and *log p(w, z)* are those of the race. *Stability* is the share of a topic's ten
words that the matching topic of another seed's fit also has. Lower perplexity is better. Higher is better
elsewhere. Do not compare likelihoods under learned priors with those under fixed priors.
"""


def section() -> list[str]:
    runs: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("samplers"):
        runs[line["problem"]][line["model"]][line["seed"]] = line
    parts = [SAMPLERS] if runs else []
    for problem, models in runs.items():
        rows = []
        for model, by_seed in models.items():
            found = list(by_seed.values())
            words = [line["words"] for line in found]
            shares = [agreement(a, b) for a, b in combinations(words, 2)]
            rows.append(
                [
                    model,
                    spread([line["perplexity"] for line in found], 0),
                    spread([line["log_joint"] for line in found], 3),
                    spread([line["npmi"] for line in found], 3),
                    spread(shares, 2) if shares else "–",
                    str(len(found)),
                ]
            )
        header = ["GibbsLDA", "perplexity", "log p(w, z)", "NPMI", "stability", "seeds"]
        parts += [f"### {problem}\n", table(header, rows)]
    return parts
