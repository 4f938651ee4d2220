"""``store_vectors``: write the vectors of a stream of texts to a file, in bounded memory."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from tqdm.auto import tqdm

from llmtopics._checks import check_positive
from llmtopics._locks import writing_alone
from llmtopics._text_streams import text_batches, text_stream
from llmtopics._whole_files import full_disk_named, read_json, write_whole
from llmtopics.embed._encoder import Encoder, as_embedder
from llmtopics.embed._precomputed import agree
from llmtopics.embed._processes import vectors_of
from llmtopics.embed._transformer import TransformerEmbedder

_FORMAT = "llmtopics stored vectors 1"
_NAME = "store_vectors"
_HEADER = 128  # bytes before the vectors, for any number of texts
_TYPE = np.dtype("<f4")
_N_PROBED = 16  # texts


def store_vectors(
    texts: Iterable[str],
    path: str | Path,
    *,
    embedder: Any = None,
    batch_size: int = 10_000,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> np.memmap:
    """Write the vectors of texts to a file, batch by batch. Continue after an interrupt.

    Memory holds a few batches, for any number of texts. If the call is interrupted or its
    process is killed, call it again with the same arguments: it computes the missing vectors.
    If all are there, it returns them.

    Parameters
    ----------
    texts : iterable of str
        The texts, read once and in order: a list, a column of a table, or a generator. To
        continue, pass the same texts again from the first one.
    path : str or Path
        The file, such as "vectors.npy". Until all vectors are there, it is called
        "vectors.npy.part". "vectors.npy.json" records what made it and a hash of the texts.
    embedder : str, embedder or None, default=None
        A name or folder as in :class:`~llmtopics.TransformerEmbedder`, or any object with
        ``transform`` or ``encode`` that gives one vector per text. None is the default model.
        An embedder that learns must be fitted. The cache of a ``TransformerEmbedder`` is
        neither read nor written.
    batch_size : int, default=10_000
        Number of texts per batch. After each batch, its vectors are safe.
    n_jobs : int or None, default=None
        Number of processes. They divide the devices of a ``TransformerEmbedder`` among them,
        and each loads the model. With one process, a ``TransformerEmbedder`` already uses all
        GPUs, or all CPU cores. More processes help embedders that use one core.
    verbose : bool or int, default=False
        Whether to show a progress bar.

    Returns
    -------
    vectors : memmap of shape (n_texts, n_dimensions), float32
        One row per text, in order. Read-only. ``np.load(path, mmap_mode="r")`` opens them
        again.

    Raises
    ------
    ValueError
        If the texts are no texts or vectors are not finite (the message has the row). If the
        file was begun with other texts, another model or other parameters.
    FileExistsError
        If the file exists and ``store_vectors`` did not write it.
    RuntimeError
        If another process writes the same file.
    OSError
        If the disk is full. The vectors written so far stay, and the next call continues.

    See Also
    --------
    llmtopics.TransformerEmbedder : Turns texts into vectors in memory.
    llmtopics.text.store_texts : Counts the words of texts into files.

    Notes
    -----
    With the same ``batch_size``, a file has the same bytes after interrupts as without, if the
    embedder gives the same texts the same vectors again. On CPUs, ``TransformerEmbedder`` does
    so, for any ``n_jobs``.

    ``TransformerEmbedder`` and ``RemoteEmbedder`` are compared by their weights or addresses,
    and by all parameters that change vectors. Others are compared by the vectors of the first
    16 texts.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from llmtopics.embed import store_vectors
    >>> texts = (f"The text number {i} of a stream." for i in range(5))
    >>> path = f"{tempfile.mkdtemp()}/vectors.npy"
    >>> store_vectors(texts, path).shape
    (5, 384)
    >>> vectors = np.load(path, mmap_mode="r")
    """
    check_positive(batch_size=batch_size)
    path = Path(path)
    embedder = _without_cache(embedder)
    made_with = _made_with(embedder)
    total = len(texts) if isinstance(texts, Sized) else None
    bar = tqdm(desc="vectors", unit=" texts", total=total, disable=not verbose)
    with bar, _alone(path):
        file = _File(path, made_with)
        stream = text_stream(texts, _NAME)
        digest = file.check(stream, batch_size, embedder)
        bar.update(file.n_texts)
        if file.is_whole:
            if next(stream, None) is not None:
                raise ValueError(
                    f"{path} has the vectors of {file.n_texts:,} texts, and there are more: "
                    "pass the same texts, or another path."
                )
            return np.load(path, mmap_mode="r")
        batches = text_batches(stream, batch_size, _NAME, file.n_texts)
        with file.open() as out:
            for batch, found in vectors_of(embedder, batches, n_jobs, file.n_texts):
                vectors = _checked(found, len(batch), file.n_texts, file.n_dimensions)
                _update(digest, batch)
                file.append(out, vectors, digest)
                bar.update(len(batch))
            if not file.n_texts:
                raise ValueError("There are no texts: pass at least one.")
            file.finish(out)
    return np.load(path, mmap_mode="r")


class _File:
    """A file of vectors, and the record of what is in it.

    Parameters
    ----------
    path : Path
    made_with : str
        What vectors depend on besides the texts.
    """

    def __init__(self, path: Path, made_with: str):
        self.path, self.part = path, path.with_name(f"{path.name}.part")
        self._about = path.with_name(f"{path.name}.json")
        self.is_whole = path.exists()
        record: dict[str, Any] = {}
        if self._about.exists() and (self.is_whole or self.part.exists()):
            record = self._read()
        if self.is_whole and not record:
            raise FileExistsError(
                f"{path} exists and was not written by store_vectors: choose another path."
            )
        if record and record.get("format") != _FORMAT:
            raise ValueError(
                f"{self._about} is not of this version ({_FORMAT!r}): choose another path, or "
                "delete the file to start again."
            )
        if record and record["made_with"] != made_with:
            raise ValueError(
                f"{path} was begun with another model or other parameters "
                f"({record['made_with']}), and these are {made_with}: pass the same embedder, "
                "or another path."
            )
        self._made_with = made_with
        self.n_texts: int = record.get("n_texts", 0)
        self.n_dimensions: int | None = record.get("n_dimensions")
        self._sha256 = record.get("sha256")
        found = (path if self.is_whole else self.part).stat().st_size if record else 0
        # a file that is not whole may end in rows that were not yet recorded
        damaged = found != self._n_bytes if self.is_whole else found < self._n_bytes
        if record and damaged:
            raise ValueError(
                f"{path} has {found:,} bytes of vectors, and {self._n_bytes:,} were written: "
                f"the file is damaged. Delete it and {self._about.name} to start again."
            )

    def _read(self) -> dict[str, Any]:
        """Return the record beside the file."""
        try:
            record = read_json(self._about)
        except ValueError:
            record = None
        known = isinstance(record, dict) and record.get("format") == _FORMAT
        numbers = [record.get(n) for n in ("n_texts", "n_dimensions")] if known else []
        texts = [record.get(n) for n in ("made_with", "sha256")] if known else []
        if (
            not isinstance(record, dict)
            or any(type(n) is not int or n < 1 for n in numbers)
            or any(not isinstance(text, str) for text in texts)
        ):
            raise ValueError(
                f"{self._about} is damaged. Delete it and the file of vectors to start again."
            )
        return record

    @property
    def _n_bytes(self) -> int:
        return _HEADER + self.n_texts * (self.n_dimensions or 0) * _TYPE.itemsize

    def check(self, stream: Iterator[str], batch_size: int, embedder: Any) -> Any:
        """Read the texts that have vectors, and return their hash.

        Raises
        ------
        ValueError
            If they are other texts, or if the embedder gives them other vectors.
        """
        digest, n_read = hashlib.sha256(), 0
        known = islice(stream, self.n_texts)
        for batch in text_batches(known, batch_size, _NAME):
            if not n_read and not hasattr(embedder, "_made_with"):
                self._probe(batch[:_N_PROBED], embedder)
            _update(digest, batch)
            n_read += len(batch)
        if self.n_texts and digest.hexdigest() != self._sha256:
            raise ValueError(
                f"{self.path} was begun with other texts: pass the same {self.n_texts:,} "
                "texts first and in the same order, or another path."
            )
        return digest

    def _probe(self, texts: list[str], embedder: Any) -> None:
        ((_, found),) = vectors_of(embedder, iter([texts]), 1, 0)
        there = np.fromfile(
            self.path if self.is_whole else self.part,
            _TYPE,
            len(texts) * (self.n_dimensions or 0),
            offset=_HEADER,
        ).reshape(len(texts), -1)
        found = _checked(found, len(texts), 0, None)
        if found.shape != there.shape or not all(map(agree, found, there)):
            raise ValueError(
                f"{self.path} was begun with another embedder: this one gives other vectors "
                "of the first texts. Pass the same embedder, or another path. (If the texts "
                "are others, too, pass the same texts.)"
            )

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Yield the file, cut after its last recorded row."""
        mode = "r+b" if self.n_texts else "w+b"
        with full_disk_named(self.part), open(self.part, mode) as out:
            out.truncate(self._n_bytes)
            out.seek(0, os.SEEK_END)
            try:
                yield out
            finally:
                if not self.n_texts:  # there is nothing to continue
                    self.part.unlink()

    def append(self, out: Any, vectors: np.ndarray, digest: Any) -> None:
        """Write rows, and then record them."""
        out.write(np.ascontiguousarray(vectors, _TYPE).data)
        out.flush()
        os.fsync(out.fileno())
        self.n_texts += len(vectors)
        self.n_dimensions = vectors.shape[1]
        record = {
            "format": _FORMAT,
            "made_with": self._made_with,
            "n_texts": self.n_texts,
            "n_dimensions": self.n_dimensions,
            "sha256": digest.hexdigest(),
        }
        write_whole(self._about, json.dumps(record))

    def finish(self, out: Any) -> None:
        """Write the header, with the number of rows, and give the file its name."""
        header = BytesIO()
        about = {
            "descr": _TYPE.str,
            "fortran_order": False,
            "shape": (self.n_texts, self.n_dimensions),
        }
        np.lib.format.write_array_header_1_0(header, about)
        assert header.tell() == _HEADER
        out.seek(0)
        out.write(header.getvalue())
        out.flush()
        os.fsync(out.fileno())
        out.close()
        self.part.replace(self.path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from the file."""
    if path.is_dir():
        raise ValueError(f"path={str(path)!r} is a folder: name a file in it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    busy = (
        f"Another process or thread writes {path}: wait for it, or choose another path."
    )
    with writing_alone(path.with_name(f"{path.name}.lock"), busy):
        yield


def _without_cache(embedder: Any) -> Any:
    """Return the embedder. A cache would keep all vectors a second time.

    After an interrupt, some texts of a batch would be in the cache, and the others would be
    encoded in other batches, with slightly other vectors.
    """
    embedder = as_embedder(embedder, verbose=False)
    if not hasattr(embedder, "transform"):
        raise TypeError(
            f"embedder has no transform and no encode, got {embedder!r}: pass the name of a "
            "model, an embedder, or None."
        )
    if isinstance(embedder, TransformerEmbedder):
        return clone(embedder).set_params(cache_dir=False)
    return embedder


def _made_with(embedder: Any) -> str:
    """Return what vectors depend on besides the texts, as far as it is known."""
    model = embedder.model if isinstance(embedder, Encoder) else embedder
    known = embedder._made_with() if hasattr(embedder, "_made_with") else ""
    return f"{type(model).__name__} {known}".strip()


def _update(digest: Any, texts: list[str]) -> None:
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d " % len(data) + data)


def _checked(
    found: Any, n_texts: int, first_row: int, n_dimensions: int | None
) -> np.ndarray:
    """Return the vectors of a batch, float32.

    Raises
    ------
    ValueError
        If they are not one per text, of the length of those before, and finite.
    """
    vectors = np.asarray(found)
    if vectors.ndim != 2 or len(vectors) != n_texts:
        raise ValueError(
            f"The embedder gave {type(found).__name__} of shape {np.shape(found)} for "
            f"{n_texts:,} texts: pass one that gives an array with one vector per text."
        )
    if n_dimensions not in (None, vectors.shape[1]):
        raise ValueError(
            f"The embedder gave vectors of length {vectors.shape[1]} from row {first_row:,} "
            f"on, and of length {n_dimensions} before: pass one that gives equal lengths."
        )
    with np.errstate(over="ignore"):  # found below
        vectors = vectors.astype(_TYPE, copy=False)
    is_finite = np.isfinite(vectors).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            f"The embedder gave NaN or infinity for the text in row "
            f"{first_row + int(is_finite.argmin())}: remove the text, or mend the embedder."
        )
    return vectors
