"""Inputs of describers: read a row, open its file, and hash its bytes."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

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
    """

    name: str
    digest: str
    content: Any


def read_input(value: Any, in_memory: Callable[[Any], list[bytes] | None]) -> Input:
    """Return the input in one row, without decoding it.

    Parameters
    ----------
    value : str, Path, bytes or object
    in_memory : callable
        Takes an object (a picture, an array). Returns the bytes that identify it, or None for
        other kinds.

    Raises
    ------
    Unreadable
        For a missing file, a folder, an empty file, an address, or another kind of value.
    """
    if isinstance(value, str | PathLike):
        path = _local_path(value)
        return Input(str(path), _digest_of(path), path)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        if not data:
            raise Unreadable("it is empty (zero bytes): check where it comes from.")
        return Input("", hashlib.sha256(data).hexdigest(), data)
    parts = in_memory(value)
    if parts is None:
        raise Unreadable(
            f"it holds {shortened(value)} of type {type(value).__name__}: pass a path, bytes "
            "or one of the other inputs that the documentation lists."
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
        except OSError as error:
            raise Unreadable(f"it cannot be opened: {error.strerror}.") from None
        yield stream


def _local_path(value: Any) -> Path:
    """Return the path in a string, a ``file:`` URL or a Path."""
    text = fsdecode(value)
    if not text.strip():
        raise Unreadable("it is an empty path: pass the path of a file.")
    if isinstance(value, str) and (url := _URL.match(text)):
        parts = urlsplit(text)
        if url[1].lower() == "file" and parts.netloc in ("", "localhost"):
            text = url2pathname(parts.path)
        elif "//" in text[url.end() :][:2] or url[1].lower() in ("data", "file"):
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


def _digest_of(path: Path) -> str:
    """Return the digest of a file's bytes."""
    if path.is_dir():
        raise Unreadable(f"{path} is a folder: pass the files in it, one per row.")
    try:
        if path.exists() and not path.is_file():  # reading a pipe would never end
            raise Unreadable(f"{path} is not a regular file.")
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            n_bytes = file.tell()
    except FileNotFoundError:
        raise Unreadable(f"there is no file {path}: check the path.") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    if not n_bytes:
        raise Unreadable(f"the file {path} is empty (zero bytes).")
    return digest
