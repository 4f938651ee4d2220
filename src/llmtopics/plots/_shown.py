"""Which topics a plot shows: their numbers, labels and colors."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from llmtopics._checks import shortened
from llmtopics.plots._colors import topic_colors


class Shown(NamedTuple):
    """Topics that are shown, in order.

    numbers : their numbers
    names, colors : of each
    note : "12 of 300 topics", or "" if all are shown
    """

    numbers: list[int]
    names: list[str]
    colors: list[str]
    note: str


def shown_topics(
    shares: np.ndarray, names: Sequence[str], which: int | Sequence[int | str]
) -> Shown:
    """Return the topics to show.

    Parameters
    ----------
    shares : ndarray of shape (K,)
    names : sequence of K str
    which : int or sequence of int and str
        How many, the largest first, or which, by number or name, in their order.

    Raises
    ------
    ValueError
        If there is no such topic, one is listed twice, or none is listed.
    """
    if isinstance(which, Integral) and not isinstance(which, bool):
        if which < 1:
            raise ValueError(f"topics_to_show must be 1 or more, got {which}.")
        order = np.argsort(-shares, kind="stable")[:which]
        numbers = [int(k) for k in order]
    elif isinstance(which, str) or not hasattr(which, "__iter__"):
        raise ValueError(
            f"topics_to_show must be a number or a list of topics, got {shortened(which)}: put one "
            "topic in brackets."
        )
    else:
        numbers = [_number(topic, list(names)) for topic in which]
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(
                f"topics_to_show must list each topic once, and at least one, got "
                f"{shortened(which)}."
            )
    colors = topic_colors(len(names))
    note = (
        "" if len(numbers) == len(names) else f"{len(numbers)} of {len(names)} topics"
    )
    return Shown(
        numbers, [names[k] for k in numbers], [colors[k] for k in numbers], note
    )


def _number(topic: Any, names: list[str]) -> int:
    if isinstance(topic, str) and topic in names:
        return names.index(topic)
    if hasattr(topic, "__index__") and not isinstance(topic, bool):
        number = int(topic.__index__())
        if 0 <= number < len(names):
            return number
    raise ValueError(
        f"topics_to_show has {shortened(topic)}, which is no topic: topics are numbered from 0 to "
        f"{len(names) - 1}, or have names such as {shortened(names[0])}."
    )


def check_topics(topics: Any, name: str) -> None:
    """Raise a TypeError if ``topics`` is not what :func:`llmtopics.read_topics` returns."""
    if not all(hasattr(topics, each) for each in ("names", "mixtures", "components")):
        raise TypeError(
            f"{name} needs Topics, got {type(topics).__name__}: pass the result of "
            "read_topics(model, texts)."
        )


def as_numbers(values: Any, name: str, **allowed: Any) -> np.ndarray:
    """Return a column as floats. Unlike scikit-learn's, errors do not print long texts.

    ``allowed`` is passed to scikit-learn's ``check_array``.
    """
    try:
        floats = np.asarray(values).astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must have numbers, got {shortened(list(values))}: correct them."
        ) from None
    return check_array(floats, ensure_2d=False, input_name=name, **allowed)


def columns_of(
    table: Any, numbers: Sequence[str], others: Sequence[str], source: str
) -> dict[str, Any]:
    """Return columns of a table: arrays of finite numbers, and lists.

    Raises
    ------
    TypeError
        If it is no table.
    ValueError
        If a column is missing, is empty or has another length, or if a number is missing.
    """
    if not isinstance(table, Mapping) and not hasattr(table, "columns"):
        raise TypeError(
            f"table must be a table, got {type(table).__name__}: pass the result of {source}."
        )
    if missing := [name for name in (*others, *numbers) if name not in table]:
        raise ValueError(
            f"table has no column {missing[0]!r}: pass the result of {source}."
        )
    found: dict[str, Any] = {name: list(table[name]) for name in others}
    for name in numbers:
        found[name] = as_numbers(table[name], name)
    check_consistent_length(*found.values())
    return found
