"""The picture that sums the topics of texts up."""

from collections import defaultdict

from benchmarks.corpora import TEXT_PROBLEMS
from benchmarks.report.markdown import PICTURES, runs_of
from benchmarks.report.pictures import MODELS, draw_summary

SUMMARY = """\
## Summary

How well topics agree with labels (NMI), and how coherent their words are (NPMI). Each dot is the mean
over the seeds. Further right is better. The tables of the next section have the figures.

![NMI and NPMI of five models on six problems](_static/summary.svg)
"""


def section() -> list[str]:
    runs: dict[tuple, dict] = defaultdict(dict)  # problem, model → seed → line
    for (problem, model, seed), line in runs_of("topics").items():
        if model in MODELS:
            runs[problem, model][seed] = line
    problems = [name for name in TEXT_PROBLEMS if (name, MODELS[0]) in runs]
    draw_summary(problems, runs, PICTURES / "summary.svg")
    return [SUMMARY]
