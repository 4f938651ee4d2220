"""What every pooling has."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics.fusion._sides import CountSide, EmbeddingSide

# divide(model, X, mixture): what the words of one document, (n, K), and the prior, (K,), add
# to the mixture that a topic model gives it. ``explain`` brings one for the model at hand.
Divide = Callable[[Any, sp.csr_array, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Contributions(NamedTuple):
    """What each part adds to the mixture of one document; the three sum to it.

    words : (words of the document, K)
    embedding : (K,)
    prior : (K,)
    note : str
        What was divided by a convention, "" if nothing was.
    """

    words: np.ndarray
    embedding: np.ndarray
    prior: np.ndarray
    note: str = ""


class Pooling(ABC):
    """How topic proportions of both sides become one.

    To add a pooling, write a subclass in a file of its own, and enter it in ``POOLINGS``.

    Parameters
    ----------
    alpha : float
        α, the weight of the embedding side.
    counts : CountSide
    embeddings : EmbeddingSide

    Attributes
    ----------
    fitted_names : dict of str to str
        What ``fit`` sets here for ``mix`` to read, under the name that it has as a fitted
        attribute of the FusionTopicModel (where ``_fitted_state`` lists it, too).
    """

    uses_counts = uses_embeddings = True
    fitted_names: ClassVar[dict[str, str]] = {}

    def __init__(self, alpha: float, counts: CountSide, embeddings: EmbeddingSide):
        self.alpha, self.counts, self.embeddings = alpha, counts, embeddings

    @classmethod  # noqa: B027 (most poolings take all parameters)
    def check(cls, given: SimpleNamespace) -> None:
        """Raise a ValueError for parameters of the FusionTopicModel that do not suit."""

    @abstractmethod
    def fit(self, X: sp.csr_array, inputs: Any, f: Any, seed: int) -> np.ndarray | None:
        """Fit the topic model; return f, which may have changed.

        Parameters
        ----------
        X : csr_array of shape (D, V)
        inputs : array of shape (D, E) or list of D str
            What the embedding side's topics take.
        f : ndarray of shape (D, K), or None without the embedding side
        seed : int
        """

    @abstractmethod
    def mix(self, X: sp.csr_array, f: Any) -> np.ndarray:
        """Return θ, of shape (D, K), of counts and of the embedding side's mixtures."""

    @abstractmethod
    def contributions(
        self, X: sp.csr_array, f: Any, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        """Return what each part of one document adds to its mixture, θ of shape (K,)."""

    def document_alpha(self, n_tokens: np.ndarray) -> np.ndarray:
        """Return the weight of the embedding side in documents of these lengths."""
        return np.full(len(n_tokens), self.alpha)

    def topic_words(self) -> np.ndarray | None:
        """Return φ, (K, V), if ``fit`` has found it; else it is counted from θ."""
        return None

    # the same for all -----------------------------------------------------------------------

    def embedding_mixtures(self, texts: list[str]) -> np.ndarray | None:
        """Return f of texts, or None if the embedding side has no weight."""
        if not self.uses_embeddings:
            return None
        return self.embeddings.mixtures(self.embeddings.inputs(texts))

    def mixtures(self, texts: list[str]) -> np.ndarray:
        """Return θ of texts."""
        X = self.counts.expanded(texts, self.counts.own(texts))
        return self.mix(X, self.embedding_mixtures(texts))
