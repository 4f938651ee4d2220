"""A chain whose topics are in files, and which continues after an interrupt."""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from llmtopics import __version__
from llmtopics._locks import Busy, locked
from llmtopics._stored_counts import StoredCounts
from llmtopics._whole_files import FULL_DISK, full_disk_named, replacing, write_whole
from llmtopics.topics._gibbs.chain import Chain
from llmtopics.topics._gibbs.counts import ListCounts
from llmtopics.topics._gibbs.tokens import topic_type

_STATE = "state.json"


class SavedChain:
    """Topics of a chain in two files, and its state after the last complete sweep.

    A sweep reads one file and writes the other. So the topics of the last complete sweep are
    on disk at any moment, and a chain that was killed continues from there with the same bits.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    n_tokens, n_components : int

    Attributes
    ----------
    state : dict or None
        As given to ``save``, None for a new chain.
    topics, fresh : ndarrays of shape (T,), memory-mapped
        The topics after the last complete sweep, and where the next sweep writes.
    """

    def __init__(self, folder: Path, n_tokens: int, n_components: int):
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self._lock = ExitStack()
        try:
            self._lock.enter_context(locked(folder / "lock", wait=False))
        except Busy:
            raise RuntimeError(
                f"Another fit with the same parameters and counts is running in {folder}: "
                "wait for it, or choose another random_state."
            ) from None
        kind = np.dtype(topic_type(n_components))
        n_bytes = n_tokens * kind.itemsize
        paths = [folder / "topics_0.bin", folder / "topics_1.bin"]
        whole = all(path.exists() and path.stat().st_size == n_bytes for path in paths)
        self.state = _read_state(folder / _STATE) if whole else None
        self._files = []
        try:
            for path in paths:
                _allocate(path, n_bytes)
                self._files.append(np.memmap(path, kind, "r+", shape=(n_tokens,)))
        except BaseException:
            self.close(remove=self.state is None)
            raise
        self._arrays = [np.asarray(file) for file in self._files]
        self._order: dict[str, np.ndarray] = {}
        if self.state and not self._is_as_saved(self.state):
            self.state = None
        current = self.state["current"] if self.state else 0
        self.topics, self.fresh = self._arrays[current], self._arrays[1 - current]

    def _is_as_saved(self, state: dict[str, Any]) -> bool:
        """Return whether topics and lists are as they were when the state was saved."""
        current = state["current"]
        try:
            if state["lists"] is not None:
                if _crc_of(self._lists(current).read_bytes()) != state["lists"]:
                    return False
                with np.load(self._lists(current)) as order:
                    self._order = dict(order)
        except (OSError, ValueError, zipfile.BadZipFile):
            return False
        return _crc_of(self._arrays[current]) == state["topics"]

    def save(self, chain: Chain[Any], **state: Any) -> None:
        """Record that the chain has made a complete sweep."""
        current = 0 if chain.topics is self._arrays[0] else 1
        self._files[current].flush()
        lists = None
        if isinstance(chain.counts, ListCounts):  # draws depend on the order in lists
            arrays: dict[str, Any] = chain.counts.order()
            n_bytes = sum(array.nbytes for array in arrays.values())
            path = self._lists(current)
            with (
                full_disk_named(path, n_bytes),
                replacing(path) as partial,
                open(partial, "wb") as file,
            ):
                np.savez(file, **arrays)
            lists = _crc_of(path.read_bytes())
        state |= {"current": current, "lists": lists}
        state["topics"] = _crc_of(self._arrays[current])
        text = json.dumps(state)
        write_whole(self._folder / _STATE, f"{_crc_of(text.encode())} {text}")

    def restore(self, chain: Chain[Any]) -> None:
        """Give the chain what is saved beside the topics."""
        if self.state and isinstance(chain.counts, ListCounts):
            chain.counts.set_order(**self._order)

    def _lists(self, current: int) -> Path:
        return self._folder / f"lists_{current}.npz"

    def close(self, *, remove: bool) -> None:
        """Let others use the folder. ``remove`` deletes it first."""
        if remove:
            (self._folder / _STATE).unlink(missing_ok=True)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.close()


def _read_state(path: Path) -> dict[str, Any] | None:
    """Return the saved state, None if there is none or it is not as it was written."""
    try:
        crc, _, text = path.read_text("utf-8").partition(" ")
        return json.loads(text) if int(crc) == _crc_of(text.encode()) else None
    except (FileNotFoundError, RecursionError, ValueError):
        return None


def _crc_of(data: bytes | np.ndarray) -> int:
    """Return a checksum, which finds any change of a few bytes."""
    return zlib.crc32(data)  # type: ignore[arg-type]  # arrays have a buffer, too


def _allocate(path: Path, n_bytes: int) -> None:
    """Give a file its size, on the disk too. Its contents stay.

    Without that, a write to a memory map of a full disk would kill the process.
    """
    path.touch()
    with open(path, "r+b") as file:
        advice = (
            "GibbsLDA needs two files of this size there. Free some space, or move the "
            "folder of the counts to another disk"
        )
        with full_disk_named(path, n_bytes, advice):
            file.truncate(n_bytes)
            if not hasattr(os, "posix_fallocate"):
                return
            try:
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            except OSError as error:
                if error.errno in FULL_DISK:
                    raise
                return  # this file system cannot reserve space


@contextmanager
def saved_chain(
    counts: StoredCounts, n_components: int, given: list[Any] | None
) -> Iterator[SavedChain]:
    """Yield the chain of a fit in a folder beside the counts; deleted after the fit.

    given : what the chain depends on beside the counts: numbers, str and arrays. After an
        error or a kill the next fit with the same continues the chain. None: it never does.
    """
    name = "unseeded"
    if given is not None:
        name = key_of(counts.sha256, counts.shape, n_components, *given)
    folder = counts.path / f"chain-{name}"
    if given is None:
        (folder / _STATE).unlink(missing_ok=True)
    chain = SavedChain(folder, counts.n_tokens, n_components)
    try:
        yield chain
    except BaseException:
        chain.close(remove=given is None)
        raise
    chain.close(remove=True)


def key_of(*parts: Any) -> str:
    """Return a name for what a chain depends on."""
    digest = hashlib.sha256(__version__.encode())
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
