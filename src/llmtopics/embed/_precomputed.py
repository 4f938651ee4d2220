"""Vectors that are known already, looked up by text."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from llmtopics._checks import check_texts
from llmtopics.embed._base import Embedder

_SAME = 0.999  # least cosine of two vectors of one text that differ by rounding alone


class PrecomputedEmbeddings(Embedder):
    """Look up the vectors of texts among vectors made elsewhere.

    Use it in place of another embedder when you already have the vectors, in Pipelines and
    searches too.

    Parameters
    ----------
    texts : sequence of str of length n_texts
        The texts whose vectors are known.

    vectors : array-like of shape (n_texts, n_dimensions)
        Their vectors, used as they are. A text given twice has its first vector. The others
        may differ by rounding, up to a cosine of 0.999. Cloning and cross-validation do not
        copy them.

    See Also
    --------
    TransformerEmbedder : Makes vectors of any text.

    Notes
    -----
    A blank text that is not among ``texts`` has the zero vector.

    ``FusionTopicModel.score`` reads halves of texts, which have no vectors here. So searches
    need ``scoring=topic_scorer()``, and ``alpha`` must be a number.

    Examples
    --------
    >>> from llmtopics import PrecomputedEmbeddings
    >>> embedder = PrecomputedEmbeddings(["cat", "dog"], [[1, 0], [0, 1]])
    >>> embedder.transform(["dog", "cat", "dog"])
    array([[0., 1.],
           [1., 0.],
           [0., 1.]], dtype=float32)
    """

    _parameter_constraints: dict[str, Any] = {  # by transform, which knows the rows
        "texts": "no_validation",
        "vectors": "no_validation",
    }

    def __init__(self, texts: Sequence[str], vectors: ArrayLike):
        self.texts = texts
        self.vectors = vectors

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
            For a text whose vector is not known, vectors that are not finite or not as many
            as the texts, and a text given twice with different vectors.
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
                    f"only once: pass list({name})."
                )
        known = check_texts(self.texts, "PrecomputedEmbeddings(texts=...)")
        vectors = check_array(
            self.vectors,
            dtype=np.float32,
            estimator="PrecomputedEmbeddings",
            input_name="vectors",
        )
        if len(known) != len(vectors):
            raise ValueError(
                f"PrecomputedEmbeddings has {len(known)} texts, but {len(vectors)} vectors."
            )
        rows: dict[str, int] = {}
        for i, text in enumerate(known):
            first = rows.setdefault(text, i)
            if first != i and not _agree(vectors[first], vectors[i]):
                raise ValueError(
                    f"PrecomputedEmbeddings has two vectors for the text in rows {first} "
                    f"and {i}: {_shortened(text)}."
                )
        return vectors, rows

    @property
    def _n_features_out(self):
        return np.shape(self.vectors)[1]


class NoVectorError(ValueError):
    """A text is not among those whose vectors were given."""


def _agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether vectors are no farther apart than such of one length and cosine .999."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    gap = 2 * (1 - _SAME) * np.linalg.norm(a) * np.linalg.norm(b)
    return bool(np.sum((a - b) ** 2) <= gap)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
