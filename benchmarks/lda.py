"""Topic models of counts: the same code evaluates the topics φ of all models.

Writes JSON lines to ``results/lda.jsonl``. See ``runs`` for how models are run.
"""

import os

from sklearn.metrics import normalized_mutual_info_score

from benchmarks.corpora import COUNT_PROBLEMS
from benchmarks.counts import count_problem
from benchmarks.models import MODELS
from benchmarks.models.base import evaluator
from benchmarks.runs import (
    ONE_THREAD,
    QUIET,
    SHARED,
    Matrix,
    arguments,
    peak_mib,
    run_matrix,
)


def measure(problem_name: str, model_name: str, seed: int) -> dict:
    """Fit one model to one problem and evaluate its topics."""
    problem = count_problem(problem_name)
    fitted = MODELS[model_name].of_counts(problem.counts, problem.n_components, seed)
    line = {
        "seconds": fitted.seconds,
        "n_sweeps": fitted.n_sweeps,
        "peak_mib": peak_mib(),
        "n_documents": problem.counts.shape[0],
        "n_words": problem.counts.shape[1],
        "n_tokens": int(problem.counts.sum()),
    }
    if problem.labels is not None:
        topics = evaluator(fitted).transform(problem.counts).argmax(axis=1)
        line["nmi"] = normalized_mutual_info_score(problem.labels, topics)
    if problem.held_out is not None:
        line["perplexity"] = evaluator(fitted).perplexity(problem.held_out)
    return line


def cells() -> dict[str, dict[str, int]]:
    models = [name for name, model in MODELS.items() if model.of_counts]
    return {problem: dict.fromkeys(models, 5) for problem in COUNT_PROBLEMS}


def main() -> None:
    os.environ |= ONE_THREAD | QUIET  # for new processes
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="at most")
    matrix = Matrix(cells, measure, f"{SHARED} lda gensim")
    run_matrix("lda", matrix, parser.parse_args())


if __name__ == "__main__":
    main()
