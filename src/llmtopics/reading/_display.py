"""Topics as text in a terminal and as a table in a notebook."""

from html import escape
from typing import TYPE_CHECKING

from llmtopics._language.request import without_surrogates
from llmtopics._vectorizers import steps_of
from llmtopics.reading._tables import beginning, joined_words, topics_as_dicts

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics

_LINE = 100  # characters of a line in terminals
_BAR = (
    "display:inline-block;height:.7em;margin-right:.4em;border-radius:2px;"
    "background:rgb(66,133,244);vertical-align:baseline"
)
_CELL = "text-align:left;vertical-align:top;padding:.25em .8em .25em 0"


def title_of(topics: "Topics") -> str:
    """Return one line on what was read."""
    return f"{len(topics.names)} topics of {len(topics.texts)} documents ({kind_of(topics)})"


def kind_of(topics: "Topics") -> str:
    """Return the name of the kind of topic model, inside what merges or names it."""
    *_, model = steps_of(topics.model)
    while hasattr(model, "mapping_"):
        *_, model = steps_of(model.estimator_)
    return type(model).__name__


def as_text(topics: "Topics") -> str:
    """Return a line per topic: number, share, name, words."""
    lines = [title_of(topics)]
    for topic in topics_as_dicts(topics, 8, 1):
        words = joined_words(topic["words"], weights=False)
        name = topic["name"]
        shown = words if words.startswith(name) else f"{name}: {words}"
        lines.append(
            f"{topic['topic']:4d} {topic['share']:5.1%}  {beginning(shown, _LINE)}"
        )
    return without_surrogates("\n".join(lines))


def as_html(topics: "Topics") -> str:
    """Return a table with one row per topic."""
    listed = topics_as_dicts(topics, 8, 1)
    largest = max(topic["share"] for topic in listed) or 1
    head = "".join(
        f'<th style="{_CELL}">{name}</th>'
        for name in ("", "name", "share", "documents", "words", "representative")
    )
    rows = []
    for topic in listed:
        width = 5 * topic["share"] / largest
        cells = (
            str(topic["topic"]),
            f"<b>{escape(topic['name'])}</b>",
            f'<span style="white-space:nowrap"><span style="{_BAR};width:{width:.2f}em"></span>{topic["share"]:.1%}</span>',
            str(topic["n_documents"]),
            escape(joined_words(topic["words"], weights=False)),
            escape(topic["documents"][0]["title"]),
        )
        rows.append(
            "<tr>"
            + "".join(f'<td style="{_CELL}" dir="auto">{cell}</td>' for cell in cells)
            + "</tr>"
        )
    made = (
        f"<div><p>{escape(title_of(topics))}</p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    return without_surrogates(made)
