"""Look up given vectors by text."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from llmtopics._checks import check_texts
from llmtopics.embed._base import Embedder

_SAME = 0.999  # least cosine of two vectors of a text that differ only by rounding


@dataclass(eq=False, repr=False)
class PrecomputedEmbeddings(Embedder):
    """Use precomputed vectors of texts.

    Use it in place of another embedder if you already have the vectors, also in Pipelines and
    grid searches.

    Parameters
    ----------
    texts : sequence of str of length n_texts
        The texts that have vectors.

    vectors : array-like of shape (n_texts, n_dimensions)
        Their vectors. They are not normalized. A text that is given twice gets its first
        vector. Its other vectors may differ by rounding, down to a cosine of 0.999. Cloning
        and cross-validation do not copy the vectors.

    See Also
    --------
    TransformerEmbedder : Computes vectors of any text.

    Notes
    -----
    A blank text that is not in ``texts`` gets the zero vector.

    ``FusionTopicModel.score`` embeds halves of texts, which have no vectors here. So grid
    searches need ``scoring=topic_scorer()``, and ``alpha`` must be a number.

    Examples
    --------
    >>> from llmtopics import PrecomputedEmbeddings
    >>> embedder = PrecomputedEmbeddings(["cat", "dog"], [[1, 0], [0, 1]])
    >>> embedder.transform(["dog", "cat", "dog"])
    array([[0., 1.],
           [1., 0.],
           [0., 1.]], dtype=float32)
    """

    texts: Sequence[str]
    vectors: ArrayLike

    _parameter_constraints: ClassVar[
        dict[str, Any]
    ] = {  # transform checks them, and names rows
        "texts": "no_validation",
        "vectors": "no_validation",
    }

    def __sklearn_clone__(self):
        # scikit-learn's way would copy the vectors
        twin = type(self)(**self.get_params(deep=False))
        for name in ("_sklearn_output_config", "_metadata_request"):
            if hasattr(self, name):
                setattr(twin, name, copy(getattr(self, name)))
        return twin

    def transform(self, X):
        """Return the vectors of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        vectors : ndarray of shape (n_texts, n_dimensions), float32
            One row per text.

        Raises
        ------
        ValueError
            If a text has no vector, ``vectors`` are not finite or not one per text, or a text
            is given twice with different vectors.
        """
        vectors, rows = self._known()
        texts = check_texts(X, "PrecomputedEmbeddings")
        found = np.zeros((len(texts), vectors.shape[1]), np.float32)
        for i, text in enumerate(texts):
            if text in rows:
                found[i] = vectors[rows[text]]
            elif text.strip():
                raise NoVectorError(
                    f"PrecomputedEmbeddings has no vector for the text in row {i}: "
                    f"{_shortened(text)}. Add it to texts and vectors, or use "
                    "TransformerEmbedder."
                )
        return found

    def _known(self) -> tuple[np.ndarray, dict[str, int]]:
        """Return the given vectors, and the row of each text in them."""
        for name in ("texts", "vectors"):
            if isinstance(getattr(self, name), Iterator):
                raise ValueError(
                    f"PrecomputedEmbeddings({name}=...) is an iterator, which can be read "
                    f"only once. Pass list({name})."
                )
        known = check_texts(self.texts, "PrecomputedEmbeddings(texts=...)")
        with np.errstate(over="ignore"):  # infinity is an error
            vectors = check_array(
                self.vectors,
                dtype=np.float32,
                estimator="PrecomputedEmbeddings",
                input_name="vectors",
            )
        if len(known) != len(vectors):
            raise ValueError(
                f"PrecomputedEmbeddings has {len(known)} texts and {len(vectors)} vectors. "
                "Pass one vector per text."
            )
        rows: dict[str, int] = {}
        for i, text in enumerate(known):
            first = rows.setdefault(text, i)
            if first != i and not agree(vectors[first], vectors[i]):
                raise ValueError(
                    f"PrecomputedEmbeddings has two vectors for the text in rows {first} "
                    f"and {i}: {_shortened(text)}. Pass one."
                )
        return vectors, rows

    def _n_dimensions(self) -> int:
        return np.shape(self.vectors)[1]


class NoVectorError(ValueError):
    """A text has no given vector."""


def agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two vectors differ at most as much as a cosine of 0.999 allows."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    gap = 2 * (1 - _SAME) * np.linalg.norm(a) * np.linalg.norm(b)
    return bool(np.sum((a - b) ** 2) <= gap)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
