"""Where the words of the tokens come from: partitions of Dask, files, or a matrix in memory.

A source tells the lengths of all documents. It gives a worker the words of a range of tokens
as futures of pieces, in order.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from dask.typing import DaskCollection
from distributed import Client, Future

from llmtopics._checks import as_counts
from llmtopics._stored_counts import StoredCounts
from llmtopics.dask._errors import LostWorker, results
from llmtopics.topics._gibbs.tokens import tokens_from_counts

NAME = "DaskGibbsLDA"


class Source(Protocol):
    """Word counts that workers can read.

    starts : int64 (D + 1,), document d owns the tokens ``starts[d]:starts[d + 1]``
    n_words : int, V
    digest : str, differs for other counts
    """

    starts: np.ndarray
    n_words: int
    digest: str

    def words(self, begin: int, end: int, worker: str) -> list[Future]:
        """Return the words of a range of tokens, on their way to a worker."""

    def load(self) -> None:
        """Make the words available, again after a worker was lost."""

    def release(self) -> None:
        """Free what ``load`` has loaded."""


class Piece(NamedTuple):
    """Tokens ``begin:end`` of the corpus, from place ``at`` on in the array of a future."""

    begin: int
    end: int
    future: Future
    at: int = 0


def between(client: Client, pieces: list[Piece], begin: int, end: int) -> list[Future]:
    """Return futures of the arrays of a range of tokens; they are cut where they are.

    ``pieces`` are in the order of the tokens.
    """
    first = bisect_right(pieces, begin, key=lambda piece: piece.end)
    found = []
    for piece in pieces[first:]:
        low, high = max(begin, piece.begin), min(end, piece.end)
        if low >= high:
            break
        place = piece.at + low - piece.begin, piece.at + high - piece.begin
        found.append(client.submit(_slice, piece.future, *place, pure=False))
    return found


class Partitions:
    """Partitions of a collection of Dask: an array, a bag of blocks, or a table."""

    def __init__(self, client: Client, X: DaskCollection):
        self._client = client
        self._delayed = np.ravel(delayed_partitions(X, NAME)).tolist()
        self._pieces: list[Piece] = []
        self.load()

    def load(self) -> None:
        parts = self._client.compute(self._delayed)
        submit = partial(self._client.submit, pure=False)
        flat = [submit(_flat, part, n) for n, part in enumerate(parts)]
        abouts = results(self._client, [submit(_about, each) for each in flat])
        widths = [(n, about.n_words) for n, about in enumerate(abouts) if about.n_words]
        for n, width in widths:
            if width != widths[0][1]:
                raise ValueError(
                    f"Partition {n} has {width} columns, and partition {widths[0][0]} has "
                    f"{widths[0][1]}: count all partitions with the same vocabulary."
                )
        lengths = np.concatenate([about.lengths for about in abouts])
        self.starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self.n_words = widths[0][1] if widths else 0
        digests = "".join(about.digest for about in abouts)
        self.digest = hashlib.sha256(digests.encode()).hexdigest()
        sizes = [int(about.lengths.sum(dtype=np.int64)) for about in abouts]
        ends = np.cumsum(sizes).tolist()
        self._pieces = [
            Piece(end - size, end, submit(_words, each))
            for size, end, each in zip(sizes, ends, flat, strict=True)
            if size
        ]

    def release(self) -> None:
        self._pieces = []

    def words(self, begin: int, end: int, worker: str) -> list[Future]:
        return between(self._client, self._pieces, begin, end)


class Stored:
    """Counts in files that all workers can read."""

    def __init__(self, client: Client, counts: StoredCounts):
        counts.check()
        self._client, self._path = client, counts.path.resolve()
        self.starts, self.n_words = counts.starts, counts.shape[1]
        self.digest = counts.sha256

    def load(self) -> None:
        pass

    release = load

    def words(self, begin: int, end: int, worker: str) -> list[Future]:
        place = str(self._path), begin, end
        return [self._client.submit(_read_stored, *place, workers=[worker], pure=False)]


class InMemory:
    """A matrix of the client, sent to the workers."""

    def __init__(self, client: Client, X: Any):
        self._client = client
        tokens = tokens_from_counts(as_counts(X, NAME))
        self._words, self.starts, self.n_words = tokens
        self.digest = _digest(self._words, np.diff(self.starts))

    def load(self) -> None:
        pass

    release = load

    def words(self, begin: int, end: int, worker: str) -> list[Future]:
        return [
            self._client.scatter(self._words[begin:end], workers=[worker], hash=False)
        ]


def source_of(client: Client, X: Any) -> Source:
    """Return where to read ``X`` from."""
    if hasattr(X, "__dask_graph__"):
        try:
            return Partitions(client, X)
        except LostWorker as error:
            raise RuntimeError(
                f"Workers were lost while they read X: {error} Read their logs. Often a "
                "partition does not fit into memory_limit: cut X into smaller partitions, or "
                "raise memory_limit."
            ) from error
    return Stored(client, X) if isinstance(X, StoredCounts) else InMemory(client, X)


def delayed_partitions(X: Any, name: str) -> Any:
    """Return the partitions of a collection of Dask as delayed objects."""
    if not isinstance(getattr(X, "npartitions", None), int):
        raise ValueError(
            f"{name} reads arrays, bags and tables of Dask, got {type(X).__name__}: pass a "
            "dask.array, dask.bag or dask.dataframe."
        )
    if getattr(X, "numblocks", (1,))[1:] not in [(), (1,)]:
        raise ValueError(
            f"{name} needs whole rows, and X is cut into {X.numblocks[1]} blocks of "
            "columns: call X.rechunk({1: -1})."
        )
    return X.to_delayed()


class _About(NamedTuple):
    """What is known of a partition: lengths of its documents, V or None, a hash."""

    lengths: np.ndarray
    n_words: int | None
    digest: str


def _flat(partition: Any, number: int) -> tuple[np.ndarray, _About]:
    """Return the words of the tokens of a partition."""
    words, lengths, widths = [np.empty(0, np.int32)], [np.empty(0, np.int64)], set()
    for block in _blocks(partition):
        try:
            counts = as_counts(block, NAME)
        except ValueError as error:
            raise ValueError(f"Partition {number}: {error}") from error
        tokens = tokens_from_counts(counts)
        words.append(tokens.words)
        lengths.append(np.diff(tokens.starts))
        widths.add(tokens.n_words)
    if len(widths) > 1:
        raise ValueError(
            f"Partition {number} has blocks with {sorted(widths)} columns: count all blocks "
            "with the same vocabulary."
        )
    all_words, all_lengths = np.concatenate(words), np.concatenate(lengths)
    width = widths.pop() if widths else None
    about = _About(all_lengths, width, _digest(all_words, all_lengths))
    return all_words, about


def _blocks(partition: Any) -> Iterator[Any]:
    """Yield the blocks of documents of a partition: of a bag several, otherwise one."""
    if hasattr(partition, "shape"):
        if partition.shape[0]:
            yield partition
    else:
        for block in partition:
            yield from _blocks(block) if hasattr(block, "shape") else [block]


def _digest(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _words(flat: tuple[np.ndarray, _About]) -> np.ndarray:
    return flat[0]


def _about(flat: tuple[np.ndarray, _About]) -> _About:
    return flat[1]


def _slice(array: np.ndarray, begin: int, end: int) -> np.ndarray:
    return array[begin:end]


def _read_stored(path: str, begin: int, end: int) -> np.ndarray:
    try:
        return np.array(StoredCounts(path).words[begin:end])
    except FileNotFoundError as error:
        raise ValueError(
            f"A worker cannot read {path}: put the stored counts on a file system that all "
            "workers share, under the same path."
        ) from error
