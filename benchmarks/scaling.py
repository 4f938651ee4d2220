"""Time of a sweep, a mixture and a first call, memory of a fit, and what they depend on.

Every measure runs in its own process. Its JSON lines in ``results/scaling.jsonl`` are
replaced. The corpus is 20 Newsgroups with α = 0.1 and β = 0.01, if nothing else is given.
"""

import argparse
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from ctypes import CDLL
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks.runs import ONE_THREAD, QUIET, SHARED, environment

RESULTS = Path(__file__).parent / "results" / "scaling.jsonl"
ALPHA, BETA = 0.1, 0.01
N_BURN_IN, N_RUNS = 20, 5
K = 100


def timed(function: Callable, *arguments: Any) -> tuple[float, Any]:
    start = perf_counter()
    value = function(*arguments)
    return perf_counter() - start, value


# a sweep ------------------------------------------------------------------------------


def newsgroup_tokens() -> Any:
    from benchmarks.counts import cached_counts
    from llmtopics.topics._gibbs.tokens import tokens_from_counts

    return tokens_from_counts(cached_counts("20 Newsgroups")[0])


def time_sweeps(
    tokens: Any, K: int = K, n_burn_in: int = N_BURN_IN, n_runs: int = N_RUNS
) -> dict:
    """Return the median time of our sampler's sweeps, in nanoseconds per token."""
    from llmtopics._compiled.threads import ONE
    from llmtopics.topics._gibbs.chain import start_chain
    from llmtopics.topics._gibbs.tokens import random_topics

    topics = random_topics(tokens, K, 0)
    alpha = np.full((1, K), ALPHA)
    chain = start_chain(tokens, topics, K, BETA, 0, ONE, sampler="blocked")
    for _ in range(n_burn_in):
        chain.sweep(alpha)
    seconds = median(timed(chain.sweep, alpha)[0] for _ in range(n_runs))
    return {
        "n_tokens": topics.size,
        "n_words": tokens.n_words,
        "n_components": K,
        "nanoseconds": seconds / topics.size * 1e9,
    }


