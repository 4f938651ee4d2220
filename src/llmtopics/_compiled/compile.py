"""The ways to compile a loop."""

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
    """Compile ``function``; keep the result on disk where there is a place for it.

    The lock on the interpreter is given up while it runs, so that threads can run side by
    side. Where neither the package's folder nor the user's cache folder can be written,
    each process compiles anew. A division by zero is infinite or NaN, as in NumPy.

    With ``NUMBA_DISABLE_JIT=1`` the function stays plain Python. NumPy's warnings are then
    off inside, because compiled code does not warn: sums of uint64 wrap around.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set when numba loads
        return np.errstate(all="ignore")(function)
    loop = njit(nogil=True, error_model="numpy", **options)(function)
    with suppress(RuntimeError):  # numba found no place for its cache
        loop._cache = _Cache(function)  # as njit(cache=True) does with numba's own
    return loop


# Compile a loop that allocates nothing, without the runtime that counts references to
# arrays: counting costs as much as half the loop.
compiled_bare = partial(compiled, _nrt=False)


def by_dimensions(*forms: Callable) -> Any:
    """Return a function that calls the form for the dimensions of its first argument.

    ``forms[n]`` takes an array of n dimensions, ``forms[0]`` a number. Compiled loops choose
    when they are compiled, so the choice costs nothing when they run.
    """

    def call(first, *others):
        return forms[getattr(first, "ndim", 0)](first, *others)

    options: Any = {"_nrt": False, "forceinline": True}

    @overload(call, strict=False, jit_options=options)
    def choose(*args):
        return forms[getattr(args[0], "ndim", 0)]

    return call


class _Checked(CompileResultCacheImpl):
    """What the cache keeps of a compiled loop: its bytes, and a hash of them.

    Machine code with a wrong bit would crash the process or give wrong numbers.
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
    """numba's cache on disk, without its errors: what cannot be read is compiled anew."""

    _impl_class = _Checked

    def load_overload(self, *what: Any) -> Any:
        try:
            return super().load_overload(*what)
        except Exception:  # noqa: BLE001  # unpickling damaged bytes may raise anything
            with suppress(OSError):  # a full disk, or not our file
                self.flush()
            return None

    def save_overload(self, *what: Any) -> None:
        with suppress(Exception):  # a full disk, or a damaged index that is not ours
            super().save_overload(*what)
