"""The one way to compile a loop."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable, **options: Any) -> Any:
    """Compile ``function``; keep the result on disk where there is a place for it.

    The lock on the interpreter is given up while it runs, so that threads can run side by
    side. Where neither the package's folder nor the user's cache folder can be written,
    each process compiles anew. A division by zero is infinite or NaN, as in NumPy.
    """
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no place for its cache
        return njit(**options)(function)


def compiled_lanes(function: Callable) -> Any:
    """Compile a loop that calls ``_lanes`` and allocates nothing.

    Without the runtime that counts references to arrays; counting costs as much as half
    the loop.
    """
    return compiled(function, _nrt=False)
