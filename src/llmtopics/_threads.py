"""Run calls side by side in threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend


class Workers(NamedTuple):
    """Some threads.

    n : int, how many
    run : makes the calls and returns when all are done; the first error of one is raised
    """

    n: int
    run: Callable[[list[Callable[[], object]]], object]


def inside_worker() -> bool:
    """Tell whether a worker of joblib runs this, with others beside it."""
    backend, _ = get_active_backend()
    return backend.nesting_level > 0


@contextmanager
def workers(n_jobs: int | None) -> Iterator[Workers]:
    """Yield as many workers as joblib would.

    None is one unless joblib's context says more, -1 is every core, and inside a joblib
    worker there is one.
    """
    n = 1 if inside_worker() else effective_n_jobs(n_jobs)
    if n == 1:
        yield ONE
        return
    with ThreadPoolExecutor(n - 1, "llmtopics") as pool:

        def run(calls: list[Callable[[], object]]) -> None:
            others = [pool.submit(call) for call in calls[1:]]
            try:
                for call in calls[:1]:  # here, which saves one hand-over
                    call()
            finally:
                wait(others)
            for other in others:
                other.result()

        yield Workers(n, run)


ONE = Workers(1, lambda calls: [call() for call in calls])
