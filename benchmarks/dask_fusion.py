"""``DaskFusionTopicModel`` beside ``FusionTopicModel``: the same topics, and the time of both.

BBC news in 1, 8 and 32 partitions, on workers that are processes of this machine with one
thread each. Vectors are on disk beforehand. Lines are added to ``results/dask_fusion.jsonl``.
"""

import os
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.runs import ONE_THREAD, run_tasks, task_arguments

N_TOPICS, N_PARTITIONS, N_SEEDS, N_WORKERS = (5, 20), (1, 8, 32), 3, 2
ANOTHER = "FusionTopicModel, another seed"
PACKAGES = (
    "llmtopics numpy scipy scikit-learn numba torch transformers dask distributed"
)


def in_memory(texts: list[str], K: int, seed: int, **parameters: Any) -> np.ndarray:
    """Return the first topics of texts."""
    from llmtopics import FusionTopicModel

    return FusionTopicModel(K, random_state=seed, **parameters).fit(texts).labels_


def on_workers(client: Any, n: int, texts: list[str], K: int, seed: int, **parameters):
    """Return the first topics of texts in partitions of nearly equal size."""
    import dask.bag as db

    from llmtopics.dask import DaskFusionTopicModel

    ends = np.linspace(0, len(texts), n + 1).astype(int)
    parts = [texts[a:b] for a, b in pairwise(ends)]
    bag = db.from_sequence(parts, npartitions=n).flatten()
    model = DaskFusionTopicModel(K, random_state=seed, client=client, **parameters)
    return client.compute(model.fit(bag).labels_).result()


def compared(labels: np.ndarray, one: np.ndarray, other: np.ndarray) -> dict:
    """Compare the first topics of two models, with topics matched, and with labels."""
    from llmtopics.metrics import label_agreement

    return {
        "same_topic": label_agreement(one, other)["matched_accuracy"],
        "nmi_in_memory": label_agreement(labels, one)["nmi"],
        "nmi": label_agreement(labels, other)["nmi"],
    }


def cpu_seconds(client: Any) -> float:
    """Return the CPU seconds of this process, which has the scheduler, and of the workers."""
    return process_time() + sum(client.run(process_time).values())


def another_seed(K: int, seed: int) -> dict:
    """Compare two models in memory: what chance alone changes."""
    from llmtopics.datasets import load_bbc_news

    corpus = load_bbc_news()
    models = [in_memory(corpus.data, K, each) for each in (seed, seed + N_SEEDS)]
    return compared(corpus.target, *models) | {"n_documents": len(corpus.data)}


def partitions(n: int, K: int, seed: int) -> dict:
    """Compare a model on workers with the model in memory, one after the other."""
    from benchmarks.dask_lda import cluster_of
    from llmtopics.datasets import load_bbc_news

    corpus = load_bbc_news()
    with cluster_of(N_WORKERS) as client:
        warm = corpus.data[::10], 2, 0  # imports, compiles
        fits = in_memory, partial(on_workers, client, n)
        models, seconds, cpu = [], [], []
        for fit in fits:
            fit(*warm, max_iter=4)
        for fit in fits:
            start, cpu_start = perf_counter(), cpu_seconds(client)
            models.append(fit(corpus.data, K, seed))
            seconds.append(perf_counter() - start)
            cpu.append(cpu_seconds(client) - cpu_start)
    return compared(corpus.target, *models) | {
        "n_documents": len(corpus.data),
        "seconds_in_memory": seconds[0],
        "seconds": seconds[1],
        "cpu_seconds_in_memory": cpu[0],
        "cpu_seconds": cpu[1],
    }


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    for seed in range(N_SEEDS):
        for K in N_TOPICS:
            task = f"BBC news, K={K}"
            for n in N_PARTITIONS:
                yield task, f"{n} partitions", seed, partial(partitions, n, K, seed)
            yield task, ANOTHER, seed, partial(another_seed, K, seed)


def main() -> None:
    options = task_arguments(__doc__).parse_args()
    os.environ |= ONE_THREAD
    run_tasks("dask_fusion", tasks(), PACKAGES, options)


if __name__ == "__main__":
    main()
