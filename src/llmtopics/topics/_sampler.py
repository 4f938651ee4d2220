"""Gibbs sampling of topic assignments: a chain, and what is read from it.

D documents, T tokens, K topics, V words.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from llmtopics._compiled.simd import LANES
from llmtopics._compiled.threads import Workers
from llmtopics.topics import _block_kernels as block_kernels
from llmtopics.topics import _gibbs_kernels as kernels
from llmtopics.topics._tokens import COUNTED, Tokens
from llmtopics.topics._word_prior import WordPrior, as_word_prior

N_BLOCKS = 32  # of documents in a sweep
FEW_TOKENS = 2**17  # up to here, "auto" samples exactly
MANY_TOPICS = 256  # from here on, counts are lists
N_PASSES, N_PASSES_MANY = 8, 4  # of settling, with few and with many topics
_N_FOLDS = 5  # sweeps under known counts, to start from them
_MOMENT = 2**24  # topics looked at in a few hundredths of a second


def random_topics(tokens: Tokens, n_components: int, seed: int) -> np.ndarray:
    """Return a topic for each token, drawn uniformly."""
    rng = np.random.default_rng([seed, 0])
    kind = np.uint16 if n_components <= 2**16 else np.int32
    return rng.integers(n_components, size=tokens.words.size, dtype=kind)


def to_topics(counts: np.ndarray, word_prior: float | np.ndarray) -> np.ndarray:
    """Return φ of counts or weights of words in topics, both (K, V); rows sum to one."""
    weights = counts + word_prior
    return weights / weights.sum(axis=1, keepdims=True)


class Chain(ABC):
    """Topics of all tokens, redrawn sweep by sweep.

    The draws of a sweep depend on the seed and the sweep's number alone.

    Parameters
    ----------
    tokens : Tokens
    topics : ndarray of shape (T,)
        Where the chain starts; not changed.
    n_components : int
    word_prior : float, ndarray of shape (V,) or (K, V), or WordPrior
        β.
    seed : int
    workers : Workers
        Nothing but the time depends on them.
    others : ndarray of shape (V, K) or None
        Counts of words in topics beside those of ``tokens``.

    Attributes
    ----------
    topics : ndarray of shape (T,)
    n_sweeps : int
    word_prior : WordPrior
        May be set between sweeps.
    """

    def __init__(
        self,
        tokens: Tokens,
        topics: np.ndarray,
        n_components: int,
        word_prior: Any,
        seed: int,
        workers: Workers,
        others: np.ndarray | None = None,
    ):
        self.tokens, self.topics, self.n_components = (
            tokens,
            topics.copy(),
            n_components,
        )
        self.word_prior = as_word_prior(word_prior, tokens.n_words)
        self.seed, self.n_sweeps = seed, 0
        self.workers, self.others = workers, others
        self._count()

    @abstractmethod
    def _count(self) -> None:
        """Count words in topics."""

    @abstractmethod
    def sweep(self, doc_prior: Any) -> None:
        """Redraw every token's topic once.

        doc_prior : float64 (1, K) or (D, K), C-contiguous: α, of all documents or of each;
            or what a chain with another prior of mixtures has
        """

    @abstractmethod
    def word_topic(self) -> np.ndarray:
        """Return n_wk, of shape (V, K); not to be written to."""

    @abstractmethod
    def totals(self) -> np.ndarray:
        """Return n_k, of shape (K,)."""

    def share(
        self,
        first: int,
        last: int,
        low: int,
        high: int,
        table: np.ndarray,
        inverse: np.ndarray,
        doc_prior: Any,
        shares: np.ndarray,
    ) -> None:
        """Add to ``shares[w, k]`` the probabilities of topic k of some words' tokens.

        first, last : range of documents
        low, high : range of words
        table : float32 (V, B), counts of words in topics that stand for φ
        inverse : as ``inverted`` makes it of their totals
        """
        block_kernels.share_rows(
            self.tokens.words,
            self.tokens.starts[first : last + 1],
            self.topics,
            low,
            high,
            table,
            inverse,
            _rows(doc_prior, first, last),
            self.word_prior.single,
            shares,
            *block_kernels.room(table.shape[1], shares.dtype),
        )

    def cells(self) -> Iterator[np.ndarray]:
        """Yield all positive n_wk, in pieces that take little memory."""
        table = self.word_topic()
        for first in range(0, len(table), 1024):
            piece = table[first : first + 1024]
            yield piece[piece > 0]

    def placed_cells(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the words, topics and values of all positive n_wk, piece by piece."""
        table = self.word_topic()
        for first in range(0, len(table), 1024):
            piece = table[first : first + 1024]
            words, topics = np.nonzero(piece > 0)
            yield words + first, topics, piece[words, topics]

    def cut_words(self) -> list[tuple[int, int]]:
        """Return a range of words for each worker, as many tokens in each."""
        n = self.workers.n
        if n == 1:
            return [(0, self.tokens.n_words)]
        ends = np.cumsum(self._n_of_words())
        inner = np.searchsorted(ends, ends[-1] * np.arange(1, n) / n, side="right")
        return _ranges([0, *inner.tolist(), self.tokens.n_words])

    def counted(self) -> type:
        """Return the type of sums of probabilities of a word's or a document's tokens."""
        if self.topics.size < COUNTED:
            return np.float32
        most = max(self._n_of_words().max(), np.diff(self.tokens.starts).max())
        return np.float32 if most < COUNTED else np.float64

    def _n_of_words(self) -> np.ndarray:
        counts = np.zeros(self.tokens.n_words, np.int64)
        block_kernels.count_each(self.tokens.words, counts)
        return counts


