"""Documents as the page shows them: beginnings of texts, places on the map, marked words."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from llmtopics._checks import pandas_for
from llmtopics.explanation._vectorizing import count_rows
from llmtopics.reading import Topics
from llmtopics.reading._quality import representative_rows
from llmtopics.reading._tables import beginning

_WIDTH = 4095  # of the map, in whole units: half a pixel of a large screen
_N_TOP = 3  # topics per document
_N_MARKED = 50  # words per topic that are marked in texts
_MOST_FORMS = 30_000  # other forms of words, such as plurals
_N_REPRESENTATIVE = 5
_PIECE = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")


class Shown:
    """The documents in the page, and what of their texts may be in it."""

    def __init__(
        self,
        topics: Topics,
        max_chars: int,
        max_documents: int,
        map_method: str,
        include_texts: bool,
        redact: str | Callable[[str], str] | None,
    ) -> None:
        self.topics = topics
        self._max_chars, self._redact = max_chars, redact
        self.include_texts = include_texts
        self.rows = _sample(topics, max_documents)
        places, topic_places = _places(topics, map_method)
        self.places, self.topic_places = places[self.rows], topic_places
        self.texts = [self._text(topics.texts[d]) for d in self.rows] * include_texts

    def _text(self, text: str) -> str:
        return beginning(text, self._max_chars, self._redact)

    def title(self, row: int) -> str:
        """Return the title of a document, or the beginning of its text, or its row."""
        if not self.include_texts:
            return f"document {row}"
        return self.own_title(row) or self._text(self.topics.texts[row])

    def own_title(self, row: int) -> str | None:
        """Return the title of a document, None if it has none."""
        titles = self.topics.titles
        if titles is None or pandas_for("topic_report").isna(titles[[row]])[0]:
            return None
        return self._text(str(titles[row]))


def _sample(topics: Topics, max_documents: int) -> np.ndarray:
    """Return rows of documents to show: all, or representative ones and a random sample."""
    n_documents, n_topics = topics.mixtures.shape
    if n_documents <= max_documents:
        return np.arange(n_documents)
    typical = [
        representative_rows(topics.mixtures, k, _N_REPRESENTATIVE, topics.texts)
        for k in range(n_topics)
    ]
    first = np.unique(np.concatenate(typical))[:max_documents]
    others = np.setdiff1d(np.arange(n_documents), first)
    drawn = np.random.default_rng(0).choice(
        others, max_documents - len(first), replace=False
    )
    return np.sort(np.concatenate([first, drawn]))


def _places(topics: Topics, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers from 0 to _WIDTH, (D, 2) and (K, 2), with y downwards."""
    documents, centers = topics.map(method)
    both = np.vstack([documents[["x", "y"]], centers[["x", "y"]]]).astype(float)
    low, span = both.min(axis=0), max(np.ptp(both, axis=0).max(), 1e-12)
    both = (both - low - np.ptp(both, axis=0) / 2) / span + 0.5
    both[:, 1] = 1 - both[:, 1]
    whole = np.rint(both * _WIDTH).astype(int)
    return whole[: len(documents)], whole[len(documents) :]


def document_columns(
    shown: Shown, group_column: np.ndarray | None, period_column: np.ndarray | None
) -> dict[str, Any]:
    """Return one value, or ``n_top`` values, per document, as lists."""
    theta, n_all = shown.topics.mixtures[shown.rows], len(shown.topics.texts)
    n_top = min(_N_TOP, theta.shape[1])
    top = np.argsort(-theta, axis=1, kind="stable")[:, :n_top]
    shares = np.take_along_axis(theta, top, axis=1)
    columns = {
        "n": len(shown.rows),
        "n_all": n_all,
        "n_top": n_top,
        "row": None if len(shown.rows) == n_all else shown.rows.tolist(),
        "x": shown.places[:, 0].tolist(),
        "y": shown.places[:, 1].tolist(),
        "topic": top.ravel().tolist(),
        "share": np.rint(1000 * shares).astype(int).ravel().tolist(),  # per mille
        "text": shown.texts if shown.include_texts else None,
        "title": None,
        "group": None if group_column is None else group_column[shown.rows].tolist(),
        "period": None if period_column is None else period_column[shown.rows].tolist(),
        "max_chars": shown._max_chars,
    }
    if shown.include_texts and shown.topics.titles is not None:
        columns["title"] = [shown.own_title(d) for d in shown.rows]
    return columns


def marked_words(shown: Shown) -> dict[str, Any]:
    """Return the words that the page marks, and how probable they are in their topics.

    words : W words. topics, weights : lists of the topics per word with the largest
    ``φ_kw p_k``, and φ_kw in millionths. forms : other forms of words → number of the word.
    """
    if not shown.include_texts:
        return {"words": [], "topics": [], "weights": [], "forms": {}}
    topics = shown.topics
    column = {str(word): w for w, word in enumerate(topics.vocabulary)}
    words = sorted({word for listed in topics._words(_N_MARKED) for word in listed})
    columns = np.array([column[word] for word in words], int)
    phi = topics.components[:, columns].T
    expected = phi * topics.mixtures.mean(axis=0)
    best = np.argsort(-expected, axis=1, kind="stable")[:, :_N_TOP]
    weights = np.rint(1e6 * np.take_along_axis(phi, best, axis=1)).astype(int)
    return {
        "words": words,
        "topics": best.tolist(),
        "weights": weights.tolist(),
        "forms": _forms(topics, shown.texts, words, columns),
    }


def _forms(
    topics: Topics, texts: list[str], words: list[str], columns: np.ndarray
) -> dict[str, int]:
    """Return how else the texts write the words, such as "taxes" for the stem "tax"."""
    pieces = {piece.lower() for text in texts for piece in _PIECE.findall(text)}
    others = sorted(pieces.difference(words, map(str, topics.vocabulary)))
    if not others or not words:
        return {}
    counts = count_rows(topics._vectorizer, others[:_MOST_FORMS])
    single = np.flatnonzero(np.diff(counts.indptr) == 1)
    number = {w: i for i, w in enumerate(columns.tolist())}
    found = {others[i]: number.get(counts.indices[counts.indptr[i]]) for i in single}
    return {form: i for form, i in found.items() if i is not None}
