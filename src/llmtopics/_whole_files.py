"""Write files so that a kill or a full disk leaves the old file, or the whole new one."""

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ADVICE = "Free some space, or choose another disk"


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write a file under another name, and rename it when all of it is on the disk.

    Raises
    ------
    OSError
        If it cannot be written. An earlier file of that name is then unchanged.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path) as partial, full_disk_named(path, len(data)):
        partial.write_bytes(data)


def read_json(path: Path) -> Any:
    """Return the JSON in a file.

    Raises
    ------
    ValueError
        If it is not JSON, or nested too deep.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable JSON ({error})") from None


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a file to write. It takes the name ``path`` if there is no error.

    A device or a pipe, such as ``/dev/stdout``, is written itself. A link stays a link, and
    a file keeps its permissions.

    Raises
    ------
    FileNotFoundError
        If there is no folder for it.
    """
    path = Path(os.path.realpath(path))
    if not path.parent.exists():
        raise FileNotFoundError(
            errno.ENOENT, "There is no folder for the file. Create it", str(path)
        )
    if path.exists() and not path.is_file():
        yield path
        return
    own = f"{os.getpid()}-{threading.get_ident()}"  # others may write the same file
    partial = path.with_name(f"{path.name[:50]}.{own}.part")
    try:
        yield partial
        with full_disk_named(path):
            _sync(partial)
        with suppress(OSError):  # a new file, or a file system without permissions
            shutil.copymode(path, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with open(path, "r+b") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
                raise  # the others: a file system that cannot wait


@contextmanager
def full_disk_named(
    path: str | Path, n_bytes: int | None = None, advice: str = ""
) -> Iterator[None]:
    """Say in errors of a full disk which file could not be written, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        if n_bytes is None:
            size = os.path.getsize(path) if os.path.isfile(path) else 0
            state = f"{size:,} bytes were written."
        else:
            state = f"{n_bytes:,} bytes could not be written."
        message = f"{os.strerror(error.errno)}. {state} {advice or _ADVICE}"
        raise OSError(error.errno, message, str(path)) from None
