"""The Dirichlet prior of the words of each topic, β.

K topics, V words, B: K rounded up to a multiple of sixteen.
"""

from functools import cached_property
from typing import Any

import numpy as np

from llmtopics._checks import as_floats
from llmtopics.topics._gibbs.kernels.common import filled_up

_NO_ROWS = np.zeros(0, np.int32)
LEAST, MOST = 1e-30, 1e30  # beyond, products of probabilities overflow or become zero


class WordPrior:
    """β as given by users, and in the forms that the parts of the sampler use.

    Parameters
    ----------
    values : float, or ndarray of shape (V,) or (K, V)
        One number for all, one per word, or one per topic and word.
    n_words : int
        V.
    """

    def __init__(self, values: Any, n_words: int):
        self.values, self.n_words = values, n_words

    @property
    def n_dimensions(self) -> int:
        return np.ndim(self.values)

    @property
    def totals(self) -> Any:
        """Sum over the words: a number, or one per topic, of shape (K,)."""
        if self.n_dimensions == 0:
            return self.n_words * self.values
        return self.values.sum(axis=-1)

    def inverse(self, totals: np.ndarray) -> np.ndarray:
        """Return 1 / (n_k + Σ_w β_kw), and in a second row the same for one token less."""
        n = np.array([totals, np.maximum(totals - 1, 0)])
        return (1 / (n + self.totals)).astype(np.float32)

    def of_topic(self, k: int) -> Any:
        """Return β of topic k: a number, or one per word, of shape (V,)."""
        return self.values[k] if self.n_dimensions == 2 else self.values

    def of_words(self, words: np.ndarray | slice) -> Any:
        """Return β of some words in a shape that can be added to counts of shape (W, K)."""
        if self.n_dimensions == 0:
            return self.values
        return self.values[..., words].T.reshape(
            -1, 1 if self.n_dimensions == 1 else len(self.values)
        )

    def of_cells(self, words: np.ndarray, topics: np.ndarray) -> Any:
        """Return β of some pairs of a word and a topic: a number, or one per pair."""
        if self.n_dimensions == 2:
            return self.values[topics, words]
        return self.values[words] if self.n_dimensions else self.values

    def of_batch(self, words: np.ndarray) -> "WordPrior":
        """Return the prior of some words, and of one more word: the mean of all others."""
        if self.n_dimensions == 0:
            return WordPrior(self.values, len(words) + 1)
        chosen = self.values[..., words]
        return WordPrior(
            np.concatenate([chosen, self.mean_of_others(words)[..., None]], axis=-1),
            len(words) + 1,
        )

    def mean_of_others(self, words: np.ndarray) -> Any:
        """Return the mean over all other words: a number, or one per topic."""
        if self.n_dimensions == 0:
            return self.values
        return np.delete(self.values, words, axis=-1).mean(axis=-1)

    @cached_property
    def single(self) -> tuple[Any, np.ndarray]:
        """β for loops in single precision: ``Priors.word`` and ``Priors.word_row``."""
        if self.n_dimensions < 2:
            return np.float32(self.values), _NO_ROWS
        columns, row = _distinct(self.values.T.astype(np.float32))
        K = columns.shape[1]
        table = np.ones((len(columns), filled_up(K)), "f4")
        table[:, :K] = columns
        return table, row

    @cached_property
    def double(self) -> tuple[Any, np.ndarray]:
        """β for loops in double precision: a number, (V,), or (U, K); and rows."""
        if self.n_dimensions < 2:
            return self.values, _NO_ROWS
        return _distinct(self.values.T.copy())


def _distinct(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows of an array, and for each row which of these it is.

    Usually most words have equal priors, and seed words raise a few. Equal rows are stored
    once, so that they stay in the processor's cache.
    """
    known: dict[bytes, int] = {}
    row = np.array(
        [known.setdefault(c.tobytes(), len(known)) for c in columns], np.int32
    )
    _, first = np.unique(row, return_index=True)
    return columns[first], row


def as_word_prior(values: Any, n_words: int) -> WordPrior:
    """Return a WordPrior from a number or an array; a WordPrior is returned unchanged."""
    return values if isinstance(values, WordPrior) else WordPrior(values, n_words)


def check_word_prior(values: Any, n_components: int, n_words: int) -> Any:
    """Return β as a float, or as float64 of shape (V,) or (K, V); a copy.

    Raises
    ------
    ValueError
        For another shape, for an entry that is not between 1e-30 and 1e30, and as
        ``as_floats``.
    """
    name = "topic_word_prior"
    prior = as_floats(values, name)
    if prior.shape not in [(), (n_words,), (n_components, n_words)]:
        raise ValueError(
            f"{name} must be a number, or of shape (n_words,) = ({n_words},), or of shape "
            f"(n_components, n_words) = ({n_components}, {n_words}), got shape "
            f"{prior.shape}."
        )
    good = (prior >= LEAST) & (prior <= MOST)  # False for NaN
    if not good.all():
        axes = ["row", "column"][2 - prior.ndim :]
        place = np.argwhere(~good)[0]
        where = ", ".join(f"{a} {i}" for a, i in zip(axes, place, strict=True))
        raise ValueError(
            f"{name} must lie between {LEAST} and {MOST}: {where or 'it'} "
            f"{'holds' if where else 'is'} {prior[tuple(place)]}."
        )
    return prior if prior.ndim else float(prior)
