"""The interface of topic models for chains and schedules."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from llmtopics.topics._gibbs.kernels.common import Priors
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import WordPrior

if TYPE_CHECKING:
    from llmtopics.topics._gibbs.chain import Chain

Range = tuple[int, int]  # first and last, which is not in it
P_contra = TypeVar("P_contra", contravariant=True)


class Assigned(Protocol[P_contra]):
    """What each token is assigned, and how it is drawn; P_contra is the prior of documents.

    topics : ndarray of shape (T,), topic of each token; changed by draws
    n_components : int, K
    n_alternatives : int, number of choices per token
    """

    topics: np.ndarray
    n_components: int
    n_alternatives: int

    def following(
        self, chain: "Chain[Any]", doc_prior: P_contra
    ) -> Callable[[int, int], object]:
        """Return a function that redraws a range of documents; counts follow each draw."""

    def priors(
        self, doc_prior: P_contra, word_prior: WordPrior, totals: np.ndarray
    ) -> Priors:
        """Return what stays fixed while tokens are drawn; ``totals`` are n_k."""

    def draw(
        self,
        tokens: Tokens,
        fresh: np.ndarray,
        documents: Range,
        counts: Any,
        priors: Priors,
        key: np.uint64,
    ) -> None:
        """Write new topics of a range of documents; counts of words stay fixed."""

    def share(
        self,
        tokens: Tokens,
        documents: Range,
        words: Range,
        table: np.ndarray,
        priors: Priors,
        shares: np.ndarray,
    ) -> None:
        """Add to ``shares[w, k]`` the probabilities of topic k of some words' tokens.

        table : float32 (V, B), counts of words in topics that stand for φ
        """
