"""Limit linear algebra (BLAS) to one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

_limiting = Lock()
# per caller that is inside one_thread: the numbers of BLAS threads before
_callers: list[list[int]] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS and OpenMP to one thread, so that sums have the same order everywhere.

    The limit of OpenMP is for the calling thread only. The limit of BLAS is for the whole
    process: the last of several callers restores the number of threads.
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
    """Return the libraries with one limit per thread, and those with one per process.

    NumPy, SciPy and scikit-learn have loaded theirs before the first call.
    """
    own: list[Any] = []
    shared: list[Any] = []
    for lib in ThreadpoolController().lib_controllers:  # slow: searches all libraries
        is_own = "openmp" in (lib.user_api, getattr(lib, "threading_layer", None))
        (own if is_own else shared).append(lib)
    return own, shared


def _limit(libraries: list[Any], n_threads: list[int]) -> None:
    """Set the limits, also if threadpoolctl allows this in one thread only."""
    for lib, n in zip(libraries, n_threads, strict=True):
        getattr(lib, "_real_set_num_threads", lib.set_num_threads)(n)
