"""The order in which tokens are drawn: one class per schedule."""

from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics._gibbs.assigned import Assigned
from llmtopics.topics._gibbs.pieces import cut, cut_all, cut_words
from llmtopics.topics._gibbs.random_streams import sweep_key
from llmtopics.topics._gibbs.tokens import Tokens
from llmtopics.topics._gibbs.word_prior import WordPrior

N_BLOCKS = 32  # of documents in a sweep
P = TypeVar("P")


class Schedule(Protocol):
    """An order of draws."""

    def sweep(
        self,
        tokens: Tokens,
        assigned: Assigned[P],
        counts: Any,
        doc_prior: P,
        word_prior: WordPrior,
        seed: int,
        number: int,
    ) -> None:
        """Redraw every token once; ``number`` is the number of the sweep."""


class Exact:
    """Draw every token given the current topics of all others, in one thread."""

    def sweep(
        self,
        tokens: Tokens,
        assigned: Assigned[P],
        counts: Any,
        doc_prior: P,
        word_prior: WordPrior,
        seed: int,
        number: int,
    ) -> None:
        draw = assigned.following(tokens, counts, doc_prior, word_prior, seed, number)
        for piece in cut_all(tokens.starts, 1, assigned.n_alternatives):
            draw(*piece)


class Blocked:
    """Draw 32 blocks of documents, one after another; in a block, counts of words stay fixed.

    A token is drawn given the current topics of the other tokens of its document. Topics in
    other documents are those at the start of the block. Totals of topics are those at the
    start of the sweep. So the documents of a block can be drawn in parallel.
    """

    def __init__(self, tokens: Tokens, topics: np.ndarray, workers: Workers):
        self._workers, self._fresh = workers, np.empty_like(topics)
        self._blocks = cut(tokens.starts, 0, len(tokens.starts) - 1, N_BLOCKS)
        self._words = cut_words(tokens, workers.n)

    def sweep(
        self,
        tokens: Tokens,
        assigned: Assigned[P],
        counts: Any,
        doc_prior: P,
        word_prior: WordPrior,
        seed: int,
        number: int,
    ) -> None:
        fresh, key = self._fresh, sweep_key(seed, number)
        priors = assigned.priors(doc_prior, word_prior, counts.totals())
        for first, last in self._blocks:
            self._workers.run(
                [
                    partial(assigned.draw, tokens, fresh, *piece, counts, priors, key)
                    for piece in cut(tokens.starts, first, last, self._workers.n)
                ]
            )
            begin, end = tokens.starts[first], tokens.starts[last]
            moved = tokens, assigned.topics, fresh, begin, end
            self._workers.run(
                [partial(counts.move, *moved, *piece) for piece in self._words]
            )
            assigned.topics[begin:end] = fresh[begin:end]
