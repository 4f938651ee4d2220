"""Choose sentences that cover the topics, the words and the vectors of a set of sentences."""

import heapq
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

_LENGTH_POWER = {True: 1.0, False: 0.5}  # with a limit of words, and without
_SHORT = 8  # words; shorter sentences are no better, because many are fragments
_MOST_TARGETS = 1000  # vectors to be near to, so that time stays linear
_BLOCK = 2000  # sentences whose cosines are in memory at a time


class Weights(NamedTuple):
    """Weights of the three kinds of coverage, and of early sentences."""

    topics: float
    words: float
    vectors: float
    position: float


class Candidates(NamedTuple):
    """The n sentences of one summary, in the order of the documents.

    mixtures : ndarray of shape (n, K)
        θ of each sentence.
    words : csr_array of shape (n, V) or None
        The words of each sentence. Only zero and not zero matters.
    vectors : ndarray of shape (n, E) or None
        Vectors of length one, or zeros.
    target : ndarray of shape (K,)
        The topic proportions to cover.
    n_words : ndarray of shape (n,)
        Lengths.
    positions : ndarray of shape (n,)
        The position of each sentence in its document, from 0.
    is_copy : ndarray of shape (n,), of bool
        Whether an earlier sentence is the same. Copies are covered and never chosen.
    """

    mixtures: np.ndarray
    words: sp.csr_array | None
    vectors: np.ndarray | None
    target: np.ndarray
    n_words: np.ndarray
    positions: np.ndarray
    is_copy: np.ndarray


class Chosen(NamedTuple):
    """A sentence: its number, what it added, and the topic coverage with it."""

    sentence: int
    score: float
    coverage: float


def topic_coverage(mixtures: np.ndarray) -> np.ndarray:
    """Return the probability of each topic to be in at least one sentence, (K,)."""
    return 1 - np.prod(1 - mixtures, axis=0)


def choose_sentences(
    candidates: Candidates,
    weights: Weights,
    n_sentences: int | None,
    n_words: int | None,
) -> list[Chosen]:
    """Return the sentences in the order in which they are chosen, greedily.

    What a sentence adds never grows while others are chosen. So only the best of the old
    values is computed again, until it stays the best (lazy greedy).
    """
    covered = _Covered(candidates, weights)
    lengths = np.maximum(candidates.n_words, _SHORT) / _SHORT
    early = 1 + weights.position / (1 + candidates.positions)
    scale = early / lengths ** _LENGTH_POWER[n_words is not None]
    queue = [
        (-gain, i, 0)
        for i, gain in enumerate((covered.first_gains * scale).tolist())
        if not candidates.is_copy[i]
    ]
    heapq.heapify(queue)
    chosen: list[Chosen] = []
    left = np.inf if n_words is None else n_words
    while queue and len(chosen) != n_sentences:
        gain, i, n_known = heapq.heappop(queue)
        if candidates.n_words[i] > left:
            continue
        if n_known < len(chosen):
            now = covered.gain(i) * float(scale[i])
            heapq.heappush(queue, (-now, i, len(chosen)))
            continue
        covered.add(i)
        left -= candidates.n_words[i]
        chosen.append(Chosen(i, -gain, covered.topic_share()))
    return chosen


class _Covered:
    """What the chosen sentences cover, and what one more would add.

    The best first sentence of each term gets the term's weight.
    """

    def __init__(self, candidates: Candidates, weights: Weights) -> None:
        self.given = candidates
        self.missing = np.ones_like(candidates.target)  # Π_j (1 - θ_jk)
        if candidates.words is not None:
            self.words = (candidates.words != 0).astype(np.float64)
            counts = np.asarray(self.words.sum(axis=0)).ravel()
            self.shares = counts / max(counts.sum(), 1)
            self.times = np.zeros(len(counts))
        if candidates.vectors is not None:
            n = len(candidates.vectors)
            some = np.linspace(0, n - 1, min(n, _MOST_TARGETS)).astype(int)
            self.targets = candidates.vectors[some]
            self.nearest = np.zeros(len(some))
        first = self._first_terms()
        most = first.max(axis=1, initial=0)
        # a term that no sentence adds to does not count, whatever its weight
        self.scales = np.array(weights[:3]) / np.where(most > 0, most, np.inf)
        self.first_gains = self.scales @ first

    def _first_terms(self) -> np.ndarray:
        """Return what each sentence adds to the three terms of none, (3, n)."""
        given = self.given
        terms = np.zeros((3, len(given.mixtures)))
        terms[0] = given.mixtures @ given.target
        if given.words is not None:
            terms[1] = self.words @ self.shares
        if given.vectors is not None:
            for i in range(0, terms.shape[1], _BLOCK):
                cosines = given.vectors[i : i + _BLOCK] @ self.targets.T
                terms[2, i : i + _BLOCK] = np.maximum(cosines, 0).mean(axis=1)
        return terms

    def gain(self, i: int) -> float:
        """Return what a sentence adds."""
        given = self.given
        terms = np.zeros(3)
        terms[0] = (given.mixtures[i] * self.missing) @ given.target
        if given.words is not None:
            own = self._words_of(i)
            more = np.sqrt(self.times[own] + 1) - np.sqrt(self.times[own])
            terms[1] = self.shares[own] @ more
        if given.vectors is not None:
            cosines = self.targets @ given.vectors[i]
            terms[2] = np.maximum(cosines - self.nearest, 0).mean()
        return float(self.scales @ terms)

    def add(self, i: int) -> None:
        """Choose a sentence."""
        self.missing *= 1 - self.given.mixtures[i]
        if self.given.words is not None:
            self.times[self._words_of(i)] += 1
        if self.given.vectors is not None:
            cosines = self.targets @ self.given.vectors[i]
            self.nearest = np.maximum(self.nearest, cosines)

    def topic_share(self) -> float:
        """Return the share of the target that the chosen sentences cover."""
        return float((1 - self.missing) @ self.given.target)

    def _words_of(self, i: int) -> np.ndarray:
        return self.words.indices[self.words.indptr[i] : self.words.indptr[i + 1]]
