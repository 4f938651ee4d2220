"""What an explanation shows, and its summary in a few lines of text."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from llmtopics.explanation._explanation import Explanation

WORDS, ADDED, EMBEDDING, PRIOR = "words", "added words", "embedding", "prior"
# The sources of a topic's share, in the order in which they are shown.
SOURCES = (WORDS, ADDED, EMBEDDING, PRIOR)
MOST_TOPICS = 6  # shown at most


def main_topics(why: "Explanation") -> list[int]:
    """Return the topics to show, largest first."""
    order = np.argsort(-why.mixture, kind="stable")[:MOST_TOPICS]
    least = 0.05 * why.mixture.sum()
    return [int(order[0]), *(int(k) for k in order[1:] if why.mixture[k] > least)]


def source_shares(why: "Explanation", k: int) -> np.ndarray:
    """Return what ``SOURCES`` add to a topic, as shares of the whole mixture."""
    parts = [
        why.word_contributions[:, k].sum(),
        why.added_contributions[:, k].sum(),
        why.language_contribution[k],
        why.prior_contribution[k],
    ]
    return np.array(parts) / (why.mixture.sum() or 1)


def is_shown(why: "Explanation", source: str) -> bool:
    """Return whether a source is shown: added words and embeddings only if they take part."""
    if source == ADDED:
        return len(why.added_words) > 0
    return source != EMBEDDING or why.alpha > 0


def largest_words(words: np.ndarray, weights: np.ndarray, n: int = 6) -> str:
    """Return the words with the largest weights above 0, in one string."""
    order = np.argsort(-weights, kind="stable")[:n]
    return " ".join(str(words[w]) for w in order if weights[w] > 0)


def shortened(text: str, length: int) -> str:
    """Return a text on one line, cut at a length."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def as_text(why: "Explanation") -> str:
    """Return a summary: a line per main topic, and the nearest texts."""
    name, n = shortened(why.text, 60), len(why.words)
    weight = f", weight of embeddings {why.alpha:.2f}" if why.alpha else ""
    lines = [f"Topics of {name!r}: {n} words{weight}"]
    for k in main_topics(why):
        shares = source_shares(why, k)
        sums = " + ".join(
            f"{source} {share:.0%}"
            for source, share in zip(SOURCES, shares, strict=True)
            if is_shown(why, source)
        )
        here = largest_words(why.words, why.word_contributions[:, k])
        lines.append(
            f"  {why.topic_names[k]}: {shares.sum():.0%} = {sums}; {here or 'no words'}"
        )
    if why.neighbors_by:
        nearest = ", ".join(
            f"{i} ({d:.2f})"
            for i, d in zip(why.neighbors, why.neighbor_distances, strict=True)
        )
        lines.append(f"  nearest texts by {why.neighbors_by}: {nearest}")
    return "\n".join(lines)
