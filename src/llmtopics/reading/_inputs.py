"""Checks of what belongs to documents: titles, labels, times, names of topics."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np

from llmtopics._checks import pandas_for, shortened


def check_column(values: Any, n_documents: int, name: str) -> np.ndarray | None:
    """Return one value per document as an array of objects, None for None.

    Raises
    ------
    ValueError
        If it is a string, has several columns, or another length than the documents.
    """
    if values is None:
        return None
    one = not hasattr(values, "__iter__")
    if one or isinstance(values, str | bytes | Mapping | AbstractSet):
        raise ValueError(
            f"{name} must have one value per document, got one {type(values).__name__}."
        )
    shape = getattr(values, "shape", ())
    if len(shape) > 1:
        raise ValueError(
            f"{name} must have one value per document, got a table of shape {shape}: "
            "pass one of its columns."
        )
    listed = list(values)
    if len(listed) != n_documents:
        raise ValueError(
            f"{name} has {len(listed)} values, and there are {n_documents} documents: pass "
            "one value per document."
        )
    column = np.empty(n_documents, dtype=object)
    for row, value in enumerate(listed):  # all at once, tuples would be columns
        column[row] = _without_pandas(value)
    return column


def _without_pandas(value: Any) -> Any:
    """Return Python's own form of a time or a missing value of pandas."""
    kind = type(value)
    if kind.__module__.partition(".")[0] != "pandas":
        return value
    if kind.__name__ in ("NaTType", "NAType"):
        return None
    if kind.__name__ == "Period":
        value = value.start_time
    return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value


def known_rows(values: np.ndarray, name: str, missing: str) -> np.ndarray:
    """Return which documents have a value, as booleans.

    Raises
    ------
    ValueError
        If ``missing`` is "error" and a document has none, or if no document has one.
    """
    if missing not in ("error", "drop"):
        raise ValueError(f"missing must be 'error' or 'drop', got {missing!r}.")
    known = ~np.asarray(pandas_for("read_topics").isna(values), bool)
    if missing == "error" and not known.all():
        raise ValueError(
            f"{name} has no value in row {int(np.argmin(known))} ({int((~known).sum())} of "
            f"{len(known)} rows have none): fill them in, or pass missing='drop' to leave "
            "these documents out."
        )
    if not known.any():
        raise ValueError(f"{name} has no value in any row.")
    return known


def check_names(names: Any, n_topics: int) -> list[str]:
    """Return one distinct name per topic.

    Raises
    ------
    ValueError
        If there is another number of names, a name is no text or blank, or occurs twice.
    """
    if isinstance(names, str | bytes | Mapping | AbstractSet) or not isinstance(
        names, Iterable
    ):
        raise ValueError(f"names must be a list of str, got {shortened(names)}.")
    found = list(names)
    if len(found) != n_topics:
        raise ValueError(
            f"{len(found)} names were given for {n_topics} topics: pass one per topic."
        )
    for k, name in enumerate(found):
        if not isinstance(name, str) or not name.strip():
            raise ValueError(
                f"The name of topic {k} must be a text that is not blank, got "
                f"{shortened(name)}."
            )
        if name in found[:k]:
            raise ValueError(
                f"Topics {found.index(name)} and {k} have the same name {shortened(name)}: "
                "give each topic a name of its own."
            )
    return [str(name) for name in found]


def renamed(old: list[str], changes: Mapping[Any, str]) -> list[str]:
    """Return names with some replaced. Keys are numbers of topics or their names."""
    if not isinstance(changes, Mapping):
        raise ValueError(
            f"rename takes a dict from topic to name, got {shortened(changes)}."
        )
    names = list(old)
    for topic, name in changes.items():
        names[topic_number(topic, old)] = name
    return check_names(names, len(old))


def check_folder(path: str | Path | None) -> None:
    """Raise a FileNotFoundError if the folder of a file to write does not exist.

    Call it before long work, whose result would be lost.
    """
    if path is not None and not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(
            f"The folder of {str(path)!r} does not exist: make it first."
        )


def topic_number(topic: Any, names: Sequence[str]) -> int:
    """Return the number of a topic, given by number or name.

    Raises
    ------
    ValueError
        If there is no such topic. The message lists the topics.
    """
    if isinstance(topic, str):
        if topic in names:
            return list(names).index(topic)
        listed = ", ".join(shortened(name) for name in names[:20])
        raise ValueError(
            f"No topic has the name {shortened(topic)}: pass a number from 0 to {len(names) - 1}, or "
            f"one of {listed}."
        )
    if isinstance(topic, bool) or not hasattr(topic, "__index__"):
        raise ValueError(
            f"A topic is a number from 0 to {len(names) - 1} or a name, got {topic!r}."
        )
    number = topic.__index__()
    if not 0 <= number < len(names):
        raise ValueError(
            f"There is no topic {number}: topics are numbered from 0 to {len(names) - 1}."
        )
    return int(number)


def topic_numbers(topics: Any, names: Sequence[str], where: str) -> list[int]:
    """Return the numbers of a list of topics. ``where`` is the parameter, for the error.

    Raises
    ------
    ValueError
        If it is no list, or there is no such topic.
    """
    if isinstance(topics, str) or not isinstance(topics, Iterable):
        raise ValueError(
            f"{where} must be a list of topics, got {topics!r}: put it in brackets."
        )
    return [topic_number(topic, names) for topic in topics]