class ExactChain(Chain):
    """Every token is drawn given the topics that all others have at that moment.

    p(z = k) ∝ (n_dk + α_dk)(n_kw + β_kw)/(n_k + Σ_w β_kw), Griffiths & Steyvers 2004, equation 5;
    in one thread.
    """

    def _count(self) -> None:
        shape = self.tokens.n_words, self.n_components
        kind = np.int32 if self.others is None else np.float64
        self._table = np.zeros(shape, kind)
        block_kernels.fill_rows(self.tokens.words, self.topics, self._table)
        if self.others is not None:
            self._table += self.others
        self._total = self._table.sum(axis=0, dtype=np.float64)

    def sweep(self, doc_prior: np.ndarray) -> None:
        rng = np.random.default_rng([self.seed, 1 + self.n_sweeps])
        beta, beta_total = self.word_prior.double, np.empty(self.n_components)
        beta_total[:] = self.word_prior.totals
        for first, last in cut_all(self.tokens.starts, 1, self.n_components):
            kernels.sweep(
                self.tokens.words,
                self.tokens.starts[first : last + 1],
                self.topics,
                self._table,
                self._total,
                _rows(doc_prior, first, last),
                beta,
                beta_total,
                rng,
            )
        self.n_sweeps += 1

    def word_topic(self) -> np.ndarray:
        return self._table

    def totals(self) -> np.ndarray:
        return self._total


class BlockedChain(Chain):
    """A sweep goes through 32 blocks of documents; in a block, counts of words stand still.

    A token is drawn given the topics that the other tokens of its document have at that
    moment, those of other documents at the start of the block, and topics' totals at the
    start of the sweep. A block's documents can then be drawn side by side.
    """

    def _start(self) -> None:
        """Cut the documents into blocks."""
        starts = self.tokens.starts
        self._blocks = cut(starts, 0, len(starts) - 1, N_BLOCKS)
        self._words = self.cut_words()
        self._fresh = np.empty_like(self.topics)
        self._width = filled_up(self.n_components)

    def sweep(self, doc_prior: Any) -> None:
        key = self._key()
        beta = self.word_prior.single
        inverse = inverted(self.totals(), self.word_prior)
        starts = self.tokens.starts
        for first, last in self._blocks:
            self.workers.run(
                [
                    partial(self._draw, *piece, inverse, doc_prior, beta, key)
                    for piece in cut(starts, first, last, self.workers.n)
                ]
            )
            tokens = slice(starts[first], starts[last])
            self.workers.run(
                [
                    partial(self._move, tokens.start, tokens.stop, *piece)
                    for piece in self._words
                ]
            )
            self.topics[tokens] = self._fresh[tokens]
        self.n_sweeps += 1

    def _key(self) -> np.uint64:
        """Return the name of the sweep's random numbers."""
        number = np.random.SeedSequence([self.seed, 1 + self.n_sweeps])
        return number.generate_state(1, np.uint64)[0]

    @abstractmethod
    def _draw(self, first, last, inverse, doc_prior, beta, key) -> None:
        """Draw fresh topics for a range of documents."""

    @abstractmethod
    def _move(self, first, last, low, high) -> None:
        """Count the fresh topics of a range of tokens, for a range of words."""


