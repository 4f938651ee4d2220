"""``DaskGibbsLDA`` beside ``GibbsLDA``: time, bytes and memory of sweeps, and local sweeps.

Workers are processes of this machine with one thread each. Corpora of more tokens than IMDB
are drawn from a model of it, as in ``out_of_core``. ``benchmarks/dask_cost.py`` fits a model of
the time to these lines. Lines are added to ``results/dask_lda.jsonl``.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from distributed import wait

from benchmarks.dask_cost import PER_MOVE, measured_parts
from benchmarks.runs import ONE_THREAD, run_tasks, task_arguments

K, ALPHA, BETA = 100, 0.1, 0.01
SIZES = 20_000_000, 50_000_000  # tokens, beside IMDB itself
N_SWEEPS, N_FIRST, N_RUNS = 10, 4, 2  # the first sweeps of a run do not count
MANY = 1, 2, 4, 8, 16  # workers in one process, for exact bytes
LOCAL_SWEEPS = None, 1, 2, 5, 10
N_LOCAL, N_WORKERS, N_SEEDS = 100, 4, 3  # sweeps, workers and seeds of a fit
PACKAGES = "llmtopics numpy scipy scikit-learn numba dask distributed"


def stored(folder: Path, n_tokens: int | None):
    """Return IMDB, or a corpus drawn from a model of it, in files; made at the first call.

    A separate process makes it, so that its memory does not count as that of a fit.
    """
    from llmtopics import StoredCounts

    path = folder / ("imdb" if n_tokens is None else f"imdb-{n_tokens:.0e}")
    if not path.exists():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(store, folder, n_tokens).result()
    return StoredCounts(path)


def store(folder: Path, n_tokens: int | None) -> None:
    from benchmarks.out_of_core import made, reviews
    from llmtopics import store_counts

    if n_tokens is None:
        X, names = reviews()
        store_counts(X, folder / "imdb", feature_names=names)
    else:
        made(folder, n_tokens)


def sizes(counts: Any) -> dict:
    D, V = counts.shape
    return {"n_documents": D, "n_words": V, "n_tokens": counts.n_tokens}


# a sweep ------------------------------------------------------------------------------


def local(folder: Path, n_tokens: int | None, n_jobs: int) -> dict:
    """Time sweeps of a chain in memory; measure the memory of its process."""
    from llmtopics._compiled.threads import workers
    from llmtopics.topics._gibbs.chain import start_chain
    from llmtopics.topics._gibbs.tokens import Tokens, random_topics

    before, counts = peak_mib(), stored(folder, n_tokens)
    words, starts = np.array(counts.words), np.array(counts.starts)
    tokens, alpha, seconds = (
        Tokens(words, starts, counts.shape[1]),
        np.full((1, K), ALPHA),
        [],
    )
    topics = random_topics(tokens, K, 0)
    with workers(n_jobs) as threads:
        chain = start_chain(tokens, topics, K, BETA, 0, threads, sampler="blocked")
        for _ in range(N_SWEEPS):
            begin = perf_counter()
            chain.sweep(alpha)
            seconds.append(perf_counter() - begin)
    return sizes(counts) | {
        "seconds_per_sweep": seconds[N_FIRST:],
        "peak_mib": peak_mib(),
        "mib_before": before,
    }


def loopback() -> int:
    """Return the bytes that this machine has sent to itself."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "lo":
            return int(numbers.split()[0])
    return 0


def sent(dask_worker: Any) -> int:
    """Return the bytes of results that a worker has sent to others."""
    return dask_worker.transfer_outgoing_bytes_total


def peak_mib() -> float:
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0]) / 1024


