"""Vectors of words, documents and topics, scaled to length one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from llmtopics._words import check_vocabulary


def unit_rows(vectors: ArrayLike, name: str) -> np.ndarray:
    """Return rows of length one; a row of zeros is an error."""
    rows: np.ndarray = check_array(vectors, dtype=np.float64, input_name=name)
    if (zero := np.flatnonzero(~rows.any(axis=1))).size:
        raise ValueError(
            f"{name}: row {zero[0]} is all zero and has no direction. Leave it out."
        )
    return normalize(rows)


def vectors_of_words(
    vectors: ArrayLike | Callable[[list[str]], ArrayLike],
    vocabulary: Sequence[str] | np.ndarray | None,
) -> Callable[[list[str]], np.ndarray]:
    """Return a function from words to their unit vectors."""
    if callable(vectors):

        def ask(words: list[str]) -> np.ndarray:
            found = unit_rows(vectors(words), "vectors")
            if len(found) != len(words):
                raise ValueError(
                    f"vectors returned {len(found)} rows for {len(words)} words: it must "
                    "return one row per word."
                )
            return found

        return ask
    rows = check_array(vectors, dtype=np.float64, input_name="vectors")
    if vocabulary is None:
        raise ValueError("Pass the vocabulary: the word of each row of vectors.")
    place = check_vocabulary(vocabulary, len(rows), "vectors", "rows")

    def pick(words: list[str]) -> np.ndarray:
        unknown = [word for word in words if word not in place]
        if unknown:
            raise ValueError(
                f"The word {unknown[0]!r} has no vector: add it to vectors and vocabulary."
            )
        return unit_rows(rows[[place[word] for word in words]], "vectors")

    return pick
