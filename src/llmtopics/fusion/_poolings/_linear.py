"""``pooling="linear"``: a weighted mean of both sides."""

import numpy as np
import scipy.sparse as sp

from llmtopics.fusion._poolings._base import Contributions, Divide
from llmtopics.fusion._poolings._matched import MatchedPooling


class LinearPooling(MatchedPooling):
    """θ = α f + (1 - α) g."""

    def mix(self, X: sp.csr_array, f: np.ndarray) -> np.ndarray:
        return self.alpha * f + (1 - self.alpha) * self.matched(X)

    def contributions(
        self, X: sp.csr_array, f: np.ndarray, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        words, prior = self.divide_matched(X, divide)
        rest = 1 - self.alpha
        return Contributions(rest * words, self.alpha * f[0], rest * prior)
