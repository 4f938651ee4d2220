"""The section on vectors of a stream of texts."""

from collections import defaultdict
from statistics import median

from benchmarks.report.markdown import lines_of, table

STREAM = """\
## Vectors of a stream of texts

`store_vectors` writes the vectors of a generator's texts to a file.

*Memory*: an encoder of random weights with one layer and 16 dimensions, short texts that are all different, one
process; then MiniLM on sentences of IMDB reviews, with all cores, while the reviews are in memory, too. *MiB* is the
peak memory of the process; PyTorch and the library alone take most of it. Other work ran on the machine.
"""
SENTENCES = """\
*Speed*: MiniLM and {n:,} sentences of IMDB reviews, all different, beside the pool of processes of sentence-transformers (one thread per
process, float32). `float32` and `auto` are `store_vectors` with one process and all cores. Times are from the
texts in memory to the written file, one run each. Little else ran on the two
cores (load {load:.0f}). CPU seconds are those of all processes. *MiB* is the largest peak of one process.
sentence-transformers keeps all vectors in memory.
"""


def section() -> list[str]:
    lines = lines_of("encode_stream")
    by_setting = defaultdict(list)
    for line in lines:
        if line["task"] == "sentences":
            by_setting[line["setting"]].append(line)
    if not by_setting:
        return []
    memory = {line["setting"]: line for line in lines if line["task"] == "rows"}
    rows = [
        [
            setting,
            f"{line['peak_mib']:,.0f}",
            f"{line['file_mib']:,.0f}",
            f"{line['n_texts'] / line['cpu_seconds']:,.0f}",
        ]
        for setting, line in sorted(memory.items(), key=lambda x: x[1]["n_dimensions"])
    ]
    head = ["texts", "MiB", "MiB of the file", "texts per CPU second"]
    parts = [STREAM, table(head, rows)]
    every = [line for some in by_setting.values() for line in some]
    about = SENTENCES.format(
        n=every[0]["n_texts"],
        load=median(line["load"] for line in every),
    )
    rows = []
    for setting, some in by_setting.items():
        peaks = [
            max(line["peak_mib"], line["peak_of_other_processes_mib"]) for line in some
        ]
        cpu = median(line["cpu_seconds"] for line in some)
        rows.append(
            [
                setting,
                f"{median(line['seconds'] for line in some):.0f}",
                f"**{cpu:.0f}**",
                f"{max(peaks):,.0f}",
            ]
        )
    head = ["way", "seconds", "CPU seconds", "MiB"]
    return [*parts, about, table(head, rows)]
