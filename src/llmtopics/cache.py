"""What the cache on disk holds, and how to delete it.

Estimators keep vectors, answers and models in one folder, so that nothing is computed twice. The
folder is named by the environment variable ``LLMTOPICS_CACHE``, or else it is the user's cache
folder. ``LLMTOPICS_CACHE_MAX_BYTES`` limits vectors and answers, each.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from numbers import Real
from pathlib import Path
from shutil import rmtree

from llmtopics._language.cache import Cache, folder_of
from llmtopics._locks import Busy, locked

__all__ = ["CachePart", "clear", "info"]

_VALUES = {"vectors": ".", "answers": "answers"}  # part -> folder of its database
_MODELS = {  # part -> names of what the library puts into the folder of this name
    "models": re.compile(r".+-[0-9a-f]{16}"),
    "tuned": re.compile(r"[0-9a-f]{32}"),
}
_PARTS = (*_VALUES, *_MODELS)


@dataclass(frozen=True)
class CachePart:
    """One part of the cache, as :func:`info` returns it.

    Parameters
    ----------
    part : str
        "vectors" (vectors of texts, and what describers read in pictures and sounds), "answers"
        (of language models), "models" (unpacked from GGUF files) or "tuned" (tuned models and
        their checkpoints).

    n_entries : int
        Number of vectors, answers or models.

    n_bytes : int
        Size on disk.

    oldest : datetime.datetime or None
        When the oldest entry was written, in local time. None if there is none, or if an older
        version of the library wrote it.

    path : pathlib.Path
        The file or folder.

    Examples
    --------
    >>> import tempfile
    >>> from llmtopics import cache
    >>> [part.n_bytes for part in cache.info(tempfile.mkdtemp())]
    [0, 0, 0, 0]
    """

    part: str
    n_entries: int
    n_bytes: int
    oldest: datetime | None
    path: Path


def info(folder: str | Path | None = None) -> list[CachePart]:
    """Return what the cache holds. ``pandas.DataFrame`` makes a table of it.

    Parameters
    ----------
    folder : str, Path or None, default=None
        The ``cache_dir`` of the estimators. None is their default folder.

    Returns
    -------
    parts : list of CachePart
        "vectors", "answers", "models" and "tuned", in this order.

    See Also
    --------
    clear : Delete parts of the cache.

    Examples
    --------
    >>> import tempfile
    >>> from llmtopics import TransformerEmbedder, cache
    >>> folder = tempfile.mkdtemp()
    >>> vectors = TransformerEmbedder(cache_dir=folder).fit_transform(["figs", "plums"])
    >>> [(part.part, part.n_entries) for part in cache.info(folder)]
    [('vectors', 2), ('answers', 0), ('models', 0), ('tuned', 0)]
    """
    place = _place(folder)
    parts = []
    for part, name in _VALUES.items():
        values = Cache(place / name)
        n, oldest = values.count()
        path = place / name / "values.sqlite"
        parts.append(CachePart(part, n, _n_bytes(values.files()), _time(oldest), path))
    for part in _MODELS:
        models = list(_models(place, part))
        files = [file for model in models for file in model.rglob("*")]
        oldest = min(map(_changed, models), default=None)
        size = _n_bytes(files)
        parts.append(CachePart(part, len(models), size, _time(oldest), place / part))
    return parts


def clear(
    older_than: float | None = None,
    *,
    parts: Sequence[str] | str = ("vectors", "answers"),
    folder: str | Path | None = None,
) -> list[CachePart]:
    """Delete what the cache holds. It is computed again when it is needed.

    Parameters
    ----------
    older_than : float or None, default=None
        Delete what was written more than this number of days ago. None deletes everything.
    parts : sequence of str or "all", default=("vectors", "answers")
        The parts to delete, as in :class:`CachePart`. Fitted estimators may need models in
        "tuned", and training takes long, so these are only deleted if you name them.
    folder : str, Path or None, default=None
        The ``cache_dir`` of the estimators. None is their default folder.

    Returns
    -------
    left : list of CachePart
        What is left: :func:`info` after deletion.

    Raises
    ------
    OSError
        If something cannot be deleted.
    ValueError
        If a parameter is wrong.

    See Also
    --------
    info : What the cache holds.

    Notes
    -----
    Deleted vectors and answers are overwritten in the file if ``older_than`` is given. Otherwise
    the file itself is deleted, and its blocks on disk are free. A model that is being tuned is
    kept. Empty lock files of vectors and answers are deleted with them, unless a process holds
    them: a process that starts at this moment may ask for the same answer again. Those beside
    models stay. Entries of unknown age, of older versions of the library, count as old.

    Examples
    --------
    >>> import tempfile
    >>> from llmtopics import TransformerEmbedder, cache
    >>> folder = tempfile.mkdtemp()
    >>> vectors = TransformerEmbedder(cache_dir=folder).fit_transform(["figs", "plums"])
    >>> left = cache.clear(older_than=30, folder=folder)  # nothing is so old
    >>> left[0].n_entries
    2
    >>> cache.clear(folder=folder)[0].n_entries
    0
    """
    chosen = _PARTS if parts == "all" else [parts] if isinstance(parts, str) else parts
    if unknown := [part for part in chosen if part not in _PARTS]:
        raise ValueError(
            f"parts must be 'all' or among {', '.join(map(repr, _PARTS))}, got {unknown[0]!r}."
        )
    if older_than is not None and not (
        isinstance(older_than, Real) and float(older_than) >= 0
    ):
        raise ValueError(
            f"older_than must be a number of days of at least 0, or None, got {older_than!r}."
        )
    place = _place(folder)
    before = None if older_than is None else time.time() - 86_400 * float(older_than)
    for part in chosen:
        if part in _VALUES:
            Cache(place / _VALUES[part]).delete(before)
            continue
        for model in _models(place, part):
            if before is None or _changed(model) < before:
                _delete_model(model)
        if part == "models":
            for left in (place / part).glob("*.part"):
                _delete_unfinished(left)
    return info(folder)


def _place(folder: str | Path | None) -> Path:
    if isinstance(folder, bool):
        raise ValueError(f"folder must be a path or None, got {folder!r}.")
    place = folder_of(folder)
    assert place is not None  # only for False
    return place


def _models(place: Path, part: str) -> Iterator[Path]:
    """Yield the folders of models that the library has made. Others may be beside them."""
    for path in sorted((place / part).glob("*")):
        if path.is_dir() and _MODELS[part].fullmatch(path.name):
            yield path


def _delete_model(model: Path) -> None:
    """Delete a model, unless another process makes it.

    It loses its name first, so that a kill leaves no half model under this name.
    """
    deleted = model.with_name(f"{model.name}.part")
    tuned = model.parent.name == "tuned"
    try:
        with locked(model / ".lock" if tuned else Path(f"{model}.lock"), wait=False):
            rmtree(deleted, ignore_errors=True)  # left by a process that was killed
            if not tuned:
                model.rename(deleted)
                rmtree(deleted)
                return
            deleted.mkdir()  # the folder itself holds the lock
            for path in sorted(
                model.iterdir(), key=lambda path: path.name == "run.json"
            ):
                if path.name != ".lock":
                    path.rename(deleted / path.name)
            rmtree(deleted)
    except Busy:
        return  # another process makes it
    with suppress(OSError):  # another process may have begun to tune it again
        (model / ".lock").unlink()
        model.rmdir()


def _delete_unfinished(left: Path) -> None:
    """Delete what a process left that was killed while it unpacked or deleted a model."""
    name = left.name.removesuffix(".part")
    if _MODELS["models"].fullmatch(name):
        with suppress(Busy), locked(left.with_name(f"{name}.lock"), wait=False):
            rmtree(left, ignore_errors=True)


def _changed(model: Path) -> float:
    return model.stat().st_mtime


def _n_bytes(files: list[Path]) -> int:
    n_bytes = 0
    for file in files:
        with suppress(FileNotFoundError):  # another process has just deleted it
            n_bytes += file.stat().st_size
    return n_bytes


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds).astimezone()


def __dir__() -> list[str]:
    return sorted(__all__)
