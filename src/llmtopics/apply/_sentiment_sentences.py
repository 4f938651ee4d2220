"""Sentences of documents, their topics, and topics of documents from their sentences."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics._mixtures import check_mixtures
from llmtopics.text import split_sentences


class Sentences(NamedTuple):
    """All sentences of some documents.

    texts : list of S str
    documents : ndarray of shape (S,)
        The row of each sentence's document.
    topics : ndarray of shape (S, K)
        Topic proportions. Rows sum to one.
    first : ndarray of shape (S,)
        The first topic of each sentence, -1 if it tells nothing of topics.
    """

    texts: list[str]
    documents: np.ndarray
    topics: np.ndarray
    first: np.ndarray


def mixtures_of(model: Any, texts: list[str]) -> np.ndarray:
    """Return the topic proportions of texts by a model, (n, K). Rows sum to one."""
    return check_mixtures(np.asarray(model.transform(texts)), "topic_model")


def read_sentences(
    model: Any, texts: list[str], language: str, no_words: np.ndarray
) -> Sentences:
    """Split documents into sentences and find the topics of each.

    Parameters
    ----------
    model : fitted topic model of texts
    texts : list of D str
    language : str
    no_words : ndarray of shape (K,)
        What the model says of a text without words.
    """
    split = [split_sentences(text, language) for text in texts]
    documents = np.repeat(np.arange(len(texts)), list(map(len, split)))
    sentences = [sentence for each in split for sentence in each]
    if not sentences:
        return Sentences([], documents, np.empty((0, len(no_words))), np.empty(0, int))
    own, whole = mixtures_of(model, sentences), mixtures_of(model, texts)
    topics = in_context(own, whole[documents], no_words)
    alone = np.array([len(each) == 1 for each in split])[documents]
    topics[alone] = whole[documents[alone]]
    known = np.abs(topics - no_words).max(axis=1) > 1e-9
    first = np.where(known, topics.argmax(axis=1), -1)
    return Sentences(sentences, documents, topics, first)


def in_context(own: np.ndarray, whole: np.ndarray, no_words: np.ndarray) -> np.ndarray:
    """Return topic proportions of sentences, given those of their documents.

    This is Bayes' rule. The prior is the document's θ. The evidence is the sentence's own θ
    divided by that of a text without words. A sentence that tells nothing gets the document's.
    """
    joint = whole * own / np.maximum(no_words, 1e-12)
    total = joint.sum(axis=1, keepdims=True)
    return np.divide(joint, total, where=total > 0, out=whole.copy())


class Measured(NamedTuple):
    """Polarity of documents and of their sentences.

    polarity, shares : ndarrays of shape (D, K)
        Of each topic in each document. Both are 0 if the document lacks the topic.
    sentences : Sentences
    of_sentences : ndarray of shape (S,)
        Polarity of each sentence.
    """

    polarity: np.ndarray
    shares: np.ndarray
    sentences: Sentences
    of_sentences: np.ndarray

    def of(self, rows: np.ndarray) -> "Measured":
        """Return the part of some documents, given by their rows in order."""
        texts, documents, topics, first = self.sentences
        kept = np.flatnonzero(np.isin(documents, rows))
        sentences = Sentences(
            [texts[i] for i in kept],
            np.searchsorted(rows, documents[kept]),
            topics[kept],
            first[kept],
        )
        return Measured(
            self.polarity[rows], self.shares[rows], sentences, self.of_sentences[kept]
        )


def of_documents(
    sentences: Sentences, of_sentences: np.ndarray, n_documents: int
) -> Measured:
    """Return the polarity of each topic in each document: the mean of its sentences.

    A sentence belongs to its first topic, and all sentences of a document count equally.
    """
    n_topics = sentences.topics.shape[1]
    known = np.flatnonzero(sentences.first >= 0)
    cells = sentences.documents[known], sentences.first[known]
    shape = n_documents, n_topics
    amounts = sp.coo_array((np.ones(len(known)), cells), shape=shape).toarray()
    sums = sp.coo_array((of_sentences[known], cells), shape=shape).toarray()
    lengths = np.bincount(sentences.documents, minlength=n_documents)
    shares = amounts / np.maximum(lengths, 1)[:, np.newaxis]
    means = np.divide(sums, amounts, where=amounts > 0, out=np.zeros_like(sums))
    return Measured(np.clip(means, -1, 1), shares, sentences, of_sentences)
