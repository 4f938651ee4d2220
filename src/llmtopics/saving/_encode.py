"""Objects → JSON and arrays.

A JSON number, text, true, false or null stands for itself. Everything else is an object of one
entry, whose name says what it is. What can be shared (lists, dicts, arrays, objects) is in
one flat list and referred to by its place there, so that shared parts stay shared.
``_decode`` reads the same names.
"""

import base64
from collections.abc import Callable, Iterable
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics.saving._allowed import LOSSES, function_name, name_of

_PLAIN = (bool, int, str, type(None))
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, np.ufunc, type)


def _path(where: Any) -> str:
    """Return a place as people write it, such as ``Pipeline.steps[0][1].tokenizer``."""
    parts = []
    while isinstance(where, tuple):
        where, part = where
        parts.append(part)
    return "".join([where, *reversed(parts)])


class Encoder:
    """Encode one object and all that it holds.

    Parameters
    ----------
    add_array : callable
        Stores an array and returns its number.

    Attributes
    ----------
    objects : list
        What is shared, in the order in which it was first met.
    given : list
        The objects that these stand for.
    """

    def __init__(self, add_array: Callable[[np.ndarray], int]):
        self._add_array = add_array
        self.objects: list[Any] = []
        self._places: dict[int, int] = {}
        self.given: list[Any] = []  # an id is that of one object only while it lives

    def encode(self, given: Any, where: Any) -> Any:
        """Return what stands for an object in the file.

        Raises
        ------
        TypeError
            If it cannot be saved. The message says where it is and what to do.
        """
        kind = type(given)
        if kind in _PLAIN:
            return given
        if kind is float:
            return given if isfinite(given) else {"float": repr(given)}
        if kind is tuple:
            return {"tuple": self._items(given, where)}
        if isinstance(given, np.generic):
            return self._number(given, where)
        if isinstance(given, _FUNCTIONS):
            return {"function": self._function(given, where)}
        if (write := _VALUES.get(kind)) is not None:
            return write(given)
        if isinstance(given, np.dtype):
            return {"dtype": _dtype(given, where)}
        if id(given) not in self._places:
            place = self._places[id(given)] = len(self.objects)
            self.given.append(given)
            self.objects.append(None)
            self.objects[place] = self._shared(given, where)
        return {"ref": self._places[id(given)]}

    def _shared(self, given: Any, where: Any) -> Any:
        kind = type(given)
        if kind is list:
            return {"list": self._items(given, where)}
        if kind is dict:
            return {"dict": self._entries(given, where)}
        if kind in (set, frozenset):
            items = [self.encode(item, (where, "{…}")) for item in given]
            return {kind.__name__: sorted(items, key=repr)}  # same set, same bytes
        if isinstance(given, np.ndarray):
            return self._array(given, where)
        if sp.issparse(given):
            return self._sparse(given, where)
        if kind in (np.random.Generator, np.random.RandomState):
            return self._random(given, where)
        name = name_of(kind)
        if name is None:
            raise TypeError(_unknown(given, where))
        if name in LOSSES:
            args = [part for part in given.__reduce__()[1] if type(part) is float]
            return {"loss": [name, args[: LOSSES[name]]]}
        if isinstance(given, tuple):  # a named one
            fields = zip(given._fields, given, strict=True)  # type: ignore[attr-defined]
            state = {field: self.encode(v, (where, f".{field}")) for field, v in fields}
            return {"fields": [name, state]}
        if hasattr(given, "api_key_env") and hasattr(given, "_identity"):
            given._identity()  # raises an error if a header or the address has a secret
        if isinstance(given, dict):
            return {"mapping": [name, self._entries(given, where)]}
        state = given.__getstate__() or {}
        if not isinstance(state, dict):
            raise TypeError(_unknown(given, where))
        attributes = {n: self.encode(v, (where, f".{n}")) for n, v in state.items()}
        return {"object": [name, attributes]}

    def _items(self, given: Iterable[Any], where: Any) -> list[Any]:
        return [
            item if type(item) in _PLAIN else self.encode(item, (where, f"[{i}]"))
            for i, item in enumerate(given)
        ]

    def _entries(self, given: dict[Any, Any], where: Any) -> list[Any]:
        """Return the keys, and the values."""
        keys = self._items(given.keys(), (where, " (keys)"))
        values = [
            value
            if type(value) in _PLAIN
            else self.encode(value, (where, f"[{key!r}]"))
            for key, value in given.items()
        ]
        return [keys, values]

    def _number(self, given: np.generic, where: Any) -> Any:
        if given.dtype.kind in "biu" or given.dtype in (
            np.float64,
            np.float32,
            np.float16,
        ):
            return {given.dtype.name: self.encode(given.item(), where)}
        name = _dtype(given.dtype, where)
        return {"scalar": [name, base64.b64encode(given.tobytes()).decode()]}

    def _function(self, given: Any, where: Any) -> str:
        name = function_name(given)
        if name is None:
            what = f"{getattr(given, '__module__', '')}.{getattr(given, '__qualname__', '')}"
            raise TypeError(
                f"{_path(where)} is {what}, which cannot be saved: a file holds no code. Pass "
                "parameters that need no function of yours (such as TextAnalyzer for words), "
                "or set the parameter to None before save and again after load."
            )
        return name

    def _array(self, given: np.ndarray, where: Any) -> Any:
        kind = type(given)
        if kind is np.ma.MaskedArray:
            parts = (
                self.encode(given.data, where),
                self.encode(np.ma.getmaskarray(given), where),
            )
            return {"masked": parts}
        if kind not in (np.ndarray, np.memmap):
            raise TypeError(_unknown(given, where))
        if given.dtype == object:
            items = self._items(given.ravel().tolist(), where)
            return {"objects": [list(given.shape), items]}
        _dtype(given.dtype, where)
        return {"array": self._add_array(np.asarray(given))}

    def _sparse(self, given: Any, where: Any) -> Any:
        if given.format not in ("csr", "csc"):
            raise TypeError(
                f"{_path(where)} is a sparse matrix in the format {given.format!r}. Convert it "
                "to 'csr' or 'csc' before the model is fitted."
            )
        parts = [
            self.encode(p, where) for p in (given.data, given.indices, given.indptr)
        ]
        return {"sparse": [type(given).__name__, [*map(int, given.shape)], *parts]}

    def _random(self, given: Any, where: Any) -> Any:
        if isinstance(given, np.random.RandomState):
            state, seeds = given.get_state(legacy=False), None
        else:
            state = given.bit_generator.state
            seeds = getattr(given.bit_generator.seed_seq, "state", None)
        if state["bit_generator"] not in _BIT_GENERATORS:
            raise TypeError(_unknown(given, where))
        return {type(given).__name__: [self.encode(p, where) for p in (state, seeds)]}


def _dtype(given: np.dtype, where: Any) -> str:
    if given.kind not in "biufcSUmM":
        raise TypeError(
            f"{_path(where)} has the dtype {given}, which cannot be saved. Convert it to "
            "numbers or texts before the model is fitted."
        )
    return given.str


def _unknown(given: Any, where: Any) -> str:
    kind = type(given)
    return (
        f"{_path(where)} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved: "
        "only objects of llmtopics, NumPy and SciPy, and those estimators of scikit-learn whose "
        "files are harmless, can be loaded safely. Take it out of the model, or use joblib and "
        "trust the file."
    )


_VALUES: dict[type, Callable[[Any], Any]] = {
    bytes: lambda v: {"bytes": base64.b64encode(v).decode()},
    complex: lambda v: {"complex": [repr(v.real), repr(v.imag)]},
    date: lambda v: {"date": v.isoformat()},
    datetime: lambda v: {"datetime": v.isoformat()},
    slice: lambda v: {"slice": [v.start, v.stop, v.step]},
    range: lambda v: {"range": [v.start, v.stop, v.step]},
    type(Path()): lambda v: {"path": str(v)},
    type(...): lambda _: {"ellipsis": None},
}
