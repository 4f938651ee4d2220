"""A disk cache of vectors and answers, shared by all processes of a user."""

import atexit
import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock

from platformdirs import user_cache_path

from llmtopics._compiled.threads import inside_worker
from llmtopics._locks import Busy, has_locks, locked

logger = logging.getLogger(__name__)

MAX_BYTES = 4 * 2**30
_TIMEOUT = 60  # seconds to wait for other processes
_creating = Lock()
_NO_ENTRY = "DELETE FROM times WHERE key NOT IN (SELECT key FROM entries)"
_N_CHECK = 8  # bytes of checksum in front of a value
_LOCK = re.compile(r"[0-9a-f]{16}\.lock")  # of a name
_N_PORTIONS = 16  # parts of the texts, which processes can compute at the same time


def default_folder() -> Path:
    """Return the folder named in ``LLMTOPICS_CACHE``, or the user's cache folder.

    A user without a home folder gets one that is deleted when the process ends.
    """
    if named := os.environ.get("LLMTOPICS_CACHE"):
        return Path(named).expanduser()
    try:
        folder = user_cache_path("llmtopics")
    except RuntimeError:  # no home; older releases of platformdirs return "~/.cache"
        return _folder_of_this_run()
    return folder if folder.is_absolute() else _folder_of_this_run()


