"""The section on language models that were trained and tuned."""

from benchmarks.report.markdown import lines_of, spread, table

CLASSIFY = """\
## Classifiers from 200 labels

How well `TransformerClassifier` finds the section of BBC articles after 200 labeled ones. It reads the first
128 tokens, if no other number is named. By default it reads 256. *Accuracy* is on 500 other articles, with the
standard deviation over seeds of both samples. *Minus tf-idf* is the difference on the same samples: compare by
it, because the numbers of seeds differ. With one seed, differences of 0.01 are chance. SetFit has the
same weights (MiniLM) and reads the same tokens, with 5 pairs of each kind per text. The words of tf-idf are
those of whole articles. Nothing is cached. The default of `C` was chosen on this corpus.
"""
PERPLEXITY = """\
## Tuned language models

Perplexity before and after `LanguageModelTuner` on 1,500 BBC articles: of the first 100 words of 225 others
(*new articles*), and of the articles held out in training. *Read* is the millions of tokens of training.
Training stops after 20 minutes at the most. The machine did other work at the same time.
"""


def section() -> list[str]:
    lines = lines_of("tuning")
    parts = []
    runs: dict[str, list[dict]] = {}
    for line in lines:
        if line["task"] == "classify":
            runs.setdefault(line["setting"], []).append(line)
    words = {
        line["seed"]: line["accuracy"]
        for line in runs.get("tf-idf, logistic regression", [])
    }
    rows = [
        [
            setting,
            str(len(some)),
            f"**{spread([line['accuracy'] for line in some], 3)}**",
            spread([line["accuracy"] - words[line["seed"]] for line in some], 3),
            spread([line["seconds"] for line in some], 0),
            spread([line["predict_seconds"] for line in some], 0),
        ]
        for setting, some in runs.items()
    ]
    if rows:
        head = ["classifier", "seeds", "accuracy", "minus tf-idf"]
        head += ["seconds to fit", "to predict"]
        parts += [CLASSIFY, table(head, rows)]
    rows = [
        [
            line["setting"],
            f"{line['before']:.1f} → **{line['after']:.1f}**"
            if "before" in line
            else f"**{line['after']:.1f}**",
            " → ".join(f"{value:.1f}" for value in line["held_out"]),
            f"{line['tokens'] / 1e6:.2f}",
            f"{line['seconds'] / 60:.0f}",
            f"{line['peak_mib'] / 1024:.1f}",
        ]
        for line in lines
        if line["task"] == "perplexity"
    ]
    if rows:
        head = ["model", "new articles", "held out", "read", "minutes", "GiB"]
        parts += [PERPLEXITY, table(head, rows)]
    return parts
