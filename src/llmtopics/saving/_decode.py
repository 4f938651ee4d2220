"""JSON and arrays → objects. The other way of ``_encode``.

Nothing in a file is called. Objects of allowed classes are made without their constructors.
"""

import base64
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics.saving._allowed import LOSSES, class_of, function_of

_PENDING = object()
_NUMBERS = {
    name: np.dtype(name).type
    for name in (
        *("bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64"),
    )
}
_SPARSE = {
    name: getattr(sp, name)
    for name in ("csr_array", "csr_matrix", "csc_array", "csc_matrix")
}
_MOST_POOL = (
    64  # numbers that a seed is mixed in. NumPy uses 4, and its time is quadratic
)
_BIT_GENERATORS = {  # and where a file could point outside their memory
    "MT19937": ("pos", 624),
    "PCG64": None,
    "PCG64DXSM": None,
    "Philox": ("buffer_pos", 4),
    "SFC64": None,
}


class Decoder:
    """Decode the objects of a file.

    Parameters
    ----------
    objects : list
        As :class:`Encoder` made it.
    read_array : callable
        Returns the array with a number.

    Attributes
    ----------
    made : list
        The objects.
    """

    def __init__(self, objects: list[Any], read_array: Callable[[int], np.ndarray]):
        self._objects = objects
        self._read_array = read_array
        self.made: list[Any] = [_PENDING] * len(objects)

    def decode(self, given: Any) -> Any:
        """Return the object that something in the file stands for."""
        if not isinstance(given, dict):
            if isinstance(given, list):
                raise ValueError("a list stands alone")
            return given
        ((name, value),) = given.items()
        if name == "ref":
            return self._shared(value)
        if name == "tuple":
            return tuple(map(self.decode, value))
        return _VALUES[name](value) if name in _VALUES else self._number(name, value)

    def _number(self, name: str, value: Any) -> Any:
        return _NUMBERS[name](self.decode(value))

    def _shared(self, place: int) -> Any:
        if place < 0:
            raise IndexError(place)
        if self.made[place] is _PENDING:
            ((kind, value),) = self._objects[place].items()
            _MAKERS[kind](self, place, value)
        return self.made[place]

    def _list(self, place: int, value: Any) -> None:
        made = self.made[place] = []
        made.extend(map(self.decode, value))

    def _dict(self, place: int, value: Any) -> None:
        self.made[place] = {}
        self._fill(self.made[place], value)

    def _fill(self, made: dict[Any, Any], value: Any) -> None:
        keys, values = value
        made.update(zip(map(self.decode, keys), map(self.decode, values), strict=True))

    def _set(self, place: int, value: Any) -> None:
        self.made[place] = set(map(self.decode, value))

    def _frozenset(self, place: int, value: Any) -> None:
        self.made[place] = frozenset(map(self.decode, value))

    def _array(self, place: int, value: Any) -> None:
        self.made[place] = self._read_array(value)

    def _masked(self, place: int, value: Any) -> None:
        data, mask = map(self.decode, value)
        self.made[place] = np.ma.MaskedArray(data, mask)

    def _objects_array(self, place: int, value: Any) -> None:
        shape, items = value
        flat = np.empty(len(items), object)
        self.made[place] = flat.reshape(shape)
        for i, item in enumerate(items):  # an item may be a list: no nested arrays
            flat[i] = self.decode(item)

    def _sparse(self, place: int, value: Any) -> None:
        name, shape, *parts = value
        made = _SPARSE[name](tuple(map(self.decode, parts)), shape=shape)
        made.check_format(full_check=True)  # compiled code does not check the indices
        self.made[place] = made

    def _loss(self, place: int, value: Any) -> None:
        name, args = value
        if len(args) > LOSSES[name]:
            raise ValueError(name)
        self.made[place] = class_of(name)(*map(float, args))

    def _random_state(self, place: int, value: Any) -> None:
        state = _checked_state(self.decode(value[0]))
        bits = getattr(np.random, state["bit_generator"])(0)
        made = self.made[place] = np.random.RandomState(bits)
        made.set_state(state)

    def _generator(self, place: int, value: Any) -> None:
        state, seeds = map(self.decode, value)
        if seeds is not None and seeds["pool_size"] > _MOST_POOL:
            raise ValueError(f"the pool of a seed has {seeds['pool_size']} numbers")
        sequence = None if seeds is None else np.random.SeedSequence(**seeds)
        bits = getattr(np.random, _checked_state(state)["bit_generator"])(sequence)
        bits.state = state
        self.made[place] = np.random.Generator(bits)

    def _fields(self, place: int, value: Any) -> None:
        name, state = value
        kind = class_of(name)
        if not issubclass(kind, tuple):
            raise ValueError(f"{name} has no fields")
        self.made[place] = kind(**{n: self.decode(v) for n, v in state.items()})

    def _mapping(self, place: int, value: Any) -> None:
        name, entries = value
        kind = class_of(name)
        if not issubclass(kind, dict):
            raise ValueError(f"{name} is no mapping")
        made = self.made[place] = kind.__new__(kind)
        self._fill(made, entries)

    def _object(self, place: int, value: Any) -> None:
        name, attributes = value
        kind = class_of(name)
        made = SimpleNamespace() if kind is SimpleNamespace else object.__new__(kind)
        self.made[place] = made
        for n in attributes:  # no value takes the place of a method
            if callable(getattr(kind, n, None)):
                raise ValueError(f"{n} is a method of {name}")
        state = {n: self.decode(each) for n, each in attributes.items()}
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
        else:
            vars(made).update(state)


def _checked_state(state: dict[str, Any]) -> dict[str, Any]:
    bound = _BIT_GENERATORS[state["bit_generator"]]
    if bound is not None:
        name, most = bound
        found = state["state"][name] if name == "pos" else state[name]
        if not 0 <= found <= most:
            raise ValueError(f"{name} of a random generator is {found}")
    if state["bit_generator"] == "SFC64":  # NumPy copies 4 numbers from any object
        found = state["state"]["state"]
        if type(found) is not np.ndarray or (found.dtype, found.shape) != (
            np.uint64,
            (4,),
        ):
            raise ValueError("the state of a random generator is no array of 4 numbers")
    return state


def _dtype(name: str) -> np.dtype:
    found = np.dtype(name)
    if found.hasobject or found.kind not in "biufcSUmM":
        raise ValueError(f"dtype {name}")
    return found


def _scalar(value: Any) -> Any:
    name, content = value
    dtype = _dtype(name)
    if not dtype.itemsize:  # an empty text
        return dtype.type()
    return np.frombuffer(base64.b64decode(content), dtype)[0]


_VALUES: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "function": function_of,
    "dtype": _dtype,
    "path": Path,
    "scalar": _scalar,
    "bytes": base64.b64decode,
    "complex": lambda v: complex(*map(float, v)),
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "slice": lambda v: slice(*v),
    "range": lambda v: range(*v),
    "ellipsis": lambda _: ...,
}
_MAKERS: dict[str, Callable[[Decoder, int, Any], None]] = {
    "list": Decoder._list,
    "dict": Decoder._dict,
    "set": Decoder._set,
    "frozenset": Decoder._frozenset,
    "array": Decoder._array,
    "masked": Decoder._masked,
    "objects": Decoder._objects_array,
    "sparse": Decoder._sparse,
    "loss": Decoder._loss,
    "RandomState": Decoder._random_state,
    "Generator": Decoder._generator,
    "fields": Decoder._fields,
    "mapping": Decoder._mapping,
    "object": Decoder._object,
}
