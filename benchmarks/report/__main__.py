"""Turn the lines of ``results/`` into ``docs/benchmarks.md`` and its pictures.

A new table is a module here with a function ``section``, and an entry in ``SECTIONS``.
"""

from benchmarks.report import (
    coherence,
    describe,
    encode,
    environments,
    feeding,
    lda,
    naming,
    pachinko,
    race,
    ratings,
    samplers,
    scaling,
    search,
    topics,
    zero_shot,
)
from benchmarks.report.markdown import PAGE, PICTURES

HEAD = """\
# Benchmarks

Made by `make bench` from the lines in `benchmarks/results/`; do not edit by hand. These
machines are shared and noisy: trust ratios, not seconds.
"""
SECTIONS = [  # in the order of the page
    lda,
    race,
    samplers,
    scaling,
    pachinko,
    topics,
    feeding,
    zero_shot,
    naming,
    search,
    encode,
    describe,
    coherence,
    ratings,
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
