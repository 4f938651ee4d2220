"""Interactions of users with items: a matrix or a table → weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse as sp

from llmtopics.apply._missing_values import is_missing

_NAME = "TopicRecommender"


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions, one row each, by numbers of users and items.

    Attributes
    ----------
    user_ids : list of n_users
    n_items : int
    users, items : ndarrays of shape (n,), int
    weights : ndarray of shape (n,)
        Positive: liked. Negative: not liked. 0: seen, and neither.
    order : ndarray of shape (n,)
        Times, or zeros if there are none.
    thresholds : ndarray of shape (n_users,) or None
        Ratings from which each user likes an item.
    """

    user_ids: list[Any]
    n_items: int
    users: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    order: np.ndarray
    thresholds: np.ndarray | None

    def rows(self, kept: np.ndarray) -> "Interactions":
        """Return some of the rows."""
        names = ("users", "items", "weights", "order")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def matrix(self, values: np.ndarray) -> sp.csr_array:
        """Return the sum of values per user and item."""
        shape = len(self.user_ids), self.n_items
        found = sp.coo_array((values, (self.users, self.items)), shape=shape).tocsr()
        found.eliminate_zeros()
        return found

    def liked(self) -> sp.csr_array:
        """Return the weights as a matrix."""
        return self.matrix(self.weights)

    def seen(self) -> sp.csr_array:
        """Return the number of interactions, of whatever weight, as a matrix."""
        return self.matrix(np.ones(len(self.users)))


def check_ids(ids: Any, n: int, name: str) -> list[Any]:
    """Return ids as a list; raise a ValueError if they are not ``n`` distinct values."""
    if isinstance(ids, str) or not hasattr(ids, "__iter__"):
        raise ValueError(f"{name} must be a list of ids, one per text, got {ids!r}.")
    found = list(ids.to_list() if hasattr(ids, "to_list") else ids)
    if len(found) != n:
        raise ValueError(
            f"{name} has {len(found)} ids for {n} texts: pass one per text."
        )
    for row, each in enumerate(found):
        if is_missing(each):
            raise ValueError(f"{name} has no id in row {row}: give each item an id.")
        if not _is_hashable(each):
            raise ValueError(
                f"{name} has {each!r} in row {row}, which is no id: use numbers or str."
            )
    found = [each.item() if isinstance(each, np.generic) else each for each in found]
    twice = [each for each, count in Counter(found).items() if count > 1]
    if twice:
        raise ValueError(
            f"{name} has {twice[0]!r} more than once, last in row "
            f"{n - 1 - found[::-1].index(twice[0])}: give each item an id of its own."
        )
    return found


