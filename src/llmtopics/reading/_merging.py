"""Which topics are merged: the tree of topics, groups, and topics that are left out."""

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from llmtopics.metrics import topic_distances
from llmtopics.reading._inputs import topic_numbers


def as_phi(weights: np.ndarray) -> np.ndarray:
    """Return rows divided by their sums. A row of zeros stays, and one that sums to one."""
    totals = weights.sum(axis=1, keepdims=True)
    totals[np.abs(totals - 1) < 1e-9] = 1
    return np.divide(weights, totals, where=totals > 0, out=np.zeros_like(weights))


def word_distances(phi: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon distances of topics' words, (K, K). None means all words."""
    even = np.full_like(phi, 1 / phi.shape[1])
    return topic_distances(np.where(phi.any(axis=1, keepdims=True), phi, even))


def merge_tree(phi: np.ndarray) -> np.ndarray:
    """Return the steps that merge all topics, (K - 1, 4), by average linkage."""
    if len(phi) < 2:
        return np.empty((0, 4))
    return linkage(squareform(word_distances(phi), checks=False), "average")


def cut_tree(
    tree: np.ndarray, kept: list[int], n_topics: int, n_components: int
) -> list[list[int]]:
    """Return ``n_components`` groups of the kept topics: the first steps of the tree."""
    groups: dict[int, list[int]] = {
        k: [k] if k in kept else [] for k in range(n_topics)
    }
    for step, (a, b, *_) in enumerate(tree):
        if sum(map(bool, groups.values())) <= n_components:
            break
        groups[n_topics + step] = groups.pop(int(a)) + groups.pop(int(b))
    return [sorted(group) for group in groups.values() if group]


def joined_names(names: list[str] | None, members: list[list[int]]) -> list[str] | None:
    """Return the names of merged topics, None if the topics have no names."""
    return names and [" + ".join(names[k] for k in group) for group in members]


def choose_members(
    tree: np.ndarray,
    names: list[str],
    n_components: int | None,
    groups: Sequence[Sequence[int | str]] | None,
    drop: Sequence[int | str],
) -> list[list[int]]:
    """Return the old topics of each new one, by the smallest old number."""
    n_topics = len(names)
    dropped = set(topic_numbers(drop, names, "drop"))
    if n_components is not None and groups is not None:
        raise ValueError(
            "n_components and groups are both given: pass one of them. groups tells "
            "which topics are merged, n_components how many are left."
        )
    given = [
        topic_numbers(group, names, "Each of groups")
        for group in (() if groups is None else groups)
    ]
    places: dict[int, int] = {}
    for i, group in enumerate(given):
        for topic in group:
            if places.setdefault(topic, i) != i:
                raise ValueError(
                    f"Topic {topic} is in groups {places[topic]} and {i}: name it once."
                )
            if topic in dropped:
                raise ValueError(
                    f"Topic {topic} is in group {i} and in drop: name it once."
                )
    kept = [k for k in range(n_topics) if k not in dropped]
    if n_components is not None:
        if n_components > len(kept):
            raise ValueError(
                f"n_components={n_components} and only {len(kept)} topics are left "
                "to merge: lower it."
            )
        members = cut_tree(tree, kept, n_topics, n_components)
    else:
        members = [sorted(set(group)) for group in given if group]
        members += [[k] for k in kept if k not in places]
    if not members:
        raise ValueError("drop leaves no topic: leave at least one.")
    return sorted(members)
