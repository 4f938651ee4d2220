"""Run calls side by side in threads; keep linear algebra to one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from joblib import cpu_count
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController


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


_limiting = Lock()
_callers: list[
    list[int]
] = []  # one entry per caller inside: the number of BLAS threads before


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS and OpenMP to one thread, so that they sum in the same order everywhere.

    The limit of OpenMP is the calling thread's own. That of BLAS is the whole process's:
    of several callers, the last to leave gives the threads back.
    """
    own, shared = _libraries()
    with _limiting:
        found = _callers[0] if _callers else [lib.get_num_threads() for lib in shared]
        _callers.append(found)
        _limit(shared, [1] * len(shared))
    before = [lib.get_num_threads() for lib in own]
    _limit(own, [1] * len(own))
    try:
        yield
    finally:
        _limit(own, before)
        with _limiting:
            _callers.pop()
            if not _callers:
                _limit(shared, found)


@cache
def _libraries() -> tuple[list[Any], list[Any]]:
    """Return the libraries whose limit is each thread's own, and those that share one.

    They are those of NumPy, SciPy and scikit-learn, which are loaded by the first call.
    """
    own: list[Any] = []
    shared: list[Any] = []
    for lib in ThreadpoolController().lib_controllers:  # slow: searches all loaded ones
        is_own = "openmp" in (lib.user_api, getattr(lib, "threading_layer", None))
        (own if is_own else shared).append(lib)
    return own, shared


def _limit(libraries: list[Any], n_threads: list[int]) -> None:
    """Set the limits, also where threadpoolctl lets one thread alone change them."""
    for lib, n in zip(libraries, n_threads, strict=True):
        getattr(lib, "_real_set_num_threads", lib.set_num_threads)(n)
