"""Quality and representative documents of topics."""

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from llmtopics.metrics import coherence, exclusivity

_POOL = 20  # candidates per chosen document


def coherences(
    words: list[list[str]], counts: sp.csr_array, vocabulary: np.ndarray
) -> list[float | None]:
    """Return the NPMI of each topic's words over whole documents.

    None if the topic has only one word, or the documents have no known word.
    """
    rows = [k for k, topic in enumerate(words) if len(topic) > 1 and counts.nnz]
    found: list[float | None] = [None] * len(words)
    if rows:
        values = coherence(
            [words[k] for k in rows], counts, vocabulary, window_size=None
        )
        for k, value in zip(rows, values, strict=True):
            found[k] = float(value)
    return found


def exclusivities(components: np.ndarray) -> list[float | None]:
    """Return the exclusivity of each topic, None without words."""
    rows = np.flatnonzero(components.any(axis=1))
    found: list[float | None] = [None] * len(components)
    for k, value in zip(rows, exclusivity(components[rows]), strict=True):
        found[k] = float(value)
    return found


def representative_rows(
    mixtures: np.ndarray,
    k: int,
    n_documents: int,
    texts: list[str],
    counts: sp.csr_array | None = None,
    diversity: float = 0.0,
) -> np.ndarray:
    """Return the rows with the largest share of a topic, those whose first topic it is first.

    Of equal texts, the first row stands for all. With diversity, each next one maximizes
    ``(1 - d) θ_dk - d max cosine`` to those before.
    """
    first = mixtures.argmax(axis=1) == k
    order = np.lexsort((-mixtures[:, k], ~first))
    if not diversity or counts is None:
        return distinct_rows(order, texts, n_documents)
    pool = distinct_rows(order, texts, _POOL * n_documents)
    rows = normalize(sp.csr_array(counts[pool], dtype=np.float64))
    gain = (1 - diversity) * mixtures[pool, k]
    nearest = np.zeros(len(pool))
    chosen: list[int] = []
    left = np.ones(len(pool), bool)
    while len(chosen) < min(n_documents, len(pool)):
        scores = np.where(left, gain - diversity * nearest, -np.inf)
        best = int(scores.argmax())
        chosen.append(best)
        left[best] = False
        cosines = (rows @ rows[[best]].T).toarray().ravel()
        nearest = np.maximum(nearest, cosines)
    return pool[chosen]


def distinct_rows(rows: np.ndarray, texts: list[str], n_documents: int) -> np.ndarray:
    """Return the first rows whose texts are not equal, ``n_documents`` at most."""
    found: dict[str, int] = {}
    for row in rows:
        if len(found) == n_documents:
            break
        found.setdefault(texts[row], row)
    return np.array(list(found.values()), int)