@lru_cache(maxsize=1)
def _folder_of_this_run() -> Path:
    folder = Path(mkdtemp(prefix="llmtopics-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    logger.warning(
        "There is no home folder: what is computed is stored in %s until this process ends. "
        "Name a folder in LLMTOPICS_CACHE to keep it.",
        folder,
    )
    return folder


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone (mode 0700)."""
    if not folder.is_dir():
        if folder.parent != folder:  # a drive may be missing
            private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def default_max_bytes() -> int:
    """Return the bytes in ``LLMTOPICS_CACHE_MAX_BYTES``, or else 4 GiB.

    Raises
    ------
    ValueError
        If the variable is no whole number of at least zero.
    """
    text = os.environ.get("LLMTOPICS_CACHE_MAX_BYTES", "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(
            "The environment variable LLMTOPICS_CACHE_MAX_BYTES must be a whole number of "
            f"bytes, such as 1000000000, got {text!r}."
        )
    return int(text) if text else MAX_BYTES


def folder_of(cache_dir: str | Path | bool | None) -> Path | None:
    """Return the cache folder: the default one for None, no folder for False."""
    if cache_dir is False:
        return None
    return Path(str(cache_dir or default_folder())).expanduser()


def key_of(context: str, text: str) -> bytes:
    """Return the cache key of a text in a context (model and parameters)."""
    start = blake2b(context.encode(), digest_size=32).digest()
    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data, key=start, digest_size=20).digest()


class Cache:
    """Values by key in one SQLite file. An error of the cache never stops the work.

    A value with a wrong checksum is not returned. A file that is not a database is
    deleted and created again. If the folder cannot be written, nothing is stored. Folders
    and files are made for this user alone. Modes of existing ones are kept.

    Parameters
    ----------
    folder : Path
    max_bytes : int or None
        Before the file grows larger, the older half of the values is deleted. Values that are
        larger than this are not stored. None is :func:`default_max_bytes`.
    """

    def __init__(self, folder: Path, max_bytes: int | None = None):
        self.folder = folder
        self.max_bytes = default_max_bytes() if max_bytes is None else max_bytes

    @property
    def _file(self) -> Path:
        return self.folder / "values.sqlite"

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that have one."""
        found: dict[bytes, bytes] = {}
        with self._errors_logged():
            if not self._file.exists():
                return found
        with self._errors_logged(), self._connection() as connection:
            wanted = list(keys)
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value FROM entries WHERE key IN ({marks})"
                for key, value in connection.execute(query, some):
                    if value[:_N_CHECK] == _checksum(key, value[_N_CHECK:]):
                        found[key] = value[_N_CHECK:]
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Store the values."""
        rows = [(key, _checksum(key, value) + value) for key, value in values.items()]
        n_bytes = sum(len(value) for _, value in rows)
        if n_bytes > self.max_bytes:
            return
        times = [(key, int(time.time())) for key, _ in rows]
        with self._errors_logged(), self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")  # waits for its turn before it reads
            self._delete_old(connection, n_bytes)
            connection.executemany("REPLACE INTO entries VALUES (?, ?)", rows)
            connection.executemany("REPLACE INTO times VALUES (?, ?)", times)
            connection.commit()

    def _delete_old(self, connection: sqlite3.Connection, n_bytes: int) -> None:
        """Delete the older half, again if needed, if ``n_bytes`` more would exceed the limit."""

        def pragma(name: str) -> int:
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        for _ in range(64):  # halves
            used = pragma("page_count") - pragma("freelist_count")
            if used * pragma("page_size") + n_bytes <= self.max_bytes:
                return
            deleted = connection.execute(
                "DELETE FROM entries WHERE rowid <= "
                "(SELECT (min(rowid) + max(rowid)) / 2 FROM entries)"
            )
            if deleted.rowcount == 0:
                return
            connection.execute(_NO_ENTRY)

    def files(self) -> list[Path]:
        """Return the database and the files beside it."""
        return sorted(self.folder.glob(f"{self._file.name}*"))

    def count(self) -> tuple[int, float | None]:
        """Return the number of values, and when the oldest was stored (None: not known)."""
        n, oldest = 0, None
        if self._file.exists():
            with self._errors_logged(), self._connection() as connection:
                (n,) = connection.execute("SELECT count(*) FROM entries").fetchone()
                with suppress(
                    sqlite3.OperationalError
                ):  # a read-only file may lack times
                    (oldest,) = connection.execute(
                        "SELECT min(time) FROM times"
                    ).fetchone()
        return n, oldest

    def delete(self, before: float | None) -> None:
        """Delete what was stored before a time, and what has no time. None deletes all files.

        Deleted values are overwritten in the file. Lock files of names are deleted, too, unless
        they are held.

        Raises
        ------
        OSError
            If they cannot be deleted.
        """
        if before is None:
            for path in self.files():
                path.unlink(missing_ok=True)
        elif self._file.exists():
            try:
                with self._connection() as connection:
                    connection.execute("PRAGMA secure_delete=ON")
                    connection.execute("DELETE FROM times WHERE time < ?", [before])
                    connection.execute(
                        "DELETE FROM entries WHERE key NOT IN (SELECT key FROM times)"
                    )
                    connection.commit()
                    connection.execute("VACUUM")
            except sqlite3.Error as error:
                raise OSError(
                    f"The cache in {str(self.folder)!r} cannot be cleared: {error}. Call this "
                    "again when no other process uses it, or without older_than."
                ) from error

        self._delete_locks(before)

    def _delete_locks(self, before: float | None) -> None:
        """Delete the lock files of names that nobody holds.

        A process that is about to lock a deleted file may do the same work as another. What
        it writes last stays, which is no fault: each is a right value.
        """
        for lock in self.folder.glob("*.lock"):
            with suppress(Busy, OSError):
                if _LOCK.fullmatch(lock.name) and (
                    before is None or lock.stat().st_mtime < before
                ):
                    with locked(lock, wait=False, mode=0o600):
                        lock.unlink()

    @contextmanager
    def claim(self, names: Sequence[str], most: int) -> Iterator[list[str]]:
        """Lock names of work, so that no other process or thread does the same work.

        Yield the first ``most`` names that are free. If none is free, wait for the first.
        """
        with ExitStack() as held:
            free: list[str] = []
            for name in names:
                if len(free) < most and self._lock(name, held, wait=False):
                    free.append(name)
            if not free:
                self._lock(names[0], held, wait=True)
            yield free or [names[0]]

    def _lock(self, name: str, held: ExitStack, *, wait: bool) -> bool:
        """Lock a name until ``held`` is closed. Return False if another process has it."""
        try:
            private_folder(self.folder)
            digest = blake2b(name.encode(), digest_size=8).hexdigest()
            lock = self.folder / f"{digest}.lock"
            held.enter_context(locked(lock, wait=wait, mode=0o600))
        except Busy:
            return False
        except OSError as error:  # without locks, several may compute the same texts
            logger.info("cannot lock the cache in %s: %s", self.folder, error)
        return True

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        private_folder(self.folder)
        if not has_locks(self.folder):
            raise OSError("its file system has no locks")
        with _creating:
            if not self._file.exists():
                # SQLite gives its journal the mode of this file. Closing an existing file
                # would release the locks that other threads have on it.
                with suppress(FileExistsError):
                    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
                    os.close(os.open(self._file, flags, 0o600))
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            # No write-ahead log: it needs memory that all processes share, so one machine.
            # Earlier versions made files with one. They keep it while others use them.
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB)"
            )
            # a read-only file of an earlier version lacks it
            with suppress(sqlite3.OperationalError):
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS times (key BLOB PRIMARY KEY, time INTEGER) "
                    "WITHOUT ROWID"
                )
            yield connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_TIMEOUT)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except sqlite3.OperationalError:
            connection.close()
            if os.access(self.folder, os.W_OK) or self.files() != [self._file]:
                raise
            # A file with a write-ahead log in a read-only folder. Nobody else uses it, because
            # there is no log beside it.
            uri = f"{self._file.absolute().as_uri()}?immutable=1"
            connection = sqlite3.connect(uri, uri=True)
        return connection

    @contextmanager
    def _errors_logged(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:  # read-only, full, busy
            _warn_once(self.folder, str(error))
        except sqlite3.DatabaseError as error:
            logger.warning("the cache in %s is created again: %s", self.folder, error)
            for path in self.files():
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def get_or_compute(
    folder: Path | None,
    context: str,
    texts: Sequence[str],
    compute: Callable[[list[int]], Iterator[tuple[Iterable[int], Iterable[bytes]]]],
    most: int = _N_PORTIONS,
) -> dict[int, bytes]:
    """Return the value of each text. Compute only the values that the cache lacks.

    Parameters
    ----------
    folder : Path or None
        Where values are stored. None stores nothing.
    context : str
        What a value depends on besides the text: model and parameters.
    texts : sequence of str
        Distinct texts.
    compute : callable
        Takes the missing rows, and yields rows with their values. They are stored at once,
        so an interrupt loses little.
    most : int
        Largest number of portions, of 16, that are computed in one call of ``compute``. Other
        processes wait for these, if they need them, too.

    Returns
    -------
    values : dict
        Maps each row to its value. Rows for which ``compute`` gave no value are left out.
    """
    values: dict[int, bytes] = {}
    missing = list(range(len(texts)))
    if folder is None:
        for rows, made in compute(missing) if missing else ():
            values.update(zip(rows, made, strict=True))
        return values
    cache = Cache(folder)
    keys = [key_of(context, text) for text in texts]

    def look_up(rows: list[int]) -> list[int]:
        """Read values from the cache. Return the rows that it lacks."""
        found = cache.get([keys[i] for i in rows])
        values.update({i: found[keys[i]] for i in rows if keys[i] in found})
        return [i for i in rows if i not in values]

    portions: dict[str, list[int]] = {}
    for i in look_up(missing):
        portions.setdefault(f"{context} {keys[i][0] % _N_PORTIONS}", []).append(i)
    # A worker takes one portion at a time, so that others can compute the rest.
    # A single process may take all portions, because large batches are faster.
    most = 1 if inside_worker() else most
    while portions:
        with cache.claim([*portions], most) as names:
            rows = [i for name in names for i in portions.pop(name)]
            missing = look_up(sorted(rows))  # another process may have computed some
            for rows, made in compute(missing) if missing else ():
                new = dict(zip(rows, made, strict=True))
                values |= new
                cache.put({keys[i]: value for i, value in new.items()})
    return values


@lru_cache(maxsize=64)
def _warn_once(folder: Path, reason: str) -> None:
    logger.warning("the cache in %s is not used: %s", folder, reason)


def _checksum(key: bytes, value: bytes) -> bytes:
    return blake2b(value, key=key, digest_size=_N_CHECK).digest()
