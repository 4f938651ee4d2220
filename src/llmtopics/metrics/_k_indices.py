"""Indices of the literature for the number of topics: Griffiths-Steyvers, Cao-Juan, Arun, Deveaud."""

from typing import Any

import numpy as np
from scipy.special import logsumexp, rel_entr

from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import check_mixtures
from llmtopics.metrics._distinctness import topic_distances
from llmtopics.metrics._input_checks import weights_of


def indices_of(model: Any, X: Any) -> dict[str, float]:
    """Return the indices of a fitted model and the documents of its fit.

    Only GibbsLDA keeps what the index of Griffiths and Steyvers needs.
    """
    fitted = FittedModel(model)
    weights = weights_of(fitted)
    weights = weights[weights.any(axis=1)]
    lengths = np.asarray(fitted.counts(X).sum(axis=1)).ravel()
    mixtures = check_mixtures(np.asarray(model.transform(X)))
    chain = getattr(fitted.last, "word_log_likelihood_", np.empty(0))
    of_chain = {}
    if len(chain):
        of_chain["griffiths_steyvers"] = griffiths_steyvers(chain, lengths.sum())
    return of_chain | {
        "cao_juan": cao_juan(weights),
        "arun": arun(weights, mixtures, lengths),
        "deveaud": deveaud(weights),
    }


def griffiths_steyvers(log_likelihoods: np.ndarray, n_tokens: float) -> float:
    """Return log p(w) per token: the harmonic mean of p(w | z) over a chain's second half.

    log_likelihoods : (n,), log p(w | z) per token of sweeps in their order
    """
    kept = log_likelihoods[len(log_likelihoods) // 2 :] * n_tokens
    return float((np.log(len(kept)) - logsumexp(-kept)) / n_tokens)


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
