"""The section on ``DaskFusionTopicModel``: topics of partitions beside those in memory."""

from collections import defaultdict
from statistics import median

from benchmarks.report.markdown import lines_of, spread, table

TEXT = """\
## Fusion on a Dask cluster

`DaskFusionTopicModel` beside `FusionTopicModel` with the same seed on BBC news (2,225 documents). Both have their defaults.

- **As good**: agreement with the labels. One partition gives the topics of the model in memory.
- **Slower**: all fits on the cluster. The corpus is far too small for one, so these times are the price of the tasks.
- *Same topic* is the share of documents with the same first topic as in memory. Topics are matched one to one. *Another
  seed* is the same measure of two models in memory, so it shows what chance alone changes: much with 20 topics, and nearly
  nothing with five, where partitions change more than chance.
- *NMI* compares first topics with the labels of the documents.
- *Time* is that on the cluster, divided by that in memory in the same process just before. It goes from texts to topics,
  with vectors on disk. In memory it is one thread. The cluster is two workers of one thread each.
- Two cores did much other work at the same time: about ten processes wanted them. Read times by their order of size. *CPU*
  is the same ratio of CPU seconds of all processes, with the scheduler.
- Figures are means over the seeds ± their standard deviation. Ratios are medians.
"""


def section() -> list[str]:
    runs: dict[tuple[str, str], dict[int, dict]] = defaultdict(dict)
    for line in lines_of("dask_fusion"):
        runs[line["task"], line["setting"]][line["seed"]] = line
    rows = []
    for (task, setting), by_seed in runs.items():
        lines = list(by_seed.values())
        rows.append(
            [
                task.removeprefix("BBC news, K="),
                setting.replace("1 partitions", "1 partition"),
                spread([line["same_topic"] for line in lines], 3),
                spread([line["nmi"] for line in lines], 3),
                spread([line["nmi_in_memory"] for line in lines], 3),
                *(ratio(lines, name) for name in ("seconds", "cpu_seconds")),
                str(len(lines)),
            ]
        )
    rows.sort(key=lambda row: int(row[0]))
    head = ["K", "setting", "same topic", "NMI", "NMI in memory"]
    head += ["time, cluster / memory", "CPU", "seeds"]
    return [TEXT, table(head, rows)] if rows else []


def ratio(lines: list[dict], name: str) -> str:
    found = [line[name] / line[f"{name}_in_memory"] for line in lines if name in line]
    return f"{median(found):.1f}" if found else "not measured"
