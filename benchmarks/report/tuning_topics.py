"""The section on topics before and after their embedder was tuned."""

from benchmarks.report.markdown import lines_of, table

TOPICS = """\
## Topics before and after tuning the embedder

`tune_embedder` with its defaults, one round, one seed, one thread: agreement of topics with labels that the
tuning does not see. *Minutes* are those of tuning and of finding topics again.
"""


def section() -> list[str]:
    rows = [
        [
            line["setting"].removesuffix(", seed 0"),
            *(
                f"{line['before'][model][measure]:.3f} → {line['after'][model][measure]:.3f}"
                for model in ("fusion", "embedding_topics")
                for measure in ("nmi", "acc")
            ),
            f"{line['seconds'] / 60:.1f}",
        ]
        for line in lines_of("tuning_topics")
    ]
    if rows:
        head = [
            "corpus",
            "fusion: NMI",
            "accuracy",
            "embeddings alone: NMI",
            "accuracy",
            "minutes",
        ]
        return [TOPICS, table(head, rows)]
    return []
