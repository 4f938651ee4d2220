"""Lines of ``results/`` and tables of Markdown."""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev

ROOT = Path(__file__).parents[1]
PAGE = ROOT.parent / "docs" / "benchmarks.md"
PICTURES = PAGE.parent / "_static"


def lines_of(name: str) -> list[dict]:
    path = ROOT / "results" / f"{name}.jsonl"
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def runs_of(name: str) -> dict[tuple[str, str, int], dict]:
    """Return a line per problem, model and seed, with the last value of each measure."""
    runs: dict[tuple[str, str, int], dict] = {}
    for line in lines_of(name):
        runs.setdefault((line["problem"], line["model"], line["seed"]), {}).update(line)
    return runs


def not_run(models: Iterable[str], others: Iterable[str]) -> list[str]:
    """Name the models that other tables of the section have and this one lacks."""
    known = set(models)
    missing = [f"`{model}`" for model in dict.fromkeys(others) if model not in known]
    return [f"Not run: {', '.join(missing)}.\n"] if missing else []


def table(head: list[str], rows: list[list[str]]) -> str:
    parts = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in parts) + "\n"


def spread(values: list[float], digits: int) -> str:
    text = f"{mean(values):.{digits}f}"
    return text + (f" ± {stdev(values):.{digits}f}" if len(values) > 1 else "")
