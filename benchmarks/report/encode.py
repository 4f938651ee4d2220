"""The section on the speed of the embedder."""

from benchmarks.report.markdown import lines_of, table

ENCODING = """\
## Vectors against sentence-transformers

How fast `TransformerEmbedder` is with the same weights (MiniLM), the same texts and no cache.

Three ways to encode alternate five times in one process. *Times faster* is the median of the ratios within a
round. *Cosine* is the mean to our float32. The speed comes from three things: batches of similar lengths
that stay in a core's cache, one batch per core, and bfloat16 where the processor has it.
"""


def section() -> list[str]:
    rows = [
        [
            line["corpus"],
            f"{line['n_texts']:,}",
            str(line["n_threads"]),
            line["way"],
            f"{line['seconds']:.1f}",
            f"**{line['ratio']:.2f}**",
            f"{line['mean_cosine']:.5f}",
        ]
        for line in lines_of("encode")
    ]
    head = ["corpus", "texts", "threads", "way", "seconds", "times faster", "cosine"]
    return [ENCODING, table(head, rows)]
