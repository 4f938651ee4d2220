"""Ratings of topics by people or language models."""

from collections.abc import Callable, Sequence

import numpy as np

from llmtopics.metrics._input_checks import check_topics


def rate_topics(
    topics: Sequence[Sequence[str]], rate: Callable[[list[str]], float]
) -> np.ndarray:
    """Return the rating that a person or a language model gives each topic.

    Parameters
    ----------
    topics : sequence of K sequences of str
        The words of each topic, best first.
    rate : callable, list of str → float
        It gets the words of one topic and returns a number. It may ask a person or a language
        model: "Rate how related these words are, from 1 to 3".

    Returns
    -------
    ratings : ndarray of shape (K,)
        What ``rate`` returned.

    Raises
    ------
    ValueError
        If a rating is not a finite number. The message names the topic.

    Notes
    -----
    Ratings by large language models agree with people's ratings better than coherence from
    counts does. Ratings by small models do not [1]_.

    References
    ----------
    .. [1] D. Stammbach, V. Zouhar, A. Hoyle, M. Sachan and E. Ash, "Revisiting automated
       topic model evaluation with large language models", EMNLP 2023.

    Examples
    --------
    >>> from llmtopics.metrics import rate_topics
    >>> rate_topics([["cat", "dog"], ["cat", "of"]], lambda words: 1 + 2 * ("of" not in words))
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
                f"Topic {k}: rate must return a finite number, got {answer!r}."
            )
        ratings.append(rating)
    return np.array(ratings)
