"""``alpha=0`` and ``alpha=1``: one side alone."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics.fusion._poolings._base import Contributions, Divide, Pooling
from llmtopics.fusion._sides import n_components_of
from llmtopics.topics import GibbsLDA
from llmtopics.topics._other_models import weights_in_topics


class CountsAlone(Pooling):
    """θ = g."""

    uses_embeddings = False

    def fit(self, X: sp.csr_array, inputs: Any, f: None, seed: int) -> None:
        self.counts.make_model(n_components_of(self.counts.given), seed).fit(X)

    def mix(self, X: sp.csr_array, f: None) -> np.ndarray:
        return self.counts.mixtures(X)

    def topic_words(self) -> np.ndarray | None:
        model = self.counts.model
        return model.components_ if isinstance(model, GibbsLDA) else None

    def contributions(
        self, X: sp.csr_array, f: None, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        words, prior = divide_counts(self.counts.model, X, divide)
        return Contributions(words, np.zeros_like(mixture), prior)


class EmbeddingsAlone(Pooling):
    """θ = f."""

    uses_counts = False

    def fit(self, X: sp.csr_array, inputs: Any, f: np.ndarray, seed: int) -> np.ndarray:
        return f

    def mix(self, X: sp.csr_array, f: np.ndarray) -> np.ndarray:
        return f

    def contributions(
        self, X: sp.csr_array, f: np.ndarray, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        words = np.zeros((X.nnz, len(mixture)))
        return Contributions(words, mixture, np.zeros_like(mixture))


def divide_counts(
    model: Any, X: sp.csr_array, divide: Divide
) -> tuple[np.ndarray, np.ndarray]:
    """Return what words and prior add to g of one document. They sum to one."""
    g = weights_in_topics(model, X)[0]
    words, prior = divide(model, X, g)
    total = g.sum()
    if total > 0:
        return words / total, prior / total
    return words, np.full_like(g, 1 / len(g))
