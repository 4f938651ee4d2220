"""The section on summaries."""

import numpy as np

from benchmarks.report.markdown import lines_of, table
from benchmarks.summarize import METHODS

INTRO = """\
## Summaries

Mean F1 of ROUGE against people's summaries, with 95% bootstrap intervals over the summaries. *Minus ours* is the
difference in ROUGE-1 to `TopicSummarizer()` on the same summaries: an interval without 0 is more than chance. *Topics*
is what the topic proportions of summary and source share, by an LDA that no method knows. All methods choose from the
same sentences, up to the same limit. The defaults were set on the other half of the subjects and on 300 other
articles. LexRank, TextRank and LSA are sumy's. `make bench TABLE=summarize` runs it.

- **Ahead**: of TextRank and LSA in all three tables, and of LexRank on news.
- **Not ahead**: of LexRank and of the sentences nearest to the mean vector on reviews, within chance. The first sentences
  of news are better than all methods, except `position_weight=1`, which is as good.
"""
TITLES = {
    "reviews": """\
### Summaries of reviews

Opinosis: sentences of reviews on {n} subjects, up to 25 words per subject, against about five people's summaries each.
""",
    "headlines": """\
### Headlines

BBC news: one sentence of {n} articles without their headlines, against the headline. The first sentence of
news is close to the headline. Only `position_weight` comes near it.
""",
    "digests": """\
### Digests of ten articles

BBC news: five sentences of ten articles that have several topics, against the ten headlines. {n} digests.
*First sentences* are those of the first five articles.
""",
}
WRITTEN = """\
### Summaries written by a language model

SmolLM2-135M (`llm="smollm2"`) writes two sentences. *Used* is the share of its answers that passed the checks. In
the other cases the sentences themselves were the summary. ROUGE-1 is that of all answers, and of extracts of two
sentences.
"""
NAMES = {"reviews": "Opinosis", "headlines": "BBC news"}


def interval(values: np.ndarray) -> str:
    """Return the mean and its bootstrap interval."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(2000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def section() -> list[str]:
    lines = lines_of("summarize")
    parts = [INTRO] if lines else []
    for task, title in TITLES.items():
        found = {line["setting"]: line for line in lines if line["task"] == task}
        if "TopicSummarizer" not in found:
            continue
        ours = np.array(found["TopicSummarizer"]["rouge1"])
        rows = []
        for setting in METHODS:
            if setting not in found:
                continue
            line = found[setting]
            scores = {name: np.array(line[name]) for name in ("rouge1", "topics")}
            same = setting == "TopicSummarizer"
            rows.append(
                [
                    setting,
                    f"**{interval(scores['rouge1'])}**",
                    "" if same else interval(scores["rouge1"] - ours),
                    f"{np.mean(line['rouge2']):.3f}",
                    f"{np.mean(line['rougeL']):.3f}",
                    f"{scores['topics'].mean():.2f}",
                    f"{line['n_words']:.0f}",
                ]
            )
        head = ["method", "ROUGE-1", "minus ours", "ROUGE-2", "ROUGE-L"]
        head += ["topics", "words"]
        parts += [title.format(n=len(ours)), table(head, rows)]
    rows = []
    for line in lines:
        if line["task"] == "written":
            outcomes = line["outcomes"]
            reasons = [
                f"{name.removeprefix('extracted: ')}: {n}"
                for name, n in outcomes.items()
                if name != "generated"
            ]
            rows.append(
                [
                    NAMES[line["setting"]],
                    f"{outcomes.get('generated', 0)} of {line['n']}",
                    "; ".join(reasons) or "none",
                    f"{np.mean(line['rouge1_answers']):.3f}",
                    f"{np.mean(line['rouge1_extracted']):.3f}",
                ]
            )
    if rows:
        head = ["corpus", "used", "not used because", "answers", "extracts"]
        parts += [WRITTEN, table(head, rows)]
    return parts
