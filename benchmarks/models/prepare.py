"""Texts, words and vectors in the form that peers read."""

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.counts import Documents
from llmtopics import TransformerEmbedder


def joined_tokens(corpus: Documents) -> tuple[list[str], CountVectorizer]:
    """Return texts whose words are cut out, and what counts them, as a peer wants it."""
    texts = [" ".join(tokens) for tokens in corpus.tokens]
    return texts, CountVectorizer(analyzer=str.split, vocabulary=corpus.vocabulary)


class WordEncoder:
    """Encodes words as the texts are; kept on disk."""

    def encode(self, texts: Any, **_: Any) -> np.ndarray:
        return TransformerEmbedder().transform([str(text) for text in texts])