@contextmanager
def cluster_of(n_workers: int, processes: bool = True) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.worker.memory.terminate": False,
        "distributed.comm.timeouts.connect": "300s",
    }
    with (
        dask.config.set(quiet),
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def watched(after: Callable[[float], None]) -> Iterator[None]:
    """Call a function with the seconds of each sweep, or sweeps, after it."""
    from llmtopics.dask._team import Team

    kept = Team.sweep, Team.sweeps_alone

    def timed(method: Callable) -> Callable:
        def call(*given: Any) -> None:
            begin = perf_counter()
            method(*given)
            after(perf_counter() - begin)

        return call

    Team.sweep, Team.sweeps_alone = map(timed, kept)
    try:
        yield
    finally:
        Team.sweep, Team.sweeps_alone = kept


class Enough(Exception):
    """All sweeps were timed."""


def on_dask(folder: Path, n_tokens: int | None, n_workers: int) -> dict:
    """Time sweeps on workers; count their bytes and memory. IMDB is fitted to the end."""
    from llmtopics.dask import DaskGibbsLDA

    counts = stored(folder, n_tokens)
    seconds, moved, all_bytes = [], [], []
    with cluster_of(n_workers) as client:
        before = client.run(peak_mib)

        def after(of_sweep: float) -> None:
            seconds.append(of_sweep)
            all_bytes.append(loopback())
            moved.append(sum(client.run(sent).values()))
            if n_tokens is not None and len(seconds) == N_SWEEPS:
                raise Enough

        lda = DaskGibbsLDA(K, doc_topic_prior=ALPHA, topic_word_prior=BETA)
        lda.set_params(max_iter=N_SWEEPS, random_state=0, checkpoint_every=1000)
        with watched(after), suppress(Enough):
            lda.fit(counts)
        peaks = client.run(peak_mib)
    return sizes(counts) | {
        "seconds_per_sweep": seconds[N_FIRST:],
        "bytes_per_sweep": np.diff(moved)[N_FIRST - 1 :].tolist(),
        "loopback_bytes_per_sweep": np.diff(all_bytes)[N_FIRST - 1 :].tolist(),
        "worker_peak_mib": max(peaks.values()),
        "worker_mib_before": max(before.values()),
    }


def time_to_receive() -> dict:
    """Return seconds per byte of moved tokens from one process to another: the least of ten."""
    from llmtopics.dask._changes import Moves

    def moves(n: int) -> Moves:
        topics = np.zeros(n, np.uint16)
        return Moves(np.zeros(n, np.int32), topics, topics)

    with cluster_of(2) as client:
        one, other = client.scheduler_info(n_workers=-1)["workers"]
        least = []
        for n in (10**6, 10**7):
            seconds = []
            for _ in range(10):
                held = client.submit(moves, n, workers=[one], pure=False)
                wait(held)
                begin = perf_counter()
                wait(client.submit(len, held, workers=[other], pure=False))
                seconds.append(perf_counter() - begin)
            least.append(min(seconds))
    per_byte = (least[1] - least[0]) / (9 * 10**6 * PER_MOVE)
    return {"seconds": least, "seconds_per_byte": per_byte}


# many workers in one process ----------------------------------------------------------


def newsgroups(corpus: str = "20 Newsgroups"):
    from benchmarks.counts import cached_counts, split

    return split(cached_counts(corpus)[0])


def exact_bytes(n_workers: int) -> dict:
    """Count bytes and tasks of sweeps over 20 Newsgroups; workers share this process."""
    from llmtopics.dask import DaskGibbsLDA
    from llmtopics.dask._graph import Graph

    X, _ = newsgroups()
    moved, tasks, send = [], [], Graph.send

    def counted(graph: Any, *given: Any) -> Any:
        tasks.append(len(graph._tasks))
        return send(graph, *given)

    Graph.send = counted
    with cluster_of(n_workers, processes=False) as client:
        after = partial(_add_sent, client, moved)
        lda = DaskGibbsLDA(K, doc_topic_prior=ALPHA, topic_word_prior=BETA)
        lda.set_params(max_iter=N_SWEEPS, random_state=0, checkpoint_every=1000)
        with watched(after):
            lda.fit(X)
    return {
        "n_tokens": int(X.sum()),
        "n_words": X.shape[1],
        "n_workers": n_workers,
        "bytes_per_sweep": np.diff(moved)[N_FIRST - 1 :].tolist(),
        "tasks_per_sweep": tasks[-1],
    }


def _add_sent(client: Any, moved: list, _: float) -> None:
    moved.append(sum(client.run(sent).values()))


# the price of local sweeps ------------------------------------------------------------


def held_out(corpus: str, n: int | None, seed: int) -> dict:
    """Return the held-out perplexity after equal sweeps, and what the sweeps send."""
    from llmtopics.dask import DaskGibbsLDA

    X, unseen = newsgroups(corpus)
    moved: list = []
    with cluster_of(N_WORKERS, processes=False) as client:
        lda = DaskGibbsLDA(K, doc_topic_prior=ALPHA, topic_word_prior=BETA)
        lda.set_params(max_iter=N_LOCAL, local_sweeps=n, random_state=seed)
        lda.set_params(checkpoint_every=1000)
        with watched(partial(_add_sent, client, moved)):
            lda.fit(X)
    n_timed = N_LOCAL // 2  # the second half, when fewer tokens move
    per = n or 1
    return {
        "perplexity": float(np.exp(-lda.score(unseen))),
        "log_joint": float(lda.log_likelihood_[-1]),
        "bytes_per_sweep": (moved[-1] - moved[-1 - n_timed // per]) / n_timed,
        "n_tokens": int(X.sum()),
    }


def tasks(folder: Path) -> Iterator[tuple[str, str, int, partial]]:
    for run in range(N_RUNS):
        for n_tokens in (None, *SIZES):
            task = f"sweep, {'IMDB' if n_tokens is None else f'{n_tokens:.0e} tokens'}"
            if run == 0:
                yield task, "parts", run, partial(measured_parts, folder, n_tokens)
            for n in (1, 2):
                given = folder, n_tokens, n
                yield task, f"GibbsLDA, {n} threads", run, partial(local, *given)
                yield task, f"DaskGibbsLDA, {n} workers", run, partial(on_dask, *given)
    yield "receive", "Moves", 0, partial(time_to_receive)
    for n in MANY:
        setting = f"{n} workers"
        yield "bytes, 20 Newsgroups", setting, 0, partial(exact_bytes, n)
    for seed in range(N_SEEDS):
        for corpus in ("20 Newsgroups", "IMDB"):
            for n in LOCAL_SWEEPS:
                work = partial(held_out, corpus, n, seed)
                yield f"local sweeps, {corpus}", f"local_sweeps={n}", seed, work


def main() -> None:
    parser = task_arguments(__doc__)
    parser.add_argument("--folder", type=Path, help="where the corpora are written")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    os.environ |= ONE_THREAD | {"NUMBA_NUM_THREADS": "2"}
    run_tasks("dask_lda", tasks(folder), PACKAGES, options)


if __name__ == "__main__":
    main()
