"""Run all benchmark tables, or the given ones, and rewrite ``docs/benchmarks.md``.

``python -m benchmarks.run_all race`` runs one table. A new table is a module in this folder and
an entry in ``TABLES``.
"""

import argparse
import subprocess
import sys

TABLES = (  # modules, in the order in which they run
    "lda",
    "topics",
    "languages",
    "sentiment",
    "race",
    "samplers",
    "scaling",
    "out_of_core",
    "dask_lda",
    "dask_fusion",
    "pachinko",
    "private",
    "feeding",
    "zero_shot",
    "naming",
    "summarize",
    "search",
    "words",
    "encode",
    "encode_stream",
    "devices",
    "tuning",
    "tuning_topics",
    "classify",
    "describe",
    "recommend",
    "ratings",
    "coherence",
    "topic_page",
    "redaction",
    "injection",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "tables", nargs="*", help=f"some of {', '.join(TABLES)}; default: all"
    )
    tables = parser.parse_args().tables
    if unknown := set(tables) - set(TABLES):
        parser.error(f"unknown tables: {', '.join(sorted(unknown))}")
    for name in [*(tables or TABLES), "report"]:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
