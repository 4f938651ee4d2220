"""The collaborative side: what users of similar taste like, by EASE or ``implicit``."""

import copy
import warnings
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from llmtopics._compiled.blas import one_thread
from llmtopics._progress import stage

# chosen on a validation part of MovieLens; implicit's own default regularizes too little
_EASE, _MOST_ITEMS = 100.0, 20_000  # regularization; 3 GB
_ALS = {"factors": 64, "alpha": 1.0}
_MOST, _PER_LIKE = 10.0, 1.5  # regularization of ALS, and its share of likes per item


class Collaborative(Protocol):
    """Scores are products of rows for users and rows for items.

    items : ndarray or csr_array of shape (n_items, n_factors)
    """

    @property
    def items(self) -> Any: ...

    def users(self, weights: sp.csr_array, known: np.ndarray | None) -> Any:
        """Return the rows of users with these liked items. ``known``: their numbers."""

    def parts(self, weights: sp.csr_array, item: int) -> np.ndarray | None:
        """Return what each stored entry of one user's weights adds to an item's score."""


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Alternating least squares: users' factors follow from those of their items."""

    items: np.ndarray
    gram: np.ndarray  # of the items that have interactions
    regularization: float
    alpha: float

    def users(self, weights: sp.csr_array, known: np.ndarray | None) -> np.ndarray:
        found = np.zeros((weights.shape[0], self.items.shape[1]))
        for row in range(len(found)):
            liked, confidences = _row(weights, row)
            if len(liked):
                inverse, y, gains = self._equation(liked, confidences)
                found[row] = np.linalg.solve(inverse, y.T @ gains)
        return found

    def parts(self, weights: sp.csr_array, item: int) -> np.ndarray:
        inverse, y, gains = self._equation(*_row(weights, 0))
        return y @ np.linalg.solve(inverse, self.items[item]) * gains

    def _equation(
        self, liked: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the matrix, the factors of the liked items, and their weights."""
        y, confidences = self.items[liked], self.alpha * weights
        matrix = self.gram + self.regularization * np.eye(y.shape[1])
        matrix += (y * (np.abs(confidences) - 1)[:, np.newaxis]).T @ y
        return matrix, y, np.maximum(confidences, 0)


@dataclass(frozen=True, eq=False)
class ItemSimilarity:
    """Neighbors of items: a user's row is what they liked.

    Likes of items that were added after ``fit`` have no neighbors and do not count.
    """

    items: sp.csr_array

    def users(self, weights: sp.csr_array, known: np.ndarray | None) -> sp.csr_array:
        return weights[:, : self.items.shape[1]]

    def parts(self, weights: sp.csr_array, item: int) -> np.ndarray:
        liked, values = _row(weights, 0)
        row = np.zeros(weights.shape[1])
        row[: self.items.shape[1]] = self.items[[item]].toarray()[0]
        return row[liked] * values


@dataclass(frozen=True, eq=False)
class ItemWeights:
    """EASE: an item's score is the weighted sum of a user's likes.

    items : row i has the weights of all items for item i. Likes of items that were added after
    ``fit`` do not count.
    """

    items: np.ndarray

    def users(self, weights: sp.csr_array, known: np.ndarray | None) -> sp.csr_array:
        return weights[:, : self.items.shape[1]]

    def parts(self, weights: sp.csr_array, item: int) -> np.ndarray:
        liked, values = _row(weights, 0)
        row = np.zeros(weights.shape[1])
        row[: self.items.shape[1]] = self.items[item]
        return row[liked] * values


@dataclass(frozen=True, eq=False)
class FixedUsers:
    """Any other model with factors. It says nothing about new users."""

    items: np.ndarray
    of_users: np.ndarray

    def users(self, weights: sp.csr_array, known: np.ndarray | None) -> np.ndarray:
        if known is None:
            return np.zeros((weights.shape[0], self.items.shape[1]))
        return self.of_users[known]

    def parts(self, weights: sp.csr_array, item: int) -> None:
        return None


def _row(weights: sp.csr_array, row: int) -> tuple[np.ndarray, np.ndarray]:
    part = slice(weights.indptr[row], weights.indptr[row + 1])
    return weights.indices[part], weights.data[part]


def regularization_for(weights: sp.csr_array) -> float:
    """Return the regularization of ALS for likes, (n_users, n_items).

    With few likes per item, the usual one would make all factors zero.
    """
    return min(_MOST, _PER_LIKE * float(weights.sum()) / weights.shape[1])


def fit_ease(weights: sp.csr_array) -> ItemWeights:
    """Fit EASE: ridge regression of each item on all others, in closed form.

    Raises
    ------
    ValueError
        If there are too many items for a matrix of items by items.
    """
    n_items = weights.shape[1]
    if n_items > _MOST_ITEMS:
        raise ValueError(
            f"collaborative='ease' takes a matrix of items by items, and there are {n_items:,} "
            f"items. Use 'als' for more than {_MOST_ITEMS:,}."
        )
    with one_thread():
        inverse = np.linalg.inv(
            (weights.T @ weights).toarray() + _EASE * np.eye(n_items)
        )
    found = (
        inverse / -np.diag(inverse)[:, np.newaxis]
    )  # of a symmetric matrix: transposed
    np.fill_diagonal(found, 0)
    return ItemWeights(found)


def fit_collaborative(
    given: Any,
    weights: sp.csr_array,
    regularization: float,
    seed: int,
    n_jobs: int,
) -> Collaborative:
    """Fit EASE, or a model of ``implicit``.

    Parameters
    ----------
    given : "als", "ease" or a model of implicit
    weights : csr_array of shape (n_users, n_items)
    regularization : float
        That of "als".

    Raises
    ------
    ImportError
        If implicit is not installed.
    ValueError
        If the model has neither factors nor similarities.
    """
    if isinstance(given, str) and given == "ease":
        return fit_ease(weights)
    # implicit warns of threads of BLAS, and of matrices that it makes itself
    with one_thread(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="implicit")
        if isinstance(given, str):
            try:
                from implicit.als import AlternatingLeastSquares
            except ImportError as error:
                raise ImportError(
                    "TopicRecommender needs implicit for collaborative='als': pip install "
                    "'llmtopics[recommend]', or set collaborative=None for texts alone."
                ) from error
            model = AlternatingLeastSquares(
                regularization=regularization,
                random_state=seed,
                num_threads=n_jobs,
                **_ALS,
            )
        else:
            model = copy.deepcopy(given)
            if getattr(model, "random_state", seed) is None:
                model.random_state = seed
        _fit_quietly(model, sp.csr_matrix(weights, dtype=np.float32))
    similarity: Any = getattr(model, "similarity", None)
    if sp.issparse(similarity):
        return ItemSimilarity(sp.csr_array(similarity.T, dtype=np.float64))
    if not hasattr(model, "item_factors"):
        raise ValueError(
            f"collaborative={type(model).__name__} has neither item_factors nor a sparse "
            "similarity after fit: use AlternatingLeastSquares or CosineRecommender."
        )
    items = np.asarray(model.item_factors, np.float64)
    if hasattr(model, "solver") and hasattr(model, "alpha"):
        with one_thread():
            gram = items.T @ items
        return LeastSquares(items, gram, model.regularization, model.alpha)
    return FixedUsers(items, np.asarray(model.user_factors, np.float64))


def _fit_quietly(model: Any, weights: sp.csr_matrix) -> None:
    """Fit a model of implicit without its own bar; count its rounds if it tells them."""
    rounds = getattr(model, "iterations", 0)
    if "callback" not in signature(model.fit).parameters:
        rounds = 0
    with stage("collaborative", rounds, "rounds") as counted:
        told = {"callback": lambda *_: counted.update()} if rounds else {}
        model.fit(weights, show_progress=False, **told)


def with_items(model: Any, items: Any) -> Any:
    """Return the collaborative model with other rows for items."""
    return replace(model, items=items)
