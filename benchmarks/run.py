"""Run problem × model × seed; append one JSON line a run to ``results/<matrix>.jsonl``.

There are two matrices: "lda", of topics of counts, and "topics", of topics of texts. Runs
that the file holds already are not repeated, unless ``--again`` is given; of several lines
for the same run the last counts. Every run has a process of its own, so that its peak
memory is its own, and one thread; models alternate within a seed. Problems on corpora that
are not packages read the folder named in the environment variable ``LLMTOPICS_DATA``.
"""

import argparse
import json
import os
import platform
import re
import resource
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.text_models import Topics
    from benchmarks.text_problems import Corpus

RESULTS = Path(__file__).parent / "results"
N_WARM = 200  # documents of the run that is not timed
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"],
    "1",
)
QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def environment(packages: str) -> dict:
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages.split()},
        "date": datetime.now(UTC).date().isoformat(),
    }


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_lda(problem_name: str, model_name: str, seed: int) -> dict:
    """Fit one model on one problem and judge its topics with one evaluator for all."""
    from sklearn.metrics import normalized_mutual_info_score

    from benchmarks.models import MODELS, judge
    from benchmarks.problems import PROBLEMS

    problem = PROBLEMS[problem_name]()
    fitted = MODELS[model_name](problem.counts, problem.n_components, seed)
    line = {
        "seconds": fitted.seconds,
        "n_sweeps": fitted.n_sweeps,
        "peak_mib": peak_mib(),
        "n_documents": problem.counts.shape[0],
        "n_words": problem.counts.shape[1],
        "n_tokens": int(problem.counts.sum()),
    }
    if problem.labels is not None:
        topics = judge(fitted).transform(problem.counts).argmax(axis=1)
        line["nmi"] = normalized_mutual_info_score(problem.labels, topics)
    if problem.held_out is not None:
        line["perplexity"] = judge(fitted).perplexity(problem.held_out)
    return line


def judged(corpus: "Corpus", found: "Topics") -> dict:
    """Return what labels, a classifier and the words' coherence say of topics of texts."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import normalized_mutual_info_score
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from llmtopics.metrics import coherence, purity, topic_diversity

    topics = found.mixtures.argmax(axis=1)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    logs = np.log(np.maximum(found.mixtures, 1e-9))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    words = [topic for topic in found.words if len(topic) > 1]
    npmi = coherence(words, corpus.counts, corpus.vocabulary, window_size=None)
    return {
        "npmi": float(npmi.mean()),
        "c_v": float(coherence(words, corpus.tokens, measure="c_v").mean()),
        "diversity": topic_diversity(words),
        "nmi": normalized_mutual_info_score(corpus.labels, topics),
        "purity": purity(corpus.labels, topics),
        "accuracy": cross_val_score(classifier, logs, corpus.labels, cv=folds).mean(),
        "n_documents": corpus.counts.shape[0],
        "n_words": corpus.counts.shape[1],
        "n_tokens": int(corpus.counts.sum()),
        "words": found.words,
    }


def measure_topics(problem_name: str, model_name: str, seed: int) -> dict:
    """Fit one model on one corpus and judge mixtures and words."""
    from benchmarks.text_models import MODELS
    from benchmarks.text_problems import PROBLEMS, read_corpus

    name, K = PROBLEMS[problem_name]
    corpus, model = read_corpus(name), MODELS[model_name]
    model.fit(corpus.every(len(corpus.texts) // N_WARM), 2, seed)  # imports, compiles
    start = perf_counter()
    found = model.fit(corpus, K, seed)
    line = {"seconds": perf_counter() - start, "peak_mib": peak_mib()}

    return line | judged(corpus, found) | found.peculiar


class Matrix(NamedTuple):
    cells: Callable[[], dict[str, dict[str, int]]]  # problem -> model -> seeds, at most
    measure: Callable[[str, str, int], dict]
    packages: str


def lda_cells() -> dict[str, dict[str, int]]:
    from benchmarks.models import MODELS
    from benchmarks.problems import PROBLEMS

    return {problem: dict.fromkeys(MODELS, 5) for problem in PROBLEMS}


def topics_cells() -> dict[str, dict[str, int]]:
    from benchmarks.text_models import MODELS
    from benchmarks.text_problems import PROBLEMS

    return {
        problem: {
            name: model.n_seeds
            for name, model in MODELS.items()
            if problem in model.problems
        }
        for problem in PROBLEMS
    }


SHARED = "llmtopics numpy scipy scikit-learn numba tomotopy"
MATRICES = {
    "lda": Matrix(lda_cells, measure_lda, f"{SHARED} lda gensim"),
    "topics": Matrix(
        topics_cells,
        measure_topics,
        f"{SHARED} torch transformers bertopic umap-learn hdbscan turftopic fastopic "
        "contextualized-topic-models",
    ),
}


def run(matrix: Matrix, problem: str, model: str, seed: int) -> dict:
    """Make one line, in a process of its own."""
    warnings.simplefilter("ignore")
    line = {"problem": problem, "model": model, "seed": seed}
    return line | matrix.measure(problem, model, seed) | environment(matrix.packages)


def run_matrix(name: str, matrix: Matrix, options: argparse.Namespace) -> None:
    path = RESULTS / f"{name}.jsonl"
    done = set()
    if not options.again and path.exists():
        lines = map(json.loads, path.read_text("utf-8").splitlines())
        done = {(line["problem"], line["model"], line["seed"]) for line in lines}
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
        with path.open("a", encoding="utf-8") as results:
            results.write(json.dumps(line, ensure_ascii=False) + "\n")
        last = line.get("points", [line])[-1]
        score = last.get("nmi", last.get("perplexity"))
        print(
            f"{problem} | {model} | {seed} | {score:.3f} | {last['seconds']:.1f} s",
            flush=True,
        )


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--problem", default="", help="run those that match this regex")
    parser.add_argument("--model", default="", help="run those that match this regex")
    parser.add_argument("--again", action="store_true", help="repeat what is there")
    return parser


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--matrix", choices=MATRICES, help="run one of the two alone")
    parser.add_argument("--seeds", type=int, default=5, help="at most")
    options = parser.parse_args()
    os.environ |= ONE_THREAD | QUIET  # of the processes to come
    for name in [options.matrix] if options.matrix else MATRICES:
        run_matrix(name, MATRICES[name], options)


if __name__ == "__main__":
    main()
