"""Latent Dirichlet allocation: each token has a topic.

p(z = k) ∝ (n_dk + α_dk)(n_wk + β_kw)/(n_k + Σ_w β_kw), Griffiths & Steyvers 2004, equation 5.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from llmtopics.topics._gibbs.assigned import Range
from llmtopics.topics._gibbs.counts import LargeRowCounts, ListCounts, RowCounts
from llmtopics.topics._gibbs.kernels import exact, lists, rows
from llmtopics.topics._gibbs.kernels.common import Priors
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import WordPrior

_DRAWS = {
    RowCounts: rows.draw,
    LargeRowCounts: rows.draw,
    ListCounts: lists.draw,
}

if TYPE_CHECKING:
    from llmtopics.topics._gibbs.chain import Chain


class AssignedTopics:
    """Topics of all tokens; the prior of documents is α, float64 (1, K) or (D, K).

    Methods are those of ``Assigned``.

    Parameters
    ----------
    topics : ndarray of shape (T,)
        Changed by draws.
    n_components : int
    """

    def __init__(self, topics: np.ndarray, n_components: int):
        self.topics, self.n_components = topics, n_components
        self.n_alternatives = n_components

    def following(
        self, chain: "Chain[np.ndarray]", doc_prior: np.ndarray
    ) -> Callable[[int, int], object]:
        beta_total = np.empty(self.n_components)
        beta_total[:] = chain.word_prior.totals
        priors = exact.ExactPriors(doc_prior, *chain.word_prior.double, beta_total)
        rng = np.random.default_rng([chain.seed, 1 + chain.n_sweeps])
        table = chain.counts.parts
        return partial(exact.draw, chain.tokens, self.topics, table, priors, rng)

    def priors(
        self, doc_prior: np.ndarray, word_prior: WordPrior, totals: np.ndarray
    ) -> Priors:
        return Priors(doc_prior, *word_prior.single, word_prior.inverse(totals))

    def draw(
        self,
        tokens: Tokens,
        fresh: np.ndarray,
        documents: Range,
        counts: RowCounts | ListCounts,
        priors: Priors,
        key: np.uint64,
    ) -> None:
        _DRAWS[type(counts)](
            tokens,
            self.topics,
            fresh,
            *documents,
            counts.parts,
            priors,
            key,
            rows.scratch(counts.width),
        )

    def share(
        self,
        tokens: Tokens,
        documents: Range,
        words: Range,
        table: np.ndarray,
        priors: Priors,
        shares: np.ndarray,
    ) -> None:
        rows.share(
            tokens,
            self.topics,
            *documents,
            *words,
            rows.Rows(table, np.float32(0)),
            priors,
            shares,
            rows.scratch(table.shape[1], shares.dtype),
        )
