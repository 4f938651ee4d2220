"""``save`` and ``load``."""

import platform
import struct
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llmtopics import __version__
from llmtopics.saving._allowed import class_of
from llmtopics.saving._archive import Reader, Writer, replaced
from llmtopics.saving._card import model_card
from llmtopics.saving._checks import (
    as_arguments,
    check_loaded,
    check_memory,
    check_secrets,
    check_servers,
    named,
)
from llmtopics.saving._decode import Decoder
from llmtopics.saving._encode import Encoder

_FORMAT = 1
_LIBRARIES = ("numpy", "scipy", "scikit-learn")
_DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError),
    *(RuntimeError, TypeError, ValueError, struct.error),
)


def save(
    model: Any,
    path: str | Path,
    *,
    card: bool | Mapping[str, Any] = False,
) -> None:
    """Save a model in one file that :func:`load` reads without pickle.

    Parameters
    ----------
    model : estimator or Topics
        An estimator of this library, fitted or not. A Pipeline, search or other estimator of
        scikit-learn, with ours inside or alone. Or :class:`Topics`, with their documents.

    path : str or Path
        The file. An older file is replaced when the new one is complete.

    card : bool or dict, default=False
        Whether to write a model card beside it, ``PATH.md``: topics, parameters, versions, and
        what a search has chosen. A dict has measures to show there, such as ``{"npmi": 0.12}``.

    Raises
    ------
    TypeError
        If a part of the model cannot be saved, such as a function of yours. The message says
        where it is and what to do.
    ValueError
        If a header, query or address of a remote model has a secret, also among the
        parameters of a search. If a Pipeline has ``memory``.
    OSError
        If the file cannot be written. An older file is as before.

    See Also
    --------
    load : Reads the file.

    Notes
    -----
    The file holds parameters and numbers, no code. Weights of language models stay outside
    and are found by their name on first use. Keys of servers are never saved, only the names
    of their environment variables.

    Examples
    --------
    >>> import tempfile
    >>> from llmtopics import GibbsLDA, load, save
    >>> lda = GibbsLDA(2, random_state=0).fit([[2, 0, 1], [0, 3, 0]])
    >>> path = tempfile.mkdtemp() + "/lda.llmtopics"
    >>> save(lda, path)
    >>> (load(path).components_ == lda.components_).all()
    np.True_
    """
    if not isinstance(card, bool | Mapping):
        raise ValueError(
            f"card must be True, False or a dict of measures, got {card!r}."
        )
    path = Path(path)
    about = {
        "format": _FORMAT,
        "llmtopics": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }
    with replaced(path) as file, Writer(file) as writer:
        encoder = Encoder(writer.add_array)
        root = encoder.encode(model, type(model).__name__)
        check_memory(encoder.given)
        check_secrets(encoder.given)
        writer.finish(about, {"root": root, "objects": encoder.objects})
        if card is not False:
            measures = {} if card is True else card
            page = model_card(model, about, measures, _how(path, encoder.given))
    if card is not False:
        with replaced(path.with_name(f"{path.name}.md")) as file:
            file.write(page.encode("utf-8", "replace"))


def _how(path: Path, parts: Iterable[Any]) -> str:
    """Return the call that loads a file."""
    addresses, variables = named(parts, path)
    also = f", {as_arguments(addresses, variables)}" if addresses or variables else ""
    return f"llmtopics.load({path.name!r}{also})"


def load(
    path: str | Path,
    *,
    mmap_mode: str | None = None,
    servers: Sequence[str] = (),
    variables: Sequence[str] = (),
) -> Any:
    """Load a model that :func:`save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    mmap_mode : {"r", "c"} or None, default=None
        None reads the whole file. "r" maps large arrays: pages are read when they are used, and
        processes share them. They cannot be changed. "c" is the same, and changes stay in
        memory. Checksums of mapped arrays are not checked.

    servers : sequence of str, default=()
        Addresses (``base_url``) of servers that the model may send texts to, as in
        :class:`RemoteLLM`. A file that names another server is refused.

    variables : sequence of str, default=()
        Names of environment variables whose values these servers may get, such as
        "OPENAI_API_KEY". A file that names another one, for a key or in a header, is refused.

    Returns
    -------
    model : estimator or Topics
        Equal to the saved one.

    Raises
    ------
    ValueError
        If the file is not one of :func:`save`, was damaged, holds anything that is not allowed
        or was saved by a newer version. If it names a server that is not in ``servers``, or an
        environment variable that is not in ``variables``. The message says which.

    See Also
    --------
    save : Writes the file.

    Notes
    -----
    Nothing in the file is run: objects of a fixed list of classes get their attributes, and
    nothing else is looked up. A checksum finds damage. It does not tell who wrote the file.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, load, save
    >>> texts = ["cats chase mice", "dogs chase cats", "banks lend money"]
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> path = tempfile.mkdtemp() + "/topics.llmtopics"
    >>> save(model, path)
    >>> load(path).transform(texts).shape
    (3, 2)
    """
    if mmap_mode not in (None, "r", "c"):
        raise ValueError(f"mmap_mode must be None, 'r' or 'c', got {mmap_mode!r}.")
    for name, given in [("servers", servers), ("variables", variables)]:
        if isinstance(given, str):
            raise ValueError(f"{name} must be a list of texts, got the str {given!r}.")
    with open(path, "rb") as file:
        try:
            made, parts = _read(Reader(file, mmap_mode))
        except NewerFormatError as error:
            raise ValueError(f"{path}: {error}") from None
        except ImportError as error:
            raise ImportError(
                f"{path} needs a package that is missing: {error}"
            ) from error
        except RecursionError:  # its traceback has thousands of lines
            raise ValueError(
                f"{path} cannot be loaded: it is nested too deep"
            ) from None
        except _DAMAGED as error:
            raise ValueError(
                f"{path} cannot be loaded. It was damaged, or llmtopics.save did not write it: "
                f"{type(error).__name__}: {error}"
            ) from error
    check_servers(parts, servers, variables, path)
    return made


class NewerFormatError(Exception):
    """The file was saved by a newer version."""


def _read(reader: Reader) -> tuple[Any, list[Any]]:
    """Return the model, and the objects that it holds."""
    about = reader.manifest
    if about["format"] not in _READERS:
        raise NewerFormatError(
            f"it was saved by llmtopics {about['llmtopics']} in format {about['format']}, and "
            f"llmtopics {__version__} reads up to {_FORMAT}. Upgrade llmtopics."
        )
    return _READERS[about["format"]](reader)


def _read_1(reader: Reader) -> tuple[Any, list[Any]]:
    model = reader.model()
    names = {
        value[0]
        for kind, value in (pair for each in model["objects"] for pair in each.items())
        if kind in ("object", "fields", "mapping", "loss")
    }
    _check_names(names)
    decoder = Decoder(model["objects"], reader.array)
    made = decoder.decode(model["root"])
    check_memory(decoder.made)
    check_loaded(decoder.made)
    return made, decoder.made


_READERS = {1: _read_1}  # by format. A new format keeps the readers of the old ones


def _check_names(names: set[Any]) -> None:
    """Raise a ValueError that lists all classes that are not allowed."""
    unknown = []
    for name in sorted(map(str, names)):
        try:
            class_of(name)
        except (AttributeError, KeyError):
            unknown.append(name)
    if unknown:
        raise ValueError(
            f"it holds classes that are not allowed: {', '.join(unknown)}. A newer version of "
            "llmtopics may have added them"
        )
