"""Document completion: perplexity of held-out words."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from llmtopics import _held_out
from llmtopics._checks import as_counts
from llmtopics._mixtures import check_mixtures
from llmtopics.metrics._input_checks import check_distributions


def completion_split(X: Any) -> tuple[sp.csr_array, sp.csr_array]:
    """Split every document into an observed and a held-out half.

    Tokens are taken in the order of their columns. They go to the two halves in turn, the
    first token to the observed half.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts.

    Returns
    -------
    observed : csr_array of shape (n_documents, n_words)
        Counts from which topic proportions are estimated.
    held_out : csr_array of shape (n_documents, n_words)
        Counts that these should predict. Both halves sum to ``X``.

    Raises
    ------
    ValueError
        For counts that are negative, fractional, NaN or infinite.

    See Also
    --------
    perplexity : Measures how well topic proportions predict the held-out half.

    Examples
    --------
    >>> from llmtopics.metrics import completion_split
    >>> observed, held_out = completion_split([[2, 1, 0], [0, 3, 1]])
    >>> observed.toarray().tolist(), held_out.toarray().tolist()
    ([[1, 1, 0], [0, 2, 0]], [[1, 0, 0], [0, 1, 1]])
    """
    return _held_out.halves(as_counts(X, "completion_split"))


def perplexity(X: Any, mixtures: ArrayLike, components: ArrayLike) -> float:
    """Return the perplexity of word counts under mixtures of topics.

    ``exp(-(1 / N) Σ_d Σ_w X_dw log Σ_k θ_dk φ_kw)``, with N the number of tokens in ``X``.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts. For document completion: the held-out half of
        :func:`completion_split`.
    mixtures : array-like of shape (n_documents, n_components)
        θ, estimated without ``X``: the model's ``transform`` of the observed half. Rows are
        divided by their sums. A row of zeros means equal proportions.
    components : array-like of shape (n_components, n_words)
        φ. Rows are divided by their sums.

    Returns
    -------
    perplexity : float
        At least 1. Lower is better. V words with equal probabilities have perplexity V.

    Raises
    ------
    ValueError
        For bad counts, shapes that do not match, negative weights, or if ``X`` has no tokens.

    Notes
    -----
    A token with probability zero (as in NMF) gets the probability 1e-12. Compare only models
    of the same words. Perplexity does not measure whether people find the topics good: people
    often prefer models with worse perplexity [2]_.

    References
    ----------
    .. [1] H. Wallach, I. Murray, R. Salakhutdinov and D. Mimno, "Evaluation methods for
       topic models", ICML 2009, section 5 (document completion).
    .. [2] J. Chang, J. Boyd-Graber, S. Gerrish, C. Wang and D. Blei, "Reading tea
       leaves", NeurIPS 2009.

    Examples
    --------
    >>> from llmtopics.metrics import perplexity
    >>> perplexity([[1, 1]], [[0.5, 0.5]], [[1, 0], [0, 1]])
    2.0
    """
    counts = as_counts(X, "perplexity")
    theta = check_mixtures(mixtures)
    phi = check_distributions(components, "components")
    if (*counts.shape,) != (theta.shape[0], phi.shape[1]) or theta.shape[1] != len(phi):
        raise ValueError(
            f"The shapes of X {counts.shape}, mixtures {theta.shape} and components "
            f"{phi.shape} do not match: they must be (documents, words), (documents, topics) "
            "and (topics, words)."
        )
    if not counts.nnz:
        raise ValueError("X holds no tokens to predict: pass documents with words.")
    total = _held_out.log_likelihood(counts, theta, phi)
    return max(1.0, float(np.exp(-total / counts.data.sum(dtype=np.int64))))
