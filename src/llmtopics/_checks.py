"""Checks of inputs and parameters, shared by every estimator."""

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from reprlib import repr as shortened
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, validate_data

# What n_jobs may be; see _compiled.threads.n_workers.
N_JOBS = [
    Interval(Integral, 1, None, closed="left"),
    Interval(Integral, None, -1, closed="right"),
    None,
]


def check_counts(estimator: Any, X: Any, *, reset: bool) -> sp.csr_array:
    """Return :func:`as_counts` of ``X``, and check its columns as scikit-learn does.

    Parameters
    ----------
    estimator : estimator instance
        Its ``n_features_in_`` is set (``reset=True``) or compared with ``X``.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
    reset : bool

    Returns
    -------
    X : csr_array of shape (n_documents, n_words), int32

    Raises
    ------
    ValueError
        As in :func:`as_counts` and scikit-learn's ``validate_data``.
    """
    counts = as_counts(X, type(estimator).__name__)
    validate_data(estimator, X, skip_check_array=True, reset=reset)  # names and number
    return counts


def as_counts(X: Any, name: str) -> sp.csr_array:
    """Return ``X`` as a canonical CSR array of whole counts, without changing ``X``.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
    name : str
        The name of the estimator or function, for error messages.

    Returns
    -------
    X : csr_array of shape (n_documents, n_words), int32
        Sorted indices, no duplicates, no stored zeros. It may share memory with the input.

    Raises
    ------
    ValueError
        For texts, NaN, infinity, or a wrong shape. Also for negative, fractional or too large
        counts, with their row and column.
    """
    if isinstance(X, list | tuple) and any(map(_is_bag, X)):
        raise ValueError(
            f"{name} needs one row of word counts per document, got lists of (word, count) "
            "pairs, as gensim's. Pass gensim.matutils.corpus2csc(bags, "
            "num_terms=len(dictionary)).T."
        )
    with numbers_only(
        X, name, "word counts", "count the words of texts first (CountVectorizer)"
    ):
        X = check_array(X, accept_sparse="csr", dtype="numeric", estimator=name)
    if X.dtype == np.float16:  # scipy has no sparse float16 arrays
        X = X.astype(np.float32)
    counts = sp.csr_array(X)  # it may share the caller's arrays: do not change them
    if (
        counts.nnz
        and not 0 <= counts.indices.min() <= counts.indices.max() < X.shape[1]
    ):
        raise ValueError(
            f"{name} got a sparse matrix with column indices beyond its {X.shape[1]} "
            "columns: build it again from correct indices."
        )
    if not counts.has_canonical_format or not counts.data.all():
        # 64-bit integers, so that sums of duplicates cannot overflow
        dtype = np.int64 if X.dtype.kind in "iub" else X.dtype
        counts = sp.csr_array(counts, dtype=dtype, copy=True)
        counts.sum_duplicates()
        counts.eliminate_zeros()
    with np.errstate(invalid="ignore"):  # overflow is reported below
        whole = counts.data.astype(np.int32, copy=False)
    # unsigned integers too large for an int64 are now negative
    for wrong, fault in [
        (counts.data < 0, f"Negative values in data passed to {name}"),
        (whole != counts.data, f"{name} needs whole-number counts below 2**31"),
    ]:
        if wrong.any():
            at = int(wrong.argmax())
            row = np.searchsorted(counts.indptr, at, side="right") - 1
            raise ValueError(
                f"{fault}: row {row}, column {counts.indices[at]} holds "
                f"{counts.data[at]}. Pass the counts of CountVectorizer, without tf-idf "
                "or normalization."
            )
    indices = counts.indices.astype(np.int32, copy=False)
    return sp.csr_array((whole, indices, counts.indptr), shape=counts.shape)


def _is_bag(row: Any) -> bool:
    """Tell whether a row is a list of pairs."""
    return (
        isinstance(row, list)
        and bool(row)
        and isinstance(row[0], tuple)
        and len(row[0]) == 2
    )


