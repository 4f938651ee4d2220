"""Samplers draw the same topics as before: hashes of the topics after a few sweeps.

The corpus, the priors and the draws are whole numbers or simple fractions, so the hashes
are the same on every processor. If a change is meant to change the draws, write the new
hashes and say so in the changelog.
"""

from zlib import crc32

import numpy as np
import pytest

from llmtopics._compiled.threads import ONE
from llmtopics.topics._gibbs.assigned_paths import AssignedPaths, PathPrior
from llmtopics.topics._gibbs.chain import start_chain, start_path_chain
from llmtopics.topics._gibbs.known_counts import draw_under_counts
from llmtopics.topics._gibbs.tokens import Tokens

N_DOCUMENTS, N_WORDS = 60, 50


def pseudo_random(n, below, step):
    """Whole numbers below ``below``, without a generator that may change."""
    i = np.arange(1, n + 1, dtype=np.uint64)
    return (i * np.uint64(step) // np.uint64(1000) % np.uint64(below)).astype(np.int64)


def corpus():
    lengths = pseudo_random(N_DOCUMENTS, 60, 104_729)
    starts = np.append(0, np.cumsum(lengths))
    words = pseudo_random(starts[-1], 10, 1_299_709)
    documents = np.repeat(np.arange(N_DOCUMENTS), lengths)
    words = (words + 10 * (documents % 5)) % N_WORDS
    order = np.lexsort((words, documents))
    return Tokens(words[order].astype(np.int32), starts, N_WORDS)


def start(n, step):
    return pseudo_random(corpus().words.size, n, step).astype(np.uint16)


def hashed(*arrays):
    return crc32(b"".join(a.astype("<i4").tobytes() for a in arrays))


def lda(kind, n_components, n_priors=1, others=None):
    sampler = "exact" if kind == "exact" else "blocked"
    topics = start(n_components, 15_485_863)
    chain = start_chain(
        corpus(),
        topics,
        n_components,
        0.125,
        0,
        ONE,
        others,
        sampler=sampler,
        lists=kind == "lists",
    )
    prior = np.full((n_priors, n_components), 0.25)
    prior[:, ::2] = 0.5
    for _ in range(5):
        chain.sweep(prior)
    return hashed(chain.topics)


def pachinko(sampler, n_super, n_components):
    topics, supers = start(n_components, 15_485_863), start(n_super, 32_452_843)
    paths = AssignedPaths(topics, supers, n_super, n_components)
    chain = start_path_chain(corpus(), paths, 0.125, 0, ONE, sampler=sampler)
    below = np.full((n_super, n_components), 0.25)
    below[:, ::2] = 0.5
    for _ in range(5):
        chain.sweep(PathPrior(np.full(n_super, 0.5), below))
    return hashed(paths.topics, paths.supers)


def drawn_under_counts():
    counts = pseudo_random(N_WORDS * 7, 9, 104_729).reshape(N_WORDS, 7)
    topics = draw_under_counts(
        corpus(),
        start(7, 15_485_863),
        counts.astype(np.float32),
        np.full(7, 0.25),
        0.125,
        0,
        ONE,
    )
    return hashed(topics)


def others(n_components):
    return np.full((N_WORDS, n_components), 2, np.float32)


RESULTS = {
    "exact": (lambda: lda("exact", 7), 888380241),
    "exact, a prior per document": (lambda: lda("exact", 7, N_DOCUMENTS), 888380241),
    "exact, earlier counts": (lambda: lda("exact", 7, others=others(7)), 284780566),
    "rows": (lambda: lda("rows", 20), 1178687054),
    "rows, a prior per document": (lambda: lda("rows", 20, N_DOCUMENTS), 1178687054),
    "rows, earlier counts": (lambda: lda("rows", 20, others=others(20)), 3819096829),
    "lists": (lambda: lda("lists", 300), 2236506963),
    "lists, a prior per document": (lambda: lda("lists", 20, N_DOCUMENTS), 767353948),
    "Pachinko, exact": (lambda: pachinko("exact", 3, 20), 3858107548),
    "Pachinko, blocked": (lambda: pachinko("blocked", 3, 20), 410176186),
    "under known counts": (drawn_under_counts, 756077305),
}


@pytest.mark.parametrize("name", RESULTS)
def test_samplers_draw_the_same_topics_as_before(name):
    compute, expected = RESULTS[name]
    assert compute() == expected