class RowChain(BlockedChain):
    """Counts are a dense table."""

    def _count(self) -> None:
        self._start()
        self._table = block_kernels.zeros(self.tokens.n_words, self._width)
        block_kernels.fill_rows(self.tokens.words, self.topics, self._table)
        if self.others is not None:
            self._table[:, : self.n_components] += self.others

    def totals(self) -> np.ndarray:
        return self._table[:, : self.n_components].sum(axis=0, dtype=np.float64)

    def _draw(self, first, last, inverse, doc_prior, beta, key) -> None:
        block_kernels.draw_rows(
            *self.tokens[:2],
            self.topics,
            self._fresh,
            first,
            last,
            self._table,
            np.float32(1),
            inverse,
            doc_prior,
            beta,
            key,
            *block_kernels.room(self._width),
        )

    def _move(self, first, last, low, high) -> None:
        block_kernels.move_rows(
            self.tokens.words,
            self.topics,
            self._fresh,
            first,
            last,
            low,
            high,
            self._table,
        )

    def word_topic(self) -> np.ndarray:
        return self._table[:, : self.n_components]


class ListChain(BlockedChain):
    """Counts are a list for each word of the topics that it has, without ``others``."""

    def _count(self) -> None:
        self._start()
        n_words, K = self.tokens.n_words, self.n_components
        most = self._n_of_words()
        begins = np.zeros(n_words + 1, np.int64)
        np.cumsum([filled_up(n) for n in np.minimum(most, K)], out=begins[1:])
        listed = np.full(begins[-1], self._width, np.int32)
        self._lists = (
            begins,
            np.zeros(n_words, np.int32),
            listed,
            np.zeros(listed.size, np.float32),
        )
        block_kernels.fill_lists(self.tokens.words, self.topics, *self._lists)
        self._nothing = block_kernels.zeros(1, self._width)

    def totals(self) -> np.ndarray:
        total = np.zeros(self.n_components, np.int64)
        block_kernels.count_each(self.topics, total)
        return total

    def _draw(self, first, last, inverse, doc_prior, beta, key) -> None:
        block_kernels.draw_lists(
            *self.tokens[:2],
            self.topics,
            self._fresh,
            first,
            last,
            *self._lists,
            self._nothing,
            inverse,
            doc_prior,
            beta,
            key,
            *block_kernels.room(self._width),
        )

    def _move(self, first, last, low, high) -> None:
        block_kernels.move_lists(
            self.tokens.words,
            self.topics,
            self._fresh,
            first,
            last,
            low,
            high,
            *self._lists,
            self._width,
        )

    def word_topic(self) -> np.ndarray:
        table = np.zeros((self.tokens.n_words, self.n_components), np.float32)
        block_kernels.lists_to_rows(*self._lists, table)
        return table

    def cells(self) -> Iterator[np.ndarray]:
        counts = self._lists[3]
        for first in range(0, counts.size, 2**20):
            piece = counts[first : first + 2**20]
            yield piece[piece > 0]

    def placed_cells(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        begins, _, listed, counts = self._lists
        for first in range(0, counts.size, 2**20):
            slots = first + np.flatnonzero(counts[first : first + 2**20] > 0)
            words = np.searchsorted(begins, slots, side="right") - 1
            yield words, listed[slots], counts[slots]


def start_chain(
    tokens: Tokens,
    topics: np.ndarray,
    n_components: int,
    word_prior: Any,
    seed: int,
    workers: Workers,
    others: np.ndarray | None = None,
    *,
    sampler: str = "auto",
) -> Chain:
    """Return the chain that ``sampler`` means: "exact", "blocked", or "auto".

    Parameters are those of ``Chain``.
    """
    few = topics.size <= FEW_TOKENS
    prior = as_word_prior(word_prior, tokens.n_words)
    dense = others is not None or prior.n_dimensions == 2  # they are tables themselves
    if sampler == "exact" or (sampler == "auto" and few):
        kind: type[Chain] = ExactChain
    elif n_components < MANY_TOPICS or dense:
        kind = RowChain
    else:
        kind = ListChain
    return kind(tokens, topics, n_components, prior, seed, workers, others)


def fold_in_topics(
    tokens: Tokens,
    topics: np.ndarray,
    counts: np.ndarray,
    doc_prior: np.ndarray,
    word_prior: Any,
    seed: int,
    workers: Workers,
) -> np.ndarray:
    """Return topics of tokens drawn under known counts of words in topics, (V, K)."""
    K = counts.shape[1]
    table = block_kernels.zeros(tokens.n_words, filled_up(K))
    table[:, :K] = counts
    total = counts.sum(axis=0, dtype=np.float64)
    prior = as_word_prior(word_prior, len(counts))
    inverse = inverted(total, prior)[[0, 0]]  # of other tokens
    before, after = topics.copy(), topics
    for number in range(_N_FOLDS):
        key = np.random.SeedSequence([seed, 0, number]).generate_state(1, np.uint64)[0]
        workers.run(
            [
                partial(
                    block_kernels.draw_rows,
                    *tokens[:2],
                    before,
                    after,
                    *piece,
                    table,
                    np.float32(0),
                    inverse,
                    doc_prior[np.newaxis],
                    prior.single,
                    key,
                    *block_kernels.room(table.shape[1]),
                )
                for piece in cut_all(tokens.starts, workers.n, K)
            ]
        )
        before, after = after, before
    return before


def settle(chain: Chain, doc_prior: Any, n_passes: int | None = None) -> np.ndarray:
    """Return expected counts of words in topics, of shape (V, K), documents standing still.

    Given the topics of the other tokens of its document and the topics' words φ, a token is
    of topic k with probability γ_k ∝ (n_dk + α_dk) φ_kw; given all γ, φ_kw ∝ Σ γ_k + β_kw. The
    two steps alternate from the counts of the chain, with steps twice as long in
    logarithms (over-relaxed expectation maximisation; one short step is φ of CGS_p).
    """
    K, V = chain.n_components, chain.tokens.n_words
    if n_passes is None:
        n_passes = N_PASSES if K < MANY_TOPICS else N_PASSES_MANY
    table = block_kernels.zeros(V, filled_up(K))
    shares = block_kernels.zeros(V, filled_up(K), kind=chain.counted())
    table[:, :K] = chain.word_topic()
    beta = chain.word_prior.single
    others = np.zeros((0, 0), np.float32) if chain.others is None else chain.others
    words = chain.cut_words()
    for _ in range(n_passes):
        total = table[:, :K].sum(axis=0, dtype=np.float64)
        inverse = inverted(total, chain.word_prior)[[0, 0]]
        given = table, inverse, doc_prior, shares
        for documents in cut_all(chain.tokens.starts, 1, K):
            chain.workers.run(
                [partial(chain.share, *documents, *piece, *given) for piece in words]
            )
        chain.workers.run(
            [
                partial(block_kernels.relax, shares, others, table, *piece, beta)
                for piece in words
            ]
        )
    return table[:, :K]


def filled_up(n: int) -> int:
    """Return the least multiple of 16 that is at least n."""
    return -(-n // LANES) * LANES


def inverted(totals: np.ndarray, word_prior: WordPrior) -> np.ndarray:
    """Return 1 / (n_k + Σ_w β_kw), and in a second row the same without one token."""
    n = np.array([totals, np.maximum(totals - 1, 0)])
    return (1 / (n + word_prior.totals)).astype(np.float32)


def _rows(doc_prior: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return the priors of some documents: theirs, or the one that all share."""
    return doc_prior[first:last] if len(doc_prior) > 1 else doc_prior


def _ranges(cuts: list[int]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in pairwise(cuts) if a < b]


def cut_all(starts: np.ndarray, n_threads: int, weight: int) -> list[tuple[int, int]]:
    """Cut all documents into pieces that take a moment, at least one for each thread.

    Compiled loops over them can then be interrupted in between. ``weight`` tells how long a
    token takes: about the number of topics that are looked at.
    """
    n = max(n_threads, int(starts[-1]) * weight // _MOMENT)
    return cut(starts, 0, len(starts) - 1, n)


def cut(starts: np.ndarray, first: int, last: int, n: int) -> list[tuple[int, int]]:
    """Cut a range of documents into n at most, with as many tokens in each."""
    if n == 1:
        return [(first, last)]
    goals = starts[first] + (starts[last] - starts[first]) * np.arange(1, n) / n
    inner = np.searchsorted(starts[first:last], goals) + first
    return _ranges([first, *inner.tolist(), last])
