"""Lock files, also on file systems without locks."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)


class Busy(Exception):
    """Another process or thread holds the lock."""


_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def locked(path: Path, *, wait: bool, mode: int = 0o644) -> Iterator[None]:
    """Hold a lock file, made with a mode. Without locks in the file system, log so and go on.

    The lock ends with the process, also when that is killed.

    Raises
    ------
    Busy
        If another process or thread holds it, and ``wait`` is False.
    """
    lock = FileLock(path, mode=mode)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise Busy(f"{path} is locked.") from None
    except (OSError, NotImplementedError) as error:  # the latter: old filelock
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        _say_once(path.parent)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing_alone(lock: Path, busy: str) -> Iterator[None]:
    """Hold a lock file while something is written, and delete it afterwards.

    Raises
    ------
    RuntimeError
        With the message ``busy``, if another process or thread holds it.
    """
    try:
        with locked(lock, wait=False):
            try:
                yield
            finally:
                with suppress(OSError):  # on Windows it cannot be deleted here
                    lock.unlink()
    except Busy:
        raise RuntimeError(busy) from None


@lru_cache(maxsize=64)
def _say_once(folder: Path) -> None:
    logger.warning(
        "The file system of %s has no locks: let one process at a time use this folder.",
        folder,
    )


@lru_cache(maxsize=64)
def has_locks(folder: Path) -> bool:
    """Return whether processes can lock parts of files in a folder, as SQLite does."""
    try:
        import fcntl
    except ImportError:  # on Windows
        return True
    try:
        with TemporaryFile(dir=folder) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _NO_LOCKS
    return True
