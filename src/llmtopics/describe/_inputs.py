"""Inputs of describers: read a row, open its file, and hash its bytes."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from os import PathLike, fsdecode
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np

from llmtopics._checks import shortened

_URL = re.compile(
    r"([a-z][a-z0-9+.-]+):", re.IGNORECASE
)  # at least two letters, because "C:" is a drive


MISSING = object()  # a cell without a file


class Unreadable(Exception):
    """One row cannot be described. The message says why and what to do."""


class Input(NamedTuple):
    """One row: a file, its bytes, or a picture or sound in memory.

    name : its name in error messages, "" if it has none
    digest : equal for equal bytes
    content : Path, bytes, or an object that the estimator knows
    version : tuple or None
        Size and time of change of a file when it was hashed.
    """

    name: str
    digest: str
    content: Any
    version: tuple[int, int] | None = None


def is_missing(value: Any) -> bool:
    """Return whether a cell is missing: None, NaN, or the NA of pandas."""
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def read_input(
    value: Any,
    in_memory: Callable[[Any], list[Any] | None],
    others: str,
    *,
    hashed: bool = True,
) -> Input:
    """Return the input in one row, without decoding it.

    Parameters
    ----------
    value : str, Path, bytes or object
    in_memory : callable
        Takes an object (a picture, an array). Returns the bytes that identify it, or None for
        other kinds.
    others : str
        The kinds of objects that ``in_memory`` knows, for error messages.
    hashed : bool
        Whether files are read to hash them. Otherwise, their digest is "".

    Raises
    ------
    Unreadable
        For a missing file, a folder, an empty file, an address, or another kind of value.
    """
    if isinstance(value, str | PathLike):
        try:
            path = _local_path(value)
            return Input(str(path), *_hashed(path, hashed))
        except FileNotFoundError:
            reason = f"there is no file {_shown(path)}: check the path."
        except (
            OSError,
            ValueError,
            RuntimeError,
        ) as error:  # no such user: RuntimeError
            reason = f"{_shown(value)} cannot be read: {_reason(error)}."
        raise Unreadable(reason)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        if not data:
            raise Unreadable("it is empty (zero bytes): check where it comes from.")
        return Input("", hashlib.sha256(data).hexdigest(), data)
    parts = in_memory(value)
    if parts is None:
        raise Unreadable(
            f"it holds {shortened(value)} of type {type(value).__name__}: pass a path, the "
            f"bytes of a file, {others}."
            + " Missing values are allowed in make_describer."
            * is_missing(value)
        )
    digest = hashlib.sha256(b"in memory")
    for part in parts:
        digest.update(part)
    return Input("", digest.hexdigest(), value)


@contextmanager
def opened(file: Input) -> Iterator[BinaryIO]:
    """Open the file or bytes of an input for reading."""
    if isinstance(file.content, bytes):
        yield BytesIO(file.content)
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open(file.content, "rb"))
        except (OSError, ValueError) as error:
            raise Unreadable(f"it cannot be opened: {_reason(error)}.") from None
        _check_unchanged(file, stream)
        yield stream
        _check_unchanged(file, stream)


def _check_unchanged(file: Input, stream: BinaryIO) -> None:
    """Raise an error if a file is no longer the one that was hashed."""
    if file.version not in (None, _version(os.fstat(stream.fileno()))):
        raise Unreadable("it changed while it was read: try again.")


def _local_path(value: Any) -> Path:
    """Return the path in a string, a ``file:`` URL or a Path."""
    text = fsdecode(value)
    if not text.strip():
        raise Unreadable("it is an empty path: pass the path of a file.")
    if isinstance(value, str) and (url := _URL.match(text)):
        parts = urlsplit(text)
        if url[1].lower() == "file" and parts.netloc in ("", "localhost"):
            text = url2pathname(parts.path)
        elif text.startswith("//", url.end()) or url[1].lower() in ("data", "file"):
            raise Unreadable(
                f"{shortened(text)} is an address, and only files on this machine are read: "
                "download the file and pass its path."
            )
    if "\0" in text:
        raise Unreadable("its path has a null character: check the path.")
    path = Path(text).expanduser()
    if path.drive.startswith("\\\\"):
        raise Unreadable(
            f"{shortened(text)} is on another machine: copy the file and pass its path."
        )
    return path


def _hashed(path: Path, hashed: bool) -> tuple[str, Path, tuple[int, int]]:
    """Return the digest of a file's bytes, its path and its version."""
    found = path.stat()
    if S_ISDIR(found.st_mode):
        raise Unreadable(
            f"{_shown(path)} is a folder: pass the files in it, one per row."
        )
    if not S_ISREG(found.st_mode):  # reading a pipe would never end
        raise Unreadable(f"{_shown(path)} is not a regular file.")
    if not found.st_size:
        raise Unreadable(f"the file {_shown(path)} is empty (zero bytes).")
    if not hashed:
        return "", path, _version(found)
    with open(path, "rb") as file:
        version = _version(os.fstat(file.fileno()))
        return hashlib.file_digest(file, "sha256").hexdigest(), path, version


def _version(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _shown(value: Any) -> str:
    """Return a path as messages show it: not too long, without lone surrogates."""
    text = fsdecode(value).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 300 else f"{text[:100]}…{text[-100:]}"
