"""What words and prior add to the mixture that a topic model of counts gives a document.

To add a topic model of other libraries, write a function like those below and enter it in
``DIVISIONS``. A topic model of this library has the method ``_contributions`` (see
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
    """A topic model whose mixtures are sums over words and prior, exactly."""

    def _contributions(self, X: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, (n, K), and the prior, (K,), add to it.

        X : csr_array of shape (1, V), int32, with n stored counts
        """


class Division(NamedTuple):
    """How mixtures of a kind of topic model are divided.

    divide : callable
        Takes the model, the counts X of one document, (1, V), and its mixture, (K,).
        Returns what words, (n, K), and prior, (K,), add to it.
    exact : bool
        Whether this follows from the model, and is not a convention.
    """

    divide: Callable[[Any, sp.csr_array, np.ndarray], tuple[np.ndarray, np.ndarray]]
    exact: bool = False


def division_of(model: Any) -> Division | None:
    """Return how mixtures of a model are divided, None for an unknown kind."""
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
    """Divide what θ_k has beyond the prior by ``x_w φ_kw θ_k / Σ_j φ_jw θ_j``."""
    alpha = np.broadcast_to(model.doc_topic_prior_, mixture.shape)
    prior = alpha / (X.data.sum() + alpha.sum())
    pull = model.components_[:, X.indices].T.astype(np.float64)
    pull *= mixture / model.components_.sum(axis=1)
    pull /= pull.sum(axis=1, keepdims=True)
    return _divide_beyond(prior, mixture, pull, X)


def _divide_beyond(
    prior: np.ndarray, mixture: np.ndarray, pull: np.ndarray, X: sp.csr_array
) -> tuple[np.ndarray, np.ndarray]:
    """Divide what the mixture has beyond the prior among words, by ``pull``, (n, K)."""
    pull *= X.data[:, np.newaxis]
    total = pull.sum(axis=0)
    parts = np.divide(pull, total, where=total > 0, out=np.zeros_like(pull))
    words = parts * np.maximum(mixture - prior, 0)
    return words, np.where(total > 0, prior, mixture)


DIVISIONS = {  # kinds, their subclasses included
    NMF: _by_weights,
    MiniBatchNMF: _by_weights,
    LatentDirichletAllocation: _by_probabilities,
}
