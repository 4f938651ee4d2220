"""Topics as the page shows them."""

from typing import Any

from llmtopics.plots._colors import topic_colors
from llmtopics.reading import Topics
from llmtopics.reading._tables import topics_as_dicts
from llmtopics.report._documents import Shown

_N_WORDS, _N_DOCUMENTS, _N_NEAREST = 10, 3, 3


def topic_dicts(topics: Topics, shown: Shown) -> list[dict[str, Any]]:
    """Return ``Topics.to_dict()["topics"]``, with colors, places on the map and similar topics.

    Titles of documents are those that the page may show.
    """
    n_topics = len(topics.names)
    colors, places = topic_colors(n_topics), shown.topic_places
    found = topics_as_dicts(topics, _N_WORDS, _N_DOCUMENTS)
    for k, topic in enumerate(found):
        for document in topic["documents"]:
            document["title"] = shown.title(document["document"])
        nearest = topics.nearest(k, _N_NEAREST)
        topic |= {
            "n_named": n_named(topic),
            "color": colors[k],
            "x": int(places[k, 0]),
            "y": int(places[k, 1]),
            "similar": nearest.topic.tolist(),
        }
    return found


def n_named(topic: dict[str, Any]) -> int:
    """Return how many of the first words are the name, which then need not be repeated."""
    words = [word["word"] for word in topic["words"]]
    for n in range(len(words), 0, -1):
        if topic["name"] == " ".join(words[:n]):
            return n
    return 0
