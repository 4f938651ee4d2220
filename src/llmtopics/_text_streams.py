"""Streams of texts, in checked batches."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice

from llmtopics._checks import check_texts


def text_batches(
    texts: Iterable[str], size: int, name: str, first_row: int = 0
) -> Iterator[list[str]]:
    """Yield the texts of a stream in lists of ``size``, checked.

    Parameters
    ----------
    texts : iterable of str
        What :func:`check_texts` takes, or any other iterable, such as a generator.
    size : int
    name : str
        The name of the function, for error messages.
    first_row : int
        The row of the first text, for error messages.

    Raises
    ------
    ValueError
        As in :func:`check_texts`. A stream may be empty.
    """
    stream = text_stream(texts, name)
    while batch := list(islice(stream, size)):
        yield check_texts(batch, name, first_row)
        first_row += len(batch)


def text_stream(texts: Iterable[str], name: str) -> Iterator[str]:
    """Return an iterator over texts, of which :func:`text_batches` checks each.

    A single string, a table of several columns and the like raise a ValueError.
    """
    single = isinstance(texts, str | bytes | Mapping | AbstractSet)
    if single or hasattr(texts, "shape") or not isinstance(texts, Iterable):
        texts = check_texts(texts, name)
    return iter(texts)
