"""The section on language models that were trained and tuned."""

from benchmarks.report.markdown import lines_of, spread, table

CLASSIFY = """\
## Classifiers from 200 labels

How well `TransformerClassifier` finds the section of BBC articles after 200 labeled ones. It reads the first
128 tokens, if no other number is named. By default it reads 256. *Accuracy* is on 500 other articles, with the standard deviation over seeds of both samples. SetFit
has the same weights (MiniLM) and reads the same tokens, with 5 pairs of each kind per text. The words of tf-idf
are those of whole articles. Nothing is cached. The default of `C` was chosen on this corpus.
"""
PERPLEXITY = """\
## Tuned language models

The perplexity of the first words of BBC articles after training on others.
"""


def section() -> list[str]:
    lines = lines_of("tuning")
    parts = []
    runs: dict[str, list[dict]] = {}
    for line in lines:
        if line["task"] == "classify":
            runs.setdefault(line["setting"], []).append(line)
    rows = [
        [
            setting,
            str(len(some)),
            f"**{spread([line['accuracy'] for line in some], 3)}**",
            spread([line["seconds"] for line in some], 0),
            spread([line["predict_seconds"] for line in some], 0),
        ]
        for setting, some in runs.items()
    ]
    if rows:
        head = ["classifier", "seeds", "accuracy", "seconds to fit", "to predict"]
        parts += [CLASSIFY, table(head, rows)]
    rows = [
        [
            line["setting"],
            f"{line['before']:.1f}" if "before" in line else "",
            f"**{line['after']:.1f}**",
            f"{line['seconds'] / 60:.0f}",
        ]
        for line in lines
        if line["task"] == "perplexity"
    ]
    if rows:
        parts += [PERPLEXITY, table(["model", "before", "after", "minutes"], rows)]
    return parts
