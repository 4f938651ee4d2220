"""From noisy sums to weights of words in topics. Nothing here reads documents."""

import numpy as np

_STEP = 0.4  # weight of the newest sums in their running mean


class Released:
    """The noisy sums of all passes so far.

    Parameters
    ----------
    scale : float
        Standard deviation of the noise in each of them.
    """

    def __init__(self, scale: float) -> None:
        self.scale, self.n = scale, 0
        self._variance = 0.0  # of the noise in the running mean
        self._mean = self._of_words = np.zeros(())

    def add(self, sums: np.ndarray) -> None:
        """Take the noisy sums of a pass, of shape (K, V)."""
        self.n += 1
        step = _STEP if self.n > 1 else 1.0
        self._mean = self._mean + step * (sums - self._mean)
        self._of_words = self._of_words + (sums.sum(axis=0) - self._of_words) / self.n
        self._variance = (1 - step) ** 2 * self._variance + (step * self.scale) ** 2

    def sizes(self) -> np.ndarray:
        """Return the weight of each topic, of shape (K,), at least 0."""
        return np.maximum(self._mean.sum(axis=1), 0)

    def weights(self) -> np.ndarray:
        """Return the weights of words in topics, of shape (K, V), at least 0.

        A word whose weights differ between topics no more than noise does gets the topics'
        sizes as proportions (positive-part James-Stein estimator of each word). All passes
        measure the weight of a word in all topics together, which is far less noisy.
        """
        K = len(self._mean)
        sizes = np.maximum(self.sizes(), np.finfo(float).tiny)
        expected = np.outer(sizes / sizes.sum(), np.maximum(self._of_words, 0))
        differences = self._mean - expected
        squares = np.maximum((differences**2).sum(axis=0), np.finfo(float).tiny)
        kept = np.maximum(1 - (K - 1) * self._variance / squares, 0)
        return np.maximum(expected + kept * differences, 0)
