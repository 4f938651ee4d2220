"""Word counts in files, for corpora that do not fit into memory."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import _get_feature_names

from llmtopics._checks import as_counts
from llmtopics._locks import writing_alone
from llmtopics._whole_files import full_disk_named, read_json, write_whole

_ABOUT, _WORDS, _STARTS = "counts.json", "words.bin", "starts.bin"
_FORMAT = "llmtopics stored counts 2"
_BLOCK = 2**22  # tokens


class StoredCounts:
    """Word counts of documents in a folder. :func:`store_counts` makes it.

    ``GibbsLDA.fit`` takes it in place of a matrix. Then words and topics of tokens stay in
    files of this folder, and memory holds little more than the counts of words in topics.
    Iterating gives sparse matrices of some thousand documents each.

    Parameters
    ----------
    path : str or Path
        The folder.

    Attributes
    ----------
    path : Path
        The folder.

    shape : tuple of two int
        Number of documents and of words, (D, V).

    n_tokens : int
        Number of tokens, the sum of all counts.

    feature_names : ndarray of shape (V,), or None
        The words, if they were given.

    words : ndarray of shape (n_tokens,), int32
        Column of each token, document by document. Memory-mapped.

    starts : ndarray of shape (D + 1,), int64
        Document d has the tokens ``starts[d]:starts[d + 1]``. Memory-mapped.

    See Also
    --------
    store_counts : Writes counts to a folder.

    Raises
    ------
    FileNotFoundError
        If the folder holds no stored counts, or :func:`store_counts` did not finish.
    ValueError
        If the files do not fit each other, or another version wrote them.

    Examples
    --------
    >>> import tempfile
    >>> import scipy.sparse as sp
    >>> from llmtopics import StoredCounts, store_counts
    >>> folder = tempfile.mkdtemp()
    >>> blocks = (sp.csr_array([[2, 1], [0, 3]]) for _ in range(4))  # made one at a time
    >>> store_counts(blocks, f"{folder}/counts").shape
    (8, 2)
    >>> StoredCounts(f"{folder}/counts").n_tokens
    24
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            about = read_json(self.path / _ABOUT)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.path} holds no stored counts, or store_counts did not finish there: "
                "call store_counts."
            ) from None
        except ValueError:
            raise self._damaged(_ABOUT, "is not JSON") from None
        if not isinstance(about, dict) or about.get("format") != _FORMAT:
            raise ValueError(
                f"{self.path / _ABOUT} is not of this version ({_FORMAT!r}): call "
                "store_counts again."
            )
        if not _is_whole(about):
            raise self._damaged(_ABOUT, "lacks a field, or has a wrong one")
        self.shape: tuple[int, int] = tuple(about["shape"])
        self.n_tokens: int = about["n_tokens"]
        self.sha256: str = about["sha256"]
        names = about["feature_names"]
        self.feature_names = None if names is None else np.array(names, dtype=object)
        self._columns = [*self.shape, names]
        self._checked = False
        sizes = (_WORDS, 4 * self.n_tokens), (_STARTS, 8 * (self.shape[0] + 1))
        for name, size in sizes:
            path = self.path / name
            found = path.stat().st_size if path.exists() else 0
            if found != size:
                raise self._damaged(name, f"has {found:,} of {size:,} bytes")

    def _damaged(self, name: str, fault: str) -> ValueError:
        return ValueError(
            f"{self.path / name} {fault}: the file is damaged. Call store_counts again."
        )

    def check(self) -> None:
        """Read the files, and raise an error if they changed since they were written.

        ``GibbsLDA`` calls it before it samples. Compiled code trusts these numbers.

        Raises
        ------
        ValueError
            If a file changed.
        """
        if self._checked:
            return
        digests = hashlib.sha256(), hashlib.sha256()
        words, starts = self.words, self.starts
        for first in range(0, words.size, _BLOCK):
            block = words[first : first + _BLOCK]
            if block.min() < 0 or block.max() >= self.shape[1]:
                raise self._damaged(_WORDS, "has numbers that are no columns")
            digests[0].update(block.data)
        for first in range(0, starts.size, _BLOCK):
            block = starts[first : first + _BLOCK + 1]
            if (np.diff(block) < 0).any():
                raise self._damaged(_STARTS, "has numbers that do not rise")
            digests[1].update(block[:_BLOCK].data)
        if starts[0] != 0 or starts[-1] != self.n_tokens:
            raise self._damaged(_STARTS, "does not cover all tokens")
        if _joined(*digests, of=self._columns) != self.sha256:
            raise self._damaged(_WORDS, f"or {_STARTS} or {_ABOUT} was changed")
        self._checked = True

    @property
    def words(self) -> np.ndarray:
        """Column of each token."""
        return _mapped(self.path / _WORDS, np.int32, self.n_tokens)

    @property
    def starts(self) -> np.ndarray:
        """Where the tokens of each document start."""
        return _mapped(self.path / _STARTS, np.int64, self.shape[0] + 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError(
            "StoredCounts are on disk and only GibbsLDA.fit and transform read them there: "
            "pass one block at a time, `for block in counts`, or, if memory suffices, all of "
            "them, scipy.sparse.vstack(list(counts)). FusionTopicModel reads texts."
        )

    __getitem__ = __array__  # no rows are picked: searches and splits get this error

    def __iter__(self) -> Iterator[sp.csr_array]:
        words, starts = self.words, self.starts
        first, D = 0, self.shape[0]
        while first < D:
            goal = np.searchsorted(starts, starts[first] + _BLOCK, side="right") - 1
            last = min(max(int(goal), first + 1), D)
            begin, end = starts[first], starts[last]
            yield _as_matrix(
                words[begin:end], starts[first : last + 1] - begin, self.shape[1]
            )
            first = last

    def __repr__(self) -> str:
        D, V = self.shape
        return (
            f"StoredCounts({str(self.path)!r}): {D:,} documents, {V:,} words, "
            f"{self.n_tokens:,} tokens"
        )


def store_counts(
    blocks: Any, path: str | Path, *, feature_names: Sequence[str] | None = None
) -> StoredCounts:
    """Write word counts to a folder, block by block.

    Parameters
    ----------
    blocks : iterable of {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts, such as ``(vectorizer.transform(part) for part in parts)``.
        One block at a time is in memory. One matrix is one block.
    path : str or Path
        Folder, new or empty.
    feature_names : sequence of str, default=None
        The words, one per column. None takes the names of the columns of tables (pandas,
        polars).

    Returns
    -------
    counts : StoredCounts
        The stored counts. A token takes 4 bytes, a document 8. ``GibbsLDA.fit`` writes there
        another 4 bytes per token while it runs.

    Raises
    ------
    FileExistsError
        If the folder holds stored counts.
    ValueError
        For counts that are not whole numbers, with block, row and column. If blocks have
        different columns, or there is none.
    RuntimeError
        If another process writes to the folder.
    OSError
        If the disk is full. What was written is deleted.

    See Also
    --------
    llmtopics.text.store_texts : Counts the words of texts and stores them.

    Examples
    --------
    >>> import tempfile
    >>> from llmtopics import store_counts
    >>> X = [[2, 0, 1], [0, 3, 0]]
    >>> counts = store_counts(blocks=[X, X], path=tempfile.mkdtemp(), feature_names="abc")
    >>> counts.shape, counts.n_tokens, list(counts.feature_names)
    ((4, 3), 12, ['a', 'b', 'c'])
    """
    folder = check_free(path)
    folder.mkdir(parents=True, exist_ok=True)
    if len(getattr(blocks, "shape", ())) == 2 and not isinstance(blocks, StoredCounts):
        blocks = [blocks]
    names = None if feature_names is None else [str(name) for name in feature_names]
    with _alone(folder):
        about = _write(blocks, folder, names)
        write_whole(folder / _ABOUT, json.dumps(about))
    return StoredCounts(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from the folder. After an error, delete what was written."""
    busy = (
        f"Another process or thread writes counts to {folder}: wait for it, or choose "
        "another folder."
    )
    with writing_alone(folder / "lock", busy):
        check_free(folder)  # another process may have finished since
        try:
            yield
        except BaseException:
            if not (folder / _ABOUT).exists():
                for name in (_WORDS, _STARTS):
                    (folder / name).unlink(missing_ok=True)
            raise


def _write(blocks: Iterable[Any], folder: Path, names: list[str] | None) -> dict:
    """Write the counts of all blocks; return what is recorded about them."""
    digests = hashlib.sha256(), hashlib.sha256()
    n_documents = n_tokens = 0
    n_words: int | None = None
    with (
        full_disk_named(folder / _WORDS),
        open(folder / _WORDS, "wb") as of_words,
        open(folder / _STARTS, "wb") as ends,
    ):
        zero = np.zeros(1, np.int64)
        ends.write(zero.data)
        digests[1].update(zero.data)
        for number, (X, columns) in enumerate(_checked(blocks)):
            if n_words not in (None, X.shape[1]):
                raise ValueError(
                    f"Block {number} has {X.shape[1]} columns, and those before have "
                    f"{n_words}: count all blocks with the same vocabulary."
                )
            n_words = X.shape[1]
            names = columns if names is None and number == 0 else names
            _check_names(names, columns, number, n_words)
            words = np.repeat(X.indices.astype(np.int32), X.data)
            starts = n_tokens + X.sum(axis=1, dtype=np.int64).cumsum()
            of_words.write(words.data)  # tofile does not say that a disk is full
            ends.write(starts.data)
            digests[0].update(words.data)
            digests[1].update(starts.data)
            n_documents, n_tokens = n_documents + X.shape[0], n_tokens + words.size
        for file in (of_words, ends):
            file.flush()
            os.fsync(file.fileno())
    if n_words is None:
        raise ValueError("There are no blocks: pass at least one matrix of counts.")
    return {
        "format": _FORMAT,
        "shape": [n_documents, n_words],
        "n_tokens": n_tokens,
        "sha256": _joined(*digests, of=[n_documents, n_words, names]),
        "feature_names": names,
    }


def _joined(*digests: Any, of: list[Any]) -> str:
    """Return one digest of several, and of the shape and the names."""
    parts = [each.digest() for each in digests] + [json.dumps(of).encode()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _is_whole(about: dict[str, Any]) -> bool:
    """Return whether a description of stored counts has all its fields."""
    shape: Any = about.get("shape")
    names: Any = about.get("feature_names")
    numbers = [*shape, about.get("n_tokens")] if isinstance(shape, list) else []
    return (
        len(numbers) == 3
        and all(type(n) is int and n >= 0 for n in numbers)
        and isinstance(about.get("sha256"), str)
        and (names is None or (isinstance(names, list) and len(names) == shape[1]))
        and "feature_names" in about
    )


def check_free(path: str | Path) -> Path:
    """Return the folder; raise an error if it holds stored counts."""
    folder = Path(path)
    if (folder / _ABOUT).exists():
        raise FileExistsError(
            f"{folder} holds stored counts: open them with StoredCounts, or choose another "
            "folder."
        )
    return folder


def _checked(
    blocks: Iterable[Any],
) -> Iterator[tuple[sp.csr_array, list[str] | None]]:
    """Yield the counts of each block, and its names of columns, if it has some."""
    for number, block in enumerate(blocks):
        try:
            columns = _get_feature_names(block)
            counts = as_counts(block, "store_counts")
        except ValueError as error:
            raise ValueError(f"Block {number}: {error}") from error
        yield counts, None if columns is None else list(columns)


def _check_names(
    names: list[str] | None, columns: list[str] | None, number: int, n_words: int
) -> None:
    """Raise a ValueError if a block has other columns than the names of all."""
    if names is not None and len(names) != n_words:
        raise ValueError(
            f"{len(names)} feature_names were given for {n_words} columns: pass one per "
            "column."
        )
    if columns is None or columns == names:
        return
    if names is None:
        raise ValueError(
            f"The columns of block {number} have names, and those before have none: pass "
            "feature_names, or tables only."
        )
    at = next(
        i
        for i, pair in enumerate(zip(names, columns, strict=True))
        if pair[0] != pair[1]
    )
    raise ValueError(
        f"Column {at} of block {number} is {columns[at]!r}, and {names[at]!r} was expected: "
        "put the columns of all blocks in the same order."
    )


def _mapped(path: Path, kind: type, size: int) -> np.ndarray:
    """Return a file as an array. Pages are read when they are used, and may be dropped."""
    if not size:
        return np.empty(0, kind)
    # "c": nothing is written, and compiled loops see the same type as in memory
    return np.asarray(np.memmap(path, kind, "c", shape=(size,)))


def _as_matrix(words: np.ndarray, starts: np.ndarray, n_words: int) -> sp.csr_array:
    """Return the counts of tokens whose words are sorted within each document."""
    is_new = np.ones(words.size, bool)
    np.not_equal(words[1:], words[:-1], out=is_new[1:])
    is_new[starts[:-1][starts[:-1] < words.size]] = True
    cells = np.flatnonzero(is_new)
    data = np.diff(np.append(cells, words.size)).astype(np.int32)
    indptr = np.searchsorted(cells, starts)
    shape = len(starts) - 1, n_words
    return sp.csr_array((data, words[cells], indptr), shape=shape)
