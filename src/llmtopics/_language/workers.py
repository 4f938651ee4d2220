"""Compute batches at the same time on all GPUs, or on all CPU cores."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from threading import Lock
from typing import Any

from llmtopics._compiled.threads import n_workers

_CPU_TOKENS, _GPU_TOKENS = 2**9, 2**15  # per batch
_tokenizing, _counting = Lock(), Lock()
# for each running call, the settings of torch before it
_callers: list[int] = []  # its number of threads
_generating: list[bool] = []  # whether it may use cuDNN's attention


def batch_tokens(n_tokens: int | str, device: str) -> int:
    """Return the number of tokens per batch. "auto" depends on the device."""
    if isinstance(n_tokens, int):
        return n_tokens
    return _CPU_TOKENS if device == "cpu" else _GPU_TOKENS


def in_workers(
    work: Callable[[Any, Any], Any],
    blocks: Iterable[Any],
    models: list[Any],
    n_jobs: int | None,
    per_gpu: int = 1,
) -> Iterator[Any]:
    """Yield ``work(block, model)`` for all blocks, in order. Compute several at a time.

    Parameters
    ----------
    work : callable
    blocks : iterable
    models : list
        The same model on each device.
    n_jobs : int or None
        -1 is ``per_gpu`` per GPU, or one per thread that PyTorch may use.
    per_gpu : int
    """
    import torch

    on_cpu = models[0].device.type == "cpu"
    threads = _kept(_callers, torch.get_num_threads, torch.set_num_threads)
    with threads as n_threads:
        workers = n_workers(n_jobs, n_threads if on_cpu else per_gpu * len(models))
        share = max(1, n_threads // workers)
        # set_num_threads applies to the worker itself, and to threads that start later
        with ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(share,)
        ) as pool:
            jobs = [
                pool.submit(work, block, model)
                for block, model in zip(blocks, cycle(models), strict=False)
            ]
            try:
                for job in jobs:
                    yield job.result()
            finally:  # cancel jobs that have not begun
                pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def without_cudnn_attention() -> Iterator[None]:
    """Leave cuDNN's kind of attention out on a GPU until the last of several calls ends.

    It prepares itself again for each number of tokens, and a text that is written has another
    number at each step.
    """
    from torch.backends import cuda

    with _kept(_generating, cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp):
        cuda.enable_cudnn_sdp(False)
        yield


@contextmanager
def _kept(
    before: list[Any], read: Callable[[], Any], restore: Callable[[Any], None]
) -> Iterator[Any]:
    """Yield a setting of torch. Restore it when the last of several calls ends.

    ``before`` holds the setting once for each running call.
    """
    with _counting:
        setting = before[0] if before else read()
        before.append(setting)
    try:
        yield setting
    finally:
        with _counting:
            before.pop()
            if not before:
                restore(setting)


@contextmanager
def tokenizing(*, in_parallel: bool = False) -> Iterator[None]:
    """Keep tokenizers to one caller, and to one thread unless ``in_parallel``.

    Their own threads cause a warning at each fork. Beside a GPU they are worth it: one
    thread prepares fewer tokens per second than the GPU encodes.
    """
    with _tokenizing:
        if in_parallel:
            yield
            return
        before = os.environ.get("TOKENIZERS_PARALLELISM")
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        try:
            yield
        finally:
            if before is None:
                del os.environ["TOKENIZERS_PARALLELISM"]
            else:
                os.environ["TOKENIZERS_PARALLELISM"] = before
