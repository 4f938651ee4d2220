"""``Pooling``: the base class of all poolings."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics.fusion._co_training import CoTraining, co_train
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

    def scaled(self, fused: np.ndarray, mixture: np.ndarray) -> "Contributions":
        """Return the parts of a mixture that co-training made of the fused one."""
        if (fused == mixture).all():
            return self
        factors = np.divide(mixture, fused, where=fused > 0, out=np.zeros_like(mixture))
        note = (
            "Co-training multiplies all parts of a topic by the same factor. This is a "
            "convention: what its classifiers read is not divided among words and embedding."
        )
        return Contributions(
            self.words * factors,
            self.embedding * factors,
            self.prior * factors,
            f"{self.note} {note}".strip(),
        )


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
    co_trains = False
    fitted_names: ClassVar[dict[str, str]] = {}
    co_training: CoTraining | None = None

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

    def co_train(self, mixtures: np.ndarray, inputs: Any, X: sp.csr_array) -> None:
        """Set ``co_training``, if this pooling uses it and there are vectors."""
        share = self.counts.given.co_training
        if share and self.co_trains and self.embeddings.embedder is not None:
            self.co_training = co_train(mixtures, inputs, X, share)

    def corrected(
        self, mixtures: np.ndarray, inputs: Any, X: sp.csr_array
    ) -> np.ndarray:
        """Return θ after co-training, from that of :meth:`mix`."""
        if self.co_training is None:
            return mixtures
        return self.co_training.correct(mixtures, inputs, X)

    def mixtures(self, texts: list[str]) -> np.ndarray:
        """Return θ of texts."""
        X, inputs, f = self.read(texts, self.counts.own(texts))
        return self.corrected(self.mix(X, f), inputs, X)

    def read(
        self, texts: list[str], own: sp.csr_array
    ) -> tuple[sp.csr_array, Any, np.ndarray | None]:
        """Return the inputs of both sides, and f, from texts and their own counts."""
        X = self.counts.expanded(texts, own)
        if not self.uses_embeddings:
            return X, None, None
        inputs = self.embeddings.inputs(texts)
        return X, inputs, self.embeddings.mixtures(inputs)
