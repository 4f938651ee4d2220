"""Latent Dirichlet allocation: each token has a topic.

p(z = k) ∝ (n_dk + α_dk)(n_wk + β_kw)/(n_k + Σ_w β_kw), Griffiths & Steyvers 2004, equation 5.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from llmtopics.topics._gibbs.counts import ListCounts, RowCounts, Table
from llmtopics.topics._gibbs.kernels import exact, lists, rows
from llmtopics.topics._gibbs.kernels.common import Priors
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import WordPrior

_DRAWS = {RowCounts: rows.draw, ListCounts: lists.draw}


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
        self,
        tokens: Tokens,
        counts: Table,
        doc_prior: np.ndarray,
        word_prior: WordPrior,
        seed: int,
        number: int,
    ) -> Callable[[int, int], object]:
        beta_total = np.empty(self.n_components)
        beta_total[:] = word_prior.totals
        priors = exact.ExactPriors(doc_prior, *word_prior.double, beta_total)
        rng = np.random.default_rng([seed, 1 + number])
        return partial(exact.draw, tokens, self.topics, counts.parts, priors, rng)

    def priors(
        self, doc_prior: np.ndarray, word_prior: WordPrior, totals: np.ndarray
    ) -> Priors:
        return Priors(doc_prior, *word_prior.single, word_prior.inverse(totals))

    def draw(
        self,
        tokens: Tokens,
        fresh: np.ndarray,
        first: int,
        last: int,
        counts: RowCounts | ListCounts,
        priors: Priors,
        key: np.uint64,
    ) -> None:
        _DRAWS[type(counts)](
            tokens,
            self.topics,
            fresh,
            first,
            last,
            counts.parts,
            priors,
            key,
            rows.scratch(counts.width),
        )

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
        rows.share(
            tokens,
            self.topics,
            first,
            last,
            low,
            high,
            rows.Rows(table, np.float32(0)),
            priors,
            shares,
            rows.scratch(table.shape[1], shares.dtype),
        )
