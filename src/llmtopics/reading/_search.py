"""Topics and documents that fit a query."""

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics

_SHARPNESS = 20.0  # of the softmax of cosines, as in the embedding side of fusion


def check_query(query: Any) -> str:
    """Return a query; raise a ValueError if it is no text or blank."""
    if not isinstance(query, str) or not query.strip():
        raise ValueError(f"query must be a text that is not blank, got {query!r}.")
    return query


def score_topics(topics: "Topics", query: str) -> np.ndarray:
    """Return the probability of each topic given a query, (K,)."""
    found = []
    columns = _columns(topics, query)
    if len(columns):
        joint = topics.components[:, columns] * topics.mixtures.mean(axis=0)[:, None]
        totals = joint.sum(axis=0)
        known = totals > 0
        if known.any():
            found.append((joint[:, known] / totals[known]).mean(axis=1))
    if topics._vectors is not None:
        mean = topics._vectors.mean(axis=0)
        centers = normalize(topics.mixtures.T @ (topics._vectors - mean))
        vector = normalize(topics._fitted.vectors([query]) - mean)[0]
        found.append(softmax(_SHARPNESS * (centers @ vector)))
    if not found:
        raise _unknown(query)
    return np.mean(found, axis=0)


def score_documents(topics: "Topics", query: str) -> np.ndarray:
    """Return the cosine of each document with a query, (D,)."""
    if topics._vectors is not None:
        return topics._vectors @ topics._fitted.vectors([query])[0]
    columns = _columns(topics, query)
    if not len(columns):
        raise _unknown(query)
    rows = TfidfTransformer(sublinear_tf=True).fit_transform(topics._counts)
    idf = np.log((1 + rows.shape[0]) / (1 + rows.count_nonzero(axis=0)[columns])) + 1
    return np.asarray(rows[:, columns] @ (idf / np.linalg.norm(idf)))


def _columns(topics: "Topics", query: str) -> np.ndarray:
    """Return the columns of the vocabulary that the query has."""
    return np.unique(topics._count([query]).nonzero()[1])


def _unknown(query: str) -> ValueError:
    return ValueError(
        f"No word of the query {query!r} is in the vocabulary, and the model has no embedder: "
        "use other words."
    )
