"""Held-out likelihood of texts: the second half of each, given the first."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from llmtopics._held_out import log_likelihood
from llmtopics.embed._precomputed import NoVectorError


def score_halves(
    texts: list[str],
    count: Callable[[list[str]], sp.csr_array],
    mix: Callable[[list[str]], np.ndarray],
    components: np.ndarray,
) -> float:
    """Return the log-likelihood per token of second halves, under θ of the first ones.

    Parameters
    ----------
    texts : list of str
    count : callable
        Texts → counts, (D, V).
    mix : callable
        Texts → θ, (D, K).
    components : ndarray of shape (K, V)
        φ.
    """
    halves = [cut_in_half(text) for text in texts]
    observed, rest = [list(half) for half in zip(*halves, strict=True)]
    held_out = count(rest)
    if not held_out.nnz:
        raise ValueError(
            "Nothing to score: no text has a word of the vocabulary in its second half. Pass "
            "longer texts, or texts with words of vocabulary_."
        )
    try:
        mixtures = mix(observed)
    except NoVectorError as error:
        raise ValueError(
            "FusionTopicModel.score cuts each text in two, and PrecomputedEmbeddings has "
            "no vectors of halves. In searches, pass scoring=topic_scorer() and a number "
            "instead of alpha='auto'. Or use TransformerEmbedder."
        ) from error
    return log_likelihood(held_out, mixtures, components) / float(held_out.sum())


def cut_in_half(text: str) -> tuple[str, str]:
    """Cut a text in the middle: between words, or within its only word."""
    words = text.split()
    if len(words) < 2:  # such as a script without spaces
        return text[: len(text) // 2], text[len(text) // 2 :]
    middle = (len(words) + 1) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])
