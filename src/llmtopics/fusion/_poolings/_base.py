"""``Pooling``: the base class of all poolings."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics.fusion._sides import CountSide, EmbeddingSide

# divide(model, X, mixture) returns what the words of one document, (n, K), and the prior,
# (K,), add to its mixture from a topic model. ``explain`` passes the one for that model.
Divide = Callable[[Any, sp.csr_array, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Contributions(NamedTuple):
    """What each part adds to the mixture of one document. The three parts sum to it.

    words : (words of the document, K)
    embedding : (K,)
    prior : (K,)
    note : str
        Which parts follow a convention and not the model. "" if none do.
    """

    words: np.ndarray
    embedding: np.ndarray
    prior: np.ndarray
    note: str = ""


class Pooling(ABC):
    """How to combine the topic proportions of both sides.

    To add a pooling, write a subclass in its own file, and add it to ``POOLINGS``.

    Parameters
    ----------
    alpha : float
        α, the weight of the embedding side.
    counts : CountSide
    embeddings : EmbeddingSide

    Attributes
    ----------
    fitted_names : dict of str to str
        Maps the name of a fitted attribute of the FusionTopicModel to its name here. ``fit``
        sets these attributes and ``mix`` reads them. ``_fitted_state`` of the FusionTopicModel
        lists them, too.
    """

    uses_counts = uses_embeddings = True
    fitted_names: ClassVar[dict[str, str]] = {}

    def __init__(self, alpha: float, counts: CountSide, embeddings: EmbeddingSide):
        self.alpha, self.counts, self.embeddings = alpha, counts, embeddings

    @classmethod  # noqa: B027 (most poolings take all parameters)
    def check(cls, given: SimpleNamespace) -> None:
        """Raise a ValueError for parameters that this pooling cannot use."""

    @abstractmethod
    def fit(self, X: sp.csr_array, inputs: Any, f: Any, seed: int) -> np.ndarray | None:
        """Fit the topic model; return f, which may have changed.

        Parameters
        ----------
        X : csr_array of shape (D, V)
        inputs : array of shape (D, E) or list of D str
            Input of the embedding side's topics.
        f : ndarray of shape (D, K), or None without the embedding side
        seed : int
        """

    @abstractmethod
    def mix(self, X: sp.csr_array, f: Any) -> np.ndarray:
        """Return θ, (D, K), from counts and the embedding side's mixtures."""

    @abstractmethod
    def contributions(
        self, X: sp.csr_array, f: Any, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        """Return what each part of one document adds to its mixture, θ of shape (K,)."""

    def document_alpha(self, n_tokens: np.ndarray) -> np.ndarray:
        """Return the weight of the embedding side in documents of these lengths."""
        return np.full(len(n_tokens), self.alpha)

    def topic_words(self) -> np.ndarray | None:
        """Return φ, (K, V), or None if it has to be counted from θ."""
        return None

    # shared by all poolings -----------------------------------------------------------------------

    def embedding_mixtures(self, texts: list[str]) -> np.ndarray | None:
        """Return f of texts, or None if the embedding side has weight 0."""
        if not self.uses_embeddings:
            return None
        return self.embeddings.mixtures(self.embeddings.inputs(texts))

    def mixtures(self, texts: list[str]) -> np.ndarray:
        """Return θ of texts."""
        X = self.counts.expanded(texts, self.counts.own(texts))
        return self.mix(X, self.embedding_mixtures(texts))
