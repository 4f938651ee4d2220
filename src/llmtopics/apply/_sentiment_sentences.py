"""Sentences of documents, their topics, and topics of documents from their sentences."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics.fusion._sides import to_mixtures
from llmtopics.text import split_sentences


class Sentences(NamedTuple):
    """All sentences of some documents.

    texts : list of S str
    documents : ndarray of shape (S,)
        The row of each sentence's document.
    topics : ndarray of shape (S, K)
        Topic proportions. Rows sum to one.
    """

    texts: list[str]
    documents: np.ndarray
    topics: np.ndarray


def mixtures_of(model: Any, texts: list[str]) -> np.ndarray:
    """Return the topic proportions of texts by a model, (n, K). Rows sum to one."""
    return to_mixtures(np.asarray(model.transform(texts)), "topic_model")


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
        return Sentences([], documents, np.empty((0, len(no_words))))
    own, whole = mixtures_of(model, sentences), mixtures_of(model, texts)
    topics = in_context(own, whole[documents], no_words)
    alone = np.array([len(each) == 1 for each in split])[documents]
    topics[alone] = whole[documents[alone]]
    return Sentences(sentences, documents, topics)


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
        Of each topic in each document. Polarity is 0 where a share is too small.
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
        texts, documents, topics = self.sentences
        kept = np.flatnonzero(np.isin(documents, rows))
        sentences = Sentences(
            [texts[i] for i in kept],
            np.searchsorted(rows, documents[kept]),
            topics[kept],
        )
        return Measured(
            self.polarity[rows], self.shares[rows], sentences, self.of_sentences[kept]
        )


def of_documents(
    sentences: Sentences, of_sentences: np.ndarray, n_documents: int, min_share: float
) -> Measured:
    """Return the polarity of each topic in each document: the mean of its sentences.

    Sentences of a document count equally, in proportion to their share of the topic.
    Documents without a sentence have shares of 0.
    """
    n = len(sentences.texts)
    belongs = sp.csr_array(
        (np.ones(n), (sentences.documents, np.arange(n))), shape=(n_documents, n)
    )
    amounts = belongs @ sentences.topics
    sums = belongs @ (sentences.topics * of_sentences[:, np.newaxis])
    n_sentences = np.bincount(sentences.documents, minlength=n_documents)
    shares = amounts / np.maximum(n_sentences, 1)[:, np.newaxis]
    present = (shares >= min_share) & (amounts > 0)
    means = np.divide(sums, amounts, where=present, out=np.zeros_like(sums))
    return Measured(np.clip(means, -1, 1), shares, sentences, of_sentences)
