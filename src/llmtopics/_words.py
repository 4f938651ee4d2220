"""Rank words by how well they describe a topic."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

from llmtopics._checks import check_positive


def top_words(
    components: ArrayLike,
    vocabulary: Sequence[str] | np.ndarray,
    n_words: int = 10,
    method: str = "term_score",
) -> list[list[str]]:
    """Return the words that describe each topic, best first.

    Parameters
    ----------
    components : array-like of shape (n_components, n_words_in_vocabulary)
        Non-negative weight of every word in every topic: ``components_`` of
        :class:`GibbsLDA` or of scikit-learn's ``NMF`` or ``LatentDirichletAllocation``.
        Rows are divided by their sums, which gives φ.
    vocabulary : sequence of str of length n_words_in_vocabulary
        The word of each column: ``get_feature_names_out()`` of the vectorizer.
    n_words : int, default=10
        Words per topic at most. A word without weight in a topic is never listed, so a
        sparse topic may have fewer.
    method : {"term_score", "relevance", "probability", "frex"}, default="term_score"
        How words are ranked:

        - "term_score": ``φ_kw log(φ_kw / (Π_j φ_jw)^(1/K))`` [1]_. Favors probable words
          that are less probable in other topics.
        - "relevance": ``λ log φ_kw + (1 - λ) log(φ_kw / p_w)`` with λ = 0.6 [2]_. ``p_w``
          is the mean of ``φ_jw`` over the topics j.
        - "probability": ``φ_kw``. Favors words that are frequent in all topics.
        - "frex": harmonic mean of two ranks in the topic, as fractions of V [3]_. These are
          the ranks of the word's frequency ``φ_kw`` and its exclusivity
          ``φ_kw / Σ_j φ_jw``.

        Ties go to the more probable word, then to the earlier column.

    Returns
    -------
    words : list of n_components lists of str
        The words of each topic, best first.

    Raises
    ------
    ValueError
        If ``components`` has negative or non-finite weights, ``vocabulary`` has another
        length, ``n_words`` is below 1 or ``method`` is unknown.

    Notes
    -----
    Values of φ below ``0.001 / V`` are raised to it before the scores are computed. So all
    scores are finite, even for words without weight in a topic (zeros in NMF).

    References
    ----------
    .. [1] D. Blei and J. Lafferty, "Topic models", in Text Mining: Classification,
       Clustering, and Applications, 2009, equation 3.
    .. [2] C. Sievert and K. Shirley, "LDAvis: a method for visualizing and interpreting
       topics", 2014, equation 1.
    .. [3] J. Bischof and E. Airoldi, "Summarizing topical content with word frequency and
       exclusivity", ICML 2012.

    Examples
    --------
    >>> from llmtopics import top_words
    >>> components = [[6, 3, 1, 0], [5, 0, 1, 4]]
    >>> top_words(components, ["the", "cat", "sat", "stock"], n_words=2)
    [['cat', 'the'], ['stock', 'sat']]
    >>> top_words(components, ["the", "cat", "sat", "stock"], 2, method="probability")
    [['the', 'cat'], ['the', 'stock']]
    """
    if method not in _SCORES:
        raise ValueError(f"method must be one of {', '.join(_SCORES)}, got {method!r}.")
    check_positive(n_words=n_words)
    weights = check_array(components, dtype=np.float64, input_name="components")
    check_non_negative(weights, "top_words")
    words = list(check_vocabulary(vocabulary, weights.shape[1], "components"))
    return rank_words(_SCORES[method](_distributions(weights)), weights, words, n_words)


def rank_words(
    scores: np.ndarray,
    weights: np.ndarray,
    vocabulary: Sequence[str] | np.ndarray,
    n_words: int,
) -> list[list[str]]:
    """Return the words with the highest scores in each topic, among those with weight.

    Ties go to the word with more weight, then to the earlier column.
    """
    rankings = np.lexsort((-weights, -scores))
    return [
        [str(vocabulary[w]) for w in ranking[row[ranking] > 0][:n_words]]
        for row, ranking in zip(weights, rankings, strict=True)
    ]


def topic_labels(words: Sequence[Sequence[str]]) -> list[str]:
    """Return a label of each topic that nobody named: its first words, best first.

    They are three words, or as many more (up to five) as make the labels distinct. Topics
    that are still alike get their number in front. A topic without words is "topic 4".
    """
    for n_words in (3, 4, 5):
        labels = [
            " ".join(topic[:n_words]) or f"topic {k}" for k, topic in enumerate(words)
        ]
        if len(set(labels)) == len(labels):
            return labels
    numbered = [f"{k} {label}" for k, label in enumerate(labels)]
    n_alike = Counter(labels)
    some = [
        number if n_alike[label] > 1 else label
        for number, label in zip(numbered, labels, strict=True)
    ]
    return some if len(set(some)) == len(some) else numbered


def term_scores(weights: np.ndarray) -> np.ndarray:
    """Return the scores of ``method="term_score"`` of each word in each topic, (K, V)."""
    return _term_score(_distributions(weights))


def _distributions(weights: np.ndarray) -> np.ndarray:
    """Return φ with a small floor. Without it, rows sum to one, or to zero if all zero."""
    totals = weights.sum(axis=1, keepdims=True)
    phi = np.divide(weights, totals, where=totals > 0, out=np.zeros_like(weights))
    return np.maximum(phi, 1e-3 / weights.shape[1])


def _term_score(phi: np.ndarray) -> np.ndarray:
    log_phi = np.log(phi)
    return phi * (log_phi - log_phi.mean(axis=0))


def _relevance(phi: np.ndarray, weight: float = 0.6) -> np.ndarray:
    return weight * np.log(phi) + (1 - weight) * np.log(phi / phi.mean(axis=0))


def _probability(phi: np.ndarray) -> np.ndarray:
    return phi


def _frex(phi: np.ndarray, weight: float = 0.5) -> np.ndarray:
    exclusivity = phi / phi.sum(axis=0)
    return 1 / (weight / _rank(exclusivity) + (1 - weight) / _rank(phi))


def _rank(values: np.ndarray) -> np.ndarray:
    """Return the rank of each entry in its row, as a fraction of V."""
    return (
        np.array([np.searchsorted(np.sort(row), row, side="right") for row in values])
        / (values.shape[1])
    )


_SCORES = {
    "term_score": _term_score,
    "relevance": _relevance,
    "probability": _probability,
    "frex": _frex,
}
METHODS = tuple(_SCORES)


def check_vocabulary(
    vocabulary: Any, n_columns: int, name: str, axis: str = "columns"
) -> dict[str, int]:
    """Return the column of each word, in the order of the columns.

    Parameters
    ----------
    vocabulary : sequence of str
        In the order of the columns.
    n_columns : int
        The number of columns, and so of words.
    name, axis : str
        The name of the object with these columns, and the word for "columns", for error
        messages.

    Raises
    ------
    ValueError
        If it is a str, dict or set, has another length, or has a word twice.
    """
    wrong = str | Mapping | AbstractSet
    if isinstance(vocabulary, wrong) or not hasattr(vocabulary, "__len__"):
        raise ValueError(
            "vocabulary must be the words in the order of the columns, such as "
            f"vectorizer.get_feature_names_out(), got a {type(vocabulary).__name__}."
        )
    if len(vocabulary) != n_columns:
        raise ValueError(
            f"vocabulary has {len(vocabulary)} words, and {name} has {n_columns} {axis}: pass "
            "one word for each."
        )
    columns = dict(zip(map(str, vocabulary), range(n_columns), strict=True))
    if len(columns) < n_columns:
        (twice, _), *_ = Counter(map(str, vocabulary)).most_common(1)
        raise ValueError(
            f"vocabulary has {twice!r} more than once: pass different words."
        )
    return columns
