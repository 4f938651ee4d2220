"""Turn the lines of ``results/`` into ``docs/benchmarks.md``."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, median, stdev

from benchmarks.run import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
REFERENCE = "tomotopy"
HEAD = """\
# Benchmarks

Made by `make bench` from the runs in `benchmarks/results/`; do not edit by hand. Every run has
a process and one thread to itself; models alternate within a seed. All models see the same
tokens; where a row names no priors they are α = 1/K and β = .1, and the samplers make 200
sweeps with the priors fixed. scikit-learn's variational LDA makes its default ten passes.

The topics φ of every model are judged by the same code: mixtures are those of
`GibbsLDA.transform` given φ and α. *NMI* is the normalised mutual information of a document's
first topic with its label (higher is better; no model saw a label). *Perplexity* is that of
every second token of documents held out, given the others (lower is better). Figures are
means over the seeds ± their standard deviation. *Time* is the median ratio, seed by seed, to
tomotopy's in the same run: these machines are shared, seconds on them mean little. *Peak
memory* is that of the whole process, corpus and interpreter included.
"""


def spread(values: list[float], digits: int) -> str:
    text = f"{mean(values):.{digits}f}"
    return text + (f" ± {stdev(values):.{digits}f}" if len(values) > 1 else "")


def table(runs: list[dict]) -> str:
    by_model: dict[str, dict[int, dict]] = defaultdict(dict)
    for run in runs:
        by_model[run["model"]][run["seed"]] = run
    score, digits = ("nmi", 3) if "nmi" in runs[0] else ("perplexity", 0)
    title = {"nmi": "NMI", "perplexity": "perplexity"}[score]
    rows = [
        f"| model | {title} | time / tomotopy | M tokens/s | peak MiB | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for model, seeds in by_model.items():
        pairs = [(run, by_model[REFERENCE].get(seed)) for seed, run in seeds.items()]
        ratio = median(a["seconds"] / b["seconds"] for a, b in pairs if b)
        cells = [
            model,
            spread([run[score] for run in seeds.values()], digits),
            f"{ratio:.2f}",
            "–" if "scikit-learn" in model else speed(list(seeds.values())),
            f"{median(run['peak_mib'] for run in seeds.values()):.0f}",
            str(len(seeds)),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def speed(runs: list[dict]) -> str:
    from benchmarks.models import N_SWEEPS

    return f"{median(N_SWEEPS * run['n_tokens'] / run['seconds'] for run in runs) / 1e6:.1f}"


def main() -> None:
    runs = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]
    by_problem: dict[str, list[dict]] = defaultdict(list)
    for run in runs:
        by_problem[run["problem"]].append(run)
    parts = [HEAD]
    for problem, its_runs in by_problem.items():
        size = its_runs[0]
        parts.append(f"## {problem}\n")
        parts.append(
            f"{size['n_documents']:,} documents, {size['n_words']:,} words, "
            f"{size['n_tokens']:,} tokens to fit.\n"
        )
        parts.append(table(its_runs) + "\n")
    last = runs[-1]
    versions = ", ".join(
        f"{name} {number}" for name, number in last["versions"].items()
    )
    parts.append(
        f"## Environment\n\n{last['cpu']}, Python {last['python']}, {versions}; last run on "
        f"{last['date']}.\n"
    )
    PAGE.write_text("\n".join(parts), "utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
