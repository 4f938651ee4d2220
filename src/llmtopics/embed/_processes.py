"""Vectors of batches of texts, computed in this process or in several, in order."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from multiprocessing.connection import Connection
from pickle import loads
from typing import Any

import numpy as np
from joblib import cpu_count
from joblib.externals.loky.backend import get_context
from joblib.externals.loky.backend.reduction import dumps  # cloudpickle
from sklearn import config_context
from sklearn.base import clone

from llmtopics._compiled.threads import n_workers
from llmtopics._language.devices import devices_of
from llmtopics.embed._remote import RemoteEmbedder
from llmtopics.embed._transformer import TransformerEmbedder


def vectors_of(
    embedder: Any, batches: Iterator[list[str]], n_jobs: int | None, first_row: int
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield each batch and its vectors, in order.

    Each process has one batch, so memory does not grow with the number of batches.

    Parameters
    ----------
    embedder : object with ``transform``
    batches : iterator of lists of str
    n_jobs : int or None
        Number of processes. One is this process.
    first_row : int
        Row of the first text, for errors of the embedder, which counts rows per batch.
    """
    n = n_workers(n_jobs)
    if n == 1:
        for batch in batches:
            with _counted_from(first_row):
                found = _transform(embedder, batch)
            yield batch, found
            first_row += len(batch)
        return
    if isinstance(embedder, RemoteEmbedder):
        raise ValueError(
            "RemoteEmbedder sends requests at the same time by itself, and counts them in one "
            "process: leave n_jobs=None, and set RemoteEmbedder(n_jobs=...)."
        )
    with ExitStack() as running:
        pipes = [
            running.enter_context(_process(each, n)) for each in _shares(embedder, n)
        ]
        waiting: deque[tuple[list[str], int, Connection]] = deque()
        for batch, pipe in zip(batches, cycle(pipes), strict=False):
            # before this pipe's next batch comes the answer to its last one
            answers = [_received(*waiting.popleft())] if len(waiting) == n else []
            _send(pipe, batch)
            waiting.append((batch, first_row, pipe))
            first_row += len(batch)
            yield from answers
        while waiting:
            yield _received(*waiting.popleft())


def _transform(embedder: Any, batch: list[str]) -> np.ndarray:
    with config_context(transform_output="default"):
        return embedder.transform(batch)


def _shares(embedder: Any, n: int) -> list[Any]:
    """Return the embedder of each process. They divide its devices among them."""
    if not isinstance(embedder, TransformerEmbedder):
        return [embedder] * n
    devices = devices_of(embedder.device)
    return [
        clone(embedder).set_params(device=devices[i::n] or [devices[i % len(devices)]])
        for i in range(n)
    ]


@contextmanager
def _process(embedder: Any, n: int) -> Iterator[Connection]:
    """Yield the pipe to a new process, one of n, that turns texts into vectors."""
    context = get_context("loky")  # unlike spawn, it does not import the user's script
    ours, theirs = context.Pipe()
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, cpu_count() // n)))
    process = context.Process(
        target=_work,
        args=(theirs, bytes(dumps(embedder))),
        env={"OMP_NUM_THREADS": threads},
    )
    process.daemon = True
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.terminate()  # it has no state
        process.join()
        ours.close()


def _work(pipe: Connection, pickled: bytes) -> None:
    """Send vectors of the texts that come, until the other end of the pipe is closed."""
    embedder = loads(pickled)
    while True:
        try:
            batch = pipe.recv()
        except EOFError:  # also after the other process was killed
            return
        try:
            answer: Any = _transform(embedder, batch)
        except Exception as error:  # noqa: BLE001 (raised in the other process)
            answer = error
        pipe.send(answer)


def _send(pipe: Connection, batch: list[str]) -> None:
    try:
        pipe.send(batch)
    except BrokenPipeError:
        raise _ended() from None


def _received(
    batch: list[str], first_row: int, pipe: Connection
) -> tuple[list[str], np.ndarray]:
    try:
        answer = pipe.recv()
    except (EOFError, ConnectionResetError):
        raise _ended() from None
    if isinstance(answer, Exception):
        with _counted_from(first_row):
            raise answer
    return batch, answer


@contextmanager
def _counted_from(row: int) -> Iterator[None]:
    """Say in errors of the embedder which row of the corpus is its row 0."""
    try:
        yield
    except Exception as error:
        if row:
            error.add_note(f"Row 0 of this batch is row {row} of all texts.")
        raise


def _ended() -> RuntimeError:
    return RuntimeError(
        "A process that computes vectors has ended, perhaps for lack of memory: lower n_jobs "
        "or batch_size, and call again to continue."
    )
