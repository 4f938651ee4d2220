"""Run calls side by side in threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple

from joblib import cpu_count
from joblib.parallel import get_active_backend


class Workers(NamedTuple):
    """Some threads.

    n : int, how many
    run : makes the calls and returns when all are done; after an error or an interrupt no
        further call begins, those begun end, and it is raised
    """

    n: int
    run: Callable[[list[Callable[[], object]]], object]


def inside_worker() -> bool:
    """Tell whether a worker of joblib runs this, with others beside it."""
    backend, _ = get_active_backend()
    return backend.nesting_level > 0


def n_workers(n_jobs: int | None, n_all: int | None = None) -> int:
    """Return how many workers ``n_jobs`` means, in the whole library as in scikit-learn.

    None is one unless joblib's context says more, -1 is all, -2 all but one.

    n_all : what "all" is; None for the processors
    """
    if n_jobs is None:
        _, n_jobs = get_active_backend()
    if n_jobs is None:
        return 1
    return n_jobs if n_jobs > 0 else max(1, (n_all or cpu_count()) + 1 + n_jobs)


@contextmanager
def workers(n_jobs: int | None) -> Iterator[Workers]:
    """Yield as many threads as ``n_workers`` says, and one inside a worker of joblib.

    Python looks for interrupts between calls alone, and compiled loops hold it up: cut long
    work into more calls than threads.
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
                    for _ in waiting:  # after an error, nothing else begins
                        pass

            others = [pool.submit(work) for _ in calls[1:n]]
            try:
                work()  # here, which saves one hand-over
            finally:
                wait(others)
            for other in others:
                other.result()

        yield Workers(n, run)


def _run(calls: list[Callable[[], object]]) -> None:
    for call in calls:
        call()


ONE = Workers(1, _run)
