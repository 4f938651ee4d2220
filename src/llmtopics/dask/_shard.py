"""The part of a chain that stays on one worker: its documents, and all counts of words.

The functions below are tasks. A shard is changed by them, so each task says which step it is.
A task that would be done twice, or of a lost shard, raises ``OutOfStep``.
"""

from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from distributed import get_worker

from llmtopics._compiled.threads import Workers, workers
from llmtopics.dask._changes import Change, apply, change_of
from llmtopics.dask._errors import OutOfStep
from llmtopics.topics._gibbs.assigned_topics import AssignedTopics
from llmtopics.topics._gibbs.counts import LargeRowCounts, RowCounts
from llmtopics.topics._gibbs.kernels.common import Priors, count_pairs, filled_up, zeros
from llmtopics.topics._gibbs.kernels.rows import relax
from llmtopics.topics._gibbs.likelihood import Cells, tally_cells, tally_parts
from llmtopics.topics._gibbs.pieces import cut
from llmtopics.topics._gibbs.random_streams import sweep_key
from llmtopics.topics._gibbs.tokens import COUNTED, Tokens, topic_type
from llmtopics.topics._gibbs.word_prior import WordPrior

_STRIDE = 0x9E3779B97F4A7C15  # token t uses the hash of key + t * _STRIDE
Step = tuple[int, int]  # number of the sweep, and of the block in it


class Piece(NamedTuple):
    """A range of documents of a shard, in one block of a sweep.

    first, last : its documents, among those of the shard
    begin : its first token, among all tokens of the corpus
    """

    first: int
    last: int
    begin: int


class Shard:
    """Documents of one worker, their topics, and a copy of the counts of all documents.

    Parameters
    ----------
    tokens : Tokens
        Of this worker's documents.
    topics : ndarray of shape (tokens,)
    pieces : list of Piece or None
        One per block of a sweep; None if the worker has no documents in it.
    n_components, seed : int
    word_prior : WordPrior
    """

    def __init__(
        self,
        tokens: Tokens,
        topics: np.ndarray,
        pieces: Sequence[Piece | None],
        n_components: int,
        seed: int,
        word_prior: WordPrior,
    ):
        self.tokens, self.pieces, self.seed = tokens, pieces, seed
        self.assigned = AssignedTopics(topics, n_components)
        self.fresh = np.empty_like(topics)
        self.word_prior = word_prior
        self.shape = tokens.n_words, filled_up(n_components)
        self.counts: RowCounts
        self.priors: Priors
        self.next: Step = (0, 0)

    def __reduce__(self) -> Any:
        raise TypeError("A shard stays on its worker.")

    def take(self, step: Step, following: Step) -> None:
        """Note that a step is made; raise ``OutOfStep`` if another one is next."""
        if step != self.next:
            raise OutOfStep(f"{step} was asked for, and {self.next} is next.")
        self.next = following

    def begin_sweep(self, alpha: np.ndarray, beta: float | None) -> None:
        if beta is not None:
            self.word_prior = WordPrior(beta, self.tokens.n_words)
        self.priors = self.assigned.priors(
            alpha[np.newaxis], self.word_prior, self.counts.totals()
        )

    def draw(self, sweep: int, block: int, threads: Workers) -> None:
        """Draw the topics of the documents of a block, into ``fresh``."""
        piece = self.pieces[block]
        if piece is None:
            return
        starts = self.tokens.starts
        # number t of the stream belongs to token t of the whole corpus
        ahead = piece.begin - int(starts[piece.first])
        key = np.uint64((int(sweep_key(self.seed, sweep)) + ahead * _STRIDE) % 2**64)
        given = self.counts, self.priors, key
        draw = partial(self.assigned.draw, self.tokens, self.fresh)
        threads.run(
            [
                partial(draw, documents, *given)
                for documents in cut(starts, piece.first, piece.last, threads.n)
            ]
        )

    def change(self, block: int) -> Change:
        """Return what the draws of a block change in the counts."""
        piece = self.pieces[block]
        begin = end = 0
        if piece is not None:
            begin, end = self.tokens.starts[[piece.first, piece.last]]
        return change_of(
            self.tokens.words[begin:end],
            self.assigned.topics[begin:end],
            self.fresh[begin:end],
            self.shape,
        )

    def turn(self) -> None:
        """End a sweep: the fresh topics are the topics."""
        self.assigned.topics, self.fresh = self.fresh, self.assigned.topics


