"""The order in which tokens are drawn: one class per schedule."""

from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics._gibbs.pieces import cut, cut_all, cut_words
from llmtopics.topics._gibbs.random_streams import sweep_key
from llmtopics.topics._gibbs.tokens import Tokens

if TYPE_CHECKING:
    from llmtopics.topics._gibbs.chain import Chain

N_BLOCKS = 32  # of documents in a sweep
P = TypeVar("P")


class Schedule(Protocol):
    """An order of draws."""

    def sweep(self, chain: "Chain[P]", doc_prior: P) -> None:
        """Redraw every token of the chain once."""


class Exact:
    """Draw every token given the current topics of all others, in one thread."""

    def sweep(self, chain: "Chain[P]", doc_prior: P) -> None:
        draw = chain.assigned.following(chain, doc_prior)
        weight = chain.assigned.n_alternatives
        for documents in cut_all(chain.tokens.starts, 1, weight):
            draw(*documents)


class Blocked:
    """Draw 32 blocks of documents, one after another; in a block, counts of words stay fixed.

    A token is drawn given the current topics of the other tokens of its document. Topics in
    other documents are those at the start of the block. Totals of topics are those at the
    start of the sweep. So the documents of a block can be drawn in parallel.
    """

    def __init__(self, tokens: Tokens, fresh: np.ndarray, workers: Workers):
        """``fresh``, of shape (T,), is written in the next sweep: the topics after it."""
        self._workers, self._fresh = workers, fresh
        self._blocks = cut(tokens.starts, 0, len(tokens.starts) - 1, N_BLOCKS)
        self._words = cut_words(tokens, workers.n)

    def sweep(self, chain: "Chain[P]", doc_prior: P) -> None:
        tokens, assigned, counts = chain.tokens, chain.assigned, chain.counts
        fresh, key = self._fresh, sweep_key(chain.seed, chain.n_sweeps)
        priors = assigned.priors(doc_prior, chain.word_prior, counts.totals())
        given = counts, priors, key
        for first, last in self._blocks:
            self._workers.run(
                [
                    partial(assigned.draw, tokens, fresh, documents, *given)
                    for documents in cut(tokens.starts, first, last, self._workers.n)
                ]
            )
            begin, end = tokens.starts[first], tokens.starts[last]
            moved = tokens, assigned.topics, fresh, begin, end
            self._workers.run(
                [partial(counts.move, *moved, *piece) for piece in self._words]
            )
        assigned.topics, self._fresh = fresh, assigned.topics
