"""Divide what words add among the sentences and places of a text."""

import re
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics.explanation._vectorizing import count_rows

_PIECE = re.compile(r"""[^\s.,;:!?()[\]{}<>"“”„«»…—–/\\|。、，！？；：「」『』（）]+""")


def sentence_contributions(
    model: Any,
    vectorizer: Any,
    sentences: list[str],
    columns: np.ndarray,
    words: np.ndarray,
    added: np.ndarray,
    embedding: np.ndarray,
) -> tuple[np.ndarray, bool]:
    """Return what sentences add to each topic, and whether their vectors are known.

    Parameters
    ----------
    model : TextModel or CountsModel
    vectorizer : transformer
        Counts the text's own words.
    sentences : list of n_sentences str
    columns : ndarray of shape (n,)
        Columns of the text's own words.
    words : ndarray of shape (n, K)
        What these words add.
    added, embedding : ndarrays of shape (K,)
        What added words add, and what the embedding side adds.

    Returns
    -------
    contributions : ndarray of shape (n_sentences, K)
    known : bool
        If False, the embedding side is divided by the lengths of sentences.
    """
    rows = count_rows(vectorizer, sentences)[:, columns]
    lengths = np.array([[max(len(sentence), 1)] for sentence in sentences], float)
    shares = lengths / lengths.sum()
    nowhere = np.asarray(rows.sum(axis=0)).ravel() == 0  # n-grams across sentences
    carried = _spread(words, rows)
    carried += shares * words[nowhere].sum(axis=0)
    known = True
    if embedding.any():
        weights = lengths
        try:
            f = model._embedding_mixtures(sentences)
            weights = lengths * (f + np.finfo(float).tiny)
        except ValueError:  # a table of vectors without single sentences
            known = False
        carried = carried + embedding * weights / weights.sum(axis=0)
    carried += shares * added
    return carried, known


def locate_words(
    vectorizer: Any, text: str, columns: np.ndarray, words: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the spans of words in the text, (M, 2), and what each place adds, (M, K)."""
    places = list(_PIECE.finditer(text))
    if not places or not columns.size:
        return np.empty((0, 2), int), np.empty((0, words.shape[1]))
    pieces, which = np.unique([place[0] for place in places], return_inverse=True)
    rows = count_rows(vectorizer, pieces.tolist())[:, columns]
    rows.data = np.ones(rows.nnz)
    rows = rows[which]
    hits = np.flatnonzero(np.diff(rows.indptr))
    spans = np.array([places[i].span() for i in hits], int).reshape(-1, 2)
    return spans, _spread(words, rows)[hits]


def _spread(words: np.ndarray, rows: sp.csr_array) -> np.ndarray:
    """Divide what words add among the rows, in proportion to their weight in each."""
    totals = np.asarray(rows.sum(axis=0), np.float64).ravel()
    scale = np.divide(1, totals, where=totals > 0, out=np.zeros_like(totals))
    return rows @ (words * scale[:, np.newaxis])
