"""Changes of the counts of words in topics, which workers send to each other.

A change is a list of moved tokens or, if that is smaller, a dense table of differences. Both
add up to the same whole numbers in any order.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics._gibbs.counts import RowCounts
from llmtopics.topics._gibbs.kernels.common import count_pairs
from llmtopics.topics._gibbs.pieces import cut
from llmtopics.topics._gibbs.tokens import Tokens

_NO_STARTS = np.zeros(1, np.int64)


class Moves(NamedTuple):
    """Words of tokens, and their topics before and after."""

    words: np.ndarray
    before: np.ndarray
    after: np.ndarray


Change = Moves | np.ndarray  # or int32 (V, B), differences of counts


def change_of(
    words: np.ndarray, before: np.ndarray, after: np.ndarray, shape: tuple[int, int]
) -> Change:
    """Return the change of some tokens in counts of a shape."""
    moved = np.flatnonzero(before != after)
    return _smaller(Moves(words[moved], before[moved], after[moved]), shape)


def merged(shape: tuple[int, int], *changes: Change) -> Change:
    """Return several changes as one."""
    if all(isinstance(change, Moves) for change in changes):
        parts = zip(*changes, strict=True)
        return _smaller(Moves(*map(np.concatenate, parts)), shape)
    return sum((_dense(change, shape) for change in changes), np.zeros(shape, np.int32))


def apply(change: Change, counts: RowCounts, threads: Workers) -> None:
    """Add a change to counts."""
    if not isinstance(change, Moves):
        counts.add(change)
        return
    # arrays that arrive from other workers are read-only, as another type to compiled loops
    words, before, after = (np.require(each, requirements="W") for each in change)
    V = len(counts.word_topic())
    tokens = Tokens(words, _NO_STARTS, V)
    moved = tokens, before, after, 0, words.size
    pieces = cut(np.arange(V + 1), 0, V, threads.n)
    threads.run([partial(counts.move, *moved, *piece) for piece in pieces])


def _smaller(moves: Moves, shape: tuple[int, int]) -> Change:
    size = sum(each.nbytes for each in moves)
    return moves if size <= 4 * shape[0] * shape[1] else _dense(moves, shape)


def _dense(change: Change, shape: tuple[int, int]) -> np.ndarray:
    if not isinstance(change, Moves):
        return change
    table, less = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    count_pairs(change.words, change.after, table)
    count_pairs(change.words, change.before, less)
    return table - less
