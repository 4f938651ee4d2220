"""The likelihood of a chain's state, and the priors that raise it.

Both read how often counts occur, not the counts themselves: most of n_dk and n_wk are
small, and a handful of numbers says how many are 1, 2, ...

D documents, T tokens, K topics, V words.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, psi

from llmtopics._compile import compiled
from llmtopics.topics._sampler import Chain

_N_SMALL = 256  # counts below this are tallied in a table, others listed one by one
_N_STEPS = 5
_LEAST = 1e-5  # prior of a topic that no document has


class Tallies(NamedTuple):
    """How often counts occur.

    topics, in_topic, n_documents : ndarrays; so many documents have ``in_topic`` tokens of
        a topic
    lengths, n_of_length : ndarrays; so many documents have this many tokens
    in_cell, n_cells : ndarrays; so many (word, topic) pairs have this many tokens
    totals : ndarray of shape (K,), n_k
    n_words : int, V
    """

    topics: np.ndarray
    in_topic: np.ndarray
    n_documents: np.ndarray
    lengths: np.ndarray
    n_of_length: np.ndarray
    in_cell: np.ndarray
    n_cells: np.ndarray
    totals: np.ndarray
    n_words: int


def tally(chain: Chain) -> Tallies:
    """Count the counts of a chain's state."""
    K, starts = chain.n_components, chain.tokens.starts
    table = np.zeros((K, _N_SMALL), np.int64)
    many = np.empty((chain.topics.size // _N_SMALL, 2), np.int64)
    n_many = _tally_documents(starts, chain.topics, table, many, np.zeros(K, np.int64))
    topics, in_topic = np.nonzero(table)
    ones = np.ones(n_many, np.int64)
    small = np.zeros(_N_SMALL, np.int64)
    large: list[np.ndarray] = []
    for piece in chain.cells():
        counts = piece.astype(np.int64)
        small += np.bincount(counts[counts < _N_SMALL], minlength=_N_SMALL)
        large.append(counts[counts >= _N_SMALL])
    cells = np.concatenate([np.flatnonzero(small), *large])
    lengths, n_of_length = np.unique(np.diff(starts), return_counts=True)
    return Tallies(
        np.concatenate([topics, many[:n_many, 0]]),
        np.concatenate([in_topic, many[:n_many, 1]]),
        np.concatenate([table[topics, in_topic], ones]),
        lengths,
        n_of_length,
        cells,
        np.concatenate([small[small > 0], np.ones(sum(map(len, large)), np.int64)]),
        np.array(chain.totals(), np.float64),
        chain.tokens.n_words,
    )


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


def log_joint(tallies: Tallies, doc_prior: np.ndarray, word_prior: float) -> float:
    """Return log p(w, z) per token, mixtures and topics integrated out.

    Griffiths & Steyvers 2004, equations 2 and 3; ``doc_prior`` is of shape (K,).
    """
    t, alpha, beta = tallies, doc_prior, word_prior
    a, vb = alpha.sum(), t.n_words * beta
    alpha = alpha[t.topics]
    total = (
        t.n_documents @ (gammaln(t.in_topic + alpha) - gammaln(alpha))
        + t.n_of_length @ (gammaln(a) - gammaln(t.lengths + a))
        + t.n_cells @ (gammaln(t.in_cell + beta) - gammaln(beta))
        + (gammaln(vb) - gammaln(t.totals + vb)).sum()
    )
    return float(total / t.totals.sum())


def learn_doc_prior(tallies: Tallies, doc_prior: np.ndarray) -> np.ndarray:
    """Return the asymmetric α, of shape (K,), after a few of Minka's fixed-point steps.

    T. Minka, "Estimating a Dirichlet distribution", 2000, equation 55, from tallies as in
    H. Wallach, D. Mimno and A. McCallum, "Rethinking LDA: why priors matter", NIPS 2009.
    """
    t, alpha = tallies, doc_prior
    for _ in range(_N_STEPS):
        a = alpha.sum()
        gain = t.n_documents * (
            psi(t.in_topic + alpha[t.topics]) - psi(alpha[t.topics])
        )
        gain = np.bincount(t.topics, gain, minlength=alpha.size)
        alpha = alpha * gain / (t.n_of_length @ (psi(t.lengths + a) - psi(a)))
        alpha = np.clip(alpha, _LEAST, 1 / _LEAST)
    return alpha


def learn_word_prior(tallies: Tallies, word_prior: float) -> float:
    """Return the symmetric β after a few of Minka's fixed-point steps."""
    t, beta = tallies, word_prior
    for _ in range(_N_STEPS):
        vb = t.n_words * beta
        gain = t.n_cells @ (psi(t.in_cell + beta) - psi(beta))
        loss = t.n_words * (psi(t.totals + vb) - psi(vb)).sum()
        beta = float(np.clip(beta * gain / loss, _LEAST, 1 / _LEAST))
    return beta
