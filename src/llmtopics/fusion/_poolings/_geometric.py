"""``pooling="geometric"``: a weighted geometric mean of both sides."""

import numpy as np
import scipy.sparse as sp
from scipy.special import softmax

from llmtopics.fusion._poolings._base import Contributions, Divide
from llmtopics.fusion._poolings._matched import MatchedPooling


class GeometricPooling(MatchedPooling):
    """θ ∝ f^α g^(1 - α)."""

    def mix(self, X: sp.csr_array, f: np.ndarray) -> np.ndarray:
        tiny, g = np.finfo(float).tiny, self.matched(X)
        logs = self.alpha * np.log(f + tiny) + (1 - self.alpha) * np.log(g + tiny)
        return softmax(logs, axis=1)

    def contributions(
        self, X: sp.csr_array, f: np.ndarray, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        words, prior = self.divide_matched(X, divide)
        g, rest = words.sum(axis=0) + prior, (1 - self.alpha) * mixture
        words = words * np.divide(rest, g, where=g > 0, out=np.zeros_like(mixture))
        note = "A geometric mean is no sum: θ is divided by the weights α and 1 - α."
        prior = rest - words.sum(axis=0)
        return Contributions(words, self.alpha * mixture, prior, note)
