"""Compile loops with numba."""

import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.serialize import dumps
from numba.extending import overload


def compiled(function: Callable, **options: Any) -> Any:
    """Compile ``function`` and cache the result on disk, if there is a place for it.

    The function releases the lock of the interpreter (GIL), so that threads run in parallel.
    If neither the package's folder nor the user's cache folder can be written, each process
    compiles again. A division by zero gives infinity or NaN, as in NumPy.

    With ``NUMBA_DISABLE_JIT=1`` the function stays plain Python. NumPy's warnings are then
    off, because compiled code does not warn when sums of uint64 overflow.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set when numba loads
        return np.errstate(all="ignore")(function)
    loop = njit(nogil=True, error_model="numpy", **options)(function)
    with suppress(RuntimeError):  # numba found no place for its cache
        loop._cache = _Cache(function)  # as njit(cache=True) does with numba's own
    return loop


# Compile a loop that allocates nothing. It does without numba's reference counts of arrays,
# which take up to half of the time of a loop.
compiled_bare = partial(compiled, _nrt=False)


def by_dimensions(*forms: Callable) -> Any:
    """Return a function that chooses a form by the dimensions of its first argument.

    ``forms[n]`` takes an array of n dimensions, ``forms[0]`` a number. Compiled loops choose
    when they are compiled, so the choice takes no time when they run.
    """

    def call(first, *others):
        return forms[getattr(first, "ndim", 0)](first, *others)

    options: Any = {"_nrt": False, "forceinline": True}

    @overload(call, strict=False, jit_options=options)
    def choose(*args):
        return forms[getattr(args[0], "ndim", 0)]

    return call


class _Checked(CompileResultCacheImpl):
    """Store a compiled loop with a hash of its bytes, and check the hash when loading.

    Damaged machine code would crash the process or give wrong numbers.
    """

    def reduce(self, loop: Any) -> tuple[bytes, bytes]:
        content = dumps(super().reduce(loop))
        return sha256(content).digest(), content

    def rebuild(self, target: Any, kept: tuple[bytes, bytes]) -> Any:
        digest, content = kept
        if sha256(content).digest() != digest:
            raise ValueError("The file is damaged.")
        return super().rebuild(target, pickle.loads(content))


class _Cache(FunctionCache):
    """numba's cache on disk, without its errors: if it cannot be read, the loop is compiled."""

    _impl_class = _Checked

    def load_overload(self, *what: Any) -> Any:
        try:
            return super().load_overload(*what)
        except Exception:  # noqa: BLE001  # unpickling damaged bytes may raise anything
            with suppress(OSError):  # a full disk, or another user's file
                self.flush()
            return None

    def save_overload(self, *what: Any) -> None:
        with suppress(Exception):  # a full disk, or another user's damaged index
            super().save_overload(*what)
