"""The one way to compile a loop."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable) -> Any:
    """Compile ``function``; keep the result on disk where there is a place for it.

    The lock on the interpreter is given up while it runs, so that threads can run side by
    side. Where neither the package's folder nor the user's cache folder can be written,
    each process compiles anew.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no place for its cache
        return njit(nogil=True)(function)
