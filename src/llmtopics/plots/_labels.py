"""Names of topics as labels: on one line, not too long, in fonts that have their characters."""

import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Any

from llmtopics.plots._figures import FONT_SIZE
from llmtopics.plots._fonts import drawable, length_of


def as_labels(
    names: Iterable[Any], most: float = 40, size: float = FONT_SIZE
) -> tuple[list[str], dict[str, Any]]:
    """Return labels for names, and the properties of matplotlib's texts that draw them.

    ``most`` is the largest length of a label, in Latin characters. ``$`` in names is no formula.
    """
    labels, families = drawable(shortened(_on_one_line(name), most) for name in names)
    return labels, {"fontsize": size, "fontfamily": families, "parse_math": False}


def shortened(label: str, most: float) -> str:
    """Return the beginning of a label, with … for what is cut off."""
    if length_of(label) <= most:
        return label
    length, kept = 1.0, ""
    for c in label:
        length += length_of(c)
        if length > most:
            break
        kept += c
    return f"{kept.rstrip()}…"


def two_lines(label: str, most: float) -> str:
    """Return the beginning of a label on one or two lines, each at most ``most`` long."""
    width = most * len(label) / max(length_of(label), 1)  # Chinese is wider
    first, *others = textwrap.wrap(label, max(int(width), 2)) or [""]
    if not others:
        return first
    rest = label[len(first) :]
    if rest[0].islower() and first[-1].islower():  # within a word
        first, rest = f"{first[:-1]}-", first[-1] + rest
    return f"{first}\n{shortened(rest.strip(), most)}"


def longest(labels: Iterable[str], size: float = FONT_SIZE) -> float:
    """Return about how many inches the longest label takes."""
    return 0.6 * size / 72 * max(map(length_of, labels), default=0)


def _on_one_line(name: Any) -> str:
    text = str(name).encode("utf-8", "replace").decode()  # without lone surrogates
    return " ".join("".join(map(_visible, text)).split())


def _visible(c: str) -> str:
    """Return a space for a control character. Those that join letters or emoji stay."""
    return " " if unicodedata.category(c) == "Cc" else c


def add_legend(ax: Any, handles: Iterable[Any], names: Iterable[Any]) -> None:
    """Add a legend. Unlike matplotlib's, it shows names that begin with an underscore."""
    labels, style = as_labels(names, most=30)
    legend = ax.legend(
        list(handles), [f"{i}" for i in range(len(labels))], frameon=False
    )
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set(text=label, **style)
