"""``redact`` for what is in the page besides texts and titles: names, words, parameters."""

from collections.abc import Callable
from typing import Any

from llmtopics._redact import cleaner, distinct


def redact_names(
    data: dict[str, Any], redact: str | Callable[[str], str] | None
) -> None:
    """Replace names, words, groups and parameters in the data of the page, in place."""
    if redact is None:
        return
    clean = cleaner(redact)
    topics = data["topics"]
    names = distinct(clean(topic["name"]) for topic in topics)
    for topic, name in zip(topics, names, strict=True):
        topic["name"] = name
        if "description" in topic:
            topic["description"] = clean(topic["description"])
        for word in topic["words"]:
            word["word"] = clean(word["word"])
    groups, time, made = data["groups"], data["time"], data["made"]
    if "names" in groups:
        groups["names"] = distinct(map(clean, groups["names"]))
    if "words" in time:
        time["words"] = [
            [" ".join(map(clean, words.split(" "))) for words in topic]
            for topic in time["words"]
        ]
    parameters = made["parameters"]
    made["parameters"] = {name: clean(value) for name, value in parameters.items()}
    data["marks"] = _without_changed_words(data["marks"], clean)


def _without_changed_words(
    marks: dict[str, Any], clean: Callable[[str], str]
) -> dict[str, Any]:
    """Return the words to mark without those that ``redact`` changes."""
    kept = [i for i, word in enumerate(marks["words"]) if clean(word) == word]
    number = {old: new for new, old in enumerate(kept)}
    return {
        name: [marks[name][i] for i in kept] for name in ("words", "topics", "weights")
    } | {
        "forms": {form: number[i] for form, i in marks["forms"].items() if i in number}
    }
