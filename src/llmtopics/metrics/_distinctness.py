"""How much the topics of a model differ from each other."""

from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist, squareform

from llmtopics._checks import check_positive, check_share
from llmtopics.metrics._input_checks import check_distributions, check_topics


def topic_diversity(topics: Sequence[Sequence[str]]) -> float:
    """Return the share of distinct words among all words of all topics.

    ``|union of the topics' words| / Σ_k |words of topic k|``.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic: as many as people see (10 to 25).

    Returns
    -------
    diversity : float
        In (0, 1]. Higher is better. With 1, no word is in two topics. With 1 / K, all topics
        are the same.

    Raises
    ------
    ValueError
        If no topic has a word, or a topic has a word twice.

    Notes
    -----
    Diversity does not measure whether topics make sense: random words are diverse. It depends
    on the number of words per topic, and falls as K grows.

    References
    ----------
    A. Dieng, F. Ruiz and D. Blei, "Topic modeling in embedding spaces", TACL 2020,
    section 6.

    Examples
    --------
    >>> from llmtopics.metrics import topic_diversity
    >>> topic_diversity([["cat", "dog"], ["cat", "bond"]])
    0.75
    """
    words = list(chain.from_iterable(check_topics(topics)))
    if not words:
        raise ValueError("topic_diversity needs a topic with at least one word.")
    return len(set(words)) / len(words)


def inverted_rbo(topics: Sequence[Sequence[str]], *, p: float = 0.9) -> float:
    """Return one minus the mean rank-biased overlap of all pairs of topics.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic, best first. At least two topics, each with a word.
    p : float, default=0.9
        Weight of the lower ranks, in (0, 1): with 0.9 the first ten words have 86 % of the
        weight.

    Returns
    -------
    inverted_rbo : float
        In [0, 1]. Higher is better. With 1, no two topics share a word. With 0, all topics
        have the same words in the same order.

    Raises
    ------
    ValueError
        For fewer than two topics, a topic without words or with a word twice, or ``p``
        outside (0, 1).

    Notes
    -----
    Unlike in :func:`topic_diversity`, a shared word at the top has more weight than one at
    the bottom. Let two lists have s and l ≥ s words, and let their first d words have ``X_d``
    words in common. The extrapolated overlap is (equation 32 of [1]_)::

        (1 - p) / p (Σ_{d=1..l} X_d / d p^d + Σ_{d=s+1..l} X_s (d - s) / (s d) p^d)
        + ((X_l - X_s) / l + X_s / s) p^l

    Inverted RBO does not measure whether topics make sense.

    References
    ----------
    .. [1] W. Webber, A. Moffat and J. Zobel, "A similarity measure for indefinite
       rankings", ACM TOIS 28, 2010. Applied to topics by F. Bianchi, S. Terragni and
       D. Hovy, ACL 2021.

    Examples
    --------
    >>> from llmtopics.metrics import inverted_rbo
    >>> inverted_rbo([["cat", "dog"], ["stock", "bond"]])
    1.0
    """
    check_share(p=p)
    topics = check_topics(topics)
    if len(topics) < 2:
        raise ValueError("inverted_rbo compares topics: pass at least two.")
    for k, topic in enumerate(topics):
        if not topic:
            raise ValueError(f"Topic {k} has no words: leave it out.")
    overlap = np.mean([_overlap(a, b, p) for a, b in combinations(topics, 2)])
    return float(np.clip(1 - overlap, 0, 1))  # against rounding errors


def _overlap(a: Sequence[str], b: Sequence[str], p: float) -> float:
    short, long = sorted((list(a), list(b)), key=len)
    s, n = len(short), len(long)
    depth = np.arange(1, n + 1)
    common = np.array([len(set(short[:d]) & set(long[:d])) for d in depth])  # X_d
    weight = p**depth
    at_s, at_n = common[s - 1], common[n - 1]
    beyond = depth > s
    seen = (common / depth * weight).sum()
    unseen = (at_s * (depth - s) / (s * depth) * weight)[beyond].sum()
    return (1 - p) / p * (seen + unseen) + ((at_n - at_s) / n + at_s / s) * p**n


def topic_distances(components: ArrayLike) -> np.ndarray:
    """Return the Jensen-Shannon distance between all pairs of topics.

    ``JS(a, b) = sqrt(H((a + b) / 2) - (H(a) + H(b)) / 2)``, with H the entropy in bits.

    Parameters
    ----------
    components : array-like of shape (n_components, n_words)
        Non-negative weights of the words in every topic. Rows are divided by their sums.

    Returns
    -------
    distances : ndarray of shape (n_components, n_components)
        Symmetric, in [0, 1], with 0 on the diagonal. Higher means more distinct. With 1, the
        topics share no word. The mean off the diagonal is the value of the model.

    Raises
    ------
    ValueError
        For negative or non-finite weights, or a topic without any weight.

    Notes
    -----
    The distance compares whole distributions: two topics with the same first words and
    different other words are distinct. The smoothing of a topic model keeps distances below 1.
    The distance does not measure whether topics make sense.

    References
    ----------
    J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on
    Information Theory 37, 1991; its root is a metric (Endres & Schindelin 2003).

    Examples
    --------
    >>> from llmtopics.metrics import topic_distances
    >>> topic_distances([[1, 1, 0, 0], [0, 0, 1, 1]])
    array([[0., 1.],
           [1., 0.]])
    """
    phi = check_distributions(components, "components")
    distances = pdist(phi, "jensenshannon") / np.sqrt(np.log(2))
    return squareform(np.clip(np.nan_to_num(distances), 0, 1))


def exclusivity(components: ArrayLike, *, n_words: int = 10) -> np.ndarray:
    """Return how exclusive the most probable words of each topic are.

    ``(1 / n) Σ_{w in the n most probable words of k} φ_kw / Σ_j φ_jw``.

    Parameters
    ----------
    components : array-like of shape (n_components, n_words_in_vocabulary)
        Non-negative weights of the words in every topic. Rows are divided by their sums,
        which gives φ.
    n_words : int, default=10
        Number of most probable words per topic. Words without weight are not used.

    Returns
    -------
    exclusivity : ndarray of shape (n_components,)
        In (0, 1]. Higher is better. With 1, no other topic has these words.

    Raises
    ------
    ValueError
        For negative or non-finite weights, a topic without any weight, or ``n_words`` below 1.

    Notes
    -----
    Two copies of a topic halve its exclusivity. Exclusivity does not measure whether topics
    make sense: rare words are exclusive. It falls as K grows.

    References
    ----------
    J. Bischof and E. Airoldi, "Summarizing topical content with word frequency and
    exclusivity", ICML 2012 (the exclusivity of a word); M. Roberts et al., "Structural
    topic models for open-ended survey responses", AJPS 2014 (of a topic).

    Examples
    --------
    >>> from llmtopics.metrics import exclusivity
    >>> exclusivity([[3, 1, 0], [0, 1, 3]], n_words=2)
    array([0.75, 0.75])
    """
    check_positive(n_words=n_words)
    phi = check_distributions(components, "components")
    top = np.argsort(-phi, axis=1, kind="stable")[:, :n_words]
    share = np.divide(phi, phi.sum(axis=0), where=phi > 0, out=np.zeros_like(phi))
    has = np.take_along_axis(phi, top, axis=1) > 0
    return np.take_along_axis(share, top, axis=1).sum(axis=1) / has.sum(axis=1)
