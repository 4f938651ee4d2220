"""The section on topic models of counts."""

from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from benchmarks.report.markdown import lines_of, spread, table

REFERENCE = "tomotopy"
COUNTS = """\
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

Not all rows have the same number of seeds: look at the last column before you compare two rows.
`GibbsLDA` has one with 50 topics or more, and with another β. Its other seeds come from the sections
on samplers and on topics of texts below. These are the same fits, judged in the same way. They were not run beside
tomotopy: time, speed and memory are those of the first seed, and missing on 20 Newsgroups. For times
on 20 Newsgroups see the race below.
"""


def model_table(runs: list[dict]) -> str:
    by_model: dict[str, dict[int, dict]] = defaultdict(dict)
    for run in runs:
        by_model[run["model"]].setdefault(run["seed"], {}).update(run)
    score, title, digits = ("nmi", "NMI", 3)
    if score not in runs[0]:
        score, title, digits = ("perplexity", "perplexity", 0)
    reference = by_model.get(REFERENCE, {})
    rows = []
    for model, seeds in by_model.items():
        ratios = [
            run["seconds"] / reference[seed]["seconds"]
            for seed, run in seeds.items()
            if seed in reference and "seconds" in run
        ]
        speeds = [
            run["n_sweeps"] * run["n_tokens"] / run["seconds"] / 1e6
            for run in seeds.values()
            if run.get("n_sweeps")
        ]
        peaks = [run["peak_mib"] for run in seeds.values() if "peak_mib" in run]
        rows.append(
            [
                model,
                spread([run[score] for run in seeds.values()], digits),
                f"{median(ratios):.2f}" if ratios else "–",
                f"{median(speeds):.1f}" if speeds else "–",
                f"{median(peaks):.0f}" if peaks else "–",
                str(len(seeds)),
            ]
        )
    head = ["model", title, "time / tomotopy", "M tokens/s", "peak MiB", "seeds"]
    return table(head, rows)


def more_seeds() -> Iterator[dict]:
    """Yield the scores of the same fits of ``GibbsLDA`` from other matrices."""
    for run in lines_of("samplers"):
        few = run["problem"].startswith("Reuters")
        if run["model"] == ("exact" if few else "blocked"):  # the default there
            yield {key: run[key] for key in ("problem", "seed", "perplexity")}
    for run in lines_of("topics"):
        if run["model"] == "GibbsLDA":
            problem = f"{run['problem']}, labels"
            yield {"problem": problem, "seed": run["seed"], "nmi": run["nmi"]}


def section() -> list[str]:
    by_problem: dict[str, list[dict]] = defaultdict(list)
    for run in lines_of("lda"):
        by_problem[run["problem"]].append(run)
    for run in more_seeds():
        if run["problem"] in by_problem:
            by_problem[run["problem"]].append({"model": "GibbsLDA", **run})
    parts = [COUNTS]
    for problem, runs in by_problem.items():
        size = runs[0]
        parts.append(
            f"### {problem}\n\n{size['n_documents']:,} documents, {size['n_words']:,} "
            f"words, {size['n_tokens']:,} tokens to fit.\n"
        )
        parts.append(model_table(runs))
    return parts
