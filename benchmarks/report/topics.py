"""The section on topic models of texts."""

from statistics import mean, median

from benchmarks.corpora import TEXT_PROBLEMS
from benchmarks.models import MODELS
from benchmarks.report.markdown import lines_of, spread, table

TOPICS = """\
## Topics of texts

All models get the same words (those of `TextAnalyzer` in five documents to half of them) and
the same vectors (MiniLM's, of the first 256 tokens of a text); peers keep their defaults. Every
run has a process and one thread to itself. *Seconds*, the median over the seeds, go from
words and vectors made beforehand to topics and mixtures, after a run on some 200 documents that
imports and compiles; only `α=auto` cuts and encodes texts in them, for it reads halves.
*Peak memory* is that of the whole process.

*NPMI* (pairs in documents) and *C_v* (windows of 110 words) are the coherence of the topics'
ten words in the same texts, *diversity* the share of different words among them. *NMI* and
*purity* compare a document's first topic with its label, *accuracy* is that of a logistic
regression of the labels on the logarithm of the mixtures, in three folds. No model saw a label.
Higher is better in all six; the best of the models with K topics is bold. Figures are means
over the seeds ± their standard deviation.

The defaults of `FusionTopicModel` were chosen on BBC news, K=5, and StackOverflow; the other
problems are confirmation, save that the start of k-means and the score of words were settled
when some of their figures had been seen. Where it is worse: on StackOverflow its words are less
coherent than those of `GibbsLDA`, which groups titles by the words they share; by accuracy
`BERTopic, UMAP + k-means` is ahead on SearchSnippets and on 20 Newsgroups, K=20. `BERTopic` finds its own number of topics, which raises purity, and
its documents without a topic share one more. `BERTopic, UMAP + k-means` returns labels alone;
the classifier is given the documents' distances to the centres, which tell it more. The
signals of `S3` have both signs: its mixtures are their softmax. `tomotopy LDA` has the
mixtures of `GibbsLDA.transform` given its topics.
"""
MEASURES = ["npmi", "c_v", "diversity", "nmi", "purity", "accuracy"]
TITLES = ["NPMI", "C_v", "diversity", "NMI", "purity", "accuracy"]


def topics_table(by_model: dict[str, list[dict]]) -> str:
    def rounded(model: str, measure: str) -> float:
        return round(mean(run[measure] for run in by_model[model]), 3)

    best = {
        measure: max(
            rounded(model, measure)
            for model, runs in by_model.items()
            if "n_topics" not in runs[0]
        )
        for measure in MEASURES
    }
    rows = []
    for model, runs in by_model.items():
        cells = {
            measure: spread([run[measure] for run in runs], 3) for measure in MEASURES
        }
        bold = [
            f"**{cell}**" if rounded(model, measure) == best[measure] else cell
            for measure, cell in cells.items()
        ]
        seconds = f"{median(run['seconds'] for run in runs):.1f}"
        peak = f"{median(run['peak_mib'] for run in runs):.0f}"
        rows.append([model, *bold, seconds, peak, str(len(runs))])
    return table(["model", *TITLES, "seconds", "peak MiB", "seeds"], rows)


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
    last = {
        (line["problem"], line["model"], line["seed"]): line
        for line in lines_of("topics")
    }
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
        parts += [topics_table(by_model), *topics_notes(by_model)]
    return parts
