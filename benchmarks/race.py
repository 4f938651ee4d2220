"""The race of samplers: quality of topics over time.

Writes one JSON line per problem, model and seed to ``results/race.jsonl``, with one point per
stop. Runs in the file are not repeated, except with ``--again``. Every run has its own process.
Models alternate within a round. All have the same words and the same fixed priors, α = 0.1 and
β = 0.01. Evaluation is not timed. Counts are made once and cached in the user's cache folder.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import tomotopy
import topica
from scipy.special import gammaln

from benchmarks.counts import cached_counts, split
from benchmarks.models.base import Fitted, evaluator
from benchmarks.runs import (
    ONE_THREAD,
    QUIET,
    SHARED,
    Matrix,
    arguments,
    peak_mib,
    run_matrix,
)
from llmtopics import GibbsLDA, top_words
from llmtopics.metrics import coherence
from llmtopics.topics._gibbs.tokens import tokens_from_counts

ALPHA, BETA = 0.1, 0.01
CURVE = (30, 40, 50, 60, 70, 80, 90, 100, 200)
FEW = (100, 200)
BOTH = "^(GibbsLDA|tomotopy)$"
LAST = 200  # sweeps of a peer


class Race(NamedTuple):
    """A problem; ``ours`` and ``theirs`` are the stops of GibbsLDA and of tomotopy."""

    corpus: str
    n_components: int
    threads: int = 1
    ours: tuple[int, ...] = CURVE
    theirs: tuple[int, ...] = CURVE
    models: str = "^(?!GibbsLDA, exact)"  # regex of the models that run


SMALL = partial(Race, models="")
MANY = partial(
    Race, n_components=1000, ours=(30, 50, 70, 100, 130), theirs=(50, 100, 200)
)
PROBLEMS: dict[str, Race] = {
    "BBC news, K=20": SMALL("BBC news", 20),
    "20 Newsgroups, K=20": Race("20 Newsgroups", 20),
    "20 Newsgroups, K=100": Race("20 Newsgroups", 100),
    "20 Newsgroups, K=1000": MANY("20 Newsgroups"),
    "IMDB, K=100": Race("IMDB", 100, 2, models=BOTH),
    "IMDB, K=100, one thread": Race("IMDB", 100, ours=(60,), models="^GibbsLDA$"),
    "IMDB, 10,000 reviews, K=1000": MANY(
        "IMDB, 10,000 reviews", threads=2, models=BOTH
    ),
}


class Stop(NamedTuple):
    """φ after ``n_sweeps``; ``log_joint`` computes log p(w, z) of the state, per token."""

    n_sweeps: int
    seconds: float
    components: np.ndarray
    log_joint: Callable[[], float | None]


def log_joint(
    word_topic: np.ndarray, documents: np.ndarray, topics: np.ndarray
) -> float:
    """Return log p(w, z) per token: Griffiths & Steyvers 2004, equations 2 and 3.

    word_topic : (K, V), n_wk
    documents, topics : (T,), document and topic of every token
    """
    K, V = word_topic.shape
    in_topic = np.unique(documents * K + topics, return_counts=True)[1]
    in_cell = word_topic[word_topic > 0]
    total = (
        (gammaln(in_topic + ALPHA) - gammaln(ALPHA)).sum()
        + (gammaln(K * ALPHA) - gammaln(np.bincount(documents) + K * ALPHA)).sum()
        + (gammaln(in_cell + BETA) - gammaln(BETA)).sum()
        + (gammaln(V * BETA) - gammaln(word_topic.sum(axis=1) + V * BETA)).sum()
    )
    return float(total / topics.size)


def words_of(X: sp.csr_array) -> Iterator[list[str]]:
    """Yield the words of each document; a word is the number of its column."""
    tokens = tokens_from_counts(X)
    names = np.arange(X.shape[1]).astype(str).astype(object)
    for first, last in zip(tokens.starts, tokens.starts[1:], strict=False):
        yield names[tokens.words[first:last]].tolist()


# models: (race, counts, seed) → stops --------------------------------------------------


def gibbs_lda(
    race: Race,
    X: sp.csr_array,
    seed: int,
    sampler: str = "auto",
    stops: tuple[int, ...] | None = None,
) -> Iterator[Stop]:
    """Every stop is a separate fit."""
    model = GibbsLDA(
        race.n_components,
        doc_topic_prior=ALPHA,
        topic_word_prior=BETA,
        sampler="exact" if sampler == "exact" else "blocked",
        max_iter=1,
        n_jobs=race.threads,
        random_state=seed,
    )
    model.fit(X[:10])  # compile, or load the compiled code
    model.set_params(sampler=sampler)
    for n_sweeps in stops or race.ours:
        model.set_params(max_iter=n_sweeps)
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        last = float(model.log_likelihood_[-1])
        yield Stop(n_sweeps, seconds, model.components_, lambda last=last: last)


def tomotopy_model(X: sp.csr_array, K: int, seed: int) -> tomotopy.LDAModel:
    """Return a model with its documents, before the first sweep."""
    model = tomotopy.LDAModel(k=K, alpha=ALPHA, eta=BETA, seed=seed)
    model.optim_interval = 0  # priors stay as given
    for words in words_of(X):
        model.add_doc(words)
    model.train(0)
    return model


def tomotopy_weights(model: tomotopy.LDAModel, n_words: int) -> np.ndarray:
    """Return n_wk + β, (K, V); words that the model did not see have β only."""
    weights = np.full((model.k, n_words), BETA)
    columns = np.array(model.used_vocabs, int)
    for k in range(model.k):
        weights[k, columns] = model.get_topic_word_dist(k, normalize=False)
    return weights


def tomotopy_joint(model: tomotopy.LDAModel, n_words: int) -> float:
    counts = np.rint(tomotopy_weights(model, n_words) - BETA)
    topics = [document.topics for document in model.docs]
    documents = np.repeat(np.arange(len(topics)), [len(each) for each in topics])
    return log_joint(counts, documents, np.concatenate(topics))


def tomotopy_lda(race: Race, X: sp.csr_array, seed: int) -> Iterator[Stop]:
    """One chain that pauses at every stop."""
    model = tomotopy_model(X, race.n_components, seed)
    n_sweeps, seconds = 0, 0.0
    for stop in race.theirs:
        start = perf_counter()
        model.train(stop - n_sweeps, workers=race.threads)
        seconds += perf_counter() - start
        n_sweeps = stop
        components = tomotopy_weights(model, X.shape[1])
        components /= components.sum(axis=1, keepdims=True)
        joint = partial(tomotopy_joint, model, X.shape[1])
        yield Stop(n_sweeps, seconds, components, joint)


def topica_model(K: int, seed: int, threads: int, sampler: str) -> topica.LDA:
    return topica.LDA(
        K,
        alpha_sum=ALPHA * K,
        beta=BETA,
        optimize_interval=0,
        seed=seed,
        num_threads=threads,
        sampler=sampler,
    )


def topica_corpus(X: sp.csr_array) -> topica.Corpus:
    """Return the documents; the vocabulary has the columns in their order."""
    names = np.arange(X.shape[1]).astype(str).tolist()
    return topica.Corpus.from_documents(list(words_of(X)), vocabulary=names)


def topica_lda(
    race: Race,
    X: sp.csr_array,
    seed: int,
    sampler: str,
    stops: tuple[int, ...] = (LAST,),
    n_samples: int = 1,
) -> Iterator[Stop]:
    """Every stop is a separate fit; several samples are 25 sweeps apart."""
    interval = 1 if n_samples == 1 else 25  # sweeps before each sample, also the first
    corpus, n_tokens = topica_corpus(X), int(X.sum())
    for n_sweeps in stops:
        model = topica_model(race.n_components, seed, race.threads, sampler)
        start = perf_counter()
        model.fit(
            corpus,
            iters=n_sweeps - n_samples * interval,
            num_samples=n_samples,
            sample_interval=interval,
            keep_theta_draws=False,
        )
        seconds = perf_counter() - start
        yield Stop(
            n_sweeps,
            seconds,
            np.asarray(model.topic_word),
            lambda model=model: model.log_likelihood() / n_tokens,
        )


MODELS: dict[str, Callable[[Race, sp.csr_array, int], Iterator[Stop]]] = {
    "GibbsLDA": gibbs_lda,
    "GibbsLDA, exact": partial(gibbs_lda, sampler="exact", stops=FEW),
    "tomotopy": tomotopy_lda,
    "topica sparse": partial(topica_lda, sampler="sparse"),
    "topica sparse, 5 samples": partial(
        topica_lda, sampler="sparse", stops=(LAST,), n_samples=5
    ),
    "topica warp": partial(topica_lda, sampler="warp"),
}


def measure(problem_name: str, model_name: str, seed: int) -> dict:
    """Run one model on one problem and evaluate its topics at every stop."""
    race = PROBLEMS[problem_name]
    X, held_out = split(cached_counts(race.corpus)[0])
    names = np.arange(X.shape[1]).astype(str)
    alpha = np.full(race.n_components, ALPHA)
    points: list[dict] = []
    peak = 0.0
    for stop in MODELS[model_name](race, X, seed):
        peak = peak or peak_mib()  # before the first evaluation
        evaluate = evaluator(Fitted(stop.components, alpha, stop.seconds))
        words = top_words(stop.components, names, method="probability")
        points.append(
            {
                "sweeps": stop.n_sweeps,
                "seconds": stop.seconds,
                "perplexity": evaluate.perplexity(held_out),
                "npmi": float(coherence(words, X, names, window_size=None).mean()),
                "log_joint": stop.log_joint(),
            }
        )
    n_tokens = int(X.sum())
    return {
        "n_documents": X.shape[0],
        "n_words": X.shape[1],
        "n_tokens": n_tokens,
        "threads": race.threads,
        "peak_mib": peak,
        "tokens_per_second": points[-1]["sweeps"] * n_tokens / points[-1]["seconds"],
        "points": points,
    }


def cells() -> dict[str, dict[str, int]]:
    return {
        problem: {model: 99 for model in MODELS if re.search(race.models, model)}
        for problem, race in PROBLEMS.items()
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", dest="seeds", type=int, default=5)
    os.environ |= ONE_THREAD | QUIET  # for new processes
    run_matrix("race", Matrix(cells, measure, f"{SHARED} topica"), parser.parse_args())


if __name__ == "__main__":
    main()
