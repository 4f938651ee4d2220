"""Choose the words of a topic model with differential privacy for documents."""

from collections.abc import Sequence
from math import isqrt
from numbers import Real
from typing import Any

import numpy as np
from scipy.stats import norm

from llmtopics._checks import as_counts, check_positive, check_share
from llmtopics._words import check_vocabulary
from llmtopics.topics._private_kernels import LIMIT
from llmtopics.topics._private_noise import noise_for

_MOST = 1000  # different words of a document that count


def private_vocabulary(
    X: Any,
    vocabulary: Sequence[str],
    *,
    epsilon: float = 1.0,
    delta: float = 1e-6,
    max_words: int = 2000,
) -> list[str]:
    """Return frequent words of a corpus with differential privacy for documents.

    The list of words is (ε, δ)-differentially private for adding or removing one document.
    A word that only one document has is in it with a probability of at most δ / 2. Count
    these words with ``CountVectorizer(vocabulary=words)``, and pass the counts to
    :class:`PrivateLDA`. Together, both have spent the sum of their ε and the sum of their δ.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Whole-number counts of all words.
    vocabulary : sequence of str
        The word of each column. It may contain words of single documents.
    epsilon : float, default=1.0
        Privacy budget ε, finite.
    delta : float, default=1e-6
        Probability δ.
    max_words : int, default=2000
        Number of words at most.

    Returns
    -------
    words : list of str
        The most frequent first, by noisy weight. It may be empty if the budget is too small
        for the corpus.

    Raises
    ------
    ImportError
        If OpenDP is not installed.
    ValueError
        For bad counts, for a vocabulary that does not match them, if ``epsilon`` or
        ``delta`` is out of range.

    See Also
    --------
    PrivateLDA : Finds topics with differential privacy.

    Notes
    -----
    A document with t different words gives each the weight ``1 / √t``. Only 1,000 words of a
    longer document count, chosen at random. The weights of each word are summed over the
    documents and get discrete Gaussian noise. A word is returned if its noisy weight is above
    a threshold, which the new words of one document exceed with a probability of at most
    δ / 2 ([1]_, theorem 5.1). Noise cannot be repeated: there is no ``random_state``.

    References
    ----------
    .. [1] S. Gopi, P. Gulhane, J. Kulkarni, J. H. Shen, M. Shokouhi and S. Yekhanin,
       "Differentially private set union", ICML 2020.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from llmtopics.topics import private_vocabulary
    >>> texts = ["cats and dogs"] * 500 + ["a secret name"]
    >>> vectorizer = CountVectorizer()
    >>> X = vectorizer.fit_transform(texts)
    >>> words = private_vocabulary(
    ...     X, vectorizer.get_feature_names_out(), epsilon=2.0
    ... )  # doctest: +SKIP
    >>> sorted(words)  # doctest: +SKIP
    ['and', 'cats', 'dogs']
    """
    check_positive(max_words=max_words)
    if not isinstance(epsilon, Real) or not 0 < epsilon < np.inf:
        raise ValueError(f"epsilon must be above 0 and finite, got {epsilon!r}.")
    check_share(delta=delta)
    X = as_counts(X, "private_vocabulary")
    words = list(check_vocabulary(vocabulary, X.shape[1], "X"))
    noise = noise_for(epsilon, delta / 2, 1, "private_vocabulary")
    columns, weights = _weights(X)
    noisy = noise.add(weights)
    found = [words[column] for column in columns]
    # ties by word: the order of the columns may depend on documents without noise
    order = sorted(range(len(found)), key=lambda i: (-noisy[i], found[i]))
    threshold = _threshold(noise.scale, delta / 2)
    return [found[i] for i in order if noisy[i] > threshold][:max_words]


def _weights(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns that have words, and the sums of their weights, int64.

    A document has norm ``LIMIT`` at most, in whole numbers.
    """
    rng = np.random.default_rng()
    sums = np.zeros(X.shape[1], np.int64)
    for first, last in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        columns = X.indices[first:last]
        if columns.size > _MOST:
            columns = rng.choice(columns, _MOST, replace=False)
        if columns.size:
            sums[columns] += isqrt(LIMIT**2 // columns.size)
    found = np.flatnonzero(sums)
    return found, sums[found]


def _threshold(scale: float, delta: float) -> float:
    """Return what new words of one document exceed with a probability of at most δ.

    Of t new words with weight ``LIMIT / √t`` and independent noise, for every t. The tail of
    discrete Gaussian noise is at most that of Gaussian noise one unit before.
    """
    t = np.arange(1, _MOST + 1)
    sigma = scale * LIMIT
    below = norm.isf(-np.expm1(np.log1p(-delta) / t))
    return float(np.max(LIMIT / np.sqrt(t) + sigma * below)) + 2
