"""Exact or blocked sampling, learned or fixed priors: quality only.

Writes one JSON line per problem, model and seed to ``results/samplers.jsonl``. See ``race`` for
speed.
"""

import os
from time import perf_counter

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.counts import count_problem
from benchmarks.runs import ONE_THREAD, QUIET, SHARED, Matrix, arguments, run_matrix
from llmtopics import GibbsLDA, top_words
from llmtopics.metrics import coherence

MODELS = {
    "blocked": {"sampler": "blocked"},
    "exact": {"sampler": "exact"},
    "blocked, α learned": {"sampler": "blocked", "doc_topic_prior": "auto"},
    "blocked, α and β learned": {
        "sampler": "blocked",
        "doc_topic_prior": "auto",
        "topic_word_prior": "auto",
    },
}
HELD_OUT = [
    "Reuters-395, K=20, held out",
    "BBC news, K=20, held out",
    "20 Newsgroups, K=20, held out",
    "20 Newsgroups, K=100, held out",
]


def measure(problem_name: str, model_name: str, seed: int) -> dict:
    problem = count_problem(problem_name)
    model = GibbsLDA(
        problem.n_components, n_jobs=2, random_state=seed, **MODELS[model_name]
    )
    start = perf_counter()
    model.fit(problem.counts)
    seconds = perf_counter() - start
    names = np.arange(problem.counts.shape[1]).astype(str)
    words = top_words(model.components_, names)
    return {
        "seconds": seconds,
        "perplexity": model.perplexity(problem.held_out),
        "log_joint": float(model.log_likelihood_[-1]),
        "npmi": float(coherence(words, problem.counts, names, window_size=None).mean()),
        "words": words,
    }


def agreement(one: list[list[str]], other: list[list[str]]) -> float:
    """Mean share of words that topics have in common, with topics matched one to one."""
    common = np.array([[len(set(a) & set(b)) / len(a) for b in other] for a in one])
    return float(common[linear_sum_assignment(common, maximize=True)].mean())


def cells() -> dict[str, dict[str, int]]:
    return {problem: dict.fromkeys(MODELS, 5) for problem in HELD_OUT}


def main() -> None:
    os.environ |= ONE_THREAD | QUIET  # for new processes
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="at most")
    run_matrix("samplers", Matrix(cells, measure, SHARED), parser.parse_args())


if __name__ == "__main__":
    main()
