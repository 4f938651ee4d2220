"""What words and prior add to a document's mixture in a topic model of counts.

To add a topic model of another library, write a function like those below and add it to
``DIVISIONS``. Topic models of this library have the method ``_contributions`` (see
``HasContributions``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import NMF, LatentDirichletAllocation, MiniBatchNMF

from llmtopics._checks import as_counts


@runtime_checkable
class HasContributions(Protocol):
    """A topic model whose mixtures are exact sums over words and prior."""

    def _contributions(self, X: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, (n, K), and the prior, (K,), add to it.

        X : csr_array of shape (1, V), int32, with n stored counts
        """


class Division(NamedTuple):
    """How to divide the mixtures of a kind of topic model.

    divide : callable
        Takes the model, the counts X of one document, (1, V), and its mixture, (K,).
        Returns what words, (n, K), and prior, (K,), add to it.
    exact : bool
        Whether the division follows from the model. Otherwise it is a convention.
    """

    divide: Callable[[Any, sp.csr_array, np.ndarray], tuple[np.ndarray, np.ndarray]]
    exact: bool = False


def division_of(model: Any) -> Division | None:
    """Return how to divide the mixtures of a model, or None for an unknown kind."""
    if isinstance(model, HasContributions):
        return Division(_by_its_own_contributions, exact=True)
    found = [DIVISIONS[kind] for kind in type(model).__mro__ if kind in DIVISIONS]
    return Division(found[0]) if found else None


def _by_its_own_contributions(
    model: HasContributions, X: sp.csr_array, mixture: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return model._contributions(as_counts(X, "explain"))


def _by_weights(
    model: Any, X: sp.csr_array, mixture: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Divide θ_k among words by ``x_w φ_kw``; there is no prior."""
    pull = model.components_[:, X.indices].T.astype(np.float64)
    return _divide_beyond(np.zeros_like(mixture), mixture, pull, X)


def _by_probabilities(
    model: Any, X: sp.csr_array, mixture: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Divide θ_k minus the prior among words by ``x_w φ_kw θ_k / Σ_j φ_jw θ_j``."""
    alpha = np.broadcast_to(model.doc_topic_prior_, mixture.shape)
    prior = alpha / (X.data.sum() + alpha.sum())
    pull = model.components_[:, X.indices].T.astype(np.float64)
    pull *= mixture / model.components_.sum(axis=1)
    pull /= pull.sum(axis=1, keepdims=True)
    return _divide_beyond(prior, mixture, pull, X)


def _divide_beyond(
    prior: np.ndarray, mixture: np.ndarray, pull: np.ndarray, X: sp.csr_array
) -> tuple[np.ndarray, np.ndarray]:
    """Divide the mixture minus the prior among words, in proportion to ``pull``, (n, K)."""
    pull *= X.data[:, np.newaxis]
    total = pull.sum(axis=0)
    parts = np.divide(pull, total, where=total > 0, out=np.zeros_like(pull))
    words = parts * np.maximum(mixture - prior, 0)
    return words, np.where(total > 0, prior, mixture)


DIVISIONS = {  # subclasses are included
    NMF: _by_weights,
    MiniBatchNMF: _by_weights,
    LatentDirichletAllocation: _by_probabilities,
}
