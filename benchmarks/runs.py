"""Run problem × model × seed; append one JSON line per run to ``results/<table>.jsonl``.

Runs in the file are not repeated, except with ``--again``, or with ``--lacking`` those without a
measure. If a run has several lines, the last value of each measure counts. On a machine that does
other work, ``--untimed`` leaves out times. Every run has one thread and its own process, so that
peak memory is measured per run. Models alternate within a seed.
"""

import argparse
import json
import logging
import os
import platform
import re
import resource
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).parent / "results"
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"],
    "1",
)
QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
SHARED = "llmtopics numpy scipy scikit-learn numba tomotopy"  # packages


def environment(packages: str) -> dict:
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages.split()},
        "date": datetime.now(UTC).date().isoformat(),
    }


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Matrix(NamedTuple):
    cells: Callable[[], dict[str, dict[str, int]]]  # problem -> model -> n_seeds
    measure: Callable[[str, str, int], dict]
    packages: str


def run(matrix: Matrix, problem: str, model: str, seed: int) -> dict:
    """Make one line; runs in a separate process."""
    warnings.simplefilter("ignore")
    line = {"problem": problem, "model": model, "seed": seed}
    return line | matrix.measure(problem, model, seed) | environment(matrix.packages)


def without_times(line: dict) -> dict:
    return {key: value for key, value in line.items() if not key.startswith("seconds")}


def runs_in(path: Path, measure: str | None) -> set[tuple[str, str, int]]:
    """Return the runs in a file, or those that have a measure."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {
        (line["problem"], line["model"], line["seed"])
        for line in map(json.loads, lines)
        if measure is None or measure in line
    }


def run_matrix(name: str, matrix: Matrix, options: argparse.Namespace) -> None:
    path = RESULTS / f"{name}.jsonl"
    done = set() if options.again else runs_in(path, options.lacking)
    runs = [
        (problem, model, seed)
        for problem, models in matrix.cells().items()
        for seed in range(options.seeds)
        for model, n_seeds in models.items()
        if seed < n_seeds
        and re.search(options.problem, problem)
        and re.search(options.model, model)
    ]
    unavailable: set[str] = set()
    for problem, model, seed in runs:
        if (problem, model, seed) in done or problem in unavailable:
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            try:
                line = pool.submit(run, matrix, problem, model, seed).result()
            except FileNotFoundError as error:
                print(f"{problem}: left out, {error}", flush=True)
                unavailable.add(problem)
                continue
        kept = without_times(line) if options.untimed else line
        with path.open("a", encoding="utf-8") as results:
            results.write(json.dumps(kept, ensure_ascii=False) + "\n")
        last = line.get("points", [line])[-1]
        score = last.get("nmi", last.get("perplexity"))
        print(
            f"{problem} | {model} | {seed} | {score:.3f} | {last['seconds']:.1f} s",
            flush=True,
        )


UNTIMED = "leave out times: the machine does other work"


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--problem", default="", help="regex of the problems to run")
    parser.add_argument("--model", default="", help="regex of the models to run")
    parser.add_argument("--again", action="store_true", help="repeat runs in the file")
    parser.add_argument("--lacking", help="repeat runs without this measure")
    parser.add_argument("--untimed", action="store_true", help=UNTIMED)
    return parser


def task_arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--again", action="store_true", help="repeat what is there")
    parser.add_argument("--threads", type=int, help="of PyTorch; all by default")
    parser.add_argument("--untimed", action="store_true", help=UNTIMED)
    parser.add_argument(
        "--only", default="", help="a part of a task's or setting's name"
    )
    return parser


def run_tasks(
    name: str,
    tasks: Iterable[tuple[str, str, int, partial]],
    packages: str,
    options: argparse.Namespace,
    also: dict[str, str] | None = None,
) -> None:
    """Append a JSON line per task, setting and seed to ``results/NAME.jsonl``.

    Each is measured in its own process, so that its peak memory is its own. ``also`` names
    further packages of some settings.
    """
    path = RESULTS / f"{name}.jsonl"
    os.environ |= QUIET
    if options.threads:
        os.environ |= dict.fromkeys(ONE_THREAD, str(options.threads))
    done = set()
    if path.exists() and not options.again:
        lines = map(json.loads, path.read_text("utf-8").splitlines())
        done = {(line["task"], line["setting"], line.get("seed", 0)) for line in lines}
    for task, setting, seed, work in tasks:
        wanted = options.only in f"{task}, {setting}"
        if (task, setting, seed) in done or not wanted:
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            try:
                found = pool.submit(quietly, work).result()
            except FileNotFoundError as error:
                print(f"{task}, {setting}: left out, {error}", flush=True)
                continue
        line = {"task": task, "setting": setting, "seed": seed}
        line |= {"threads": options.threads} | found
        line |= environment(f"{packages} {(also or {}).get(setting, '')}")
        if options.untimed:
            line = without_times(line)
        with path.open("a", encoding="utf-8") as results:
            results.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(task, setting, seed, found, sep=" | ", flush=True)


def quietly(work: partial) -> dict:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    return work()
