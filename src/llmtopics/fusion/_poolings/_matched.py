"""Base of ``linear`` and ``geometric``: fit each side, then match topics one to one."""

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment

from llmtopics.fusion._poolings._base import Divide, Pooling
from llmtopics.fusion._poolings._one_side import divide_counts


class MatchedPooling(Pooling):
    """Both sides are fitted separately; then each topic of f gets one topic of g.

    Attributes
    ----------
    order : ndarray of shape (K,)
        The topic of g that belongs to each topic of f.
    """

    order: np.ndarray
    fitted_names: ClassVar = {"topic_order_": "order"}

    def fit(self, X: sp.csr_array, inputs: Any, f: np.ndarray, seed: int) -> np.ndarray:
        self.counts.make_model(f.shape[1], seed).fit(X)
        g = self.counts.mixtures(X)
        if g.shape != f.shape:
            raise ValueError(
                f"topic_model makes {g.shape[1]} topics, the embedding side "
                f"{f.shape[1]}: both sides need the same number of topics."
            )
        self.order = linear_sum_assignment(f.T @ g, maximize=True)[1]
        return f

    def matched(self, X: sp.csr_array) -> np.ndarray:
        """Return g, with its topics in the order of f's."""
        return self.counts.mixtures(X)[:, self.order]

    def divide_matched(
        self, X: sp.csr_array, divide: Divide
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what words and prior add to ``matched`` of one document."""
        words, prior = divide_counts(self.counts.model, X, divide)
        return words[:, self.order], prior[self.order]
