"""Run calls in parallel threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple

from joblib import cpu_count
from joblib.parallel import get_active_backend


class Workers(NamedTuple):
    """Threads that run calls.

    n : int, number of threads
    run : makes the calls and returns when all are done. After an error or an interrupt, no
        new call begins. When the running calls have ended, the error is raised
    """

    n: int
    run: Callable[[list[Callable[[], object]]], object]


def inside_worker() -> bool:
    """Tell whether this runs inside a worker of joblib, beside other workers."""
    backend, _ = get_active_backend()
    return backend.nesting_level > 0


def n_workers(n_jobs: int | None, n_all: int | None = None) -> int:
    """Return the number of workers for ``n_jobs``, as in scikit-learn.

    None is one unless joblib's context sets more, -1 is all, -2 is all except one.

    n_all : the number for "all"; None: the number of processors
    """
    if n_jobs is None:
        _, n_jobs = get_active_backend()
    if n_jobs is None:
        return 1
    return n_jobs if n_jobs > 0 else max(1, (n_all or cpu_count()) + 1 + n_jobs)


@contextmanager
def workers(n_jobs: int | None) -> Iterator[Workers]:
    """Yield ``n_workers(n_jobs)`` threads, or one thread inside a worker of joblib.

    Python handles Ctrl-C between calls only, not inside compiled loops. So cut long work into
    more calls than threads.
    """
    n = 1 if inside_worker() else n_workers(n_jobs)
    if n == 1:
        yield ONE
        return
    with ThreadPoolExecutor(n - 1, "llmtopics") as pool:

        def run(calls: list[Callable[[], object]]) -> None:
            waiting = iter(calls)

            def work() -> None:
                try:
                    for call in waiting:
                        call()
                finally:
                    for _ in waiting:  # after an error, no other call begins
                        pass

            others = [pool.submit(work) for _ in calls[1:n]]
            try:
                work()  # in this thread, which saves starting one more
            finally:
                wait(others)
            for other in others:
                other.result()

        yield Workers(n, run)


def _run(calls: list[Callable[[], object]]) -> None:
    for call in calls:
        call()


ONE = Workers(1, _run)
