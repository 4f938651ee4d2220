"""Which texts are nearest to a text."""

from typing import Any

import numpy as np

from llmtopics.explanation._text_models import Stages


def distances_to(
    model: Any, stages: Stages, mixture: np.ndarray, texts: list[str]
) -> tuple[str, np.ndarray]:
    """Return what is compared, and the distance of each text from the explained one.

    Vectors by cosine distance if the model has an embedder, else mixtures by Hellinger's.
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
