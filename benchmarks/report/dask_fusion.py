"""The section on ``DaskFusionTopicModel``: topics of partitions beside those in memory."""

from collections import defaultdict
from statistics import median

from benchmarks.report.markdown import lines_of, spread, table

TEXT = """\
## Fusion on a Dask cluster

`DaskFusionTopicModel` beside `FusionTopicModel` with the same seed on BBC news (2,225 documents). Both have their defaults.

- *Same topic* is the share of documents with the same first topic as in memory. Topics are matched one to one. *Another
  seed* is the same measure of two models in memory, so it shows what chance alone changes.
- *NMI* compares first topics with the labels of the documents.
- *Time* is that on the cluster, divided by that in memory in the same process just before: median and range over the
  seeds. It goes from texts to topics, with vectors on disk. In memory it is one thread. The cluster is two workers of one
  thread each, on a machine with two cores that did other work, too.
- Figures are means over the seeds ± their standard deviation.
"""


def section() -> list[str]:
    runs: dict[tuple[str, str], dict[int, dict]] = defaultdict(dict)
    for line in lines_of("dask_fusion"):
        runs[line["task"], line["setting"]][line["seed"]] = line
    rows = []
    for (task, setting), by_seed in runs.items():
        lines = list(by_seed.values())
        ratios = [
            line["seconds"] / line["seconds_in_memory"]
            for line in lines
            if "seconds" in line
        ]
        time = "–"
        if ratios:
            time = f"{median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})"
        rows.append(
            [
                task.removeprefix("BBC news, K="),
                setting.replace("1 partitions", "1 partition"),
                spread([line["same_topic"] for line in lines], 3),
                spread([line["nmi"] for line in lines], 3),
                spread([line["nmi_in_memory"] for line in lines], 3),
                time,
                str(len(lines)),
            ]
        )
    rows.sort(key=lambda row: int(row[0]))
    head = ["K", "setting", "same topic", "NMI", "NMI in memory"]
    head += ["time, cluster / memory", "seeds"]
    return [TEXT, table(head, rows)] if rows else []
