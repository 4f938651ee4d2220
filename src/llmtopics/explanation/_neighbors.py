"""Find the texts nearest to a text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from llmtopics._checks import check_positive, check_texts
from llmtopics.explanation._text_models import Stages


class Neighbors(NamedTuple):
    """The nearest texts, nearest first: see ``Explanation``."""

    rows: np.ndarray
    distances: np.ndarray
    texts: tuple[str, ...]
    by: str | None


def check_neighbors(
    texts: Sequence[str] | None, n_neighbors: int | None
) -> tuple[list[str], int]:
    """Return the texts to search, if any, and how many of them to return."""
    if n_neighbors is not None:
        check_positive(n_neighbors=n_neighbors)
        if texts is None:
            raise ValueError(
                f"explain got n_neighbors={n_neighbors} and no texts to search: pass texts, "
                "such as those in fit, or leave n_neighbors out."
            )
    found = [] if texts is None else check_texts(texts, "explain (texts)")
    return found, 3 if n_neighbors is None else int(n_neighbors)


def nearest_texts(
    text: str,
    model: Any,
    stages: Stages,
    mixture: np.ndarray,
    texts: list[str],
    n_neighbors: int,
) -> Neighbors:
    """Return the texts nearest to the explained one, without those equal to it."""
    if not texts:
        return Neighbors(np.empty(0, int), np.empty(0), (), None)
    by, distances = _distances(model, stages, mixture, texts)
    order = np.argsort(distances, kind="stable")
    others = [row for row in order if texts[row] != text]
    rows = np.array(others[:n_neighbors], int)
    return Neighbors(rows, distances[rows], tuple(texts[i] for i in rows), by)


def _distances(
    model: Any, stages: Stages, mixture: np.ndarray, texts: list[str]
) -> tuple[str, np.ndarray]:
    """Return what is compared, and the distance of each text from the explained one.

    These are vectors by cosine distance if the model has an embedder, or else mixtures by
    Hellinger distance.
    """
    own = stages.model._vectors(stages.texts)
    if own is not None:
        for step in stages.before:
            texts = list(step.transform(texts))
        vectors = stages.model._vectors(texts)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(own[0])
        cosines = vectors @ own[0] / np.maximum(lengths, np.finfo(float).tiny)
        return "embedding", np.maximum(1 - cosines, 0)
    rows = np.vstack([mixture, np.asarray(model.transform(texts), np.float64)])
    rows = np.sqrt(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-300))
    return "mixtures", np.sqrt(np.maximum(1 - rows[1:] @ rows[0], 0))
