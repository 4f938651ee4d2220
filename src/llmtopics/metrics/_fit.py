"""How well topics foretell the words of documents they were not fitted on."""

from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from tqdm import tqdm

from llmtopics import _completion
from llmtopics._checks import as_counts, as_seed, check_positive, check_prior
from llmtopics.metrics import _particle_kernels as kernels
from llmtopics.metrics._arrays import check_distributions, check_mixtures


def completion_split(X: Any) -> tuple[sp.csr_array, sp.csr_array]:
    """Split every document into an observed and a held-out half.

    A document's tokens, in the order of their columns, go to the two halves in turn, the
    first to the observed one.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts.

    Returns
    -------
    observed : csr_array of shape (n_documents, n_words)
        What the mixtures may be estimated from.
    held_out : csr_array of shape (n_documents, n_words)
        What they are to foretell. The two add up to ``X``.

    Raises
    ------
    ValueError
        For counts that are negative, fractional, NaN or infinite.

    See Also
    --------
    perplexity : Judges mixtures of the observed half by the held-out one.

    Examples
    --------
    >>> from llmtopics.metrics import completion_split
    >>> observed, held_out = completion_split([[2, 1, 0], [0, 3, 1]])
    >>> observed.toarray().tolist(), held_out.toarray().tolist()
    ([[1, 1, 0], [0, 2, 0]], [[1, 0, 0], [0, 1, 1]])
    """
    return _completion.halves(as_counts(X, "completion_split"))


def perplexity(X: Any, mixtures: ArrayLike, components: ArrayLike) -> float:
    """Return the perplexity of word counts under mixtures of topics.

    ``exp(-(1 / N) Σ_d Σ_w X_dw log Σ_k θ_dk φ_kw)``, N the number of tokens in ``X``

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts. For document completion: the held-out half of
        :func:`completion_split`.
    mixtures : array-like of shape (n_documents, n_components)
        θ, estimated without seeing ``X``: the model's ``transform`` of the observed half.
        Rows are divided by their sums; a row of zeros stands for even shares.
    components : array-like of shape (n_components, n_words)
        φ; rows are divided by their sums.

    Returns
    -------
    perplexity : float
        At least 1. Lower is better; guessing among V words with equal chances has V.

    Raises
    ------
    ValueError
        For bad counts or shapes that do not fit, negative weights, or if ``X`` holds no
        tokens.

    Notes
    -----
    Tokens that a model gives no probability at all (zeros in NMF) count as if it were 1e-12.
    Only models of the same words can be compared, and the value says nothing of whether
    people find the topics good: models of better perplexity are often liked less [2]_.

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
            f"X {counts.shape}, mixtures {theta.shape} and components {phi.shape} must be "
            "(documents, words), (documents, topics) and (topics, words)."
        )
    if not counts.nnz:
        raise ValueError("X holds no tokens to foretell.")
    total = _completion.log_likelihood(counts, theta, phi)
    return max(1.0, float(np.exp(-total / counts.data.sum(dtype=np.int64))))


def left_to_right(
    X: Any,
    components: ArrayLike,
    doc_topic_prior: ArrayLike,
    *,
    n_particles: int = 20,
    random_state: Any = 0,
    verbose: bool = False,
) -> np.ndarray:
    """Return the log-likelihood of each document, all mixtures integrated out.

    Estimates ``log p(w_d | φ, α) = Σ_n log p(w_dn | w_d1 ... w_d(n-1), φ, α)``: every
    factor is the mean over particles whose earlier topics were just redrawn; then
    particles are drawn again in proportion to how well they foretold the token.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number word counts. Time grows with the square of a document's length.
    components : array-like of shape (n_components, n_words)
        φ; rows are divided by their sums.
    doc_topic_prior : float or array-like of shape (n_components,)
        α, the Dirichlet concentration of topics in a document.
    n_particles : int, default=20
        R. More are more exact; time grows with it.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Seeds the draws. With an int a document's value depends on nothing but the
        document and the model.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    log_likelihood : ndarray of shape (n_documents,)
        In nats, at most 0. Higher is better; 0 for a document without words. Divide the
        sum by the number of tokens to compare with other corpora.

    Raises
    ------
    ValueError
        For bad counts, weights or priors, shapes that do not fit, ``n_particles`` below
        1, or a word that no topic has.

    Notes
    -----
    The exponential of the value is an unbiased estimate of the probability (it is a particle
    filter with moves), so the value itself is a little too low on average. The algorithm it
    follows [1]_ lacks the drawing again [2]_; it is biased however many particles it has,
    and the more the smaller α is. Unlike completion it needs no ``transform`` and judges a
    whole document, but only models with a Dirichlet prior have one. Says nothing of whether
    people find the topics good.

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
            f"X has {counts.shape[1]} columns, but components has {phi.shape[1]}."
        )
    check_positive(n_particles=n_particles)
    prior = check_prior(doc_topic_prior, len(phi), "doc_topic_prior")
    missing = np.setdiff1d(counts.indices, np.flatnonzero(phi.sum(axis=0)))
    if missing.size:
        raise ValueError(f"No topic has word {missing[0]}, which X holds.")
    word_topic, seed = np.ascontiguousarray(phi.T), as_seed(random_state)
    values = np.zeros(counts.shape[0])
    documents = tqdm(range(len(values)), "left_to_right", disable=not verbose)
    for d in documents:
        i, j = counts.indptr[d], counts.indptr[d + 1]
        words = np.repeat(counts.indices[i:j], counts.data[i:j])
        # drawn by content, so that rows do not matter; columns' order says nothing
        rng = np.random.default_rng([seed, crc32(words.tobytes())])
        words = rng.permutation(words)
        values[d] = kernels.left_to_right(words, word_topic, prior, n_particles, rng)
    return np.minimum(values, 0)  # rounding
