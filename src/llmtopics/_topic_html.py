"""Topics as a table in a notebook, and below the diagram of a fitted topic model."""

from collections.abc import Sequence
from contextlib import suppress
from html import escape

import numpy as np

from llmtopics._fitted_model import FittedModel
from llmtopics._words import topic_labels

_BAR = (
    "display:inline-block;height:.7em;margin-right:.4em;border-radius:2px;"
    "background:rgb(66,133,244);vertical-align:baseline"
)
_CELL = "text-align:left;vertical-align:top;padding:.25em .8em .25em 0"
_N_WORDS = 8


def table_html(title: str, columns: Sequence[str], rows: Sequence[list[str]]) -> str:
    """Return a table. ``rows`` have a cell per column, which are HTML."""
    head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_CELL}" dir="auto">{cell}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    made = (
        f"<div><p>{escape(title)}</p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
    return made.encode("utf-8", "replace").decode("utf-8")  # without lone surrogates


def name_html(name: str) -> str:
    """Return a topic's name in bold."""
    return f"<b>{escape(name)}</b>"


def share_html(share: float, largest: float) -> str:
    """Return a share as a bar and a number."""
    width = 5 * share / (largest or 1)
    return (
        f'<span style="white-space:nowrap"><span style="{_BAR};width:{width:.2f}em">'
        f"</span>{share:.1%}</span>"
    )


class ShowsTopics:
    """Shows the topics of a fitted model below scikit-learn's diagram in notebooks.

    They are shown if their words are known without the texts. ``_shares``, of shape (K,), are
    the topics' shares of the texts in ``fit``, if the model keeps them.
    """

    def _html_repr(self) -> str:
        diagram = super()._html_repr()  # type: ignore[misc]
        with suppress(ValueError):  # such as equal names of columns
            diagram += _topics_html(self)
        return diagram


def _topics_html(model: object) -> str:
    """Return the table of topics of a model, "" if it is not fitted or knows no words."""
    if not hasattr(model, "components_"):
        return ""
    fitted = FittedModel(model)
    words = fitted.top_words(_N_WORDS)
    if words is None:
        return ""
    names = fitted.names or topic_labels(words)
    shares: np.ndarray | None = getattr(model, "_shares", None)
    columns, rows = ["", "name", "share", "words"], []
    for k, (name, some) in enumerate(zip(names, words, strict=True)):
        row = [str(k), name_html(name), escape(" ".join(some))]
        if shares is not None:
            row.insert(2, share_html(shares[k], shares.max()))
        rows.append(row)
    if shares is None:
        columns.remove("share")
    return table_html(f"{len(names)} topics", columns, rows)
