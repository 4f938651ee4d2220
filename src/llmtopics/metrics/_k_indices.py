"""Indices of the literature for the number of topics: Cao-Juan, Arun, Deveaud."""

from typing import Any

import numpy as np
from scipy.special import rel_entr

from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import check_mixtures
from llmtopics.metrics._distinctness import topic_distances
from llmtopics.metrics._input_checks import weights_of


def indices_of(model: Any, X: Any) -> dict[str, float]:
    """Return the three indices of a fitted model and the documents of its fit."""
    fitted = FittedModel(model)
    weights = weights_of(fitted)
    weights = weights[weights.any(axis=1)]
    lengths = np.asarray(fitted.counts(X).sum(axis=1)).ravel()
    mixtures = check_mixtures(np.asarray(model.transform(X)))
    return {
        "cao_juan": cao_juan(weights),
        "arun": arun(weights, mixtures, lengths),
        "deveaud": deveaud(weights),
    }


def cao_juan(weights: np.ndarray) -> float:
    """Return the mean cosine of the rows of two topics, 0 for a single topic."""
    rows = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    pairs = np.triu_indices(len(rows), 1)
    return float((rows @ rows.T)[pairs].mean()) if len(rows) > 1 else 0.0


def arun(weights: np.ndarray, mixtures: np.ndarray, lengths: np.ndarray) -> float:
    """Return the symmetric divergence of φ's singular values from the sizes of topics.

    weights : (K, V); mixtures : (D, K); lengths : (D,), tokens per document
    """
    phi = weights / weights.sum(axis=1, keepdims=True)
    values = np.linalg.svd(phi, compute_uv=False)
    sizes = np.sort(lengths @ mixtures)[::-1][: len(values)]
    p, q = values / values.sum(), sizes / sizes.sum()
    p, q = (np.maximum(part, 1e-12) for part in (p, q))
    return float(rel_entr(p, q).sum() + rel_entr(q, p).sum())


def deveaud(weights: np.ndarray) -> float:
    """Return the mean Jensen-Shannon divergence of two topics, in bits, 0 for a single topic."""
    pairs = np.triu_indices(len(weights), 1)
    return (
        float((topic_distances(weights)[pairs] ** 2).mean())
        if len(weights) > 1
        else 0.0
    )
