"""Turn the lines of ``results/`` into ``docs/benchmarks.md``."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, median, stdev

ROOT = Path(__file__).parent
PAGE = ROOT.parent / "docs" / "benchmarks.md"
REFERENCE = "tomotopy"
HEAD = """\
# Benchmarks

Made by `make bench` from the lines in `benchmarks/results/`; do not edit by hand. These
machines are shared and noisy: trust ratios, not seconds.
"""
MODELS = """\
## Topic models on counts

Every run has a process and one thread to itself; models alternate within a seed. All see the
same tokens. Where a row names nothing else, priors are fixed at α = 1/K and β = .1, samplers
make 200 sweeps, and scikit-learn's variational LDA its default ten passes.

The topics φ of every model are judged by the same code: mixtures are those of
`GibbsLDA.transform` given φ and α. *NMI* is the normalised mutual information of a document's
first topic with its label (higher is better; no model saw a label). *Perplexity* is that of
every second token of the held-out tenth of the documents, given the others (lower is
better). Figures are means over the seeds ± their standard deviation. *Time* is the median,
over the seeds, of the ratio to tomotopy's. *Peak memory* is that of the whole process,
corpus and interpreter included.
"""
COHERENCE = """\
## Coherence against gensim

Fifty topics of ten words on 20 Newsgroups without headers, quotes and footers; both get the
same lists of words (for UMass the documents' counts, made beforehand, as gensim's dictionary
is) and run in one process; medians of five alternating runs.
"""
RATINGS = """\
## Coherence and people

Spearman correlation, over 150 topics of three models a corpus, of measures with people's mean
rating of a topic and with the share of people who found its intruder (Hoyle et al. 2021; the
values of the measures are the authors', counted on the models' own corpus). In brackets the
95 % interval over resampled topics.
"""


def lines_of(name: str) -> list[dict]:
    path = ROOT / "results" / f"{name}.jsonl"
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def table(head: list[str], rows: list[list[str]]) -> str:
    parts = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in parts) + "\n"


def spread(values: list[float], digits: int) -> str:
    text = f"{mean(values):.{digits}f}"
    return text + (f" ± {stdev(values):.{digits}f}" if len(values) > 1 else "")


def model_table(runs: list[dict]) -> str:
    by_model: dict[str, dict[int, dict]] = defaultdict(dict)
    for run in runs:
        by_model[run["model"]][run["seed"]] = run
    score, title, digits = ("nmi", "NMI", 3)
    if score not in runs[0]:
        score, title, digits = ("perplexity", "perplexity", 0)
    reference = by_model.get(REFERENCE, {})
    rows = []
    for model, seeds in by_model.items():
        ratios = [
            run["seconds"] / reference[seed]["seconds"]
            for seed, run in seeds.items()
            if seed in reference
        ]
        speeds = [
            run["n_sweeps"] * run["n_tokens"] / run["seconds"] / 1e6
            for run in seeds.values()
            if run["n_sweeps"]
        ]
        rows.append(
            [
                model,
                spread([run[score] for run in seeds.values()], digits),
                f"{median(ratios):.2f}" if ratios else "–",
                f"{median(speeds):.1f}" if speeds else "–",
                f"{median(run['peak_mib'] for run in seeds.values()):.0f}",
                str(len(seeds)),
            ]
        )
    head = ["model", title, "time / tomotopy", "M tokens/s", "peak MiB", "seeds"]
    return table(head, rows)


def models_section() -> list[str]:
    by_problem: dict[str, list[dict]] = defaultdict(list)
    for run in lines_of("lda"):
        by_problem[run["problem"]].append(run)
    parts = [MODELS]
    for problem, runs in by_problem.items():
        size = runs[0]
        parts.append(
            f"### {problem}\n\n{size['n_documents']:,} documents, {size['n_words']:,} "
            f"words, {size['n_tokens']:,} tokens to fit.\n"
        )
        parts.append(model_table(runs))
    return parts


def coherence_section() -> list[str]:
    rows = [
        [
            line["measure"],
            f"{line['difference']:.0e}",
            f"{line['seconds']:.3f}",
            f"{line['gensim_seconds']:.3f}",
            f"**{line['times_faster']:.0f}**",
        ]
        for line in lines_of("coherence")
    ]
    head = ["measure", "largest difference", "seconds", "gensim", "times faster"]
    return [COHERENCE, table(head, rows)]


def ratings_section() -> list[str]:
    cells: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines_of("ratings"):
        cells[line["measure"]][f"{line['corpus']}, {line['task']}"] = (
            f"{line['spearman']:.2f} [{line['low']:.2f}, {line['high']:.2f}]"
        )
    head = list(next(iter(cells.values())))
    rows = [[name, *(row[column] for column in head)] for name, row in cells.items()]
    return [RATINGS, table(["measure", *head], rows)]


def environment_section() -> list[str]:
    seen = {}
    for line in lines_of("lda") + lines_of("coherence"):
        versions = ", ".join(
            f"{name} {number}" for name, number in line["versions"].items()
        )
        seen[f"- {line['machine']}, Python {line['python']}, {versions}"] = line["date"]
    rows = [f"{text}; last on {date}" for text, date in seen.items()]
    return ["## Environments\n", "\n".join(rows) + "\n"]


def main() -> None:
    parts = [HEAD, *models_section(), *coherence_section(), *ratings_section()]
    PAGE.write_text("\n".join(parts + environment_section()), "utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
