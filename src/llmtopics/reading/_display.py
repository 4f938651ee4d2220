"""Topics as text in a terminal and as a table in a notebook."""

from html import escape
from typing import TYPE_CHECKING

from llmtopics._language.request import without_surrogates
from llmtopics._topic_html import name_html, share_html, table_html
from llmtopics._vectorizers import steps_of
from llmtopics.reading._tables import beginning, joined_words, topics_as_dicts

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics

_LINE = 100  # characters of a line in terminals


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
        words, name = joined_words(topic["words"], weights=False), topic["name"]
        shown = words
        if not words.startswith(name):
            others = [word for word in topic["words"] if not _has(name, word["word"])]
            shown = f"{name}: {joined_words(others, weights=False)}"
        lines.append(
            f"{topic['topic']:4d} {topic['share']:5.1%}  {beginning(shown, _LINE)}"
        )
    return without_surrogates("\n".join(lines))


def _has(name: str, word: str) -> bool:
    """Tell whether a name has a word, such as one of first words that were ranked again."""
    return f" {word} " in f" {name} "


def as_html(topics: "Topics") -> str:
    """Return a table with one row per topic."""
    listed = topics_as_dicts(topics, 8, 1)
    largest = max(topic["share"] for topic in listed)
    columns = ("", "name", "share", "documents", "words", "representative")
    rows = [
        [
            str(topic["topic"]),
            name_html(topic["name"]),
            share_html(topic["share"], largest),
            str(topic["n_documents"]),
            escape(joined_words(topic["words"], weights=False)),
            escape(topic["documents"][0]["title"]),
        ]
        for topic in listed
    ]
    return table_html(title_of(topics), columns, rows)
