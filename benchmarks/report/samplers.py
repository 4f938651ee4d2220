"""The section on samplers and priors of ``GibbsLDA``."""

from collections import defaultdict
from itertools import combinations

from benchmarks.report.markdown import lines_of, spread, table
from benchmarks.samplers import agreement

SAMPLERS = """\
## Exact and blocked sampling, fixed and learned priors

`GibbsLDA` after 200 sweeps, from α = 1/K and β = .1; means over the seeds ± their standard
deviation. *Perplexity*, *NPMI* and *log p(w, z)* as in the race; *stability* is the share of a
topic's ten words that the topic matched to it has in another seed's fit. Lower perplexity
is better, higher is better elsewhere. Likelihoods under learned priors are those of other
models than under fixed ones.
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
        parts += [f"### {problem}", table(header, rows)]
    return parts
