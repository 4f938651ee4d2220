"""Wait for tasks, and tell a lost worker from an error of a task."""

import time
from collections.abc import Collection
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client, Future, wait
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker, NoValidWorkerError

_EVERY = 1.0  # seconds between looks at the workers
_PATIENCE = 120  # seconds to wait for a worker, when there is none


class LostWorker(Exception):
    """A worker has gone, and with it a part of the chain."""


class OutOfStep(Exception):
    """A part of the chain was asked for another step than its next one."""


class SchedulerGone(RuntimeError):
    """The client is not connected to its scheduler."""


_LOST = (LostWorker, OutOfStep, KilledWorker, NoValidWorkerError, CommClosedError)


def addresses(client: Client) -> dict[str, Any]:
    """Return what the scheduler knows of each worker, by address."""
    check_connected(client)
    try:
        return dict(client.scheduler_info(n_workers=-1)["workers"])
    except OSError as error:
        raise gone() from error


def some_workers(client: Client) -> dict[str, Any]:
    """Return the workers; wait for one, if there is none."""
    until = time.monotonic() + _PATIENCE
    while not (found := addresses(client)):
        if time.monotonic() > until:
            raise RuntimeError(
                f"The cluster has had no worker for {_PATIENCE} seconds: start workers, or "
                "call scale on the cluster."
            )
        time.sleep(_EVERY)
    return found


def check_connected(client: Client, cause: Exception | None = None) -> None:
    """Raise SchedulerGone if the client is not connected."""
    if client.status != "running":
        raise gone() from cause


def gone() -> SchedulerGone:
    return SchedulerGone(
        "The scheduler of Dask has stopped or is out of reach. Connect a new Client and call "
        "fit again."
    )


def results(
    client: Client, futures: list[Future], workers: Collection[str] = ()
) -> list[Any]:
    """Return the results of tasks.

    Raises
    ------
    LostWorker
        If one of ``workers`` has gone.
    SchedulerGone
    Exception
        That of a task.
    """
    finish(client, futures, workers)
    try:
        return client.gather(futures)
    except _LOST as error:
        raise LostWorker(str(error)) from error


def finish(
    client: Client, futures: list[Future], workers: Collection[str] = ()
) -> None:
    """Wait until tasks are done; the errors are those of ``results``.

    Without any worker it waits for one as long as ``some_workers``: the scheduler itself
    would keep the tasks forever.
    """
    looked, done = time.monotonic(), False
    while not done:
        check_connected(client)
        try:
            with client.as_current():
                wait(futures, timeout=_EVERY)
            done = True
        except TimeoutError:
            pass
        except CancelledError:
            check_connected(client)
        for future in futures:
            if future.status == "error":
                error = future.exception()
                if isinstance(error, _LOST):
                    raise LostWorker(str(error)) from error
                raise error
            if future.status not in ("pending", "finished"):
                time.sleep(_EVERY)  # the client notices a stopped scheduler only now
                check_connected(client)
                raise LostWorker("A task was canceled.")
        if time.monotonic() - looked > _EVERY:
            missing = set(workers) - set(some_workers(client))
            if missing:
                raise LostWorker(f"{len(missing)} workers have gone.")
            looked = time.monotonic()
