"""Check words, mixtures and texts of topics; find representative documents."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from llmtopics._checks import check_texts

_WORD_LENGTH = 60  # bytes


def check_words(words: Any) -> list[list[str]]:
    """Return each topic's words as a list, without blank words. Long words are cut."""
    if isinstance(words, str | AbstractSet) or not isinstance(words, Iterable):
        raise ValueError(
            "words must be a list of words for each topic, such as model.top_words(), got "
            f"{type(words).__name__}."
        )
    topics = []
    for k, some in enumerate(words):
        if isinstance(some, str | AbstractSet) or not isinstance(some, Iterable):
            raise ValueError(
                f"words must be a list of words for each topic, got {some!r} in entry {k}. "
                "Pass model.top_words()."
            )
        found = list(some)
        for word in found:
            if not isinstance(word, str):
                raise ValueError(f"words must be str, got {word!r} in topic {k}.")
        topics.append(
            beginnings([word for word in found if word.strip()], _WORD_LENGTH)
        )
    if not topics:
        raise ValueError("words has no topic. Pass a list of words for each topic.")
    return topics


def check_mixtures(mixtures: Any, n_topics: int) -> np.ndarray:
    """Return mixtures as an array with one column per topic."""
    theta = check_array(mixtures, input_name="mixtures")
    if theta.shape[1] != n_topics:
        raise ValueError(
            f"mixtures has {theta.shape[1]} columns and words has {n_topics} topics. Pass "
            "one column per topic."
        )
    return theta


def representative_documents(
    n_topics: int, mixtures: Any, texts: Any, n_documents: int
) -> tuple[list[list[str]], list[np.ndarray]]:
    """Return each topic's representative documents and their rows, best first."""
    if (mixtures is None) != (texts is None):
        raise ValueError(
            "name_topics needs both mixtures and texts to find representative documents. "
            "Pass both or neither."
        )
    if mixtures is None:
        return [[]] * n_topics, [np.empty(0, int)] * n_topics
    theta = check_mixtures(mixtures, n_topics)
    found = check_texts(texts, "name_topics (texts)")
    check_consistent_length(theta, found)
    written = np.array([bool(text.strip()) for text in found])
    largest = theta.argmax(axis=1)
    rows = []
    for k in range(n_topics):
        order = np.argsort(-theta[:, k], kind="stable")
        order = order[written[order]]
        own = order[largest[order] == k]
        rows.append((own if len(own) else order)[:n_documents])
    return [[found[i] for i in some] for some in rows], rows


def beginning(text: str, length: int) -> str:
    """Return the start of a text on one line, up to a whole word.

    The length is in bytes of UTF-8, because no tokenizer makes more tokens than these.
    """
    line = " ".join(text.split()).encode("utf-8", "replace")
    start = line[:length].decode("utf-8", "ignore")
    return start if len(line) <= length else start.rsplit(" ", 1)[0]


def beginnings(texts: list[str], length: int) -> list[str]:
    """Return the beginning of each text."""
    return [beginning(text, length) for text in texts]
