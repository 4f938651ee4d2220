"""Pachinko allocation compared with tomotopy: perplexity and seconds after equal sweeps.

Writes one JSON line per problem, model and seed to ``results/pachinko.jsonl``. Runs in the
file are not repeated, except with ``--again``. Every run has its own process and one thread.
Models alternate within a seed. Both have the same words and start from the same priors (0.1
for all). Both keep α_s and learn α_st. LDA with as many topics is the baseline. The same code
evaluates all models: our ``transform`` finds the mixtures of the first halves of held-out
documents, given the model's φ and priors. tomotopy's own inference of these halves is recorded
too.
"""

import os
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import tomotopy
from sklearn.base import clone

from benchmarks.counts import cached_counts, split
from benchmarks.models.tomotopy_models import tomotopy_components
from benchmarks.race import words_of
from benchmarks.runs import ONE_THREAD, QUIET, SHARED, Matrix, arguments, run_matrix
from llmtopics import GibbsLDA, PachinkoAllocation
from llmtopics._held_out import halves, log_likelihood

N_SWEEPS = 200


class Problem(NamedTuple):
    corpus: str
    n_super: int
    n_components: int


PROBLEMS = {
    "20 Newsgroups, S=10, K=50": Problem("20 Newsgroups", 10, 50),
    "BBC news, S=5, K=30": Problem("BBC news", 5, 30),
}


def perplexity(mixtures: np.ndarray, rest: sp.csr_array, phi: np.ndarray) -> float:
    return float(np.exp(-log_likelihood(rest, mixtures, phi) / rest.data.sum()))


def measured(
    model: GibbsLDA | PachinkoAllocation, X: sp.csr_array, held_out: sp.csr_array
) -> dict:
    model.set_params(max_iter=N_SWEEPS)
    for sampler in ("exact", "blocked"):  # compile, or load the compiled code
        warm = clone(model).set_params(n_components=2, sampler=sampler, max_iter=8)
        warm.fit(X[:10]).perplexity(X[:10])
    start = perf_counter()
    model.fit(X)
    seconds = perf_counter() - start
    start = perf_counter()
    line = {"seconds": seconds, "perplexity": model.perplexity(held_out)}
    return line | {"transform_seconds": perf_counter() - start}


def pachinko(
    problem: Problem,
    X: sp.csr_array,
    held_out: sp.csr_array,
    seed: int,
    doc_super_prior: float | str = 0.1,
) -> dict:
    model = PachinkoAllocation(
        problem.n_components,
        n_super_components=problem.n_super,
        doc_super_prior=doc_super_prior,
        random_state=seed,
    )
    return measured(model, X, held_out)


def lda(
    problem: Problem, X: sp.csr_array, held_out: sp.csr_array, seed: int, **parameters
) -> dict:
    model = GibbsLDA(problem.n_components, random_state=seed, **parameters)
    return measured(model, X, held_out)


def tomotopy_pa(
    problem: Problem, X: sp.csr_array, held_out: sp.csr_array, seed: int, eta: float
) -> dict:
    S, K = problem.n_super, problem.n_components
    model = tomotopy.PAModel(k1=S, k2=K, alpha=0.1, subalpha=0.1, eta=eta, seed=seed)
    for document in words_of(X):
        if document:
            model.add_doc(document)
    model.train(0)
    start = perf_counter()
    model.train(N_SWEEPS, workers=1)
    seconds = perf_counter() - start
    phi = tomotopy_components(model, K, X.shape[1], eta)
    given = PachinkoAllocation(K, n_super_components=S)
    given.components_, given.n_features_in_ = phi, X.shape[1]
    given.doc_super_prior_ = np.array(model.alpha, float)
    given.super_sub_prior_ = np.array(model.subalpha, float)
    line = {"seconds": seconds, "perplexity": given.perplexity(held_out)}

    observed, rest = halves(held_out)
    start = perf_counter()
    mixtures = np.full((held_out.shape[0], K), 1 / K)
    documents = [
        model.make_doc(words) if words else None for words in words_of(observed)
    ]
    known = [d for d, doc in enumerate(documents) if doc is not None and len(doc.words)]
    found, _ = model.infer([documents[d] for d in known], workers=1)
    mixtures[known] = [sub for _, sub in found]
    mixtures /= mixtures.sum(axis=1, keepdims=True)
    line["transform_seconds"] = perf_counter() - start
    return line | {"own_perplexity": perplexity(mixtures, rest, phi)}


MODELS: dict[str, Callable[..., dict]] = {
    "PachinkoAllocation": pachinko,
    "tomotopy PAModel, η=0.1": partial(tomotopy_pa, eta=0.1),
    "tomotopy PAModel, η=0.01": partial(tomotopy_pa, eta=0.01),
    "PachinkoAllocation, learned α_s": partial(pachinko, doc_super_prior="auto"),
    "GibbsLDA": lda,
    "GibbsLDA, learned α": partial(lda, doc_topic_prior="auto"),
}


def measure(problem_name: str, model_name: str, seed: int) -> dict:
    problem = PROBLEMS[problem_name]
    X, held_out = split(cached_counts(problem.corpus)[0])
    line = MODELS[model_name](problem, X, held_out, seed)
    return line | {"n_documents": X.shape[0], "n_tokens": int(X.sum())}


def cells() -> dict[str, dict[str, int]]:
    return {problem: dict.fromkeys(MODELS, 99) for problem in PROBLEMS}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", dest="seeds", type=int, default=3)
    os.environ |= ONE_THREAD | QUIET  # for new processes
    run_matrix("pachinko", Matrix(cells, measure, SHARED), parser.parse_args())


if __name__ == "__main__":
    main()
