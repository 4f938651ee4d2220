"""Polarity of topics as a table, with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmtopics._checks import pandas_for
from llmtopics.apply._sentiment_sentences import Measured, Sentences

_N_SAMPLES = 1000  # bootstrap samples
_AT_ONCE = 100  # drawn together, to limit memory


def rows_of_groups(groups: Any, n_documents: int) -> dict[Any, np.ndarray]:
    """Return the rows of the documents of each group, in the order of the groups.

    Raises
    ------
    ValueError
        For another number of groups than documents, and missing groups, naming the row.
    """
    if isinstance(groups, list | tuple):
        groups = np.array([*groups], object)  # NumPy would make strings of ["a", 1]
    if np.ndim(groups) != 1 or len(groups) != n_documents:
        raise ValueError(
            f"groups has shape {np.shape(groups)}, and there are {n_documents} texts: pass "
            "one group per text."
        )
    try:
        codes, names = pandas_for("TopicSentiment").factorize(groups, sort=True)
    except TypeError:  # lists, dicts and other values that cannot be keys
        raise ValueError(
            "groups has a value that is no group: use numbers or str."
        ) from None
    if (codes < 0).any():
        raise ValueError(
            f"groups has no group in row {int(codes.argmin())}: give it one, or leave this "
            "text out."
        )
    return {name: np.flatnonzero(codes == i) for i, name in enumerate(names)}


def mean_and_interval(
    polarity: np.ndarray, shares: np.ndarray, seed: int, confidence: float
) -> tuple[float, float, float]:
    """Return the mean polarity of a topic weighted by its shares, and its interval.

    Documents are resampled (bootstrap), not sentences. Without two documents, the interval is
    the whole scale.

    Parameters
    ----------
    polarity, shares : ndarrays of shape (n,)
        Of the documents that have the topic.
    seed : int
    confidence : float
    """
    n = len(polarity)
    mean = float(polarity @ shares / shares.sum()) if n else 0.0
    if n < 2:
        return mean, -1.0, 1.0
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(_N_SAMPLES // _AT_ONCE):
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=_AT_ONCE)
        parts.append(drawn @ (polarity * shares) / (drawn @ shares))
    outside = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(parts), [outside, 1 - outside])
    return mean, min(mean, float(low)), max(mean, float(high))


def typical_sentences(
    sentences: Sentences, polarity: np.ndarray, topic: int, n: int, *, sign: int
) -> list[str]:
    """Return the sentences that are most about a topic and most positive (or negative).

    Only sentences whose first topic it is, without repetitions.
    """
    if not sentences.texts:
        return []
    scores = sign * polarity * sentences.topics[:, topic]
    scores[sentences.first != topic] = 0
    order = np.argsort(-scores, kind="stable")
    texts = (sentences.texts[i] for i in order[: np.count_nonzero(scores > 0)])
    return list(dict.fromkeys(texts))[:n]


def columns_of(
    measured: Measured,
    names: Sequence[str],
    words: Sequence[list[str]],
    n_sentences: int,
    seed: int,
    confidence: float,
) -> dict[str, list[Any]]:
    """Return the columns of a table with one row per topic.

    Parameters
    ----------
    measured : Measured
        Of all documents of the table.
    names, words : sequences of length K
    n_sentences : int
        Typical sentences per topic and sign.
    seed : int
    confidence : float
    """
    polarity, shares = measured.polarity, measured.shares
    present = shares > 0
    written = max(1, np.count_nonzero(shares.any(axis=1)))
    topics = range(len(names))
    intervals = [
        mean_and_interval(
            polarity[present[:, k], k], shares[present[:, k], k], seed, confidence
        )
        for k in topics
    ]
    mean, low, high = (list(column) for column in zip(*intervals, strict=True))
    positive, negative = (
        [
            typical_sentences(
                measured.sentences, measured.of_sentences, k, n_sentences, sign=sign
            )
            for k in topics
        ]
        for sign in (1, -1)
    )
    return {
        "topic": list(names),
        "words": list(words),
        "share": (shares.sum(axis=0) / written).tolist(),
        "mean": mean,
        "low": low,
        "high": high,
        "n_documents": present.sum(axis=0).tolist(),
        "positive": positive,
        "negative": negative,
    }
