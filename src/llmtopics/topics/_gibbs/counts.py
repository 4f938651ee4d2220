"""How counts of words in topics are stored: one class for each way.

``Table``: dense, updated after every draw; integers or double precision. ``RowCounts``:
dense, single precision. ``ListCounts``: for each word, a list of its topics.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from llmtopics.topics._gibbs.kernels import exact, lists, rows
from llmtopics.topics._gibbs.kernels.common import count_pairs, filled_up, zeros
from llmtopics.topics._gibbs.tokens import Tokens, n_of_words


class Counts(ABC):
    """Counts of words in topics.

    Parameters
    ----------
    tokens : Tokens
    topics : ndarray of shape (T,)
    n_components : int
    others : ndarray of shape (V, K) or None
        Counts that are added to those of ``tokens``.
    """

    @abstractmethod
    def word_topic(self) -> np.ndarray:
        """Return n_wk, of shape (V, K). Do not write to it."""

    @abstractmethod
    def totals(self) -> np.ndarray:
        """Return n_k, of shape (K,)."""

    def cells(self) -> Iterator[np.ndarray]:
        """Yield all positive n_wk, in pieces that need little memory."""
        for _, piece in self._pieces():
            yield piece[piece > 0]

    def placed_cells(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the words, topics and values of all positive n_wk, piece by piece."""
        for first, piece in self._pieces():
            words, topics = np.nonzero(piece > 0)
            yield words + first, topics, piece[words, topics]

    def _pieces(self) -> Iterator[tuple[int, np.ndarray]]:
        table = self.word_topic()
        for first in range(0, len(table), 1024):
            yield first, table[first : first + 1024]


class Table(Counts):
    """A dense table of integers, or of float64 with others; for ``kernels.exact``."""

    def __init__(
        self,
        tokens: Tokens,
        topics: np.ndarray,
        n_components: int,
        others: np.ndarray | None = None,
    ):
        kind = np.int32 if others is None else np.float64
        table = np.zeros((tokens.n_words, n_components), kind)
        count_pairs(tokens.words, topics, table)
        if others is not None:
            table += others
        self.parts = exact.Table(table, table.sum(axis=0, dtype=np.float64))

    def word_topic(self) -> np.ndarray:
        return self.parts.word_topic

    def totals(self) -> np.ndarray:
        return self.parts.topic_total


class RowCounts(Counts):
    """A dense table of float32; the length of its rows is a multiple of sixteen."""

    def __init__(
        self,
        tokens: Tokens,
        topics: np.ndarray,
        n_components: int,
        others: np.ndarray | None = None,
    ):
        self.n_components, self.width = n_components, filled_up(n_components)
        table = zeros(tokens.n_words, self.width)
        count_pairs(tokens.words, topics, table)
        if others is not None:
            table[:, :n_components] += others
        self.parts = rows.Rows(table, np.float32(1))

    def word_topic(self) -> np.ndarray:
        return self.parts.table[:, : self.n_components]

    def totals(self) -> np.ndarray:
        return self.word_topic().sum(axis=0, dtype=np.float64)

    def move(self, tokens, topics, fresh, first, last, low, high) -> None:
        """Count the new topics of a range of tokens, for a range of words."""
        rows.move(tokens, topics, fresh, first, last, low, high, self.parts)

    def add(self, change: np.ndarray) -> None:
        """Add an integer table of the shape of ``parts.table``."""
        table = self.parts.table
        table += change


class LargeRowCounts(RowCounts):
    """Rows for words with 2**24 tokens or more, without others.

    float32 cannot count beyond. So integers are counted, and the rows of floats that draws
    read are made of them after each block.
    """

    def __init__(self, tokens: Tokens, topics: np.ndarray, n_components: int):
        self.n_components, self.width = n_components, filled_up(n_components)
        self._whole = np.zeros((tokens.n_words, self.width), np.int32)
        count_pairs(tokens.words, topics, self._whole)
        table = zeros(tokens.n_words, self.width)
        table[:] = self._whole
        self.parts = rows.Rows(table, np.float32(1))

    def totals(self) -> np.ndarray:
        whole = self._whole[:, : self.n_components]
        return whole.sum(axis=0, dtype=np.int64).astype(np.float64)

    def move(self, tokens, topics, fresh, first, last, low, high) -> None:
        """Count the new topics of a range of tokens, for a range of words."""
        whole = rows.Rows(self._whole, np.float32(1))
        rows.move(tokens, topics, fresh, first, last, low, high, whole)
        self.parts.table[low:high] = self._whole[low:high]

    def add(self, change: np.ndarray) -> None:
        """Add an integer table of the shape of ``parts.table``."""
        self._whole += change
        self.parts.table[:] = self._whole


class ListCounts(Counts):
    """Lists of the topics of each word, without others."""

    def __init__(self, tokens: Tokens, topics: np.ndarray, n_components: int):
        self.n_components, self.width = n_components, filled_up(n_components)
        most = np.minimum(n_of_words(tokens), n_components)
        begins = np.zeros(tokens.n_words + 1, np.int64)
        np.cumsum([filled_up(n) for n in most], out=begins[1:])
        self.parts = lists.Lists(
            begins,
            np.zeros(tokens.n_words, np.int32),
            np.full(begins[-1], self.width, np.int32),
            np.zeros(begins[-1], np.float32),
            zeros(1, self.width),
        )
        lists.fill(tokens, topics, self.parts)

    def word_topic(self) -> np.ndarray:
        table = np.zeros((len(self.parts.lengths), self.n_components), np.float32)
        lists.to_rows(self.parts, table)
        return table

    def totals(self) -> np.ndarray:
        total = np.zeros(self.width + 1)  # the last entry is for unused slots of lists
        lists.add_up(self.parts, total)
        return total[: self.n_components]

    def move(self, tokens, topics, fresh, first, last, low, high) -> None:
        """Count the new topics of a range of tokens, for a range of words."""
        lists.move(tokens, topics, fresh, first, last, low, high, self.parts)

    def order(self) -> dict[str, np.ndarray]:
        """Return the lists. Their order depends on all draws before."""
        _, lengths, topics, counts, _ = self.parts
        return {"lengths": lengths, "topics": topics, "counts": counts}

    def set_order(
        self, lengths: np.ndarray, topics: np.ndarray, counts: np.ndarray
    ) -> None:
        """Replace the lists by those of ``order``."""
        self.parts = self.parts._replace(lengths=lengths, topics=topics, counts=counts)

    def cells(self) -> Iterator[np.ndarray]:
        counts = self.parts.counts
        for first in range(0, counts.size, 2**20):
            piece = counts[first : first + 2**20]
            yield piece[piece > 0]

    def placed_cells(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        begins, _, topics, counts, _ = self.parts
        for first in range(0, counts.size, 2**20):
            slots = first + np.flatnonzero(counts[first : first + 2**20] > 0)
            words = np.searchsorted(begins, slots, side="right") - 1
            yield words, topics[slots], counts[slots]
