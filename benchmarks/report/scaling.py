"""The section on what a sweep and its surroundings cost."""

from collections import defaultdict

from benchmarks.report.markdown import PICTURES, lines_of, table
from benchmarks.report.pictures import draw_scaling

SWEEPS = """\
## What a sweep costs

Sweeps of `GibbsLDA`'s sampler after twenty others, medians of five, on 20 Newsgroups: all of
it, over and over or cut off where the number of tokens varies, and with its most frequent words
alone where that of words does. K = 100, α = .1, β = .01 and one thread, where nothing else is
said.

Below 256 topics the counts of a word are a row of all topics, from there on a list of those
that it has.

![Nanoseconds a token against tokens, topics and words](_static/scaling.svg)
"""
THREADS = """\
### Threads

Sweeps of the two alternate.
"""
PRIORS = """\
### Priors

α of all documents, or a row of a (D, K) array for each; sweeps of the two alternate.
"""
MEMORY = """\
### Memory of a fit

The peak during a fit on IMDB, topics included, beyond what there was before it: counts and code.
"""
MIXTURES = """\
### Mixtures of new documents

Those of the held-out tenth, by models of 200 sweeps, each with its own topics and the defaults of
its `transform` or `infer`; they alternate five times. *Perplexity* is that of every second token,
given the others.
"""
FIRST_CALL = """\
### The first call

Seconds by which the first fit of a process is longer than its second: compiling, or reading what
an earlier process compiled.
"""
SIZES = {"tokens": "{n_tokens:,}", "words": "{n_words:,}", "K": "{n_components:,}"}
PARTS: list[tuple[str, list[str], dict[str, str]]] = [  # text, measures, columns
    (
        SWEEPS,
        ["tokens", "topics", "words"],
        {**SIZES, "ns a token": "{nanoseconds:.1f}"},
    ),
    (
        THREADS,
        ["threads"],
        {
            "K": "{n_components:,}",
            "one, ns a token": "{nanoseconds:.1f}",
            "two": "{other_nanoseconds:.1f}",
            "two / one": "{ratio:.2f}",
        },
    ),
    (
        PRIORS,
        ["priors"],
        {
            "K": "{n_components:,}",
            "one, ns a token": "{nanoseconds:.1f}",
            "of each": "{other_nanoseconds:.1f}",
            "of each / one": "{ratio:.2f}",
        },
    ),
    (
        MEMORY,
        ["memory"],
        {
            **SIZES,
            "MiB": "{mib:.0f}",
            "bytes a token": "{bytes_per_token:.1f}",
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
