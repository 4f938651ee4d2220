"""Pure tasks over partitions: their sums, their results, and copies against lost workers."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import numpy as np
import scipy.sparse as sp
from distributed import Client, Future, wait
from distributed.scheduler import KilledWorker, NoValidWorkerError

from llmtopics._stage import Stage
from llmtopics.dask._errors import check_connected, some_workers

_FAN_IN = 8  # parts that one task adds up
_EVERY = 1.0  # seconds between looks at the workers


class Tasks:
    """Starts tasks that depend on their arguments only.

    Dask repeats such tasks if their results are lost with a worker.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client):
        self._client = client
        some_workers(client)

    def call(self, function: Callable[..., Any], *given: Any) -> Future:
        """Start one task."""
        check_connected(self._client)
        return self._client.submit(function, *given, pure=False)

    def each(self, function: Callable[..., Any], n: int, *given: Any) -> list[Future]:
        """Start a task per partition. Lists have an argument per partition."""
        return [
            self.call(
                function, *(arg[i] if isinstance(arg, list) else arg for arg in given)
            )
            for i in range(n)
        ]

    def total(self, function: Callable[..., Any], parts: Sequence[Future]) -> Future:
        """Merge the results of partitions, eight at a time, in their order."""
        parts = list(parts)
        while True:
            groups = range(0, len(parts), _FAN_IN)
            parts = [self.call(function, *parts[i : i + _FAN_IN]) for i in groups]
            if len(parts) == 1:
                return parts[0]

    def compute(self, delayed: list[Any]) -> list[Future]:
        """Start the tasks of delayed objects."""
        return self._client.compute(delayed)

    def wait(self, futures: list[Future], stage: Stage | None = None) -> None:
        """Wait until tasks are done; count them as steps of a stage.

        Raises
        ------
        SchedulerGone
        RuntimeError
            If there are no workers, a task was lost again and again, or was canceled.
        Exception
            That of a task.
        """
        done = False
        while not done:
            check_connected(self._client)
            try:
                with self._client.as_current():
                    wait(futures, timeout=_EVERY)
                done = True
            except TimeoutError:
                some_workers(self._client)
            except CancelledError as error:
                time.sleep(_EVERY)  # the client notices a stopped scheduler only now
                check_connected(self._client, error)
                raise RuntimeError(
                    "Dask canceled tasks of the fit: call fit again. If others use the same "
                    "cluster, see that nobody cancels tasks or restarts workers."
                ) from error
            for future in futures:
                if future.status == "error":
                    _tell(future.exception())
            if stage is not None:
                n = sum(future.status == "finished" for future in futures)
                stage.update(max(0, n - stage.n))

    def get(self, futures: list[Future]) -> list[Any]:
        """Return the results of tasks."""
        self.wait(futures)
        return self._client.gather(futures)

    def copy(self, futures: list[Future]) -> None:
        """Wait for results, and copy each to a second worker.

        Dask deletes the copies again, unless its Active Memory Manager is off. They only save
        time, so no error of copying ends a fit.
        """
        self.wait(futures)
        if len(some_workers(self._client)) > 1:
            # a scheduler that loses a worker meanwhile raises more than OSError
            with suppress(Exception):
                self._client.replicate(futures, n=2)


def _tell(error: BaseException | None) -> None:
    """Raise the error of a task."""
    if isinstance(error, KilledWorker | NoValidWorkerError):
        raise RuntimeError(
            f"Workers were lost again and again: {error} Read their logs. Often a partition "
            "does not fit into memory_limit: cut X into smaller partitions, or raise "
            "memory_limit."
        ) from error
    if error is not None:
        raise error


def same(value: Any) -> Any:
    """Return a value that several tasks share."""
    return value


def some_rows(rows: Any, places: np.ndarray) -> Any:
    """Return rows of a list, an array or a matrix."""
    if isinstance(rows, list):
        return [rows[place] for place in places]
    return rows[places]


def added(*parts: Any) -> Any:
    """Return the sum of numbers, arrays, counters, or tuples of these, in their order."""
    first = parts[0]
    if isinstance(first, Counter):
        total = Counter[str]()
        for part in parts:
            total.update(part)
        return total
    if isinstance(first, tuple):
        return type(first)(*(added(*each) for each in zip(*parts, strict=True)))
    return sum(parts[1:], first)


def stacked(parts: Iterable[Any]) -> Any:
    """Return rows of several partitions as one list, array or matrix."""
    parts = list(parts)
    if isinstance(parts[0], list):
        return [row for part in parts for row in part]
    return sp.vstack(parts, "csr") if sp.issparse(parts[0]) else np.concatenate(parts)
