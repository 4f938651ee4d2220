"""Intrusion tests: how often an intruder (a word or topic that does not belong) is found."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from llmtopics._checks import as_seed, check_positive
from llmtopics._mixtures import check_mixtures
from llmtopics._words import check_vocabulary
from llmtopics.metrics._input_checks import check_distributions
from llmtopics.metrics._unit_vectors import unit_rows, vectors_of_words


def word_intrusion(
    components: ArrayLike,
    vocabulary: Sequence[str] | np.ndarray,
    *,
    vectors: ArrayLike | Callable[[list[str]], ArrayLike] | None = None,
    annotator: Callable[[list[str]], str] | None = None,
    n_words: int = 5,
    n_trials: int = 10,
    random_state: Any = 0,
) -> np.ndarray:
    """Return how often an intruder, a word from another topic, is found.

    A trial shows the ``n_words`` most probable words of a topic and one intruder, shuffled.
    The intruder is improbable in the topic: its weight is at most the median. It is among the
    most probable words of another topic.

    Parameters
    ----------
    components : array-like of shape (n_components, n_words_in_vocabulary)
        Non-negative weights of the words in every topic, φ. At least two topics.
    vocabulary : sequence of str of length n_words_in_vocabulary
        The word of each column.
    vectors : array-like of shape (n_words_in_vocabulary, n_dimensions), or callable
        The vectors of the words, one row per column of ``components``. Or a function that
        turns a list of words into such an array. The guess is the word with the lowest mean
        cosine to the others.
    annotator : callable, list of str → str
        Instead of ``vectors``. It gets the words shown and returns its guess of the intruder.
        It may ask a person or a language model.
    n_words : int, default=5
        Number of words of the topic in a trial. Words without weight are not shown.
    n_trials : int, default=10
        Number of trials per topic.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Seeds the choice of intruders and the shuffling.

    Returns
    -------
    found : ndarray of shape (n_components,)
        Share of trials in which the intruder was found, in [0, 1]. Higher is better. By
        chance it is ``1 / (n_words + 1)``. It is 0 for a topic with fewer than two words, and
        for a topic without a possible intruder (because the others are copies of it).

    Raises
    ------
    ValueError
        For fewer than two topics or a vocabulary not larger than ``n_words``. If ``annotator``
        returns a word that was not shown. If both or none of ``vectors`` and ``annotator``
        are given.

    Notes
    -----
    It does not measure whether the topic fits its documents. :func:`topic_intrusion` does.

    References
    ----------
    J. Chang, J. Boyd-Graber, S. Gerrish, C. Wang and D. Blei, "Reading tea leaves: how
    humans interpret topic models", NeurIPS 2009, section 3.1; by embeddings as in
    J. H. Lau, D. Newman and T. Baldwin, EACL 2014, whose features were counts.

    Examples
    --------
    >>> import numpy as np
    >>> from llmtopics.metrics import word_intrusion
    >>> components = [[3, 3, 3, 0, 0, 0], [0, 0, 0, 3, 3, 3]]
    >>> vectors = np.repeat(np.eye(2), 3, axis=0)
    >>> word_intrusion(components, list("abcxyz"), vectors=vectors, n_words=3)
    array([1., 1.])
    """
    phi = check_distributions(components, "components")
    if len(phi) < 2:
        raise ValueError(
            "word_intrusion takes intruders from other topics: pass at least two topics."
        )
    check_positive(n_words=n_words, n_trials=n_trials)
    if (vectors is None) == (annotator is None):
        raise ValueError("Pass either vectors or annotator.")
    words = list(check_vocabulary(vocabulary, phi.shape[1], "components"))
    rng = np.random.default_rng(as_seed(random_state))
    if phi.shape[1] <= n_words:
        raise ValueError(
            f"{phi.shape[1]} words are too few for n_words={n_words} and one intruder: pass a "
            "smaller n_words."
        )
    order = np.argsort(-phi, axis=1, kind="stable")[:, :n_words]
    top = [own[row[own] > 0] for own, row in zip(order, phi, strict=True)]
    if vectors is not None:  # the vectors of all words that may be shown, in one call
        asked = np.unique(np.concatenate(top))
        unit = vectors_of_words(vectors, words)([words[w] for w in asked])
        e = np.zeros((len(words), unit.shape[1]))
        e[asked] = unit
    found = np.zeros(len(phi))
    for k, own in enumerate(top):
        if len(own) < 2:
            continue
        others = np.unique(np.concatenate(top[:k] + top[k + 1 :]))
        candidates = others[phi[k, others] <= np.median(phi[k])]
        candidates = np.setdiff1d(candidates, own)
        if not candidates.size:
            continue
        for _ in range(n_trials):
            intruder = rng.choice(candidates)
            ids = rng.permutation([*own, intruder])
            shown = [words[w] for w in ids]
            if annotator is None:
                answer = shown[(e[ids] @ e[ids].sum(axis=0)).argmin()]
            else:
                answer = annotator(list(shown))
                if answer not in shown:
                    raise ValueError(
                        f"annotator returned {answer!r}, and must return one of the "
                        f"words shown: {shown}."
                    )
            found[k] += answer == words[intruder]
    return found / n_trials


def topic_intrusion(
    mixtures: ArrayLike,
    doc_vectors: ArrayLike,
    topic_vectors: ArrayLike,
    *,
    n_topics: int = 3,
    random_state: Any = 0,
) -> np.ndarray:
    """Return for each document whether an intruder, a topic that it does not have, is found.

    Each document is shown with its ``n_topics`` most probable topics and one intruder, a topic
    from the least probable half. The guess is the topic whose vector has the lowest cosine
    with the document's vector.

    Parameters
    ----------
    mixtures : array-like of shape (n_documents, n_components)
        θ.
    doc_vectors : array-like of shape (n_documents, n_dimensions)
        Embeddings of the documents.
    topic_vectors : array-like of shape (n_components, n_dimensions)
        Embeddings of the topics in the same space: the mean vectors of their words, or the
        vectors of their names.
    n_topics : int, default=3
        Number of topics of the document that are shown.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Seeds the choice of intruders.

    Returns
    -------
    found : ndarray of shape (n_documents,), bool
        The mean is the score of the model. Higher is better. By chance it is
        ``1 / (n_topics + 1)``.

    Raises
    ------
    ValueError
        For shapes that do not fit, vectors that are not finite or all zero, or fewer than
        ``2 n_topics`` topics.

    Notes
    -----
    It measures whether topics fit their documents. It does not measure whether the topics are
    coherent.

    References
    ----------
    J. Chang, J. Boyd-Graber, S. Gerrish, C. Wang and D. Blei, "Reading tea leaves: how
    humans interpret topic models", NeurIPS 2009, section 3.2.

    Examples
    --------
    >>> from llmtopics.metrics import topic_intrusion
    >>> mixtures = [[0.9, 0.1], [0.2, 0.8]]
    >>> axes = [[1, 0], [0, 1]]
    >>> topic_intrusion(mixtures, axes, axes, n_topics=1)
    array([ True,  True])
    """
    check_positive(n_topics=n_topics)
    theta = check_mixtures(mixtures)
    documents = unit_rows(doc_vectors, "doc_vectors")
    topics = unit_rows(topic_vectors, "topic_vectors")
    if theta.shape != (len(documents), len(topics)):
        raise ValueError(
            f"mixtures {theta.shape} must be ({len(documents)} documents, "
            f"{len(topics)} topics) as the vectors are."
        )
    if theta.shape[1] < 2 * n_topics:
        raise ValueError(
            f"With n_topics={n_topics} at least {2 * n_topics} topics are needed, got "
            f"{theta.shape[1]}."
        )
    rng = np.random.default_rng(as_seed(random_state))
    order = np.argsort(-theta, axis=1, kind="stable")
    half = theta.shape[1] - theta.shape[1] // 2
    column = rng.integers(half, theta.shape[1], size=len(theta))
    intruders = order[np.arange(len(theta)), column]
    cosine = documents @ topics.T
    own = np.take_along_axis(cosine, order[:, :n_topics], axis=1)
    return cosine[np.arange(len(theta)), intruders] < own.min(axis=1)
