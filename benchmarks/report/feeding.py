"""The section on what a language model adds, and what it costs."""

from collections import defaultdict

from benchmarks.feeding import CORPORA
from benchmarks.report.markdown import lines_of, spread, table

FEEDING = """\
## What a language model adds

Each table compares models with and without the words of a language model, on one corpus.

- 3,000 texts of each corpus (BBC news: all), words in five texts to half of them, MiniLM's vectors,
  SmolLM2-135M in bfloat16.
- *Next words* are `NextWordCounts` with its defaults. *Keywords* are `LLMAugmenter` with its defaults.
- "LDA + next words" is a Pipeline, in which new words count as words of the topics. "Own words" is
  `FusionTopicModel(alpha=0, expander=…)`. It has the same assignments, and the words of the topics are
  counted on the texts' own words and ranked by keyness.
- Measures are those of the section above. Figures are means over three seeds ± their standard deviation.
- Prompt and weight were chosen on StackOverflow, after some figures of SearchSnippets had been seen.
"""
COSTS = """\
### What it costs

Time and tokens of each method. 100 texts without cached answers, medians of three alternating runs on two
cores in bfloat16. *Seconds* are per 1,000 texts. Tokens are per text and include the prompt.
"""


def section() -> list[str]:
    found: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
    for line in lines_of("feeding"):
        found[line["corpus"]][line["way"]][line["seed"]] = line
    parts = [FEEDING] if found else []
    measures = {
        "nmi": "NMI",
        "accuracy": "accuracy",
        "npmi": "NPMI",
        "diversity": "diversity",
    }
    for corpus, ways in found.items():
        rows = [
            [
                way,
                *(
                    spread([line[name] for line in by_seed.values()], 3)
                    for name in measures
                ),
                str(len(by_seed)),
            ]
            for way, by_seed in ways.items()
        ]
        head = ["model", *measures.values(), "seeds"]
        parts += [f"### {corpus}, K={CORPORA[corpus]}\n", table(head, rows)]
    rows = [
        [
            line["corpus"],
            line["way"],
            f"{1000 * line['seconds'] / line['n_texts']:.0f}",
            f"{line['prompt_tokens'] / line['n_texts']:.0f}",
            f"{line['new_tokens'] / line['n_texts']:.0f}",
            f"{line['prompt_tokens'] / line['seconds']:,.0f}",
        ]
        for line in lines_of("feeding_cost")
    ]
    head = ["corpus", "way", "seconds", "tokens read", "written", "read per second"]
    return [*parts, COSTS, table(head, rows)] if rows else parts
