"""``Explanation``: the result of ``explain``."""

from dataclasses import dataclass

import numpy as np

from llmtopics._language.request import without_surrogates
from llmtopics.explanation._html import as_html
from llmtopics.explanation._summary import as_text


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """The result of ``explain``: what each part of a text adds to its topics.

    K is the number of topics. n is the number of distinct words of the vocabulary in the
    text.

    Attributes
    ----------
    text : str
        The text, as the vectorizer gets it.

    mixture : ndarray of shape (K,)
        θ, the sum of all parts.

    alpha : float
        Weight of the embedding side in this text, before co-training.

    words, counts : ndarrays of shape (n,)
        Words of the vocabulary in the text, and their counts or weights.

    word_contributions : ndarray of shape (n, K)
        What each word adds to each topic.

    added_words : ndarray of shape (n_added,)
        Words that a language model added (:class:`NextWordCounts`).

    added_contributions : ndarray of shape (n_added, K)
        What each added word adds to each topic.

    language_contribution, prior_contribution : ndarrays of shape (K,)
        What the embedding side adds to each topic, and what the prior adds.

    sentences : tuple of str
        The text's sentences.

    sentence_contributions : ndarray of shape (n_sentences, K)
        What each sentence adds to each topic. Columns sum to ``mixture`` minus
        ``prior_contribution``.

    top_sentences : ndarray of shape (K,)
        Index of the sentence that adds most to each topic.

    spans : ndarray of shape (n_spans, 2)
        Start and end, in ``text``, of words of the vocabulary. N-grams, and words that
        depend on words around them, are not found.

    span_contributions : ndarray of shape (n_spans, K)
        What the word at each of these places adds to each topic.

    topic_words : list of K lists of str
        Words that describe each topic.

    topic_names : list of K str
        Name of each topic: that of the model, or else its first words.

    neighbors, neighbor_distances : ndarrays of shape (n_neighbors,)
        Rows of the nearest texts, nearest first, and their distances.

    neighbor_texts : tuple of str
        The nearest texts, nearest first.

    neighbors_by : "embedding", "mixtures" or None
        What was compared: vectors by cosine distance, or mixtures by Hellinger distance. None
        if no nearest texts were searched.

    notes : tuple of str
        Which parts follow a convention, and whether earlier steps changed the text.
    """

    text: str
    mixture: np.ndarray
    alpha: float
    words: np.ndarray
    counts: np.ndarray
    word_contributions: np.ndarray
    added_words: np.ndarray
    added_contributions: np.ndarray
    language_contribution: np.ndarray
    prior_contribution: np.ndarray
    sentences: tuple[str, ...]
    sentence_contributions: np.ndarray
    top_sentences: np.ndarray
    spans: np.ndarray
    span_contributions: np.ndarray
    topic_words: list[list[str]]
    topic_names: list[str]
    neighbors: np.ndarray
    neighbor_distances: np.ndarray
    neighbor_texts: tuple[str, ...]
    neighbors_by: str | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return without_surrogates(as_text(self))

    def _repr_html_(self) -> str:
        return without_surrogates(as_html(self))
