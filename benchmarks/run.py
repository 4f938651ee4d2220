"""Run problem × model × seed; append one JSON line a run to ``results/lda.jsonl``.

Runs that the file holds already are not repeated, unless ``--again`` is given; of several
lines for the same run the last counts. Every run has a process of its own, so that its peak
memory is its own, and one thread; models alternate within a seed. Problems on 20 Newsgroups
read the folder named in the environment variable ``LLMTOPICS_DATA``.
"""

import argparse
import json
import os
import platform
import resource
import warnings
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from multiprocessing import get_context
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "lda.jsonl"
PACKAGES = [
    "llmtopics",
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "tomotopy",
    "lda",
    "gensim",
]


def environment() -> dict:
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "date": datetime.now(UTC).date().isoformat(),
    }


def measure(problem_name: str, model_name: str, seed: int) -> dict:
    """Fit one model on one problem and judge its topics with one evaluator for all."""
    from sklearn.metrics import normalized_mutual_info_score
    from threadpoolctl import threadpool_limits

    from benchmarks.models import MODELS
    from benchmarks.problems import PROBLEMS
    from llmtopics import GibbsLDA

    warnings.simplefilter("ignore")
    problem = PROBLEMS[problem_name]()
    with threadpool_limits(1):
        fitted = MODELS[model_name](problem.counts, problem.n_components, seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    judge = GibbsLDA(problem.n_components)
    judge.components_, judge.doc_topic_prior_ = fitted[:2]
    judge.n_features_in_ = problem.counts.shape[1]
    line = {"problem": problem_name, "model": model_name, "seed": seed}
    if problem.labels is not None:
        topics = judge.transform(problem.counts).argmax(axis=1)
        line["nmi"] = normalized_mutual_info_score(problem.labels, topics)
    if problem.held_out is not None:
        line["perplexity"] = judge.perplexity(problem.held_out)
    return line | {
        "seconds": fitted.seconds,
        "n_sweeps": fitted.n_sweeps,
        "peak_mib": peak,
        "n_documents": problem.counts.shape[0],
        "n_words": problem.counts.shape[1],
        "n_tokens": int(problem.counts.sum()),
        **environment(),
    }


def main() -> None:
    from benchmarks.models import MODELS
    from benchmarks.problems import PROBLEMS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", default="", help="run those whose name holds this")
    parser.add_argument("--model", default="", help="run those whose name holds this")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--again", action="store_true", help="repeat what is there")
    options = parser.parse_args()

    done = set()
    if not options.again and RESULTS.exists():
        runs = map(json.loads, RESULTS.read_text("utf-8").splitlines())
        done = {(run["problem"], run["model"], run["seed"]) for run in runs}
    problems = [name for name in PROBLEMS if options.problem in name]
    models = [name for name in MODELS if options.model in name]
    unavailable: set[str] = set()
    for problem, seed, model in product(problems, range(options.seeds), models):
        if (problem, model, seed) in done or problem in unavailable:
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            try:
                line = pool.submit(measure, problem, model, seed).result()
            except FileNotFoundError as error:
                print(f"{problem}: left out, {error}", flush=True)
                unavailable.add(problem)
                continue
        with RESULTS.open("a", encoding="utf-8") as results:
            results.write(json.dumps(line, ensure_ascii=False) + "\n")
        score = line.get("nmi", line.get("perplexity"))
        print(
            f"{problem} | {model} | {seed} | {score:.3f} | {line['seconds']:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
