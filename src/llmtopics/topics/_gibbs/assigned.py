"""The interface of topic models for chains and schedules."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from llmtopics.topics._gibbs.kernels.common import Priors
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import WordPrior

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
        self,
        tokens: Tokens,
        counts: Any,
        doc_prior: P_contra,
        word_prior: WordPrior,
        seed: int,
        number: int,
    ) -> Callable[[int, int], object]:
        """Return a function that redraws a range of documents and updates counts each time.

        number : number of the sweep
        """

    def priors(
        self, doc_prior: P_contra, word_prior: WordPrior, totals: np.ndarray
    ) -> Priors:
        """Return what stays fixed while tokens are drawn; ``totals`` is n_k."""

    def draw(
        self,
        tokens: Tokens,
        fresh: np.ndarray,
        first: int,
        last: int,
        counts: Any,
        priors: Priors,
        key: np.uint64,
    ) -> None:
        """Draw new topics of a range of documents into ``fresh``; counts of words stay fixed."""

    def share(
        self,
        tokens: Tokens,
        first: int,
        last: int,
        low: int,
        high: int,
        table: np.ndarray,
        priors: Priors,
        shares: np.ndarray,
    ) -> None:
        """Add the probability of topic k to ``shares[w, k]`` for each token of some words.

        first, last : range of documents
        low, high : range of words
        table : float32 (V, B), counts of words in topics that give φ
        """
