"""Read texts as sentences, with their topics, words and vectors."""

import re
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from llmtopics._checks import check_rows
from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import check_mixtures
from llmtopics.apply._missing_values import is_missing
from llmtopics.apply._summarizer_coverage import Candidates
from llmtopics.text import split_sentences
from llmtopics.text._segment import RANGES

# Each character of the scripts without spaces counts as a word
_WORD = re.compile(rf"[{RANGES}]|[^\s{RANGES}]+")


class Sentences(NamedTuple):
    """All sentences of some texts, one row each.

    texts : list of n str
    rows, positions, n_words : ndarrays of shape (n,)
        The text of each sentence, its position there, and its length.
    mixtures : ndarray of shape (n, K)
    words : csr_array of shape (n, V) or None
    vectors : ndarray of shape (n, E) or None
    document_mixtures : ndarray of shape (n_texts, K)
    """

    texts: list[str]
    rows: np.ndarray
    positions: np.ndarray
    n_words: np.ndarray
    mixtures: np.ndarray
    words: sp.csr_array | None
    vectors: np.ndarray | None
    document_mixtures: np.ndarray

    def numbers_of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of the sentences of some texts, and how many each text has."""
        # self.rows is sorted, so the time does not depend on the number of other texts
        starts = np.searchsorted(self.rows, rows, "left")
        ends = np.searchsorted(self.rows, rows, "right")
        spans = [np.arange(*span) for span in zip(starts, ends, strict=True)]
        return np.concatenate(spans), ends - starts

    def of(self, rows: np.ndarray, topic: int | None) -> tuple[np.ndarray, Candidates]:
        """Return the sentences of some texts as candidates, and their numbers.

        With a topic, these are the sentences that have it as their first topic.
        """
        which, n = self.numbers_of(rows)
        # a blank text has the mean of the prior: a group does not have to cover that
        written = rows[n > 0] if n.any() else rows
        target = self.document_mixtures[written].mean(axis=0)
        if topic is not None:
            which = which[self.mixtures[which].argmax(axis=1) == topic]
            target = np.eye(self.mixtures.shape[1])[topic]
        return which, Candidates(
            self.mixtures[which],
            None if self.words is None else self.words[which],
            None if self.vectors is None else self.vectors[which],
            target,
            self.n_words[which],
            self.positions[which],
            _copies([self.texts[i] for i in which]),
        )


def counts_words(model: Any, texts: list[str]) -> bool:
    """Return whether a fitted topic model counts the words of texts."""
    return sp.issparse(FittedModel(model).counts(texts))


def with_known_words(model: Any, sentences: list[str]) -> list[str]:
    """Return the sentences whose topics a fitted model can tell.

    A model that reads words alone gives the mean of its prior for a sentence without any.
    """
    fitted = FittedModel(model)
    counts = fitted.counts(sentences) if fitted.embedder is None else None
    if not sp.issparse(counts):
        return sentences
    known = abs(sp.csr_array(counts)).sum(axis=1)
    return [sentences[i] for i in np.flatnonzero(known)]


def read_sentences(
    texts: list[str],
    language: str,
    model: Any,
    embedder: Any,
    with_words: bool,
) -> Sentences:
    """Split texts into sentences, and find the topics, words and vectors of each.

    Parameters
    ----------
    texts : list of str
    language : str
    model : fitted topic model that reads texts
    embedder : fitted embedder, or None for no vectors
    with_words : bool
        Whether to count words, if the topic model does.
    """
    split = [split_sentences(text, language) for text in texts]
    flat = list(chain.from_iterable(split))
    lengths = [len(some) for some in split]
    both = check_mixtures(model.transform([*texts, *flat]), "model.transform(texts)")
    words = vectors = None
    if flat and with_words:
        found = FittedModel(model).counts(flat)
        words = sp.csr_array(found) if sp.issparse(found) else None
    if flat and embedder is not None:
        vectors = normalize(check_array(embedder.transform(flat), input_name="vectors"))
    return Sentences(
        flat,
        np.repeat(np.arange(len(texts)), lengths),
        np.fromiter(chain.from_iterable(map(range, lengths)), int, len(flat)),
        np.array([count_words(sentence) for sentence in flat], int),
        both[len(texts) :],
        words,
        vectors,
        both[: len(texts)],
    )


def count_words(text: str) -> int:
    """Return the number of words. Characters of scripts without spaces count as words."""
    return len(_WORD.findall(text))


def rows_of_groups(groups: Any, n_texts: int) -> Iterator[tuple[Hashable, np.ndarray]]:
    """Yield each group, in the order of their first texts, and the rows of its texts."""
    if groups is None:
        yield from ((i, np.array([i])) for i in range(n_texts))
        return
    labels = check_rows(groups, "TopicSummarizer (groups)", "label")
    if len(labels) != n_texts:
        raise ValueError(
            f"groups has {len(labels)} labels, and there are {n_texts} texts: pass one label "
            "per text."
        )
    rows: dict[Hashable, list[int]] = {}
    for row, label in enumerate(labels):
        if is_missing(label):
            raise ValueError(
                f"groups has no label in row {row} (got {label!r}): remove the text, or give "
                "it a label."
            )
        try:
            rows.setdefault(label, []).append(row)
        except TypeError:
            raise ValueError(
                f"groups holds a {type(label).__name__} in row {row}: use numbers or str."
            ) from None
    yield from ((label, np.array(some)) for label, some in rows.items())


def _copies(sentences: list[str]) -> np.ndarray:
    """Return which sentences are the same as an earlier one, except for case and spaces."""
    seen: set[str] = set()
    copies = np.zeros(len(sentences), bool)
    for i, sentence in enumerate(sentences):
        key = " ".join(sentence.casefold().split())
        copies[i] = key in seen
        seen.add(key)
    return copies