def own_threads() -> int:
    """Return the number of threads of this worker."""
    return get_worker().state.nthreads


def first_topics(
    n_tokens: int, n_components: int, seed: int, ranges: list[tuple[int, int]]
) -> np.ndarray:
    """Return the random topics of some ranges of tokens.

    Each worker draws those of all tokens in turn, as ``random_topics`` does, and keeps its
    own. This takes less time than to send them.
    """
    rng, kind = np.random.default_rng([seed, 0]), topic_type(n_components)
    own: list[np.ndarray] = [np.empty(0, kind)]
    for first in range(0, n_tokens, COUNTED):
        last = min(first + COUNTED, n_tokens)
        drawn = rng.integers(n_components, size=last - first, dtype=kind)
        for begin, end in ranges:
            if begin < last and first < end:
                own.append(drawn[max(begin - first, 0) : end - first].copy())
    return np.concatenate(own)


def joined(kind: type, *arrays: np.ndarray) -> np.ndarray:
    """Return arrays as one that can be written to."""
    return np.concatenate([np.empty(0, kind), *arrays])


def open_shard(words: np.ndarray, topics: np.ndarray, starts: np.ndarray, *given: Any):
    """Return the shard of a worker, still without counts, and ``given`` is for ``Shard``."""
    n_words, *others = given
    return Shard(Tokens(words, starts, n_words), topics, *others)


def own_counts(shard: Shard) -> np.ndarray:
    """Return the counts of a shard's own documents, int32 (V, B)."""
    table = np.zeros(shard.shape, np.int32)
    count_pairs(shard.tokens.words, shard.assigned.topics, table)
    return table


def set_counts(shard: Shard, total: np.ndarray, sweep: int) -> None:
    """Start with the counts of all documents, before a sweep."""
    large = int(total.sum(axis=1, dtype=np.int64).max()) >= COUNTED
    kind = LargeRowCounts if large else RowCounts
    none = np.empty(0, np.int32)
    nothing = Tokens(none, np.zeros(1, np.int64), shard.shape[0])
    shard.counts = kind(nothing, none, shard.assigned.n_components)
    shard.counts.add(total)
    shard.next = sweep, 0


def draw_block(
    shard: Shard,
    step: Step,
    alpha: np.ndarray | None,
    beta: float | None,
    *changes: Change,
) -> Change:
    """Apply the changes of the block before, and draw the own documents of a block.

    alpha : given for the first block of a sweep
    """
    sweep, block = step
    shard.take(step, (sweep, block + 1))
    with workers(own_threads()) as threads:
        for change in changes:
            apply(change, shard.counts, threads)
        if alpha is not None:
            shard.begin_sweep(alpha, beta)
        shard.draw(sweep, block, threads)
    return shard.change(block)


def end_sweep(shard: Shard, step: Step, *changes: Change) -> None:
    """Apply the changes of the last block of a sweep."""
    shard.take(step, (step[0] + 1, 0))
    with workers(own_threads()) as threads:
        for change in changes:
            apply(change, shard.counts, threads)
    shard.turn()


def draw_alone(
    shard: Shard, sweep: int, n_sweeps: int, alpha: np.ndarray, beta: float | None
) -> Change:
    """Make sweeps over the own documents; the counts of the others' stay as they are.

    Returns the change of all these sweeps, which is part of the counts of this shard.
    """
    shard.take((sweep, 0), (sweep, 1))
    before = shard.assigned.topics.copy()
    with workers(own_threads()) as threads:
        for number in range(sweep, sweep + n_sweeps):
            shard.begin_sweep(alpha, beta)
            for block in range(len(shard.pieces)):
                shard.draw(number, block, threads)
                apply(shard.change(block), shard.counts, threads)
            shard.turn()
    topics = shard.assigned.topics
    return change_of(shard.tokens.words, before, topics, shard.shape)


def hear(
    shard: Shard, sweep: int, n_sweeps: int, own: Change, *changes: Change
) -> None:
    """Apply the changes of the other workers' sweeps.

    own : the change of the shard's own sweeps, so that the task waits for them
    """
    shard.take((sweep, 1), (sweep + n_sweeps, 0))
    with workers(own_threads()) as threads:
        for change in changes:
            apply(change, shard.counts, threads)


def words_of(shard: Shard) -> np.ndarray:
    return shard.tokens.words


def topics_of(shard: Shard) -> np.ndarray:
    """Return a copy of the topics, which later sweeps do not change."""
    return shard.assigned.topics.copy()


