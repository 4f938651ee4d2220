"""``pooling="prior"``: f is the Dirichlet prior of the topic model."""

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from llmtopics._checks import as_counts
from llmtopics.fusion._poolings._base import Contributions, Divide, Pooling
from llmtopics.topics import GibbsLDA
from llmtopics.topics._gibbs.expected_counts import to_topics
from llmtopics.topics._gibbs.tokens import Tokens

_N_ROUNDS = 20  # the directions of f are refitted between rounds of sweeps


class PriorPooling(Pooling):
    """θ ∝ n + s f + ε, with n the expected counts of topics in a document.

    Attributes
    ----------
    strength : float
        s, the number of tokens that f counts as.
    """

    co_trains = True
    strength: float
    fitted_names: ClassVar = {"strength_": "strength"}

    @classmethod
    def check(cls, given: SimpleNamespace) -> None:
        model = given.topic_model
        priors = [
            getattr(model, name, None)
            for name in ("doc_topic_prior", "topic_word_prior")
        ]
        if any(isinstance(prior, str) for prior in priors):
            raise ValueError(
                "pooling='prior' cannot learn the priors of topic_model: give numbers instead "
                "of 'auto', or use pooling='linear' or 'geometric'."
            )
        if not isinstance(model, GibbsLDA | None):
            raise ValueError(
                "pooling='prior' needs a GibbsLDA, which takes a prior per document, got "
                f"topic_model={model!r}: use pooling='linear' or pooling='geometric'."
            )

    def fit(self, X: sp.csr_array, inputs: Any, f: np.ndarray, seed: int) -> np.ndarray:
        """Sample the topics of words with prior f, and refit f between rounds of sweeps."""
        self.strength = strength(self.alpha, X.sum(axis=1))
        model, topics = self.counts.make_model(f.shape[1], seed), self.embeddings.topics
        n, movable = model.max_iter, self.embeddings.movable
        word_prior = self.counts.word_prior(f.shape[1], X.shape[1])
        moves: set[int] = set()
        if movable:
            measured = topics._measure(inputs)
            moves = sweeps_before_moves(n)

        def after_sweep(
            n_sweeps: int, tokens: Tokens, of_tokens: np.ndarray, prior: np.ndarray
        ) -> np.ndarray | None:
            if n_sweeps not in moves:
                return None
            words, mixtures = None, mean_mixtures(tokens, of_tokens, prior)
            if topics.concentration is None:
                counts = words_of_every_other(tokens, of_tokens, prior.shape[1])
                words = X, to_topics(counts, word_prior)
            return self.strength * topics._move(*measured, mixtures, words)

        model._fit_given(X, self.strength * f, seed, after_sweep)
        if movable:
            f = self.embeddings.mixtures(inputs)
            topics._relabel(f, X)
        return f

    def mix(self, X: sp.csr_array, f: np.ndarray) -> np.ndarray:
        return self.counts.model._mixtures(X, self.strength * f)

    def document_alpha(self, n_tokens: np.ndarray) -> np.ndarray:
        return self.strength / (self.strength + n_tokens)

    def topic_words(self) -> np.ndarray:
        return self.counts.model.components_

    def contributions(
        self, X: sp.csr_array, f: np.ndarray, mixture: np.ndarray, divide: Divide
    ) -> Contributions:
        """Return exact parts: ``divide`` is not needed, as the model is a GibbsLDA."""
        model, given = self.counts.model, self.strength * f[0]
        words, rest = model._contributions(as_counts(X, "explain"), given)
        prior = rest * model.doc_topic_prior_ / (given + model.doc_topic_prior_)
        return Contributions(words, rest - prior, prior)


def strength(alpha: float, n_tokens: np.ndarray) -> float:
    """Return s: in a document of median length, f has the weight α."""
    return float(alpha / (1 - alpha) * np.median(n_tokens[n_tokens > 0]))


def sweeps_before_moves(n_sweeps: int) -> set[int]:
    """Return after how many sweeps f is refitted."""
    n_last = max(1, n_sweeps // _N_ROUNDS)
    moves = np.linspace(0, n_sweeps - n_last, _N_ROUNDS).astype(int)[1:]
    return set(moves.tolist())


def mean_mixtures(tokens: Tokens, topics: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the posterior mean of mixtures given the tokens' topics, ``∝ n_dk + α_dk``."""
    D, K = prior.shape
    documents = np.repeat(np.arange(D), np.diff(tokens.starts))
    counts = np.bincount(documents * K + topics, minlength=D * K).reshape(D, K)
    weights = counts + prior
    return weights / weights.sum(axis=1, keepdims=True)


def words_of_every_other(
    tokens: Tokens, topics: np.ndarray, n_components: int, first: int = 0
) -> np.ndarray:
    """Return counts of words in topics, (K, V), from documents 0, 2, 4 and so on.

    first : number of the first document
    """
    documents = np.repeat(np.arange(len(tokens.starts) - 1), np.diff(tokens.starts))
    some = (documents + first) % 2 == 0
    pairs = topics[some], tokens.words[some]
    shape = n_components, tokens.n_words
    return sp.csr_array((np.ones(len(pairs[0])), pairs), shape).toarray()
