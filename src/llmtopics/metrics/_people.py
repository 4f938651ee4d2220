"""Stand-ins for people's judgement: intruders, meaning of words, a rating model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from llmtopics._checks import as_seed, check_positive, check_vocabulary
from llmtopics.metrics._arrays import check_distributions, check_mixtures, check_topics


def embedding_coherence(
    topics: Sequence[Sequence[str]],
    vectors: ArrayLike | Callable[[list[str]], ArrayLike],
    vocabulary: Sequence[str] | np.ndarray | None = None,
) -> np.ndarray:
    """Return how close in meaning the words of each topic are.

    ``(1 / pairs) Σ_{i<j} cos(e_i, e_j)`` over the words of a topic

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic; at least two a topic.
    vectors : array-like of shape (n_words, n_dimensions), or callable
        The words' vectors e, one row for each word of ``vocabulary``; or a function that
        turns a list of words into such an array.
    vocabulary : sequence of str of length n_words, default=None
        The word of each row of ``vectors``.

    Returns
    -------
    coherence : ndarray of shape (K,)
        In [-1, 1]. Higher is better.

    Raises
    ------
    ValueError
        For a topic of fewer than two words, a word that has no vector, or a vector that
        is not finite or all zero.

    Notes
    -----
    Asks for no corpus, so it is at ease with short texts and rare words, but it believes
    whatever the embedding model believes; values of different models cannot be compared.
    Does not measure whether topics differ, or fit the documents.

    References
    ----------
    R. Ding, R. Nallapati and B. Xiang, "Coherence-aware neural topic modeling", EMNLP 2018.

    Examples
    --------
    >>> from llmtopics.metrics import embedding_coherence
    >>> vectors = [[1, 0], [1, 0], [0, 1]]
    >>> embedding_coherence([["cat", "dog"], ["cat", "bond"]], vectors,
    ...                     ["cat", "dog", "bond"])
    array([1., 0.])
    """
    values = []
    look_up = _look_up(vectors, vocabulary)
    for k, topic in enumerate(check_topics(topics)):
        if len(topic) < 2:
            raise ValueError(f"Topic {k} has fewer than two words: {topic}.")
        total = look_up(topic).sum(axis=0)
        n = len(topic)
        values.append((total @ total - n) / (n * (n - 1)))
    return np.clip(values, -1, 1)


def word_intrusion(
    components: ArrayLike,
    vocabulary: Sequence[str] | np.ndarray,
    *,
    vectors: ArrayLike | Callable[[list[str]], ArrayLike] | None = None,
    judge: Callable[[list[str]], str] | None = None,
    n_words: int = 5,
    n_trials: int = 10,
    random_state: Any = 0,
) -> np.ndarray:
    """Return how often a word that does not belong to a topic is found.

    A trial shows the ``n_words`` most probable words of a topic and one intruder, shuffled:
    a word that is improbable in the topic (not above its median) and among the most
    probable of another.

    Parameters
    ----------
    components : array-like of shape (n_components, n_words_in_vocabulary)
        Non-negative weights of the words in every topic, φ. At least two topics.
    vocabulary : sequence of str of length n_words_in_vocabulary
        The word of each column.
    vectors : array-like of shape (n_words_in_vocabulary, n_dimensions), or callable
        The words' vectors, one row a column of ``components``, or a function from a list
        of words to such an array. The word with the least mean cosine to the others is
        taken for the intruder.
    judge : callable, list of str → str
        Given instead of ``vectors``: a person or a language model that is shown the words
        and returns one of them.
    n_words : int, default=5
        Words of the topic shown in a trial; fewer, where fewer have any weight in it.
    n_trials : int, default=10
        Trials a topic.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Draws intruders and shuffles.

    Returns
    -------
    found : ndarray of shape (n_components,)
        Share of trials in which the intruder was found, in [0, 1]. Higher is better; by
        chance ``1 / (n_words + 1)``. A topic of fewer than two words, and one for which no
        intruder exists (the others are copies of it), has 0.

    Raises
    ------
    ValueError
        For fewer than two topics, a vocabulary not larger than ``n_words``, a judge's answer that was not among the words shown,
        or unless exactly one of ``vectors`` and ``judge`` is given.

    Notes
    -----
    Does not measure whether the topic fits its documents (:func:`topic_intrusion`), nor
    how general it is.

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
        raise ValueError("word_intrusion needs intruders: pass at least two topics.")
    check_positive(n_words=n_words, n_trials=n_trials)
    if (vectors is None) == (judge is None):
        raise ValueError("Pass either vectors or judge.")
    words = list(check_vocabulary(vocabulary, phi.shape[1], "components"))
    rng = np.random.default_rng(as_seed(random_state))
    if phi.shape[1] <= n_words:
        raise ValueError(
            f"{phi.shape[1]} words leave no intruder to {n_words} of them."
        )
    order = np.argsort(-phi, axis=1, kind="stable")[:, :n_words]
    top = [own[row[own] > 0] for own, row in zip(order, phi, strict=True)]
    if vectors is not None:  # all words that may be shown, in one call
        asked = np.unique(np.concatenate(top))
        unit = _look_up(vectors, words)([words[w] for w in asked])
        e = np.zeros((len(words), unit.shape[1]))
        e[asked] = unit
    found = np.zeros(len(phi))
    for k, own in enumerate(top):
        if len(own) < 2:
            continue
        others = np.unique(np.concatenate(top[:k] + top[k + 1 :]))
        strangers = others[phi[k, others] <= np.median(phi[k])]
        strangers = np.setdiff1d(strangers, own)
        if not strangers.size:
            continue
        for _ in range(n_trials):
            intruder = rng.choice(strangers)
            ids = rng.permutation([*own, intruder])
            shown = [words[w] for w in ids]
            if judge is None:
                answer = shown[(e[ids] @ e[ids].sum(axis=0)).argmin()]
            else:
                answer = judge(list(shown))
                if answer not in shown:
                    raise ValueError(
                        f"The judge said {answer!r}, which is none of {shown}."
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
    """Return for which documents a topic that they do not have is found.

    A document is shown with its ``n_topics`` most probable topics and one of the least
    probable half; that whose vector has the least cosine to the document's is taken for
    the intruder.

    Parameters
    ----------
    mixtures : array-like of shape (n_documents, n_components)
        θ.
    doc_vectors : array-like of shape (n_documents, n_dimensions)
        Embeddings of the documents.
    topic_vectors : array-like of shape (n_components, n_dimensions)
        Embeddings of the topics in the same space: the mean of their words' vectors, or of
        their names'.
    n_topics : int, default=3
        Topics of the document shown.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Draws the intruders.

    Returns
    -------
    found : ndarray of shape (n_documents,), bool
        Its mean is the model's score: higher is better; by chance ``1 / (n_topics + 1)``.

    Raises
    ------
    ValueError
        For shapes that do not fit, vectors that are not finite or all zero, or fewer than
        ``2 n_topics`` topics.

    Notes
    -----
    Measures whether documents got fitting topics, not whether these are coherent.

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
    documents = _unit_rows(doc_vectors, "doc_vectors")
    topics = _unit_rows(topic_vectors, "topic_vectors")
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


def rated(
    topics: Sequence[Sequence[str]], rate: Callable[[list[str]], float]
) -> np.ndarray:
    """Return the rating that a judge gives each topic.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic, best first.
    rate : callable, list of str → float
        Is shown the words of one topic and returns a number: a person, or a function that
        asks a language model, such as "Rate how related these words are, from 1 to 3".

    Returns
    -------
    ratings : ndarray of shape (K,)
        What ``rate`` returned; scale and direction are its own.

    Raises
    ------
    ValueError
        If an answer is not a finite number, naming the topic.

    Notes
    -----
    Ratings of large language models follow people's better than coherence by counts does;
    those of small ones do not [1]_.

    References
    ----------
    .. [1] D. Stammbach, V. Zouhar, A. Hoyle, M. Sachan and E. Ash, "Revisiting automated
       topic model evaluation with large language models", EMNLP 2023.

    Examples
    --------
    >>> from llmtopics.metrics import rated
    >>> rated([["cat", "dog"], ["cat", "of"]], lambda words: 1 + 2 * ("of" not in words))
    array([3., 1.])
    """
    ratings = []
    for k, topic in enumerate(check_topics(topics)):
        answer = rate(topic)
        try:
            rating = float(answer)
        except (TypeError, ValueError):
            rating = np.nan
        if not np.isfinite(rating):
            raise ValueError(
                f"Topic {k}: the rating {answer!r} is not a finite number."
            )
        ratings.append(rating)
    return np.array(ratings)


def _unit_rows(vectors: ArrayLike, name: str) -> np.ndarray:
    rows: np.ndarray = check_array(vectors, dtype=np.float64, input_name=name)
    if (zero := np.flatnonzero(~rows.any(axis=1))).size:
        raise ValueError(f"{name}: row {zero[0]} is all zero, which has no direction.")
    return normalize(rows)


def _look_up(
    vectors: ArrayLike | Callable[[list[str]], ArrayLike],
    vocabulary: Sequence[str] | np.ndarray | None,
) -> Callable[[list[str]], np.ndarray]:
    """Return a function from words to their unit vectors."""
    if callable(vectors):

        def ask(words: list[str]) -> np.ndarray:
            found = _unit_rows(vectors(words), "vectors")
            if len(found) != len(words):
                raise ValueError(
                    f"vectors gave {len(found)} rows for {len(words)} words."
                )
            return found

        return ask
    rows = check_array(vectors, dtype=np.float64, input_name="vectors")
    if vocabulary is None:
        raise ValueError("vectors needs the vocabulary whose words its rows stand for.")
    place = check_vocabulary(vocabulary, len(rows), "vectors", "rows")

    def pick(words: list[str]) -> np.ndarray:
        unknown = [word for word in words if word not in place]
        if unknown:
            raise ValueError(f"The word {unknown[0]!r} has no vector.")
        return _unit_rows(rows[[place[word] for word in words]], "vectors")

    return pick
