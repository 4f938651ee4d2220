"""Tables of topics and of documents, and the dicts that every view of topics shows."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics._checks import pandas_for
from llmtopics._redact import cleaner, redacted
from llmtopics.reading._quality import representative_rows

if TYPE_CHECKING:
    import pandas as pd

    from llmtopics.reading._topics import Topics

Redact = str | Callable[[str], str] | None


def topics_as_dicts(
    topics: "Topics", n_words: int, n_documents: int, redact: Redact = None
) -> list[dict[str, Any]]:
    """Return everything that tables, texts and pages show of topics."""
    clean = cleaner(redact)
    shares, sizes = topics.mixtures.mean(axis=0), topics.sizes
    words, said = words_as_dicts(topics, n_words), topics.descriptions
    coherences, exclusivities = topics._quality
    return [
        {
            "topic": k,
            "name": clean(name),
            **({"description": clean(said[k])} if said else {}),
            "words": [word | {"word": clean(word["word"])} for word in words[k]],
            "share": float(shares[k]),
            "n_documents": int(sizes[k]),
            "coherence": coherences[k],
            "exclusivity": exclusivities[k],
            "documents": [
                {
                    "document": int(d),
                    "title": topics._title(d, redact),
                    "share": float(topics.mixtures[d, k]),
                }
                for d in representative_rows(
                    topics.mixtures, k, n_documents, topics.texts
                )
            ],
        }
        for k, name in enumerate(topics.names)
    ]


def words_as_dicts(
    topics: "Topics", n_words: int, some: list[int] | None = None
) -> list[list[dict[str, Any]]]:
    """Return the words of all or some topics with their weights, best first."""
    numbers = list(range(len(topics.names))) if some is None else some
    column = {str(word): w for w, word in enumerate(topics.vocabulary)}
    return [
        [
            {"word": word, "weight": float(topics.components[k, column[word]])}
            for word in words
        ]
        for k, words in zip(numbers, topics._words(n_words, numbers), strict=True)
    ]


def topic_table(
    topics: "Topics", n_words: int, weights: bool, redact: Redact
) -> "pd.DataFrame":
    """Return a table with one row per topic."""
    rows = []
    for topic in topics_as_dicts(topics, n_words, 1, redact):
        words = joined_words(topic.pop("words"), weights)
        representative = topic.pop("documents")[0]["title"]
        number, name = topic.pop("topic"), topic.pop("name")
        description = topic.pop("description", None)
        first = {"topic": number, "name": name, "words": words}
        rows.append(first | topic | {"representative": representative})
        if description is not None:
            rows[-1]["description"] = description
    return pandas_for("topic_table").DataFrame(rows)


def document_table(
    topics: "Topics", n_characters: int | None, redact: Redact
) -> "pd.DataFrame":
    """Return a table with one row per document."""
    clean = cleaner(redact)
    theta, rows = topics.mixtures, np.arange(len(topics.mixtures))
    order = np.argsort(-theta, axis=1, kind="stable")
    names = np.array([clean(name) for name in topics.names], dtype=object)
    columns: dict[str, Any] = {"document": rows}
    for name in ("title", "label", "time"):
        values = getattr(topics, f"{name}s")
        if values is not None:
            columns[name] = [clean(v) if isinstance(v, str) else v for v in values]
    for prefix, place in (("", 0), ("second_", 1)):
        if place < theta.shape[1]:
            topic = order[:, place]
            columns[f"{prefix}topic"] = topic
            columns[f"{prefix}name"] = names[topic]
            columns[f"{prefix}share"] = theta[rows, topic]
    logs = np.log(np.maximum(theta, 1e-300))
    most = np.log(theta.shape[1]) if theta.shape[1] > 1 else 1.0
    columns["entropy"] = np.clip(-(theta * logs).sum(axis=1) / most, 0, 1)
    if n_characters is None:
        columns["text"] = [clean(text) for text in topics.texts]
    else:
        columns["text"] = [beginning(t, n_characters, redact) for t in topics.texts]
    return pandas_for("document_table").DataFrame(columns)


def beginning(text: str, n_characters: int, redact: Redact = None) -> str:
    """Return the beginning of a text, without personal data, on one line."""
    if redact == "pii":  # the rest is cut off below, so do not search it
        text = text[: 8 * n_characters + 400]
    text = redacted(text, redact)[0]
    line = " ".join(text[: 4 * n_characters].split())
    return line if len(line) <= n_characters else f"{line[: n_characters - 1]}…"


def joined_words(words: list[dict[str, Any]], weights: bool) -> str:
    """Return words in one str, with their weights in brackets if asked for."""
    if not weights:
        return " ".join(word["word"] for word in words)
    return ", ".join(f"{word['word']} ({word['weight']:.3f})" for word in words)
