"""The workers of a fit: which documents each has, and the tasks of a sweep."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from distributed import Client, Future

from llmtopics._progress import stage
from llmtopics.dask import _shard as tasks
from llmtopics.dask._changes import merged
from llmtopics.dask._errors import finish, results
from llmtopics.dask._graph import Graph
from llmtopics.dask._sources import Piece, Source, between
from llmtopics.topics._gibbs.chain import MANY_TOPICS
from llmtopics.topics._gibbs.expected_counts import (
    N_PASSES,
    N_PASSES_MANY,
    type_of_sums,
)
from llmtopics.topics._gibbs.kernels.common import filled_up
from llmtopics.topics._gibbs.likelihood import (
    Cells,
    Divided,
    merged_tallies,
)
from llmtopics.topics._gibbs.pieces import cut
from llmtopics.topics._gibbs.schedules import N_BLOCKS
from llmtopics.topics._gibbs.tokens import COUNTED, topic_type
from llmtopics.topics._gibbs.word_prior import WordPrior

_FAN_IN = 8  # changes that one task receives
_PIPELINE = 2  # ranges of words per thread, so that few workers wait for others
Ranges = list[tuple[int, int]]


class Team:
    """The workers of one attempt, their shards, and what they are asked to do.

    Parameters
    ----------
    client : Client
    source : Source
    threads : dict of str to int
        Number of threads of each worker, by its address.
    n_components, seed : int
    word_prior : WordPrior
    """

    def __init__(
        self,
        client: Client,
        source: Source,
        threads: dict[str, int],
        n_components: int,
        seed: int,
        word_prior: WordPrior,
    ):
        self._client, self._source = client, source
        self.addresses, self._n_threads = list(threads), sum(threads.values())
        self._K, self._seed, self._word_prior = n_components, seed, word_prior
        self._shape = source.n_words, filled_up(n_components)
        starts, W = source.starts, len(threads)
        self._blocks = cut(starts, 0, len(starts) - 1, N_BLOCKS)
        self._documents: list[list[tuple[int, int] | None]] = [[] for _ in threads]
        for block in self._blocks:
            pieces: list[Any] = [*cut(starts, *block, W)]
            pieces += [None] * (W - len(pieces))
            for own, piece in zip(self._documents, pieces, strict=True):
                own.append(piece)
        self._shards: list[Future] = []

    def token_ranges(self) -> list[Ranges]:
        """Return the ranges of tokens of each worker, in its order."""
        starts = self._source.starts
        return [
            [(int(starts[a]), int(starts[b])) for a, b in filter(None, own)]
            for own in self._documents
        ]

    def open(self, topics: Callable[[Client, str, Ranges], Future], sweep: int) -> None:
        """Bring the words and topics to their workers, and count all tokens.

        topics : returns the topics of some ranges of tokens, on a worker
        sweep : the number of the next sweep
        """
        self._source.load()
        prior = self._client.scatter(
            self._word_prior, workers=self.addresses, broadcast=True, hash=False
        )
        given = self._K, self._seed, prior
        for worker, own, ranges in self._places():
            words = self._gathered(self._source.words, worker, ranges)
            starts, pieces = self._starts(own)
            place = self._on(worker, tasks.open_shard)
            place = partial(place, words, topics(self._client, worker, ranges))
            at = self._client.scatter(starts, workers=[worker], hash=False)
            self._shards.append(place(at, self._source.n_words, pieces, *given))
        graph = Graph()
        tables = self._all(tasks.own_counts, graph=graph)
        (total,) = self._together(tables, 1, graph=graph)
        known = self._all(tasks.set_counts, total, sweep, graph=graph)
        finish(self._client, graph.send(self._client, known), self.addresses)
        self._source.release()

    def sweep(self, number: int, alpha: np.ndarray, beta: float | None) -> None:
        """Draw all tokens once; workers exchange changes after each block."""
        graph, changes = Graph(), list[Any]()
        for block in range(len(self._blocks)):
            priors = (alpha, beta) if block == 0 else (None, None)
            given = (number, block), *priors, *changes
            drawn = self._all(tasks.draw_block, *given, graph=graph)
            changes = self._together(drawn, graph=graph)
        step = number, len(self._blocks)
        ends = self._all(tasks.end_sweep, step, *changes, graph=graph)
        finish(self._client, graph.send(self._client, ends), self.addresses)

    def sweeps_alone(
        self, number: int, n: int, alpha: np.ndarray, beta: float | None
    ) -> None:
        """Make n sweeps on each worker, and exchange changes after them."""
        graph, ends = Graph(), []
        drawn = self._all(tasks.draw_alone, number, n, alpha, beta, graph=graph)
        for j, worker in enumerate(self.addresses):
            others = self._together(drawn[:j] + drawn[j + 1 :], graph=graph)
            given = self._shards[j], number, n, drawn[j], *others
            ends.append(graph.add([worker], tasks.hear, *given))
        finish(self._client, graph.send(self._client, ends), self.addresses)

    def tallies(self) -> tuple[Cells, Divided]:
        """Return how counts of words, and of documents, divide among topics."""
        cells = self._on(self.addresses[0], tasks.cells_of)(self._shards[0])
        found = results(
            self._client, [cells, *self._all(tasks.tallies)], self.addresses
        )
        in_order = [t for block in zip(*found[1:], strict=True) for t in block if t]
        lengths = np.unique(np.diff(self._source.starts), return_counts=True)
        parts = merged_tallies(in_order, self._K)
        return found[0], Divided(*parts, np.zeros_like(lengths[0]), *lengths)

    def topics(self) -> list[list[Future]]:
        """Return a copy of the topics of each worker, and another one on its neighbor."""
        own, N = self._all(tasks.topics_of), len(self.addresses)
        copies = [[each] for each in own]
        if N > 1:
            for j, each in enumerate(own):
                keep = self._on(self.addresses[(j + 1) % N], tasks.kept)
                copies[j].append(keep(each))
        finish(self._client, [f for pair in copies for f in pair], self.addresses)
        return copies

    def write(self, path: str) -> None:
        """Write the topics to a file that all workers share."""
        finish(self._client, self._all(tasks.write_topics, path), self.addresses)

    def expected_counts(self, alpha: np.ndarray, beta: WordPrior) -> np.ndarray:
        """Return expected counts of words in topics, (V, K), after the last sweep.

        Consecutive documents move to each worker. Shares of a range of words are added up
        from worker to worker, in the order of the documents, as in memory. So the bits are
        those of a fit in memory.
        """
        table = self._on(self.addresses[0], tasks.table_of)(self._shards[0])
        n_of_word = self._on(self.addresses[0], tasks.row_sums)(table)
        (sums,) = results(self._client, [n_of_word], self.addresses)
        kind: type = np.float32
        if self._source.starts[-1] >= COUNTED:
            kind = type_of_sums(sums, self._source.starts)
        ends = np.concatenate([[0], np.cumsum(sums)])
        n_ranges = self._n_threads * (_PIPELINE if len(self.addresses) > 1 else 1)
        words = cut(ends, 0, len(sums), n_ranges)
        holders, rows = self._holders(table, beta, kind), list[Future]()
        del table
        self._shards = []
        n_passes = N_PASSES if self._K < MANY_TOPICS else N_PASSES_MANY
        with stage("passes", n_passes, "passes", hidden=True) as passes:
            for _ in range(n_passes):
                begin = [self._on(worker, tasks.begin_pass) for worker, _ in holders]
                ready = [
                    call(holder, alpha, words, *rows)
                    for call, (_, holder) in zip(begin, holders, strict=True)
                ]
                rows = []
                for piece in words:
                    shares: Any = None
                    for (worker, _), holder in zip(holders, ready, strict=True):
                        shares = self._on(worker, tasks.add_shares)(
                            holder, piece, shares
                        )
                    last = self._on(holders[-1][0], tasks.relaxed)
                    rows.append(last(ready[-1], piece, shares))
                finish(self._client, rows, self.addresses)
                passes.update()
        return np.concatenate(results(self._client, rows, self.addresses))[:, : self._K]

    def _holders(
        self, table: Future, beta: WordPrior, kind: type
    ) -> list[tuple[str, Future]]:
        """Give each worker consecutive documents."""
        words = self._as_pieces(self._all(tasks.words_of))
        topics = self._as_pieces(self._all(tasks.topics_of))
        prior = self._client.scatter(
            beta, workers=self.addresses, broadcast=True, hash=False
        )
        starts, holders = self._source.starts, []
        ranges = cut(starts, 0, len(starts) - 1, len(self.addresses))
        for (first, last), worker in zip(ranges, self.addresses, strict=False):
            own = np.array(starts[first : last + 1])
            begin, end = int(own[0]), int(own[-1])
            at = self._client.scatter(own - begin, workers=[worker], hash=False)
            join = self._on(worker, tasks.joined)
            moved = [
                join(dtype, *between(self._client, pieces, begin, end))
                for dtype, pieces in [(np.int32, words), (topic_type(self._K), topics)]
            ]
            hold = self._on(worker, tasks.hold)
            holders.append((worker, hold(*moved, at, table, prior, kind)))
        finish(self._client, [holder for _, holder in holders], self.addresses)
        return holders

    def _as_pieces(self, arrays: list[Future]) -> list[Piece]:
        """Return the pieces of an array per worker, in the order of the tokens."""
        return in_order(list(zip(self.token_ranges(), arrays, strict=True)))

    def _places(self):
        return zip(self.addresses, self._documents, self.token_ranges(), strict=True)

    def _starts(self, own) -> tuple[np.ndarray, list[tasks.Piece | None]]:
        """Return where the documents of a worker start, and its pieces of blocks."""
        starts = self._source.starts
        lengths, n = [np.zeros(1, np.int64)], 0
        pieces: list[tasks.Piece | None] = []
        for piece in own:
            if piece is None:
                pieces.append(None)
                continue
            first, last = piece
            lengths.append(np.diff(starts[first : last + 1]))
            pieces.append(tasks.Piece(n, n + last - first, int(starts[first])))
            n += last - first
        return np.cumsum(np.concatenate(lengths)), pieces

    def _gathered(self, pieces: Callable[..., list[Future]], worker: str, ranges):
        """Return the words of ranges of tokens as one array on a worker."""
        found = [f for a, b in ranges if a < b for f in pieces(a, b, worker)]
        return self._on(worker, tasks.joined)(np.int32, *found)

    def _on(self, worker: str, function: Callable[..., Any]) -> Callable[..., Future]:
        return partial(self._client.submit, function, workers=[worker], pure=False)

    def _all(
        self, function: Callable[..., Any], *given: Any, graph: Graph | None = None
    ) -> list[Any]:
        """Call a function with each shard, now or with the other tasks of a graph."""
        pairs = zip(self.addresses, self._shards, strict=True)
        if graph is not None:
            return [graph.add([worker], function, s, *given) for worker, s in pairs]
        return [self._on(worker, function)(shard, *given) for worker, shard in pairs]

    def _together(
        self, changes: list[Any], most: int = _FAN_IN, *, graph: Graph
    ) -> list[Any]:
        """Add changes up in a tree, until they are few."""
        while len(changes) > most:
            groups = range(0, len(changes), _FAN_IN)
            changes = [
                graph.add(
                    self.addresses, merged, self._shape, *changes[i : i + _FAN_IN]
                )
                for i in groups
            ]
        return changes


def in_order(arrays: list[tuple[Ranges, Future]]) -> list[Piece]:
    """Return the pieces of arrays that hold ranges of tokens, in the order of the tokens."""
    found = []
    for ranges, future in arrays:
        at = 0
        for begin, end in ranges:
            if begin < end:
                found.append(Piece(begin, end, future, at))
            at += end - begin
    return sorted(found, key=lambda piece: piece.begin)
