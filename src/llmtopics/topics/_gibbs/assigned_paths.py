"""Pachinko allocation: each token has a path, a super-topic and a sub-topic below it.

p(s, t) ∝ A_s (n_dst + α_st) (n_tw + β)/(n_t + Vβ), A_s = (n_ds + α_s)/(n_ds + Σ_t α_st),
Li & McCallum 2006, section 3.2.

S super-topics, K sub-topics.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from llmtopics.topics._gibbs.assigned import Range
from llmtopics.topics._gibbs.counts import RowCounts
from llmtopics.topics._gibbs.kernels import paths, rows
from llmtopics.topics._gibbs.kernels.common import (
    Priors,
    count_pairs,
    filled_up,
    zeros,
)
from llmtopics.topics._gibbs.random_streams import sweep_key
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import WordPrior

if TYPE_CHECKING:
    from llmtopics.topics._gibbs.chain import Chain

_FIXED = np.empty(0)  # without totals, counts of words stay fixed in a block


class PathPrior(NamedTuple):
    """Dirichlet priors of the mixtures of a document.

    root : float64 (S,), prior of its super-topics
    below : float64 (S, K), prior of the sub-topics in each super-topic
    """

    root: np.ndarray
    below: np.ndarray


class AssignedPaths:
    """Paths of all tokens; the prior of documents is a ``PathPrior``.

    Methods are those of ``Assigned``. ``draw`` writes sub-topics and changes super-topics.

    Parameters
    ----------
    topics, supers : ndarrays of shape (T,)
        Sub- and super-topics; changed by draws.
    n_super, n_components : int
    """

    def __init__(
        self, topics: np.ndarray, supers: np.ndarray, n_super: int, n_components: int
    ):
        self.topics, self.supers = topics, supers
        self.n_super, self.n_components = n_super, n_components
        self.n_alternatives = n_super * n_components

    def following(
        self, chain: "Chain[PathPrior]", doc_prior: PathPrior
    ) -> Callable[[int, int], object]:
        tokens, counts, totals = chain.tokens, chain.counts, chain.counts.totals()
        key = sweep_key(chain.seed, chain.n_sweeps)
        priors = self.priors(doc_prior, chain.word_prior, totals)

        def draw(*documents: int) -> None:
            self._draw(tokens, self.topics, documents, counts, totals, priors, key)

        return draw

    def priors(
        self, doc_prior: PathPrior, word_prior: WordPrior, totals: np.ndarray
    ) -> Priors:
        inverse = word_prior.inverse(totals)
        return Priors(_levels(doc_prior), *word_prior.single, inverse)

    def draw(
        self,
        tokens: Tokens,
        fresh: np.ndarray,
        documents: Range,
        counts: RowCounts,
        priors: Priors,
        key: np.uint64,
    ) -> None:
        self._draw(tokens, fresh, documents, counts, _FIXED, priors, key)

    def _draw(self, tokens, fresh, documents, counts, totals, priors, key) -> None:
        paths.draw(
            tokens,
            paths.Paths(self.topics, self.supers),
            fresh,
            *documents,
            counts.parts,
            totals,
            priors,
            key,
            paths.scratch(self.n_super, counts.width),
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
        paths.share(
            tokens,
            paths.Paths(self.topics, self.supers),
            *documents,
            *words,
            rows.Rows(table, np.float32(0)),
            priors,
            shares,
            paths.scratch(self.n_super, table.shape[1]),
        )

    def super_sub(self) -> np.ndarray:
        """Return n_st, of shape (S, K)."""
        counts = np.zeros((self.n_super, self.n_components))
        count_pairs(self.supers, self.topics, counts)
        return counts


def _levels(prior: PathPrior) -> paths.PathLevels:
    """Return α_s, α_st and Σ_t α_st as compiled loops read them."""
    S, K = prior.below.shape
    below = zeros(S, filled_up(K))
    below[:, :K] = prior.below
    beneath = prior.below.sum(axis=1)
    return paths.PathLevels(
        prior.root.astype(np.float32), below, beneath.astype(np.float32)
    )
