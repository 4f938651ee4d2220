"""The section on the speed of cutting texts into words."""

from benchmarks.report.markdown import lines_of, table

WORDS = """\
## Words against scikit-learn and spaCy

How fast `TextAnalyzer` cuts BBC news into words, in one thread, with its defaults.

*Words* are thousands per second of processor time, counted by spaces. *Times faster* is the median of the ratios to
CountVectorizer within five rounds. `TextAnalyzer` keeps the words that it has seen, so later passes are faster.
It also drops links, HTML and numbers, and joins broken words. CountVectorizer drops stop words. spaCy only cuts,
and its tokens have more properties.
"""


def section() -> list[str]:
    rows = [
        [
            line["way"],
            f"{line['words_per_second'] / 1000:,.0f}",
            f"**{line['ratio']:.2f}**",
        ]
        for line in lines_of("words")
    ]
    return [WORDS, table(["way", "words", "times faster"], rows)] if rows else []