@contextmanager
def numbers_only(X: Any, name: str, reads: str, remedy: str) -> Iterator[None]:
    """Raise an error that says what to do if ``X`` holds texts instead of numbers.

    It replaces errors of the block. scikit-learn's message would print all texts.
    """
    try:
        yield
    except (TypeError, ValueError):
        for row, text in _texts_in(X):
            raise ValueError(
                f"{name} reads {reads}, one row of numbers per document, and row {row} holds "
                f"{shortened(text)}: {remedy}. FusionTopicModel reads texts."
            ) from None
        raise


def _texts_in(X: Any) -> Iterator[tuple[int, str | bytes]]:
    """Yield the row of each text in ``X``, and the text."""
    if getattr(getattr(X, "dtype", None), "kind", "O") in "biufc":
        return
    rows = X if isinstance(X, list | tuple) else np.atleast_1d(np.asarray(X, object))
    for i, row in enumerate(rows):
        for value in np.ravel(np.asarray(row, object)):
            if isinstance(value, str | bytes):
                yield i, value


def check_prior(prior: ArrayLike | None, n_components: int, name: str) -> np.ndarray:
    """Return a Dirichlet prior over topics as an array with one value per topic.

    Parameters
    ----------
    prior : None, float or array-like of shape (n_components,)
        None is ``1 / n_components``.
    n_components : int
    name : str
        The parameter's name, for error messages.

    Returns
    -------
    prior : ndarray of shape (n_components,), float64

    Raises
    ------
    ValueError
        If a value is not between 1e-30 and 1e30 (products of probabilities would leave
        the range of floats), or if there are not ``n_components`` values. Also as in
        :func:`as_floats`.
    """
    values = as_floats(1 / n_components if prior is None else prior, name)
    if values.shape not in [(), (n_components,)]:
        raise ValueError(
            f"{name} must be one number or one per topic ({n_components}), got shape "
            f"{values.shape}."
        )
    if not ((values >= 1e-30) & (values <= 1e30)).all():  # false for NaN, too
        raise ValueError(f"{name} must lie between 1e-30 and 1e30, got {prior!r}.")
    return np.broadcast_to(values, n_components).copy()


def as_floats(prior: Any, name: str) -> np.ndarray:
    """Return a prior as a new array of floats, in the order given.

    Parameters
    ----------
    prior : array-like
    name : str
        The parameter's name, for error messages.

    Raises
    ------
    ValueError
        If it holds anything other than real numbers. Also if it is a pandas or polars table
        with labels other than 0, 1, 2 and so on, because labels are not matched here.
    """
    for labels in getattr(prior, "axes", [getattr(prior, "columns", ())]):
        if list(labels) != list(range(len(labels))):
            raise ValueError(
                f"{name} has the labels {shortened(list(labels))}, which are not read: put "
                "its numbers in the order of the columns of X or of the topics (reindex in "
                "pandas), and pass its to_numpy()."
            )
    try:
        values = np.array(prior)
        if values.dtype.kind == "c":
            raise TypeError
        return values.astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a real number or an array of real numbers, got "
            f"{shortened(prior)}."
        ) from None


