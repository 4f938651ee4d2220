"""Keep linear algebra to one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

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
