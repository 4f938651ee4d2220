"""The ways to compile a loop."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import config, njit


def compiled(function: Callable, **options: Any) -> Any:
    """Compile ``function``; keep the result on disk where there is a place for it.

    The lock on the interpreter is given up while it runs, so that threads can run side by
    side. Where neither the package's folder nor the user's cache folder can be written,
    each process compiles anew. A division by zero is infinite or NaN, as in NumPy.

    With ``NUMBA_DISABLE_JIT=1`` the function stays plain Python. NumPy's warnings are then
    off inside, because compiled code does not warn: sums of uint64 wrap around.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set when numba loads
        return np.errstate(all="ignore")(function)
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no place for its cache
        return njit(**options)(function)


# Compile a loop that allocates nothing, without the runtime that counts references to
# arrays: counting costs as much as half the loop.
compiled_bare = partial(compiled, _nrt=False)
