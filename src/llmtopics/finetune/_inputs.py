"""Texts to train on, and their labels or topic proportions as one matrix."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, column_or_1d

from llmtopics._checks import check_texts, shortened

_ONE_TOPIC = (
    "texts of one topic alone would all get the same vector. Pass texts of several topics, "
    "or y=None with objective='contrastive'."
)


def topics_of(y: Any, n_texts: int) -> np.ndarray:
    """Return the topic proportions of texts; a label is a topic of its own.

    Parameters
    ----------
    y : array-like of shape (n_texts,), or array-like or sparse (n_texts, n_topics)
    n_texts : int

    Returns
    -------
    topics : ndarray of shape (n_texts, n_topics)
        Rows that sum to one.

    Raises
    ------
    ValueError
        For another length, missing or negative values, a single label or topic, and what
        ``classes_of`` refuses.
    """
    y = y.toarray() if issparse(y) else _as_array(y)
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        _check_length(y, n_texts)
        shares = check_array(y, dtype=float, ensure_non_negative=True, input_name="y")
        totals = shares.sum(axis=1, keepdims=True)
        if not totals.all():
            row = int(np.flatnonzero(totals == 0)[0])
            raise ValueError(f"y has no topic in row {row}: its shares are all zero.")
        if (used := np.flatnonzero(shares.any(axis=0))).size < 2:
            raise ValueError(f"y has one topic, column {used[0]}: {_ONE_TOPIC}")
        return shares / totals
    names, columns = np.unique(
        classes_of(y, n_texts, "LanguageModelTuner"), return_inverse=True
    )
    if len(names) < 2:
        raise ValueError(f"y has one label, {names.tolist()[0]!r}: {_ONE_TOPIC}")
    return np.eye(len(names))[columns]


def classes_of(y: Any, n_texts: int, reader: str) -> np.ndarray:
    """Return the labels of texts as an array that can be sorted.

    Raises
    ------
    ValueError
        For another length, missing labels, labels of different kinds, numbers that are not
        whole, and several labels per text.
    """
    if y is None:
        raise ValueError(f"{reader} requires y: a label of each text.")
    listed = _is_listed(y)
    y = _as_array(y)
    if np.ndim(y) == 0:
        raise ValueError(
            f"y must be one label per text, got {y!r}: put labels in a list."
        )
    if np.ndim(y) > 1 and np.shape(y)[1] > 1:
        raise ValueError(
            f"y has {np.shape(y)[1]} columns, and {reader} reads one label per text. For several labels, use sklearn.multioutput.MultiOutputClassifier."
        )
    labels = column_or_1d(y, warn=True)
    _check_length(labels, n_texts)
    _refuse_missing(labels)
    if labels.dtype == object:
        kinds = sorted({_kind(label) for label in labels})
        if len(kinds) > 1:
            raise ValueError(
                f"y has labels of different types, {' and '.join(kinds)}: make all of them "
                "strings, or all of them numbers."
            )
        if listed or kinds != ["str"]:
            labels = np.array(labels.tolist())
    check_classification_targets(labels)
    return labels


def _is_listed(y: Any) -> bool:
    """Return whether y is a list or another container, and no array or table."""
    is_array = hasattr(y, "dtype") or hasattr(y, "columns")
    return hasattr(y, "__iter__") and not isinstance(y, str | bytes) and not is_array


def _as_array(y: Any) -> Any:
    """Return lists as an array of objects: NumPy would make strings of ["a", 1]."""
    return np.array([*y], object) if _is_listed(y) else y


def _kind(label: Any) -> str:
    """Return the name of a label's type. All strings, and all numbers, are of one type."""
    if isinstance(label, bool | np.bool):
        return "bool"
    name = "str" if isinstance(label, str) else type(label).__name__
    return "number" if isinstance(label, Real) else name


def _check_length(y: Any, n_texts: int) -> None:
    if len(y) != n_texts:
        raise ValueError(f"y has {len(y)} rows, and there are {n_texts} texts.")


def _refuse_missing(labels: Iterable[Any]) -> None:
    """Raise a ValueError that names the row of a label that is None or NaN."""
    for row, label in enumerate(labels):
        if label is None or is_scalar_nan(label) or is_pandas_na(label):
            raise ValueError(
                f"y has no label in row {row}, but {label!r}. Leave this text out."
            )
        if hasattr(label, "__iter__") and not isinstance(label, str | bytes):
            raise ValueError(
                f"y has {shortened(label)} in row {row}, which is no label: use strings or "
                "numbers."
            )


def written_texts(
    X: Any, y: Any, objective: str
) -> tuple[list[str], np.ndarray | None]:
    """Return the texts that are not blank, and their topics.

    Raises
    ------
    ValueError
        If all are blank, or ``y`` does not fit.
    """
    texts = check_texts(X, "LanguageModelTuner")
    rows = [i for i, text in enumerate(texts) if text.strip()]
    if not rows:
        raise ValueError(
            f"LanguageModelTuner needs texts with words, and all {len(texts)} are blank."
        )
    topics = None
    if y is None and objective == "topics":
        raise ValueError(
            "objective='topics' needs y: pass a label of each text, or its topic "
            "proportions."
        )
    if y is not None and objective in ("contrastive", "topics"):
        topics = topics_of(y, len(texts))[rows]
    return [texts[i] for i in rows], topics
