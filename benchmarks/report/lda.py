"""The section on topic models of counts."""

from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from benchmarks.report.markdown import lines_of, not_run, spread, table

REFERENCE = "tomotopy"
COUNTS = """\
## Topic models on counts

Each table compares LDA implementations on one corpus, by labels or by held-out documents.

- All models get the same tokens. Each run has its own process and one thread. Models alternate within
  a seed.
- Unless a row says otherwise, priors are fixed at α = 1/K and β = 0.1, samplers make 200 sweeps, and
  scikit-learn's variational LDA makes its default ten passes.
- The topics φ of every model are evaluated by the same code, with topic proportions from
  `GibbsLDA.transform` given φ and α.
- *NMI* is the normalized mutual information of a document's first topic with its label. Higher is
  better. No model saw a label.
- *Perplexity* is computed on a held-out tenth of the documents. Every second token is predicted from the
  others. Lower is better.
- Figures are means over the seeds ± their standard deviation. *Time* is the median over the seeds of the
  ratio to tomotopy's time. *Peak memory* includes the corpus and the interpreter.

Rows have different numbers of seeds: compare the last column first. `GibbsLDA` has one seed with 50 topics
or more, and with another β. Its other seeds are the same fits as in the sections on samplers and on topics
of texts, evaluated in the same way. They did not run beside tomotopy. So time, speed and memory are those
of the first seed. On 20 Newsgroups the machine did other work, so time and speed are "–": see the race for them. Models
without sweeps have no tokens per second.
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
            if run.get("n_sweeps") and "seconds" in run
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
        models = (run["model"] for run in runs)
        parts += not_run(models, (run["model"] for run in lines_of("lda")))
    return parts
