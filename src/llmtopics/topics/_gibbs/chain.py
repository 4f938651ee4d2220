"""A chain of Gibbs sampling: tokens, their topics, counts and a schedule."""

from typing import Any, Generic, TypeVar

import numpy as np

from llmtopics._compiled.threads import Workers
from llmtopics.topics._gibbs.assigned import Assigned
from llmtopics.topics._gibbs.assigned_paths import AssignedPaths, PathPrior
from llmtopics.topics._gibbs.assigned_topics import AssignedTopics
from llmtopics.topics._gibbs.counts import (
    Counts,
    LargeRowCounts,
    ListCounts,
    RowCounts,
    Table,
)
from llmtopics.topics._gibbs.schedules import Blocked, Exact, Schedule
from llmtopics.topics._gibbs.tokens import COUNTED, Tokens, n_of_words
from llmtopics.topics._gibbs.word_prior import WordPrior, as_word_prior

FEW_TOKENS = 2**17  # up to here, "auto" samples exactly
MANY_TOPICS = 256  # from here on, counts are lists
P = TypeVar("P")


class Chain(Generic[P]):
    """Topics of all tokens, redrawn sweep by sweep.

    The random numbers of a sweep depend only on the seed and the number of the sweep.

    Parameters
    ----------
    tokens : Tokens
    assigned : Assigned
        Changed by sweeps.
    counts : Counts
        Of ``assigned.topics``; changed by sweeps.
    schedule : Schedule
    word_prior : WordPrior
        β. May be set between sweeps.
    seed : int
    workers : Workers
        Results do not depend on them.
    others : ndarray of shape (V, K) or None
        Counts of words in topics from earlier documents. ``counts`` includes them.

    Attributes
    ----------
    n_sweeps : int
        Sweeps made so far.
    """

    def __init__(
        self,
        tokens: Tokens,
        assigned: Assigned[P],
        counts: Any,
        schedule: Schedule,
        word_prior: WordPrior,
        seed: int,
        workers: Workers,
        others: np.ndarray | None = None,
    ):
        self.tokens, self.assigned, self.counts = tokens, assigned, counts
        self.schedule, self.word_prior = schedule, word_prior
        self.seed, self.workers, self.others = seed, workers, others
        self.n_sweeps = 0

    @property
    def topics(self) -> np.ndarray:
        """Topic of each token; do not write to it."""
        return self.assigned.topics

    def sweep(self, doc_prior: P) -> None:
        """Redraw every token once."""
        self.schedule.sweep(self, doc_prior)
        self.n_sweeps += 1


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
    lists: bool | None = None,
    fresh: np.ndarray | None = None,
) -> Chain[np.ndarray]:
    """Return a chain of latent Dirichlet allocation.

    The other parameters are those of ``Chain``.

    Parameters
    ----------
    topics : ndarray of shape (T,)
        Topics at the start of the chain. Not changed, unless ``fresh`` is given.
    word_prior : float, ndarray of shape (V,) or (K, V), or WordPrior
    sampler : {"auto", "exact", "blocked"}
    lists : bool or None
        Whether blocked sampling stores counts in lists. Lists support neither ``others`` nor
        a prior per topic and word. None decides by the number of topics.
    fresh : ndarray of shape (T,) or None
        Where the first blocked sweep writes. Later sweeps write to ``topics`` and ``fresh`` in
        turn. None: both are new arrays.
    """
    prior = as_word_prior(word_prior, tokens.n_words)
    assigned = AssignedTopics(topics.copy() if fresh is None else topics, n_components)
    counts: Counts
    schedule: Schedule
    if is_exact(sampler, tokens):
        counts, schedule = Table(tokens, topics, n_components, others), Exact()
    else:
        large = int(n_of_words(tokens).max()) >= COUNTED
        if lists is None:
            tables = others is not None or prior.n_dimensions == 2 or large
            lists = n_components >= MANY_TOPICS and not tables
        elif lists and (others is not None or prior.n_dimensions == 2):
            raise ValueError(
                "Counts in lists support neither others nor a (K, V) topic_word_prior."
            )
        if fresh is None:
            fresh = np.empty_like(topics)
        schedule = Blocked(tokens, fresh, workers)
        counts = (
            ListCounts(tokens, topics, n_components)
            if lists
            else LargeRowCounts(tokens, topics, n_components)
            if large
            else RowCounts(tokens, topics, n_components, others)
        )
    return Chain(tokens, assigned, counts, schedule, prior, seed, workers, others)


def start_path_chain(
    tokens: Tokens,
    assigned: AssignedPaths,
    word_prior: Any,
    seed: int,
    workers: Workers,
    *,
    sampler: str = "auto",
) -> Chain[PathPrior]:
    """Return a chain of Pachinko allocation.

    Parameters are those of ``Chain``. ``word_prior`` may also be a float. ``sampler`` is
    "auto", "exact" or "blocked".
    """
    prior = as_word_prior(word_prior, tokens.n_words)
    if prior.n_dimensions:
        raise ValueError("PachinkoAllocation needs one number as topic_word_prior.")
    counts = RowCounts(tokens, assigned.topics, assigned.n_components)
    exact = is_exact(sampler, tokens)
    schedule = (
        Exact() if exact else Blocked(tokens, np.empty_like(assigned.topics), workers)
    )
    return Chain(tokens, assigned, counts, schedule, prior, seed, workers)


def is_exact(sampler: str, tokens: Tokens) -> bool:
    """Tell whether ``sampler`` means exact sampling of these tokens."""
    few = tokens.words.size <= FEW_TOKENS
    return sampler == "exact" or (sampler == "auto" and few)