def as_seed(random_state: Any) -> int:
    """Return a seed below 2**63, without NumPy's global random state.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None
        An int gives the same seed on every call. A RandomState or Generator is advanced by
        one draw. None gives a fresh seed from the operating system.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**63, dtype=np.uint64))
    try:
        return int(np.random.default_rng(random_state).integers(2**63))
    except (TypeError, ValueError):
        raise ValueError(
            "random_state must be None, a whole number of at least 0, a RandomState or a "
            f"numpy.random.Generator, got {random_state!r}."
        ) from None


def check_positive(**numbers: Any) -> None:
    """Raise a ValueError if an argument is not a whole number of at least 1."""
    for name, number in numbers.items():
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
            raise ValueError(
                f"{name} must be a whole number of at least 1, got {number!r}."
            )


def check_share(*, with_ends: bool = False, **numbers: Any) -> None:
    """Raise a ValueError if an argument is not a number between 0 and 1.

    0 and 1 themselves are allowed ``with_ends``.
    """
    for name, number in numbers.items():
        is_number = isinstance(number, Real) and not isinstance(number, bool)
        if is_number and (0 < number < 1 or (with_ends and number in (0, 1))):
            continue
        raise ValueError(f"{name} must be between 0 and 1, got {shortened(number)}.")


def check_texts(X: Any, name: str, first_row: int = 0) -> list[str]:
    """Return the texts in ``X`` as a list.

    Parameters
    ----------
    X : sequence of str
        A list, tuple, array, pandas or polars Series, or a table or array of one column.
    name : str
        The name of the estimator or function, for error messages.
    first_row : int
        The row of the first text, for error messages.

    Raises
    ------
    ValueError
        If it is a single string or a set, is empty, has several columns, or holds anything
        other than texts (the message has the row).
    """
    shape = getattr(X, "shape", (0,))
    if len(shape) == 2 and _holds_numbers(X):
        raise ValueError(
            f"{name} reads texts, got numbers ({type(X).__name__} of shape {shape}): pass the "
            "texts themselves. For a matrix of word counts, use GibbsLDA; for vectors, "
            "EmbeddingTopics."
        )
    texts = check_rows(X, name, "text")
    for row, text in enumerate(texts, first_row):
        if not isinstance(text, str):
            raise ValueError(
                f"{name} reads texts (str), and row {row} holds {shortened(text)} of type "
                f"{type(text).__name__}: remove it, or replace it by a text."
            )
    return texts


def _holds_numbers(X: Any) -> bool:
    """Return whether a table or a matrix holds numbers alone."""
    try:
        return sp.issparse(X) or np.asarray(X).dtype.kind in "biufc"
    except TypeError:  # StoredCounts: they are never an array
        return True


def check_rows(X: Any, name: str, kind: str) -> list[Any]:
    """Return the rows of ``X``, one per document, as a list.

    Parameters
    ----------
    X : sequence
        A list, tuple, array, pandas or polars Series, or a table or array of one column.
    name : str
        The name of the estimator or function, for error messages.
    kind : str
        The word for a row in error messages, such as "text" or "picture".

    Raises
    ------
    ValueError
        If it is a single row, a mapping or a set, has several columns, or is empty.
    """
    if isinstance(X, str | bytes | Mapping) or not isinstance(X, Iterable):
        raise ValueError(
            f"{name} reads a list of {kind}s, got one {type(X).__name__}: put a single "
            f"{kind} into a list."
        )
    if isinstance(X, set | frozenset):
        raise ValueError(
            f"{name} reads a list of {kind}s, got a {type(X).__name__}, whose order is not "
            "fixed: pass a list, such as sorted(X)."
        )
    shape: tuple[int, ...] = getattr(X, "shape", (0,))
    if len(shape) == 2 and shape[1] == 1:
        X, shape = _only_column(X), shape[:1]
    if len(shape) != 1:
        raise ValueError(
            f"{name} reads {kind}s in one column, got shape {shape}: pass one column."
        )
    rows = list(X)
    if not rows:
        raise ValueError(f"{name} needs at least one {kind}, got none.")
    return rows


def _only_column(X: Any) -> Any:
    """Return the only column of a table or array, as ColumnTransformer hands it over."""
    if hasattr(X, "iloc"):
        return X.iloc[:, 0]
    return X[:, 0] if isinstance(X, np.ndarray) else X[X.columns[0]]


_NOT_USER_CODE = {"llmtopics", "sklearn", "contextlib", "joblib"}


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that called us, directly or by scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals["__name__"].split(".")[0] in _NOT_USER_CODE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def pandas_for(name: str) -> Any:
    """Return pandas, or raise an ImportError that says that ``name`` needs it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{name} returns a DataFrame and needs pandas: pip install 'llmtopics[pandas]'"
        ) from error
    return pandas
