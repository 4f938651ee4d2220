"""Lines of ``results/`` and tables of Markdown."""

import json
from pathlib import Path
from statistics import mean, stdev

ROOT = Path(__file__).parents[1]
PAGE = ROOT.parent / "docs" / "benchmarks.md"
PICTURES = PAGE.parent / "_static"


def lines_of(name: str) -> list[dict]:
    path = ROOT / "results" / f"{name}.jsonl"
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def table(head: list[str], rows: list[list[str]]) -> str:
    parts = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in parts) + "\n"


def spread(values: list[float], digits: int) -> str:
    text = f"{mean(values):.{digits}f}"
    return text + (f" ± {stdev(values):.{digits}f}" if len(values) > 1 else "")
