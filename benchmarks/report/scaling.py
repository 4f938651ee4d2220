"""The section on what a sweep and its surroundings cost."""

from collections import defaultdict

from benchmarks.report.markdown import PICTURES, lines_of, table
from benchmarks.report.pictures import draw_scaling

SWEEPS = """\
## What a sweep costs

Nanoseconds per token of one sweep of `GibbsLDA`, for different numbers of tokens, topics and words.

Medians of five sweeps after twenty others, on 20 Newsgroups. To vary the tokens, the corpus is repeated or
cut off. To vary the words, only the most frequent ones are kept. K = 100, α = 0.1, β = 0.01 and one thread
unless the table says otherwise.

Below 256 topics, a word's counts are stored for all topics. From 256 on, only those that are not zero are
stored.

![Nanoseconds per token against tokens, topics and words](_static/scaling.svg)
"""
THREADS = """\
### Threads

Nanoseconds per token with one and with two threads. The sweeps of the two alternate.
"""
PRIORS = """\
### Priors

Nanoseconds per token with one α for all documents, and with a (D, K) array that has one row per document.
The sweeps of the two alternate.
"""
MEMORY = """\
### Memory of a fit

Peak memory of a fit on IMDB beyond what was used before: counts, topics and compiled code.
"""
MIXTURES = """\
### Topic proportions of new documents

Time and perplexity of `transform` (or `infer`) on the held-out tenth of the documents, with models of 200 sweeps. Each
model uses its own topics and defaults. They alternate five times. *Perplexity* is that of every
second token, predicted from the others.
"""
FIRST_CALL = """\
### The first call

How many seconds longer the first fit of a process takes than the second. It compiles the sampler, or
reads what an earlier process compiled.
"""
SIZES = {"tokens": "{n_tokens:,}", "words": "{n_words:,}", "K": "{n_components:,}"}
PARTS: list[tuple[str, list[str], dict[str, str]]] = [  # text, measures, columns
    (
        SWEEPS,
        ["tokens", "topics", "words"],
        {**SIZES, "ns per token": "{nanoseconds:.1f}"},
    ),
    (
        THREADS,
        ["threads"],
        {
            "K": "{n_components:,}",
            "one, ns per token": "{nanoseconds:.1f}",
            "two": "{other_nanoseconds:.1f}",
            "two / one": "{ratio:.2f}",
        },
    ),
    (
        PRIORS,
        ["priors"],
        {
            "K": "{n_components:,}",
            "one, ns per token": "{nanoseconds:.1f}",
            "one per document": "{other_nanoseconds:.1f}",
            "ratio": "{ratio:.2f}",
        },
    ),
    (
        MEMORY,
        ["memory"],
        {
            **SIZES,
            "MiB": "{mib:.0f}",
            "bytes per token": "{bytes_per_token:.1f}",
            "12 (T + V K) bytes, MiB": "{bound_mib:.0f}",
        },
    ),
    (
        MIXTURES,
        ["mixtures"],
        {
            "model": "{model}",
            "documents": "{n_documents:,}",
            "tokens": "{n_tokens:,}",
            "seconds": "{seconds:.2f}",
            "perplexity": "{perplexity:.0f}",
        },
    ),
    (
        FIRST_CALL,
        ["first call"],
        {
            "sampler": "{sampler}",
            "cache on disk": "{cache}",
            "seconds": "{seconds:.2f}",
        },
    ),
]


def section() -> list[str]:
    by_measure: dict[str, list[dict]] = defaultdict(list)
    for line in lines_of("scaling"):
        by_measure[line["measure"]].append(line)
    if not by_measure:
        return []
    draw_scaling(by_measure, PICTURES / "scaling.svg")
    parts = []
    for text, measures, columns in PARTS:
        rows = [
            [cell.format(**line) for cell in columns.values()]
            for measure in measures
            for line in by_measure[measure]
        ]
        if rows:
            parts += [text, table(list(columns), rows)]
    return parts