def repeat(tokens: Any, n_tokens: int) -> Any:
    """Repeat the documents until there are about ``n_tokens`` tokens."""
    T = tokens.words.size
    n = -(-n_tokens // T)
    starts = (tokens.starts[:-1] + T * np.arange(n)[:, np.newaxis]).ravel()
    starts = starts[starts <= n_tokens]
    return type(tokens)(np.tile(tokens.words, n)[: starts[-1]], starts, tokens.n_words)


def by_tokens() -> Iterator[dict]:
    tokens = newsgroup_tokens()
    for n_tokens in (10**5, 10**6, 10**7):
        yield time_sweeps(repeat(tokens, n_tokens))
    yield time_sweeps(repeat(tokens, 10**8), n_burn_in=3, n_runs=3)


def by_topics() -> Iterator[dict]:
    tokens = newsgroup_tokens()
    for K in (10, 20, 50, 100, 200, 255, 256, 500, 1000, 2000):
        yield time_sweeps(tokens, K)


def by_words() -> Iterator[dict]:
    from benchmarks.counts import cached_counts
    from llmtopics.topics._gibbs.tokens import tokens_from_counts

    X = cached_counts("20 Newsgroups")[0]
    order = np.argsort(-X.sum(axis=0), kind="stable")
    for n_words in (1000, 5000, X.shape[1]):
        part = sp.csr_array(X[:, np.sort(order[:n_words])])
        yield time_sweeps(tokens_from_counts(part))


def compare(tokens: Any, K: int, ways: list[tuple[Any, int]]) -> dict:
    """Time the sweeps of two chains in turn; each has its workers and its rows of α."""
    from llmtopics.topics._gibbs.chain import start_chain
    from llmtopics.topics._gibbs.tokens import random_topics

    topics = random_topics(tokens, K, 0)
    sweeps = [
        partial(
            start_chain(tokens, topics, K, BETA, 0, pool, sampler="blocked").sweep,
            np.full((n_priors, K), ALPHA),
        )
        for pool, n_priors in ways
    ]
    rounds = [[timed(sweep)[0] for sweep in sweeps] for _ in range(N_BURN_IN + N_RUNS)]
    times = np.array(rounds[N_BURN_IN:]) / topics.size * 1e9
    return {
        "n_components": K,
        "nanoseconds": float(np.median(times[:, 0])),
        "other_nanoseconds": float(np.median(times[:, 1])),
        "ratio": float(np.median(times[:, 1] / times[:, 0])),
    }


def by_threads() -> Iterator[dict]:
    """One thread, then two."""
    from llmtopics._compiled.threads import ONE, workers

    tokens = newsgroup_tokens()
    with workers(2) as two:
        for K in (20, 100, 1000):
            yield compare(tokens, K, [(ONE, 1), (two, 1)])


def by_priors() -> Iterator[dict]:
    """One prior for all documents, then one per document."""
    from llmtopics._compiled.threads import ONE

    tokens = newsgroup_tokens()
    for K in (20, 50, 100):
        yield compare(tokens, K, [(ONE, 1), (ONE, len(tokens.starts) - 1)])


def our_model(max_iter: int, sampler: str = "auto") -> Any:
    from llmtopics import GibbsLDA

    return GibbsLDA(
        K,
        doc_topic_prior=ALPHA,
        topic_word_prior=BETA,
        sampler=sampler,
        max_iter=max_iter,
        random_state=0,
    )


# a fit's memory -----------------------------------------------------------------------


def resident(field: str) -> int:
    """Bytes of memory of this process: "VmRSS" is the current value, "VmHWM" the peak."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.findall(rf"{field}:\s+(\d+) kB", status)[0]) * 1024


def by_memory() -> Iterator[dict]:
    """Peak memory of a fit on IMDB, minus the memory before it; on Linux only."""
    from benchmarks.counts import cached_counts

    X = cached_counts("IMDB")[0]
    model = our_model(10, "blocked")
    model.fit(X[:10])  # imports, compiles
    del model.components_
    CDLL(None).malloc_trim(0)  # returns free memory to the system
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # reset the peak
    model.fit(X)
    n_bytes, n_tokens, V = resident("VmHWM") - before, int(X.sum()), X.shape[1]
    yield {
        "n_tokens": n_tokens,
        "n_words": V,
        "n_components": K,
        "mib": n_bytes / 2**20,
        "bytes_per_token": n_bytes / n_tokens,
        "bound_mib": 12 * (n_tokens + V * K) / 2**20,
    }


# mixtures -----------------------------------------------------------------------------


class Way(NamedTuple):
    """How a fitted model finds mixtures; ``prepare`` turns counts into its input."""

    components: np.ndarray
    prepare: Callable[[sp.csr_array], Any]
    infer: Callable[[Any], Any]


def ways(X: sp.csr_array, n_sweeps: int) -> dict[str, Way]:
    """Fit the three models with one thread."""
    from benchmarks.models.base import to_rows
    from benchmarks.race import (
        tomotopy_model,
        tomotopy_weights,
        topica_corpus,
        topica_model,
        words_of,
    )

    ours = our_model(n_sweeps).fit(X)
    tomotopy = tomotopy_model(X, K, 0)
    tomotopy.train(n_sweeps, workers=1)
    topica = topica_model(K, 0, 1, "sparse")
    topica.fit(topica_corpus(X), iters=n_sweeps - 1, num_samples=1, sample_interval=1)
    return {
        "GibbsLDA": Way(ours.components_, lambda X: X, ours.transform),
        "tomotopy": Way(
            to_rows(tomotopy_weights(tomotopy, X.shape[1])),
            lambda X: [tomotopy.make_doc(words) for words in words_of(X)],
            lambda documents: tomotopy.infer(documents, workers=1)[0],
        ),
        "topica": Way(np.asarray(topica.topic_word), topica_corpus, topica.transform),
    }


def by_models(n_sweeps: int = 200) -> Iterator[dict]:
    """Mixtures of the held-out tenth; models alternate and have their defaults."""
    from benchmarks.counts import cached_counts, split
    from llmtopics._held_out import halves, log_likelihood

    X, held_out = split(cached_counts("20 Newsgroups")[0])
    seen = X.sum(axis=0) > 0
    X, held_out = X[:, seen], held_out[:, seen]
    held_out = held_out[held_out.sum(axis=1) > 1]
    first, second = halves(held_out)
    models = ways(X, n_sweeps)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(N_RUNS):
        for name, way in models.items():
            seconds[name].append(timed(way.infer, way.prepare(held_out))[0])
    for name, way in models.items():
        mixtures = np.asarray(way.infer(way.prepare(first)), float)
        score = log_likelihood(second, mixtures, way.components) / second.sum()
        yield {
            "model": name,
            "n_components": K,
            "n_documents": held_out.shape[0],
            "n_tokens": int(held_out.sum()),
            "seconds": median(seconds[name]),
            "perplexity": float(np.exp(-score)),
        }


# the first call -----------------------------------------------------------------------


def first_call(sampler: str) -> float:
    """Return the time of the first fit of a process minus that of the second, in seconds."""
    from llmtopics import GibbsLDA

    X = np.random.default_rng(0).poisson(1, (10, 50))
    model = GibbsLDA(5, max_iter=1, sampler=sampler, random_state=0)
    first, second = (timed(model.fit_transform, X)[0] for _ in range(2))
    return first - second


def by_cache() -> Iterator[dict]:
    for sampler in ("exact", "blocked"):
        with TemporaryDirectory() as folder:
            os.environ["NUMBA_CACHE_DIR"] = folder  # for new processes
            for cache in ("empty", "filled"):
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    seconds = pool.submit(first_call, sampler).result()
                yield {"sampler": sampler, "cache": cache, "seconds": seconds}


MEASURES: dict[str, Callable[[], Iterator[dict]]] = {
    "tokens": by_tokens,
    "topics": by_topics,
    "words": by_words,
    "threads": by_threads,
    "priors": by_priors,
    "memory": by_memory,
    "mixtures": by_models,
    "first call": by_cache,
}


def run(measure: str) -> list[dict]:
    """Make the lines of a measure; runs in a separate process."""
    surroundings = environment(f"{SHARED} topica")
    return [{"measure": measure} | line | surroundings for line in MEASURES[measure]()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", default="", help="regex of the measures to run")
    options = parser.parse_args()
    os.environ |= ONE_THREAD | QUIET  # for new processes
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    for measure in MEASURES:
        if not re.search(options.measure, measure):
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            try:
                fresh = pool.submit(run, measure).result()
            except FileNotFoundError as error:
                print(f"{measure}: left out, {error}", flush=True)
                continue
        print(*map(json.dumps, fresh), sep="\n", flush=True)
        lines = [line for line in lines if line["measure"] != measure] + fresh
        RESULTS.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
