"""A zip file of arrays and JSON: written at once, checked when it is read.

Members are stored uncompressed, so nothing in a file is larger than the file. Arrays start at
multiples of 64 bytes, so that they can be memory-mapped. Names of members are never used as
paths.
"""

import io
import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, Self
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from llmtopics._whole_files import full_disk_named, replacing

_MANIFEST, _MODEL = "manifest.json", "model.json"
_ALIGNED = 64
_DATE = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
_ZIP64_EXTRA = 20  # bytes that zipfile adds to the header of a member
_UNREADABLE = (  # what NumPy's parser of headers raises
    *(ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError),
    *(TokenError, TypeError, ValueError),
)
_ALIGNMENT = (
    0xD935  # name of the field that only fills space, as Android's zipalign uses it
)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that replaces ``path`` when it is complete and on the disk.

    After an error, a kill or a full disk, ``path`` is as before.
    """
    with full_disk_named(path), replacing(path) as part, open(part, "w+b") as file:
        with suppress(OSError):  # there is none, or a file system without permissions
            shutil.copymode(path, part)  # before it holds anything
        yield file


class _Hashed(io.RawIOBase):
    """A file to write that computes the digest of what it gets."""

    def __init__(self, file: Any):
        self._file, self.digest = file, sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._file.write(content)


class Writer:
    """Write members of a zip file, and last of all their digests. A context manager."""

    def __init__(self, file: BinaryIO):
        self._zip = ZipFile(file, "w", ZIP_STORED, allowZip64=True)
        self._file = file
        self._digests: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.fp = None  # after an error, nothing more is written

    def add_array(self, given: np.ndarray) -> int:
        """Store an array; return its number."""
        number = len(self._digests)
        with self._member(_array_name(number)) as out:
            np.lib.format.write_array(out, given, allow_pickle=False)
        return number

    def finish(self, about: dict[str, Any], model: Any) -> None:
        """Store the JSON of a model and the digests of all members."""
        with self._member(_MODEL) as out:
            out.write(_as_json(model))
        manifest = {**about, "sha256": self._digests}
        self._zip.writestr(ZipInfo(_MANIFEST, _DATE), _as_json(manifest))
        self._zip.close()

    @contextmanager
    def _member(self, name: str) -> Iterator[Any]:
        info = ZipInfo(name, _DATE)
        start = self._file.seek(0, os.SEEK_END) + 30 + len(name) + 4 + _ZIP64_EXTRA
        pad = -start % _ALIGNED
        info.extra = struct.pack("<HH", _ALIGNMENT, pad) + bytes(pad)
        with self._zip.open(info, "w", force_zip64=True) as out:
            hashed = _Hashed(out)
            yield hashed
        self._digests[name] = hashed.digest.hexdigest()


def _array_name(number: int) -> str:
    return f"array-{number}.npy"


def _as_json(given: Any) -> bytes:
    return json.dumps(given, allow_nan=False, separators=(",", ":")).encode()


class Reader:
    """Read members of a zip file that :class:`Writer` wrote.

    Parameters
    ----------
    file : binary file
    mmap_mode : {"r", "c"} or None

    Attributes
    ----------
    manifest : dict

    Raises
    ------
    ValueError
        If it is another file or was damaged.
    """

    def __init__(self, file: BinaryIO, mmap_mode: str | None = None):
        self._file, self._mmap_mode = file, mmap_mode
        self._size = file.seek(0, os.SEEK_END)
        try:
            with ZipFile(file) as found:
                members = found.infolist()
                self._members = {each.filename: each for each in members}
                self._check_members(len(members))
                self.manifest = json.loads(found.read(_MANIFEST))
        except (BadZipFile, KeyError) as error:
            raise ValueError(f"no file of llmtopics.save ({error})") from None
        self._digests = self.manifest["sha256"]
        unlisted = self._members.keys() ^ {*self._digests, _MANIFEST}
        if unlisted:
            raise ValueError(f"unexpected or missing parts: {sorted(unlisted)[:5]}")

    def _check_members(self, n_members: int) -> None:
        """Refuse compressed, encrypted, repeated and overlapping members."""
        sizes = 0
        for each in self._members.values():
            if each.compress_type != ZIP_STORED or each.flag_bits & 1:
                raise ValueError(f"{each.filename!r} is compressed or encrypted")
            if each.compress_size != each.file_size:
                raise ValueError(f"{each.filename!r} has two sizes")
            sizes += each.file_size
        if sizes > self._size or n_members != len(self._members):
            raise ValueError("its parts overlap")

    def model(self) -> Any:
        """Return the JSON of the model."""
        return json.loads(self._checked(_MODEL).tobytes())

    def array(self, number: int) -> np.ndarray:
        """Return an array, memory-mapped if this was asked and it is not small."""
        name = _array_name(number)
        start, size = self._place(name)
        self._file.seek(start)
        shape, order, dtype = _header(self._file, name)
        used = self._file.tell() - start
        n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
        if used + n_bytes != size:
            raise ValueError(f"{name!r} has another size than its shape says")
        if self._mmap_mode and n_bytes >= 4096 and (start + used) % _ALIGNED == 0:
            # as a plain array: what is computed with it is no memory map
            mapped = np.memmap(self._file, dtype, "c", start + used, shape, order)
            made = np.asarray(mapped)
            made.flags.writeable = self._mmap_mode == "c"
            return made
        content = self._checked(name)[used:]
        return (
            content.view(dtype).reshape(shape, order=order)
            if n_bytes
            else np.empty(shape, dtype)
        )

    def _place(self, name: str) -> tuple[int, int]:
        """Return where the content of a member starts, and its size."""
        info = self._members[name]
        self._file.seek(max(info.header_offset, 0))
        header = self._file.read(30).ljust(30, b"\0")
        n_name, n_extra = struct.unpack("<26xHH", header)
        start = info.header_offset + 30 + n_name + n_extra
        if info.header_offset < 0 or start + info.file_size > self._size:
            raise ValueError(f"{name!r} is cut off")
        return start, info.file_size

    def _checked(self, name: str) -> np.ndarray:
        """Return the content of a member as bytes, after a look at its digest."""
        start, size = self._place(name)
        content = np.empty(size, np.uint8)
        self._file.seek(start)
        self._file.readinto(content)  # type: ignore[attr-defined]
        if sha256(content.data).hexdigest() != self._digests[name]:
            raise ValueError(f"{name!r} was damaged: its SHA-256 is not what was saved")
        return content


def _header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], Any, np.dtype]:
    """Read the header of an array; return shape, order of memory, dtype."""
    try:
        version = np.lib.format.read_magic(file)
        readers: dict[Any, Callable] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, fortran, dtype = readers[version](file)
    except _UNREADABLE as error:
        raise ValueError(f"{name!r} has no header of an array: {error}") from None
    if dtype.hasobject or dtype.kind not in "biufcSUmM" or min(shape, default=0) < 0:
        raise ValueError(f"{name!r} holds {dtype}, not numbers or texts")
    if not dtype.itemsize:  # NumPy would make larger ones, and not fill them
        raise ValueError(f"{name!r} holds texts without a length")
    return shape, "F" if fortran else "C", dtype
