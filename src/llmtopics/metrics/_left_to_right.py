"""Likelihood of documents by a left-to-right particle filter."""

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike

from llmtopics._checks import as_counts, as_seed, check_positive, check_prior
from llmtopics._progress import reporting, stage
from llmtopics.metrics import _left_to_right_kernels as kernels
from llmtopics.metrics._input_checks import check_distributions


def left_to_right(
    X: Any,
    components: ArrayLike,
    doc_topic_prior: ArrayLike,
    *,
    n_particles: int = 20,
    random_state: Any = 0,
    verbose: bool = False,
) -> np.ndarray:
    """Return the log-likelihood of each document, with its topic proportions integrated out.

    It estimates ``log p(w_d | φ, α) = Σ_n log p(w_dn | w_d1 ... w_d(n-1), φ, α)``. For each
    token, the topics of the tokens before it are redrawn in every particle. The probability of
    the token is the mean over particles. Then particles are resampled in proportion to the
    probability that they gave the token.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts. Time grows with the square of a document's length.
    components : array-like of shape (n_components, n_words)
        φ. Rows are divided by their sums.
    doc_topic_prior : float or array-like of shape (n_components,)
        α, the Dirichlet concentration of topics in a document.
    n_particles : int, default=20
        R. More particles are more exact and take more time.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Seeds the draws. With an int, the value of a document depends only on the document and
        the model.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    log_likelihood : ndarray of shape (n_documents,)
        In nats, at most 0. Higher is better. A document without words has 0. To compare
        corpora, divide the sum by the number of tokens.

    Raises
    ------
    ValueError
        For bad counts, weights or priors, shapes that do not match, ``n_particles`` below
        1, or a word that no topic has.

    Notes
    -----
    This is a particle filter with moves. The exponential of the value is an unbiased estimate
    of the probability, so the value itself is slightly too low on average. The original
    algorithm [1]_ does not resample [2]_. It is biased for any number of particles, more so
    for small α.

    Unlike document completion, it needs no ``transform`` and uses the whole document. It works
    only for models with a Dirichlet prior. It does not measure whether people find the topics
    good.

    References
    ----------
    .. [1] H. Wallach, I. Murray, R. Salakhutdinov and D. Mimno, "Evaluation methods for
       topic models", ICML 2009, algorithm 3.
    .. [2] W. Buntine, "Estimating likelihoods for topic models", ACML 2009.

    Examples
    --------
    >>> from llmtopics.metrics import left_to_right
    >>> left_to_right([[2, 0], [0, 0]], [[0.5, 0.5]], 0.1).round(3)
    array([-1.386,  0.   ])
    """
    counts = as_counts(X, "left_to_right")
    phi = check_distributions(components, "components")
    if counts.shape[1] != phi.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns and components has {phi.shape[1]}: pass both "
            "for the same words."
        )
    check_positive(n_particles=n_particles)
    prior = check_prior(doc_topic_prior, len(phi), "doc_topic_prior")
    missing = np.setdiff1d(counts.indices, np.flatnonzero(phi.sum(axis=0)))
    if missing.size:
        raise ValueError(
            f"Column {missing[0]} of X has counts, and no topic has this word: leave it out."
        )
    word_topic, seed = np.ascontiguousarray(phi.T), as_seed(random_state)
    values = np.zeros(counts.shape[0])
    with (
        reporting("left_to_right", verbose),
        stage("left_to_right", len(values), "documents") as scored,
    ):
        for d in range(len(values)):
            i, j = counts.indptr[d], counts.indptr[d + 1]
            words = np.repeat(counts.indices[i:j], counts.data[i:j])
            # the seed depends on the words, not on the row; the words are shuffled, because
            # the order of columns has no meaning
            rng = np.random.default_rng([seed, crc32(words.tobytes())])
            words = rng.permutation(words)
            values[d] = kernels.left_to_right(
                words, word_topic, prior, n_particles, rng
            )
            scored.update()
    return np.minimum(values, 0)  # against rounding errors
