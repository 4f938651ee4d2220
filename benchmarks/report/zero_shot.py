"""The section on zero-shot topics."""

from collections import defaultdict
from collections.abc import Iterable

from benchmarks import zero_shot
from benchmarks.report.markdown import lines_of, table

ZERO_SHOT = """\
## Zero-shot topics

How often the first topic that `LLMTopics` gives a text is its label (accuracy). The topics are given by
name.

- Two samples of each corpus without common texts: 500 texts each, 300 on IMDB. The model is fitted on the
  sample without labels, and transforms it. SmolLM2-135M, no training.
- *As they are* is `calibrate=None`, *calibrated* is `n_words=0`, *and words* is the default.
- Prompt, temperature, number of words, and the rule that leaves words out were chosen on the texts of the
  first three rows, not on IMDB. The second row of IMDB asks "The sentiment of this review is".
"""
UNEVEN = """\
### Samples with a topic that most texts have

The same accuracy where one topic has most of the texts: samples of 125 articles of BBC news, 60 % of them
from one section.
"""
PROPOSED = """\
### Proposed topics

How well the first of eight topics that `LLMTopics(8)` proposes agrees with the section of an article, on the
two samples of BBC news.
"""


def section() -> list[str]:
    found: dict[str, dict[str, dict[int, dict]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for line in lines_of("zero_shot"):
        found[line["problem"]][line["way"]][line["sample"]] = line

    def accuracies(problems: Iterable[str]) -> str:
        rows = [
            [
                problem,
                *(
                    " / ".join(
                        f"{line['accuracy']:.2f}"
                        for _, line in sorted(found[problem][way].items())
                    )
                    for way in zero_shot.WAYS
                ),
            ]
            for problem in problems
            if problem in found
        ]
        return table(["corpus", *zero_shot.WAYS], rows)

    if not found:
        return []
    rows = [
        [f"{line['nmi']:.2f}", ", ".join(line["topics"])]
        for problem in zero_shot.PROPOSED
        if problem in found
        for _, line in sorted(found[problem]["and words"].items())
    ]
    parts = [ZERO_SHOT, accuracies(zero_shot.PROBLEMS)]
    if found.keys() & zero_shot.UNEVEN:
        parts += [UNEVEN, accuracies(zero_shot.UNEVEN)]
    if rows:
        parts += [PROPOSED, table(["NMI", "topics"], rows)]
    return parts