def _is_hashable(value: Any) -> bool:
    """Return whether a value can be an id. A tuple with a list in it cannot."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def rows_of(wanted: Any, ids: list[Any], name: str, kind: str) -> np.ndarray:
    """Return the rows of one id or of several; raise a ValueError that names an unknown one."""
    of_id = {each: row for row, each in enumerate(ids)}
    is_id = _is_hashable(wanted) and wanted in of_id  # a tuple may be an id
    if is_id or isinstance(wanted, str) or not hasattr(wanted, "__iter__"):
        wanted = [wanted]
    rows = []
    for place, each in enumerate(wanted):
        if not _is_hashable(each) or each not in of_id:
            raise ValueError(
                f"{name} has {each!r} in place {place}, which is no {kind} of the "
                f"recommender: pass ids in {kind}_ids_"
                + (", or the likes of a new user." if kind == "user" else ".")
            )
        rows.append(of_id[each])
    return np.array(rows, int)


def likes_of_new_users(
    likes: Any, item_ids: list[Any]
) -> tuple[list[Any], sp.csr_array]:
    """Return the names of new users, and how often they like each item."""
    lists = dict(likes) if isinstance(likes, Mapping) else {"new": likes}
    found = [sp.csr_array((0, len(item_ids)))]
    for listed in lists.values():
        items = rows_of(listed, item_ids, "likes", "item")
        counts = np.bincount(items, minlength=len(item_ids)).astype(np.float64)
        found.append(sp.csr_array(counts[np.newaxis]))
    return list(lists), sp.csr_array(sp.vstack(found, format="csr"))


def read_interactions(
    y: Any, item_ids: Sequence[Any], given: SimpleNamespace
) -> Interactions:
    """Return the interactions of a matrix or a table.

    Parameters
    ----------
    y : sparse or array-like of shape (n_users, n_items), or a table
    item_ids : sequence of n_items
    given : namespace with ``threshold``, ``negative_weight`` and ``half_life``
        ``threshold`` may also be a dict of thresholds per user.

    Raises
    ------
    ValueError
        For missing columns, unknown items, NaN, negative counts, unreadable times and another
        number of columns than items. It names the row.
    """
    if hasattr(y, "columns") and not sp.issparse(y) and "user" in list(y.columns):
        user_ids, users, items, ratings, times = _from_table(y, item_ids)
    elif hasattr(y, "columns"):
        raise ValueError(
            f"{_NAME} reads a table with the columns user and item, and perhaps rating and "
            f"time, got the columns {list(y.columns)}: rename them."
        )
    else:
        user_ids, users, items, ratings, times = _from_matrix(y, len(item_ids))
    _check_ratings(ratings, users, items, given, is_table=hasattr(y, "columns"))
    thresholds = _thresholds(ratings, users, list(user_ids), given.threshold)
    weights = ratings
    if thresholds is not None:
        is_liked = ratings >= thresholds[users]
        weights = np.where(is_liked, 1.0, -float(given.negative_weight))
    if given.half_life is not None:
        if times is None:
            raise ValueError(
                "half_life needs times: pass a table with a column time as y."
            )
        latest = np.full(len(user_ids), -np.inf)
        np.maximum.at(latest, users, times)
        weights = weights * 0.5 ** ((latest[users] - times) / given.half_life)
    order = np.zeros(len(users)) if times is None else times
    return Interactions(
        list(user_ids), len(item_ids), users, items, weights, order, thresholds
    )


def _from_matrix(y: Any, n_items: int) -> tuple:
    if not sp.issparse(y):
        y = np.asarray(y)
        if y.ndim != 2 or y.dtype.kind not in "biuf":
            raise ValueError(
                f"{_NAME} reads interactions as a table or a matrix of numbers with one row "
                f"per user and one column per item, got shape {y.shape} of {y.dtype}."
            )
    if y.shape[1] != n_items:
        raise ValueError(
            f"y has {y.shape[1]} columns, and there are {n_items} items: pass one column "
            "per text of X, in the same order."
        )
    found = sp.coo_array(y, copy=True)
    found.sum_duplicates()  # they are one count or rating, also for the threshold
    found.eliminate_zeros()
    order = np.lexsort((found.col, found.row))
    values = found.data[order].astype(np.float64)
    return range(y.shape[0]), found.row[order], found.col[order], values, None


def _from_table(y: Any, item_ids: Sequence[Any]) -> tuple:
    names = list(y.columns)
    if "item" not in names:
        raise ValueError(f"y has no column item, but the columns {names}: add it.")
    for name in ("user", "item", "rating", "time"):
        if names.count(name) > 1:
            raise ValueError(f"y has {names.count(name)} columns {name}: keep one.")
    columns = {name: y[name].to_list() for name in ("user", "item")}
    for name, values in columns.items():
        for row, value in enumerate(values):
            if is_missing(value):
                raise ValueError(f"y has no {name} in row {row}: remove the row.")
            if not _is_hashable(value):
                raise ValueError(
                    f"y has the {name} {value!r} in row {row}, which is no id: use numbers "
                    "or str."
                )
    of_item = {each: i for i, each in enumerate(item_ids)}
    for row, item in enumerate(columns["item"]):
        if item not in of_item:
            raise ValueError(
                f"y has the item {item!r} in row {row}, which is no id of an item: pass "
                "item_ids or a pandas Series with the ids as its index, or remove the row."
            )
    of_user = {each: i for i, each in enumerate(dict.fromkeys(columns["user"]))}
    users = np.array([of_user[each] for each in columns["user"]], int)
    items = np.array([of_item[each] for each in columns["item"]], int)
    ratings = _numbers(y, "rating") if "rating" in names else np.ones(len(users))
    times = _numbers(y, "time") if "time" in names else None
    return list(of_user), users, items, ratings, times


def _numbers(y: Any, name: str) -> np.ndarray:
    """Return a column as finite floats. Times that are dates become days."""
    values = np.asarray(y[name].to_numpy())
    if values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
    elif values.dtype.kind == "M" and name == "time":
        missing = np.isnat(values)
        numbers = values.astype("datetime64[us]").astype(np.float64) / 86_400e6
        numbers[missing] = np.nan
    else:
        numbers = np.full(len(values), np.nan)
        for row, value in enumerate(values):
            with suppress(TypeError, ValueError, OverflowError):
                if name == "time" and isinstance(value, str):
                    value = datetime.fromisoformat(value)
                is_date = isinstance(value, date) and name == "time"
                number = _days(value) if is_date else value
                numbers[row] = np.nan if isinstance(number, str) else float(number)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        kind = "a number or a date" if name == "time" else "a number"
        raise ValueError(
            f"y has the {name} {str(values[row])!r} in row {row}, which is not {kind}: correct "
            "it, or remove the row."
        )
    return numbers


def _days(value: date) -> float:
    """Return the days since 1970 of a date or a time. Times without a zone are UTC."""
    if is_missing(value):
        return np.nan
    if not isinstance(value, datetime):
        return float((value - date(1970, 1, 1)).days)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() / 86_400


def _check_ratings(
    ratings: np.ndarray,
    users: np.ndarray,
    items: np.ndarray,
    given: SimpleNamespace,
    *,
    is_table: bool,
) -> None:
    wrong = ~np.isfinite(ratings)
    fault = "is not finite: correct it, or remove it"
    if not wrong.any() and given.threshold is None:
        wrong = ratings < 0
        fault = "is negative: pass counts of at least 0, or set threshold"
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        where = f"row {row}" if is_table else f"row {users[row]}, column {items[row]}"
        raise ValueError(f"y holds {ratings[row]} in {where}, which {fault}.")


def _thresholds(
    ratings: np.ndarray, users: np.ndarray, user_ids: list[Any], threshold: Any
) -> np.ndarray | None:
    """Return the rating from which each user likes an item, or None for no threshold."""
    if threshold is None:
        return None
    if isinstance(threshold, Mapping):
        return np.array([threshold.get(user, -np.inf) for user in user_ids])
    if threshold != "mean":
        return np.full(len(user_ids), float(threshold))
    n = np.bincount(users, minlength=len(user_ids))
    sums = np.bincount(users, ratings, minlength=len(user_ids))
    # rounding must not make equal ratings fall below their mean
    return sums / np.maximum(n, 1) - 1e-9
