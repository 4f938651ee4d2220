"""Fits on a cluster of processes of this machine: seconds, bytes, and the price of local sweeps.

Lines in ``results/distributed.jsonl`` are replaced.
"""

import json
import os
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.runs import ONE_THREAD, environment

RESULTS = Path(__file__).parent / "results" / "distributed.jsonl"
K, V = 50, 5000
N_TRAINED, N_HELD_OUT = 8000, 1000
N_SWEEPS = 10  # for the likelihood
LENGTH = 100
PACKAGES = "llmtopics numpy numba dask distributed"
SWEEPS = {  # number of documents -> whether the model of costs is fitted or checked
    2_000: "fitted",
    8_000: "fitted",
    16_000: "checked",
}


def corpus(n_documents: int):
    from llmtopics.datasets import make_topics

    return make_topics(n_documents, V, K, doc_length=LENGTH, random_state=0).data


def seconds_per_sweep(client, X) -> float:
    """Return the least seconds of five sweeps: other work of the machine only adds."""
    from llmtopics.dask import DaskGibbsLDA
    from llmtopics.dask._team import Team

    taken, sweep = [], Team.sweep

    def timed(team, *given):
        start = time.perf_counter()
        sweep(team, *given)
        taken.append(time.perf_counter() - start)

    Team.sweep = timed
    try:
        DaskGibbsLDA(K, max_iter=5, random_state=0, client=client).fit(X)
    finally:
        Team.sweep = sweep
    return min(taken)


def main() -> None:
    from distributed import Client, LocalCluster

    from llmtopics.dask import DaskGibbsLDA

    warnings.simplefilter("ignore")
    os.environ |= ONE_THREAD
    lines = []
    for n_workers in (1, 2):
        with (
            LocalCluster(
                n_workers=n_workers, threads_per_worker=1, dashboard_address=":0"
            ) as cluster,
            Client(cluster) as client,
        ):
            DaskGibbsLDA(K, max_iter=1, client=client).fit(corpus(500))  # loads loops
            for n_documents, use in SWEEPS.items():
                X = corpus(n_documents)
                found = seconds_per_sweep(client, X)
                lines.append(
                    {"what": "sweep", "workers": n_workers, "use": use}
                    | {"tokens": int(X.sum()), "seconds": found}
                )
                print(lines[-1], flush=True)
            if n_workers == 1:
                continue
            X = corpus(N_TRAINED + N_HELD_OUT)
            for local_sweeps in (None, 1, 5):
                start = time.perf_counter()
                lda = DaskGibbsLDA(
                    K, max_iter=N_SWEEPS, local_sweeps=local_sweeps, random_state=0
                ).fit(X[:N_TRAINED])
                line = {"what": "local_sweeps", "workers": n_workers}
                line |= {"local_sweeps": local_sweeps, "n_sweeps": N_SWEEPS}
                line |= {"seconds": time.perf_counter() - start}
                line |= {"held_out": float(lda.score(X[N_TRAINED:]))}
                lines.append(line)
                print(line, flush=True)
    load = float(np.mean(os.getloadavg()))
    about = environment(PACKAGES) | {"load": round(load, 1)}
    text = "".join(json.dumps(line | about) + "\n" for line in lines)
    RESULTS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
