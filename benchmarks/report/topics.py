"""The section on topic models of texts."""

from statistics import mean, median

from benchmarks.corpora import TEXT_PROBLEMS
from benchmarks.models import MODELS
from benchmarks.report.markdown import not_run, runs_of, spread, table
from benchmarks.report.published import published

TOPICS = """\
## Topics of texts

Each table compares topic models of texts on one corpus with K topics.

- All models get the same words and the same vectors. The words are those of `TextAnalyzer` in five
  documents to half of them. Links, e-mail addresses and words broken at line ends are read as plain text. The vectors are MiniLM's, of the first 256 tokens of a text. Other libraries
  keep their defaults. Each run has its own process and one thread.
- *NPMI* (pairs in documents) and *C_v* (windows of 110 words) are the coherence of the topics' ten words in
  the same texts. *Diversity* is the share of different words among them.
- *NMI*, *ARI* (adjusted Rand index) and *purity* compare a document's first topic with its label. *ACC* matches
  each topic with one label, where there are as many topics as labels. *Accuracy* is that of a logistic
  regression from the logarithm of the topic proportions to the labels, in three folds. No model saw a label.
- *Seconds* are the median over the seeds. They go from words and vectors made beforehand to topics and topic
  proportions, after a run on about 200 documents that imports and compiles. *Peak memory* is that of the whole process.
- *Seconds* of models of counts are of a quiet machine. Other models ran while it did other work: compare those
  by their order of size. "–" is a measure that was not taken. Where other measures were taken again later, seconds are
  those of the earlier fit.
- Higher is better up to *accuracy*. The best of the models with K topics is bold. Figures are means over the
  seeds ± their standard deviation. Those without ± are of one seed.

The defaults of `FusionTopicModel` were chosen on BBC news, K=5, and StackOverflow. The other problems confirm
them, with two exceptions. The start of k-means and the ranking of words were decided after some of their
figures had been seen.

Limitations:

- On StackOverflow, the words of `FusionTopicModel` are less coherent than those of `GibbsLDA`, which groups
  titles by the words they share.
- `BERTopic, UMAP + k-means` is ahead by accuracy on SearchSnippets. On BBC news, K=30, and 20 Newsgroups, K=50, it is
  ahead by ARI, and a little by NMI.
- On BBC news, K=30, `pooling="geometric"` is ahead of the default by NPMI, ARI and a little by NMI, and on titles and
  snippets behind it by NMI.

Notes on the other models:

- `BERTopic` finds its own number of topics, which raises purity. Its documents without a topic share one
  more topic.
- `BERTopic, UMAP + k-means` returns labels alone. The classifier gets the distances of the documents to the
  cluster centers, which have more information.
- `S3` returns signals of both signs. Its topic proportions are their softmax.
- `tomotopy LDA` has the topic proportions of `GibbsLDA.transform` given its topics.
"""
MEASURES = {
    "npmi": "NPMI",
    "c_v": "C_v",
    "diversity": "diversity",
    "nmi": "NMI",
    "ari": "ARI",
    "purity": "purity",
    "matched_accuracy": "ACC",
    "accuracy": "accuracy",
}


def topics_tables(by_model: dict[str, list[dict]], K: int) -> list[str]:
    """Return quality and cost of a problem. ACC is for as many topics as labels."""
    runs = [run for runs in by_model.values() for run in runs]
    n_labels = max(run.get("n_labels", 0) for run in runs)
    measures = {
        measure: title
        for measure, title in MEASURES.items()
        if any(measure in run for run in runs)
        and (measure != "matched_accuracy" or n_labels == K)
    }

    def values(model: str, measure: str) -> list[float]:
        return [run[measure] for run in by_model[model] if measure in run]

    def rounded(model: str, measure: str) -> float:
        found = values(model, measure)
        return round(mean(found), 3) if found else -1.0

    best = {
        measure: max(
            rounded(model, measure)
            for model, runs in by_model.items()
            if "n_topics" not in runs[0]
        )
        for measure in measures
    }
    quality, cost = [], []
    for model, runs in by_model.items():
        cells = {
            measure: spread(values(model, measure), 3)
            if values(model, measure)
            else "–"
            for measure in measures
        }
        bold = [
            f"**{cell}**" if rounded(model, measure) == best[measure] else cell
            for measure, cell in cells.items()
        ]
        seconds = values(model, "seconds")
        peak = f"{median(run['peak_mib'] for run in runs):.0f}"
        quality.append([model, *bold])
        time = f"{median(seconds):.1f}" if seconds else "–"
        cost.append([model, time, peak, str(len(runs))])
    return [
        table(["model", *measures.values()], quality),
        table(["model", "seconds", "peak MiB", "seeds"], cost),
    ]


def topics_notes(by_model: dict[str, list[dict]]) -> list[str]:
    """Say what a run found that others are given."""
    notes = []
    for model, runs in by_model.items():
        if "n_topics" in runs[0]:
            n_topics = mean(run["n_topics"] for run in runs)
            outliers = mean(run["outliers"] for run in runs)
            notes.append(
                f"`{model}` found {n_topics:.0f} topics and left {outliers:.0%} of the "
                "documents without one.\n"
            )
        if model.endswith("auto"):
            alphas = ", ".join(str(run["alpha"]) for run in runs)
            notes.append(f"`{model}` chose {alphas}.\n")
    return notes


def section() -> list[str]:
    last = runs_of("topics")
    measured = {model for _, model, _ in last}
    parts = [TOPICS]
    for problem in TEXT_PROBLEMS:
        by_model = {
            model: [run for key, run in last.items() if key[:2] == (problem, model)]
            for model in MODELS
        }
        by_model = {model: runs for model, runs in by_model.items() if runs}
        if not by_model:
            continue
        size = next(iter(by_model.values()))[0]
        parts.append(
            f"### {problem}\n\n{size['n_documents']:,} documents, {size['n_words']:,} "
            f"words, {size['n_tokens']:,} tokens.\n"
        )
        K = TEXT_PROBLEMS[problem][1]
        parts += [*topics_tables(by_model, K), *topics_notes(by_model)]
        parts += not_run(by_model, filter(measured.__contains__, MODELS))
    return parts + published(last)
