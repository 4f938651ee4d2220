"""A model of the time, bytes and memory of a sweep of ``DaskGibbsLDA``.

Times of a shard's parts are measured in one thread (``parts``). Two numbers are fitted to sweeps
on workers: seconds per block, and seconds per byte that a worker receives.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

N_BLOCKS, FAN_IN, PER_MOVE = 32, 8, 8  # bytes of a moved token: word, two topics


class Parts(NamedTuple):
    """Seconds of a shard in one thread."""

    draw: float  # per token
    change: float  # per token: find what has moved
    apply: float  # per byte of moved tokens
    table: float  # per moved token: count it in a table
    add: float  # per byte of a table


class Load(NamedTuple):
    """A fit: its corpus and its cluster. ``moved`` is the share of tokens that move."""

    n_tokens: float
    n_words: int
    n_components: int
    n_workers: int
    moved: float
    n_threads: int = 1


class Exchange(NamedTuple):
    """Bytes of a sweep, per worker if nothing else is said."""

    received: float  # most that one worker receives
    sent: float  # most that one worker sends, if nobody passes changes on
    applied: float
    total: float  # of all workers
    dense: bool  # whether changes arrive as tables
    hops: int  # transfers of a block, one after another
    table: float  # bytes of a change of one worker in one block


class Cost(NamedTuple):
    parts: Parts
    block: float  # seconds per block: messages of the scheduler and the workers
    receive: float  # seconds per byte: write, send and read in this machine


def cells(load: Load) -> float:
    return load.n_words * (-(-load.n_components // 16) * 16)


def exchange(load: Load) -> Exchange:
    """Return what workers send each other in a sweep."""
    W, table = load.n_workers, 4 * cells(load)
    own = PER_MOVE * load.moved * load.n_tokens / N_BLOCKS / W
    size, n, received, total, hops = min(own, table), W, 0.0, 0.0, 0
    while n > FAN_IN:  # changes are added up on the way
        groups = -(-n // FAN_IN)
        received += (FAN_IN - 1) * size
        total += (n - groups) * size
        size, n, hops = min(size * n / groups, table), groups, hops + 1
    received += n * size * (W - 1) / W
    total += n * size * (W - 1)
    sent = size * (W - 1)
    hops += W > 1
    every = N_BLOCKS * np.array([received, sent, n * size, total])
    return Exchange(*every, size >= table, hops, min(own, table))


def work(load: Load, parts: Parts) -> float:
    """Return the seconds of a sweep on each worker, without messages."""
    T, found = load.n_tokens / load.n_workers, exchange(load)
    seconds = parts.draw * T / load.n_threads + parts.change * T
    if found.table >= 4 * cells(load):
        seconds += parts.table * load.moved * T
    rate = parts.add if found.dense else parts.apply
    return seconds + rate * found.applied


def seconds(
    load: Load, cost: Cost, bandwidth: float = np.inf, latency: float = 0.0
) -> float:
    """Return the seconds of a sweep.

    bandwidth : bytes per second of each worker's network, beside what this machine needs
    latency : seconds of a message in the network, two messages per transfer
    """
    found = exchange(load)
    network = max(found.received, found.sent) / bandwidth
    per_block = cost.block + 2 * latency * found.hops
    return (
        work(load, cost.parts)
        + N_BLOCKS * per_block
        + cost.receive * found.received
        + network
    )


def memory(load: Load) -> float:
    """Return the bytes that ``DaskGibbsLDA`` asks for on each worker."""
    from llmtopics.dask._memory import bytes_per_worker

    _, n_words, n_components, n_workers, *_ = load
    return bytes_per_worker(int(load.n_tokens), n_words, n_components, n_workers)


def fitted(loads: list[Load], measured: list[float], parts: Parts) -> Cost:
    """Fit seconds per block and per byte to measured sweeps, by relative error."""
    known = np.array([work(load, parts) for load in loads])
    unknown = np.array([[N_BLOCKS, exchange(load).received] for load in loads])
    at = np.array(measured)
    scale = unknown.max(axis=0)
    found, _ = nnls(unknown / scale / at[:, None], np.maximum(at - known, 0) / at)
    return Cost(parts, *map(float, found / scale))


def measured_parts(folder, n_tokens: int | None) -> dict:
    """Measure a shard that has all documents, in this process and one thread."""
    from time import perf_counter

    from benchmarks.dask_lda import ALPHA, BETA, N_FIRST, N_SWEEPS, K, sizes, stored
    from llmtopics._compiled.threads import ONE
    from llmtopics.dask import _shard
    from llmtopics.dask._changes import _dense, apply
    from llmtopics.topics._gibbs.pieces import cut
    from llmtopics.topics._gibbs.tokens import Tokens, random_topics
    from llmtopics.topics._gibbs.word_prior import WordPrior

    counts = stored(folder, n_tokens)
    words, starts = np.array(counts.words), np.array(counts.starts)
    V = counts.shape[1]
    tokens = Tokens(words, starts, V)
    blocks = cut(starts, 0, len(starts) - 1, N_BLOCKS)
    pieces = [_shard.Piece(a, b, int(starts[a])) for a, b in blocks]
    topics = random_topics(tokens, K, 0)
    shard = _shard.Shard(tokens, topics, pieces, K, 0, WordPrior(BETA, V))
    _shard.set_counts(shard, _shard.own_counts(shard), 0)
    lines: list[list[float]] = []
    for sweep in range(N_SWEEPS):
        times, n_moved = np.zeros(5), 0
        shard.begin_sweep(np.full(K, ALPHA), None)
        for block in range(N_BLOCKS):
            at = [perf_counter()]
            shard.draw(sweep, block, ONE)
            at.append(perf_counter())
            change = shard.change(block)
            at.append(perf_counter())
            apply(change, shard.counts, ONE)
            at.append(perf_counter())
            dense = _dense(change, shard.shape)
            at.append(perf_counter())
            shard.counts.add(dense)
            at.append(perf_counter())
            times += np.diff(at)
            shard.counts.add(-dense)
            n_moved += len(change.words)
        shard.turn()
        per = [len(words), len(words), PER_MOVE * n_moved, n_moved]
        per.append(N_BLOCKS * dense.nbytes)
        lines.append([*(times / per), n_moved / len(words)])
    *parts, moved = np.median(lines[N_FIRST:], axis=0)
    named = Parts(*map(float, parts))._asdict()
    return sizes(counts) | {"parts": named, "moved": float(moved)}
