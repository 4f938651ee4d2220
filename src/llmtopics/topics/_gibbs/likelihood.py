"""The likelihood of a chain's state.

It is computed from how often each count occurs. Most n_dk and n_wk are small, so it is enough
to know how many of them are 1, 2, and so on.

D documents, T tokens, K topics, V words.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln

from llmtopics._compiled.compile import compiled
from llmtopics.topics._gibbs.assigned_paths import AssignedPaths
from llmtopics.topics._gibbs.chain import Chain

_N_SMALL = 256  # counts below this are tallied in a table, others listed one by one
_LARGE = 1e6  # for larger priors, differences of gammaln lose digits


class Divided(NamedTuple):
    """How groups divide their tokens among K parts, such as documents among topics.

    There may be G kinds of groups. Each kind has K parts and its own Dirichlet prior. Part
    ``g * K + k`` is part k of kind g.

    parts, in_part, n_in : ndarrays; ``n_in`` groups have ``in_part`` tokens in the part
    kinds, lengths, n_of : ndarrays; ``n_of`` groups of the kind have ``lengths`` tokens
    """

    parts: np.ndarray
    in_part: np.ndarray
    n_in: np.ndarray
    kinds: np.ndarray
    lengths: np.ndarray
    n_of: np.ndarray


class Cells(NamedTuple):
    """How often each count of a word in a topic occurs.

    in_cell, n_cells : ndarrays; ``n_cells`` pairs (word, topic) have ``in_cell`` tokens
    priors : float, or ndarray with one entry per entry of ``in_cell``; β of the pairs
    totals : ndarray of shape (K,), n_k
    prior_totals : float or ndarray of shape (K,), Σ_w β_kw
    n_words : int, V
    """

    in_cell: np.ndarray
    n_cells: np.ndarray
    priors: Any
    totals: np.ndarray
    prior_totals: Any
    n_words: int


def tally_cells(chain: Chain) -> Cells:
    """Count how often each n_wk occurs; list all of them if their priors differ."""
    prior = chain.word_prior
    totals = np.array(chain.counts.totals(), np.float64)
    if prior.n_dimensions > 0:
        words, topics, counts = map(
            np.concatenate, zip(*chain.counts.placed_cells(), strict=True)
        )
        one, priors = np.ones(len(counts)), prior.of_cells(words, topics)
        return Cells(counts, one, priors, totals, prior.totals, prior.n_words)
    small = np.zeros(_N_SMALL, np.int64)
    large: list[np.ndarray] = []
    for piece in chain.counts.cells():
        counts = piece.astype(np.int64)
        small += np.bincount(counts[counts < _N_SMALL], minlength=_N_SMALL)
        large.append(counts[counts >= _N_SMALL])
    return Cells(
        np.concatenate([np.flatnonzero(small), *large]),
        np.concatenate([small[small > 0], np.ones(sum(map(len, large)), np.int64)]),
        prior.values,
        totals,
        prior.totals,
        prior.n_words,
    )


def divided(starts: np.ndarray, parts: np.ndarray, n_parts: int) -> Divided:
    """Count how documents divide their tokens among parts.

    starts : int64 (D + 1,), document d owns the tokens ``starts[d]:starts[d + 1]``
    parts : whole numbers (T,), below ``n_parts``
    """
    lengths, n_of = np.unique(np.diff(starts), return_counts=True)
    return Divided(
        *tally_parts(starts, parts, n_parts), np.zeros_like(lengths), lengths, n_of
    )


def divided_each(starts: np.ndarray, parts: np.ndarray, n_parts: int) -> Divided:
    """Return the same as ``divided``, where each document is a kind with its own prior."""
    lengths = np.diff(starts)
    D = len(lengths)
    pairs = np.repeat(np.arange(D) * n_parts, lengths) + parts
    found, in_part = np.unique(pairs, return_counts=True)
    once, kinds = np.ones(len(found), np.int64), np.arange(D)
    return Divided(found, in_part, once, kinds, lengths, np.ones(D, np.int64))


def divided_paths(starts: np.ndarray, paths: AssignedPaths) -> tuple[Divided, Divided]:
    """Count how documents divide among super-topics, and super-topics among sub-topics."""
    S, K = paths.n_super, paths.n_components
    among_supers = divided(starts, paths.supers, S)
    both = paths.supers.astype(np.int32) * np.int32(K) + paths.topics
    return among_supers, Divided(*tally_parts(starts, both, S * K), *among_supers[:3])


def tally_parts(
    starts: np.ndarray, parts: np.ndarray, n_parts: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return arrays of parts, of n, and of how many documents have n tokens of the part."""
    width = _width(n_parts)
    table = np.zeros((n_parts, width), np.int64)
    many = np.empty((parts.size // width, 2), np.int64)
    n_many = _tally_documents(starts, parts, table, many, np.zeros(n_parts, np.int64))
    found, in_part = np.nonzero(table)
    return (
        np.concatenate([found, many[:n_many, 0]]),
        np.concatenate([in_part, many[:n_many, 1]]),
        np.concatenate([table[found, in_part], np.ones(n_many, np.int64)]),
    )


def merged_tallies(
    tallies: list[tuple[np.ndarray, np.ndarray, np.ndarray]], n_parts: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what ``tally_parts`` gives for consecutive documents, from those of pieces."""
    parts, in_part, n_in = map(np.concatenate, zip(*tallies, strict=True))
    small = in_part < _width(n_parts)
    table = np.zeros((n_parts, _width(n_parts)), np.int64)
    np.add.at(table, (parts[small], in_part[small]), n_in[small])
    found, n = np.nonzero(table)
    return (
        np.concatenate([found, parts[~small]]),
        np.concatenate([n, in_part[~small]]),
        np.concatenate([table[found, n], n_in[~small]]),
    )


def _width(n_parts: int) -> int:
    """Return the columns of a table of tallies; fewer with many parts to keep it small."""
    return max(16, min(_N_SMALL, 2**20 // n_parts))


@compiled
def _tally_documents(starts, topics, table, many, count):
    """Count (topic, n_dk): small ones in a table (K, n), others in rows of ``many``."""
    n_many = 0
    for d in range(starts.shape[0] - 1):
        for t in range(starts[d], starts[d + 1]):
            count[topics[t]] += 1
        for t in range(starts[d], starts[d + 1]):
            k = topics[t]
            n = count[k]
            if n == 0:
                continue
            count[k] = 0
            if n < table.shape[1]:
                table[k, n] += 1
            else:
                many[n_many, 0] = k
                many[n_many, 1] = n
                n_many += 1
    return n_many


def log_joint(cells: Cells, *divisions: tuple[Divided, np.ndarray]) -> float:
    """Return log p(w, z) per token, mixtures and topics integrated out.

    Griffiths & Steyvers 2004, equations 2 and 3. Each of ``divisions`` is a ``Divided`` and
    its Dirichlet prior.
    """
    of_topics = sum(log_division(*division) for division in divisions)
    return float((_log_words(cells) + of_topics) / cells.totals.sum())


def log_words(cells: Cells) -> float:
    """Return log p(w | z) per token, topics' words integrated out (the same, equation 2)."""
    return float(_log_words(cells) / cells.totals.sum())


def _log_words(cells: Cells) -> np.floating:
    of_words = cells.n_cells @ log_rising(cells.priors, cells.in_cell)
    return of_words - log_rising(cells.prior_totals, cells.totals).sum()


def log_division(divided: Divided, prior: np.ndarray) -> float:
    """Return the log-probability of the parts, with the mixtures integrated out.

    ``prior`` is of shape (K,), or (G, K) for G kinds of groups.
    """
    a = np.atleast_2d(prior).sum(axis=1)[divided.kinds]
    alpha = prior.ravel()[divided.parts]
    return float(
        divided.n_in @ log_rising(alpha, divided.in_part)
        - divided.n_of @ log_rising(a, divided.lengths)
    )


def log_rising(a: np.ndarray | float, n: np.ndarray) -> np.ndarray:
    """Return ``log Γ(a + n) / Γ(a)``, n ≥ 0.

    For large a, the difference of two ``gammaln`` has no digits left. Stirling's series is
    used there.
    """
    large = np.maximum(a, _LARGE)
    series = (
        n * np.log(large)
        + ((large + n - 0.5) * np.log1p(n / large) - n)
        + (1 / (large + n) - 1 / large) / 12
    )
    return np.where(np.less(a, _LARGE), gammaln(a + n) - gammaln(a), series)
