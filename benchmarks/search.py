"""Time of grid searches over K and α, compared with the same fits one by one.

``FusionTopicModel`` on BBC news: 5 K × 5 α × 3 folds, with one and with two jobs. It runs alone
(scored by its own ``score``) and in a Pipeline with a classifier (scored by accuracy). Every
measurement has its own process. Measurements alternate within a round. The search does not
refit the best model, so it makes the same 75 fits and scores as "single fits". Vectors are
cached on disk before, except where ``cold`` is true. Appends one JSON line per measurement to
``results/search.jsonl``. Lines in the file are not repeated, except with ``--again``. Cold
measurements are made in the first round only.
"""

import argparse
import json
import os
import resource
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

from benchmarks.runs import QUIET, RESULTS, environment

PATH = RESULTS / "search.jsonl"
PACKAGES = "llmtopics numpy scipy scikit-learn joblib numba torch transformers"
GRID = {"alpha": [0.1, 0.3, 0.5, 0.7, 0.9], "n_components": [5, 10, 15, 20, 30]}
N_FOLDS = 3


class Measurement(NamedTuple):
    """What is timed: ``n_jobs`` is 0 for single fits, and None for encoding only."""

    way: str
    n_jobs: int | None
    cold: bool = False


ROUND = [
    Measurement("alone", 0),
    Measurement("alone", 1),
    Measurement("alone", 2),
    Measurement("with a classifier", 0),
    Measurement("with a classifier", 1),
    Measurement("with a classifier", 2),
    Measurement("alone, memory", 1),
    Measurement("alone, memory", 2),
]
FIRST = [Measurement("encoding", None, cold=True)] + [
    Measurement("alone", n_jobs, cold=True) for n_jobs in (1, 2)
]


def estimator(way: str, max_iter: int, cache_dir: str | None, memory: str) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from llmtopics import FusionTopicModel, TextAnalyzer, TransformerEmbedder

    model = FusionTopicModel(
        vectorizer=CountVectorizer(analyzer=TextAnalyzer(), min_df=5),
        embedder=TransformerEmbedder(cache_dir=cache_dir),
        max_iter=max_iter,
        memory=memory if way.endswith("memory") else None,
        random_state=0,
    )
    if way != "with a classifier":
        return model
    return make_pipeline(model, LogisticRegression(max_iter=1000))


def fit_one_by_one(model: Any, grid: dict, texts: list[str], y: Any, folds: Any):
    from sklearn.base import clone
    from sklearn.model_selection import ParameterGrid

    for parameters in ParameterGrid(grid):
        for train, test in folds.split(texts, y):
            fitted = clone(model).set_params(**parameters)
            fitted.fit([texts[i] for i in train], y[train])
            fitted.score([texts[i] for i in test], y[test])


def cpu_seconds() -> float:
    used = [
        resource.getrusage(who)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(measurement: Measurement, max_iter: int, every: int) -> dict:
    from joblib.externals.loky import get_reusable_executor
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    from llmtopics import TransformerEmbedder
    from llmtopics.datasets import load_bbc_news
    from llmtopics.fusion._scoring import cut_in_half

    warnings.simplefilter("ignore")
    way, n_jobs, cold = measurement
    corpus = load_bbc_news()
    texts, y = corpus.data[::every], corpus.target[::every]
    first_halves = [cut_in_half(text)[0] for text in texts]
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    if not cold:
        TransformerEmbedder().transform(texts + first_halves)
    with TemporaryDirectory() as folder:
        cache_dir = str(Path(folder, "vectors")) if cold else None
        embedder = TransformerEmbedder(cache_dir=cache_dir)
        # imports, compiles, loads the weights
        embedder.transform(["cat", "dog"])
        warm = estimator(way, 2, None, str(Path(folder, "warm")))
        warm.fit(corpus.data[::50], corpus.target[::50])
        warm.score(corpus.data[::50], corpus.target[::50])
        model = estimator(way, max_iter, cache_dir, str(Path(folder, "memory")))
        prefix = "fusiontopicmodel__" if way == "with a classifier" else ""
        grid = {prefix + name: values for name, values in GRID.items()}
        start, used = perf_counter(), cpu_seconds()
        if n_jobs is None:
            embedder.transform(texts)
            embedder.transform(first_halves)
        elif n_jobs == 0:
            fit_one_by_one(model, grid, texts, y, folds)
        else:
            search = GridSearchCV(model, grid, cv=folds, n_jobs=n_jobs, refit=False)
            search.fit(texts, y)
        seconds = perf_counter() - start
        if n_jobs == 2:  # CPU time counts only workers that have ended
            get_reusable_executor().shutdown(wait=True)
        return {
            "seconds": seconds,
            "cpu_seconds": cpu_seconds() - used,
            "n_texts": len(texts),
            "n_fits": N_FOLDS * len(GRID["alpha"]) * len(GRID["n_components"]),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-iter", type=int, default=100, help="sweeps of a fit")
    parser.add_argument("--again", action="store_true", help="repeat lines in the file")
    parser.add_argument("--every", type=int, default=1, help="n-th article only")
    options = parser.parse_args()
    os.environ |= QUIET  # for new processes
    size = {"max_iter": options.max_iter, "every": options.every}
    done = []
    if not options.again and PATH.exists():
        done = [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]
    for number in range(options.rounds):
        for measurement in [*ROUND, *(FIRST if number == 0 else [])]:
            line = measurement._asdict() | {"round": number} | size
            if any(line.items() <= other.items() for other in done):
                continue
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found = pool.submit(measure, measurement, **size).result()
            line |= found | environment(PACKAGES)
            with PATH.open("a", encoding="utf-8") as results:
                results.write(json.dumps(line) + "\n")
            print(measurement, f"{found['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
