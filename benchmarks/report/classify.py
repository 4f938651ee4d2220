"""The section on classifiers with topics as features."""

from statistics import mean, stdev

from scipy.stats import t

from benchmarks.classify import BEST, READ, REFERENCE, SAMPLES
from benchmarks.report.markdown import lines_of, spread, table

CLASSIFY = """\
## Classify texts with topics

Accuracy of classifiers from 10, 100 or all labels per class. All models see the same labeled texts and the same test
texts. Topics are those of `FusionTopicModel`, fitted to all training texts without labels, never to test texts.
`make bench TABLE=classify` runs it.

- **Ahead**: with 10 labels per class, topics beside tf-idf are more accurate than tf-idf and vectors on both corpora.
- **Not ahead**: with all labels, topics add nothing on StackOverflow and little on 20 Newsgroups. Topics alone are then
  worse than tf-idf and vectors. A part of the gain with few labels comes from the unlabeled texts: see *self-training*.
- 20 Newsgroups has the split by date that comes with it. Headers, quotes and footers are removed. Half of the
  StackOverflow titles are test texts.
- Features are `log θ` minus its mean (*topics*), tf-idf and vectors of MiniLM. Each has rows of length one, and they
  are side by side. The classifier is a logistic regression with `C=10`. *Topics* are 50, and *three K* are
  the topics of three models with 20, 50 and 100 topics. *LSA* has 100 dimensions. *LDA topics* are 50 of `GibbsLDA`.
- The form of the topics, the weights of the features and `C` were chosen on training texts outside the samples.
- *Self-training* is scikit-learn's `SelfTrainingClassifier` with the threshold 0.5. It uses the other training texts
  without labels, too. Topics *of labeled texts* use none of these.
- Samples of labels share the topics of two seeds. Figures are means over the samples ± standard deviation. Those
  without a spread have one sample.
"""
DIFFERENCE = """\
Accuracy minus that of {reference} on the same samples, with 95% intervals: over the samples (Student's t), or with
all labels over the test texts (bootstrap).
"""
CALIBRATION = """\
### Calibration of the probabilities

Log loss, and expected calibration error in 15 bins (*ECE*), from 10 labels per class. Lower is better. *Temperature* and *sigmoid* are
`CalibratedClassifierCV` on the labeled texts in five folds. Labels must then be integers from 0 (see the guide).
"""
METHODS = ("", ", temperature", ", sigmoid")
HEAD = [f"{n} labels" if n != "all" else "all labels" for n in SAMPLES]


def section() -> list[str]:
    runs: dict[str, dict[str, dict[str, dict[int, dict]]]] = {}
    for line in lines_of("classify"):
        n_labels = line["setting"].split()[0]
        for model, found in line["models"].items():
            by_labels = runs.setdefault(line["task"], {}).setdefault(model, {})
            by_labels.setdefault(n_labels, {})[line["seed"]] = found
    parts = [CLASSIFY]
    for corpus in [name for name in READ if name in runs]:
        models = runs[corpus]
        plain = [name for name in models if not is_calibrated(name)]
        parts += [
            f"### Classes of {corpus}\n",
            measured(models, plain),
            DIFFERENCE.format(reference=REFERENCE),
            table(
                ["model", *HEAD],
                [
                    [name, *(difference(models, name, n) for n in SAMPLES)]
                    for name in plain
                    if name != REFERENCE
                ],
            ),
        ]
    return [*parts, CALIBRATION, calibration(runs)]


def is_calibrated(name: str) -> bool:
    return name.endswith((", temperature", ", sigmoid"))


def measured(models: dict, names: list[str]) -> str:
    """Return the table of accuracy and macro F1."""
    rows = [
        [
            name,
            *(
                spread([run[key] for run in models[name][n].values()], 3)
                if n in models[name]
                else "not run"
                for key in ("accuracy", "macro_f1")
                for n in SAMPLES
            ),
        ]
        for name in names
    ]
    return table(["model", *HEAD, *(f"macro F1, {n}" for n in SAMPLES)], rows)


def difference(models: dict, name: str, n_labels: str) -> str:
    """Return the mean difference to the reference, with its interval."""
    runs = models[name].get(n_labels, {})
    reference = models[REFERENCE].get(n_labels, {})
    found = [
        run["accuracy"] - reference[seed]["accuracy"] for seed, run in runs.items()
    ]
    if not found:
        return "not run"
    if n_labels == "all":
        low, high = runs[0]["interval"]
    elif len(found) > 1:
        half = t.ppf(0.975, len(found) - 1) * stdev(found) / len(found) ** 0.5
        low, high = mean(found) - half, mean(found) + half
    else:
        return f"{mean(found):+0.3f}"
    return f"{mean(found):+0.3f} ({low:+0.3f} to {high:+0.3f})"


def calibration(runs: dict) -> str:
    names = [f"{name}{how}" for name in (REFERENCE, BEST) for how in METHODS]
    rows = [
        [
            corpus,
            name,
            *(
                spread([run[key] for run in runs[corpus][name]["10"].values()], 3)
                if "10" in runs[corpus][name]
                else ""
                for key in ("log_loss", "calibration_error")
            ),
        ]
        for corpus in READ
        for name in names
        if name in runs.get(corpus, {})
    ]
    return table(["corpus", "model", "log loss", "ECE"], rows)
