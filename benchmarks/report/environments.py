"""The section on machines and versions."""

from itertools import chain

from benchmarks.report.markdown import lines_of


def section() -> list[str]:
    seen = {}
    names = [
        "lda",
        "race",
        "samplers",
        "scaling",
        "dask_lda",
        "dask_fusion",
        "pachinko",
        "private",
        "topics",
        "languages",
        "feeding",
        "zero_shot",
        "naming",
        "search",
        "words",
        "encode",
        "devices",
        "tuning",
        "tuning_topics",
        "describe",
        "coherence",
        "topic_page",
        "redaction",
        "injection",
    ]
    for line in chain.from_iterable(map(lines_of, names)):
        versions = ", ".join(
            f"{name} {number}" for name, number in line["versions"].items()
        )
        seen[f"- {line['machine']}, Python {line['python']}, {versions}"] = line["date"]
    rows = [f"{text}; last on {date}" for text, date in seen.items()]
    return [
        "## Environments\n\nMachines and versions of the runs.\n",
        "\n".join(rows) + "\n",
    ]
