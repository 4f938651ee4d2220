"""Gibbs sampling of paths: every token has a super-topic and, below it, a sub-topic.

D documents, T tokens, S super-topics, K sub-topics, V words.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics import _block_kernels as block_kernels
from llmtopics.topics import _pachinko_kernels as kernels
from llmtopics.topics._evidence import LEAST, Divided, divided, tally_parts
from llmtopics.topics._sampler import (
    RowChain,
    cut_all,
    fold_in_topics,
    inverted,
    random_topics,
    start_chain,
    to_topics,
)
from llmtopics.topics._tokens import COUNTED, Tokens

_START_WEIGHT = 5.0  # of the α_st of a super-topic to start from, together
_START_PRIOR = (
    0.1  # of its sub-topics, which the counts that give them have beside them
)
_START_TOKENS = 16  # of a document, on average, that super-topics start from
_STANDING = np.empty(0)  # no totals: counts of words stand still in a block


class PathPrior(NamedTuple):
    """Dirichlet priors of a document's mixtures.

    root : float64 (S,), of its super-topics
    below : float64 (S, K), of the sub-topics in each of them
    """

    root: np.ndarray
    below: np.ndarray


class PathChain(RowChain):
    """Paths of all tokens, redrawn sweep by sweep.

    p(s, t) ∝ A_s (n_dst + α_st) (n_tw + β)/(n_t + Vβ), A_s = (n_ds + α_s)/(n_ds + Σ_t α_st),
    Li & McCallum 2006, section 3.2. ``sweep`` and ``settle`` take a ``PathPrior``.

    Parameters are those of ``Chain`` and these.

    supers : ndarray of shape (T,)
        Super-topics where the chain starts; not changed.
    exact : bool
        Whether every token is drawn given all others at that moment, in one thread, or in
        blocks as in ``BlockedChain``.
    """

    def __init__(
        self,
        tokens: Tokens,
        topics: np.ndarray,
        supers: np.ndarray,
        n_components: int,
        word_prior: Any,
        seed: int,
        workers: Workers,
        *,
        exact: bool,
    ):
        self.supers, self.exact = supers.copy(), exact
        super().__init__(tokens, topics, n_components, word_prior, seed, workers)

    def sweep(self, doc_prior: PathPrior) -> None:
        """Redraw every token's path once."""
        if not self.exact:
            super().sweep(doc_prior)
            return
        totals = self.totals()
        inverse = inverted(totals, self.word_prior)
        beta, key = self.word_prior.single, self._key()
        for piece in cut_all(self.tokens.starts, 1, doc_prior.below.size):
            self._draw_paths(self.topics, piece, totals, inverse, doc_prior, beta, key)
        self.n_sweeps += 1

    def _draw(self, first, last, inverse, doc_prior, beta, key) -> None:
        piece = (first, last)
        self._draw_paths(self._fresh, piece, _STANDING, inverse, doc_prior, beta, key)

    def _draw_paths(self, fresh, piece, totals, inverse, doc_prior, beta, key) -> None:
        kernels.draw_paths(
            *self.tokens[:2],
            self.topics,
            self.supers,
            fresh,
            *piece,
            self._table,
            totals,
            inverse,
            *_levels(doc_prior, self._width),
            beta,
            key,
            *kernels.room(len(doc_prior.root), self._width),
        )

    def share(self, first, last, low, high, table, inverse, doc_prior, shares) -> None:
        """Add to ``shares[w, k]`` the probabilities of sub-topic k."""
        kernels.share_paths(
            self.tokens.words,
            self.tokens.starts[first : last + 1],
            self.topics,
            self.supers,
            low,
            high,
            table,
            inverse,
            *_levels(doc_prior, table.shape[1]),
            self.word_prior.single,
            shares,
            *kernels.room(len(doc_prior.root), table.shape[1]),
        )

    def divisions(self, n_super: int) -> tuple[Divided, Divided]:
        """Tally how documents divide among super-topics, and these among sub-topics."""
        K, starts = self.n_components, self.tokens.starts
        among_supers = divided(starts, self.supers, n_super)
        paths = self.supers.astype(np.int32) * np.int32(K) + self.topics
        return among_supers, Divided(
            *tally_parts(starts, paths, n_super * K), *among_supers[:3]
        )

    def super_sub(self, n_super: int) -> np.ndarray:
        """Return n_st, of shape (S, K)."""
        counts = np.zeros((n_super, self.n_components))
        block_kernels.fill_rows(self.supers, self.topics, counts)
        return counts


def _levels(prior: PathPrior, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return α_s, α_st and Σ_t α_st as compiled loops read them."""
    S, K = prior.below.shape
    below = block_kernels.zeros(S, width)
    below[:, :K] = prior.below
    beneath = prior.below.sum(axis=1)
    return prior.root.astype(np.float32), below, beneath.astype(np.float32)


def start_paths(
    tokens: Tokens,
    n_super: int,
    n_components: int,
    doc_prior: np.ndarray,
    word_prior: float,
    seed: int,
    workers: Workers,
    sampler: str,
    n_sweeps: int,
    advance: Callable[[], object],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sub- and super-topics of all tokens to start from, and α_st.

    Drawn at random, super-topics stay alike: each would be a mixture of all. So
    sub-topics are sampled as an LDA's first, and then super-topics as those of an LDA
    whose words are the sub-topics of some tokens; all others follow under its counts. Few
    tokens of a document are easily moved from one super-topic to another, many hardly.

    doc_prior : (S,), α_s
    advance : called after every sweep of the first
    """
    K, starts = n_components, tokens.starts
    alpha = np.full((1, K), 1 / K)
    topics = random_topics(tokens, K, seed)
    chain = start_chain(tokens, topics, K, word_prior, seed, workers, sampler=sampler)
    for _ in range(n_sweeps):
        chain.sweep(alpha)
        advance()
    sub_topics = chain.topics.astype(np.int32)
    chance = np.random.default_rng([seed + 1, 1]).random(sub_topics.size)
    n_taken = min(_START_TOKENS * (len(starts) - 1), 0.99 * COUNTED)
    taken = chance * sub_topics.size < n_taken
    some = Tokens(sub_topics[taken], np.append(0, np.cumsum(taken))[starts], K)
    supers = random_topics(some, n_super, seed + 1)
    upper = start_chain(
        some, supers, n_super, _START_PRIOR, seed + 1, workers, sampler=sampler
    )
    for _ in range(n_sweeps):
        upper.sweep(doc_prior[np.newaxis])
    counts = upper.word_topic().astype(np.float32)
    everything = Tokens(sub_topics, starts, K)
    supers = fold_in_topics(
        everything,
        random_topics(everything, n_super, seed + 1),
        counts,
        doc_prior,
        _START_PRIOR,
        seed + 1,
        workers,
    )
    below = to_topics(counts.T.astype(np.float64), _START_PRIOR)
    return chain.topics, supers, np.maximum(_START_WEIGHT * below, LEAST)
