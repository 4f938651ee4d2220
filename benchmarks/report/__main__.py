"""Turn the lines of ``results/`` into ``docs/benchmarks.md`` and its pictures.

A new table is a module here with a function ``section``, and an entry in ``SECTIONS``.
"""

from benchmarks.report import (
    classify,
    coherence,
    corpora,
    dask_fusion,
    dask_lda,
    describe,
    devices,
    encode,
    encode_stream,
    environments,
    feeding,
    injection,
    languages,
    lda,
    naming,
    out_of_core,
    pachinko,
    private,
    race,
    ratings,
    recommend,
    redaction,
    samplers,
    scaling,
    search,
    sentiment,
    summarize,
    summary,
    topic_page,
    topics,
    tuning,
    tuning_topics,
    words,
    zero_shot,
)
from benchmarks.report.markdown import PAGE, PICTURES

HEAD = """\
# Benchmarks

Quality and speed of this library beside BERTopic, KeyNMF, tomotopy, gensim and others.

`make bench` measures all figures and writes this page from `benchmarks/results/`. Do not edit it by hand.
The machines are shared and noisy: compare ratios, not seconds.
"""
SECTIONS = [  # in the order of the page
    corpora,
    summary,
    topics,
    languages,
    sentiment,
    feeding,
    zero_shot,
    naming,
    summarize,
    lda,
    race,
    samplers,
    scaling,
    out_of_core,
    dask_lda,
    dask_fusion,
    pachinko,
    private,
    search,
    words,
    encode,
    encode_stream,
    devices,
    tuning,
    tuning_topics,
    classify,
    describe,
    recommend,
    coherence,
    ratings,
    topic_page,
    redaction,
    injection,
    environments,
]


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    parts = [HEAD]
    for module in SECTIONS:
        parts += module.section()
    PAGE.write_text("\n".join(parts), "utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