def write_topics(shard: Shard, path: str) -> None:
    """Write the topics to their places in a file of the topics of all tokens."""
    topics, starts = shard.assigned.topics, shard.tokens.starts
    with open(path, "r+b") as file:
        for piece in filter(None, shard.pieces):
            begin, end = starts[[piece.first, piece.last]]
            file.seek(piece.begin * topics.itemsize)
            topics[begin:end].tofile(file)


def read_topics(path: str, kind: type, ranges: list[tuple[int, int]]) -> np.ndarray:
    """Return the topics of some ranges of tokens from such a file."""
    size = np.dtype(kind).itemsize
    return np.concatenate(
        [
            np.empty(0, kind),
            *(np.fromfile(path, kind, b - a, offset=a * size) for a, b in ranges),
        ]
    )


def cells_of(shard: Shard) -> Cells:
    """Return how often each count of a word in a topic occurs."""
    chain: Any = SimpleNamespace(word_prior=shard.word_prior, counts=shard.counts)
    return tally_cells(chain)


def tallies(shard: Shard) -> list[tuple[np.ndarray, np.ndarray, np.ndarray] | None]:
    """Return how the documents of each block divide their tokens among topics."""
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray] | None] = []
    starts = shard.tokens.starts
    for piece in shard.pieces:
        if piece is None:
            found.append(None)
            continue
        own = starts[piece.first : piece.last + 1]
        topics = shard.assigned.topics[own[0] : own[-1]]
        found.append(tally_parts(own - own[0], topics, shard.assigned.n_components))
    return found


class Holder:
    """Consecutive documents of one worker, for the passes after the last sweep."""

    def __init__(
        self,
        tokens: Tokens,
        topics: np.ndarray,
        table: np.ndarray,
        word_prior: WordPrior,
        kind: type,
    ):
        self.tokens, self.table, self.word_prior = tokens, table, word_prior
        self.assigned = AssignedTopics(topics, table.shape[1])
        self.shares = zeros(*table.shape, kind=kind)
        self.priors: Priors

    def __reduce__(self) -> Any:
        raise TypeError("A holder stays on its worker.")


def table_of(shard: Shard) -> np.ndarray:
    """Return the counts of all documents, float32 (V, K)."""
    return shard.counts.word_topic()


def row_sums(table: np.ndarray) -> np.ndarray:
    """Return how often each word occurs."""
    return table.sum(axis=1, dtype=np.float64)


def kept(topics: np.ndarray) -> np.ndarray:
    """Return the same array, now on another worker."""
    return topics


def hold(
    words: np.ndarray, topics: np.ndarray, starts: np.ndarray, *given: Any
) -> Holder:
    counts, word_prior, kind = given
    V, K = counts.shape
    table = zeros(V, filled_up(K))
    table[:, :K] = counts
    return Holder(Tokens(words, starts, V), topics, table, word_prior, kind)


def begin_pass(
    holder: Holder,
    alpha: np.ndarray,
    ranges: list[tuple[int, int]],
    *rows: np.ndarray,
) -> Holder:
    """Take the rows of the pass before, and compute the priors; return the same holder.

    alpha : (K,), or (D, K) with one prior per document
    """
    K = alpha.shape[-1]
    for (low, high), part in zip(ranges, rows, strict=False):
        holder.table[low:high] = part
    total = holder.table[:, :K].sum(axis=0, dtype=np.float64)
    priors = holder.assigned.priors(np.atleast_2d(alpha), holder.word_prior, total)
    # φ is fixed, so a token is not taken out of it
    holder.priors = priors._replace(inverse=priors.inverse[[0, 0]])
    return holder


def add_shares(
    holder: Holder, words: tuple[int, int], before: np.ndarray | None
) -> np.ndarray:
    """Add the shares of the own documents to those of all documents before them."""
    shares, (low, high) = holder.shares, words
    shares[low:high] = 0 if before is None else before
    documents = 0, len(holder.tokens.starts) - 1
    holder.assigned.share(
        holder.tokens, documents, words, holder.table, holder.priors, shares
    )
    return shares[low:high].copy()


def relaxed(holder: Holder, words: tuple[int, int], shares: np.ndarray) -> np.ndarray:
    """Return the new rows of some words, from the shares of all documents."""
    low, high = words
    holder.shares[low:high] = shares
    rows = holder.table
    none = np.zeros((0, 0), np.float32)
    relax(holder.shares, none, rows, low, high, *holder.word_prior.single)
    return rows[low:high].copy()
