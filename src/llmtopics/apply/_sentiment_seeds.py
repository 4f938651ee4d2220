"""Labels of texts from seed words: an axis between positive and negative vectors."""

from typing import Any

import numpy as np
from sklearn.preprocessing import normalize

from llmtopics._checks import check_texts

NEGATIVE, POSITIVE = "negative", "positive"
_SHARE = 0.35  # of the texts, labeled at each end of the axis


def labels_from_seeds(
    texts: list[str], embedder: Any, positive: Any, negative: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Label the texts that are most like the seed words of one side.

    Parameters
    ----------
    texts : list of str
    embedder : transformer
        Not yet fitted.
    positive, negative : sequences of str

    Returns
    -------
    labels : ndarray of shape (n_labeled,)
        "negative" or "positive".
    rows : ndarray of shape (n_labeled,)
        Rows of their texts, in order.

    Raises
    ------
    ValueError
        For seeds that are blank or on both sides, if the embedder cannot tell them apart, and
        if there are fewer than two texts with words.
    """
    seeds = [_check_seeds(positive, "positive"), _check_seeds(negative, "negative")]
    if both := sorted({*seeds[0]} & {*seeds[1]}):
        raise ValueError(
            f"{both[0]!r} is in positive and in negative: leave it out of one of them."
        )
    written = np.array([i for i, text in enumerate(texts) if text.strip()])
    if len(written) < 2:
        raise ValueError(
            "Seed words need at least two texts with words: pass more texts, or y."
        )
    fitted = embedder.fit(texts)
    vectors = [_unit(fitted.transform(some)) for some in seeds]
    _check_apart(*vectors)
    axis = vectors[0].mean(axis=0) - vectors[1].mean(axis=0)
    along = _unit(fitted.transform([texts[i] for i in written])) @ axis
    if np.ptp(along) < 1e-9:
        raise ValueError(
            "The embedder sees no difference between the texts and seed words: pass another "
            "embedder, or labels (y)."
        )
    order = written[np.argsort(along, kind="stable")]
    n = max(1, round(_SHARE * len(order)))
    rows = np.concatenate([order[:n], order[-n:]])
    labels = np.repeat([NEGATIVE, POSITIVE], n)
    sorting = np.argsort(rows)
    return labels[sorting], rows[sorting]


def _check_seeds(seeds: Any, name: str) -> list[str]:
    found = check_texts(seeds, name)
    for row, seed in enumerate(found):
        if not seed.strip():
            raise ValueError(f"{name} has a blank seed word in row {row}: remove it.")
    return [*dict.fromkeys(found)]


def _unit(vectors: Any) -> np.ndarray:
    return normalize(np.asarray(vectors, np.float64))


def _check_apart(positive: np.ndarray, negative: np.ndarray) -> None:
    """Raise a ValueError unless most seeds are nearer to the mean of their own side.

    Each seed is compared with the other seeds. A side of one seed is compared as it is.
    """
    right = []
    for own, other in ((positive, negative), (negative, positive)):
        for i, seed in enumerate(own):
            rest = np.delete(own, i, axis=0) if len(own) > 1 else own
            right.append(seed @ rest.mean(axis=0) - seed @ other.mean(axis=0) > 1e-9)
    if np.mean(right) <= 0.5:
        raise ValueError(
            "The embedder cannot tell the seed words apart: only "
            f"{sum(right)} of {len(right)} are nearer to their own side than to the other. "
            "Pass more and clearer seed words, another embedder, or labels (y)."
        )
