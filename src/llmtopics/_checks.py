"""Checks of inputs and parameters, shared by every estimator."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from numbers import Integral
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
    """Return :func:`as_counts` of ``X``, checked and remembered as scikit-learn does.

    Parameters
    ----------
    estimator : estimator instance
        Whose ``n_features_in_`` is set (``reset=True``) or compared.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
    reset : bool

    Returns
    -------
    X : csr_array of shape (n_documents, n_words), int32

    Raises
    ------
    ValueError
        Where scikit-learn or :func:`as_counts` raises one.
    """
    counts = as_counts(X, type(estimator).__name__)
    validate_data(estimator, X, skip_check_array=True, reset=reset)  # names and number
    return counts


def as_counts(X: Any, name: str) -> sp.csr_array:
    """Return ``X`` as a canonical CSR array of whole counts; ``X`` is not changed.

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
        For texts, NaN, infinity, a wrong shape, and for negative, fractional or too large
        counts, naming the row and the column.
    """
    with numbers_only(
        X, name, "word counts", "count the words of texts first (CountVectorizer)"
    ):
        X = check_array(X, accept_sparse="csr", dtype="numeric", estimator=name)
    if X.dtype == np.float16:  # scipy has no sparse arrays of it
        X = X.astype(np.float32)
    counts = sp.csr_array(X)  # its arrays may be the caller's: read only
    if (
        counts.nnz
        and not 0 <= counts.indices.min() <= counts.indices.max() < X.shape[1]
    ):
        raise ValueError(
            f"{name} got a sparse matrix that names columns beyond its {X.shape[1]}: "
            "its indices are broken."
        )
    if not counts.has_canonical_format or not counts.data.all():
        # wide integers, so that adding up duplicates cannot overflow
        dtype = np.int64 if X.dtype.kind in "iub" else X.dtype
        counts = sp.csr_array(counts, dtype=dtype, copy=True)
        counts.sum_duplicates()
        counts.eliminate_zeros()
    with np.errstate(invalid="ignore"):  # what does not fit is reported below
        whole = counts.data.astype(np.int32, copy=False)
    # unsigned numbers beyond an int64 have come out negative
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


@contextmanager
def numbers_only(X: Any, name: str, reads: str, remedy: str) -> Iterator[None]:
    """Say what to do if ``X``, refused in the block, holds texts instead of numbers.

    scikit-learn's message would print them all.
    """
    try:
        yield
    except (TypeError, ValueError):
        for row, text in _texts_in(X):
            raise ValueError(
                f"{name} reads {reads}, one row of numbers per document, but row {row} holds "
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
    """Return a Dirichlet prior over topics as an array with one entry per topic.

    Parameters
    ----------
    prior : None, float or array-like of shape (n_components,)
        None stands for ``1 / n_components``.
    n_components : int
    name : str
        The parameter's name, for error messages.

    Returns
    -------
    prior : ndarray of shape (n_components,), float64

    Raises
    ------
    ValueError
        If an entry is not between 1e-30 and 1e30 (products of probabilities would leave
        the range of floats) or their number is not ``n_components``, and as
        :func:`as_floats`.
    """
    values = as_floats(1 / n_components if prior is None else prior, name)
    if values.shape not in [(), (n_components,)]:
        raise ValueError(
            f"{name} must be one number or one for each of the {n_components} topics, "
            f"got shape {values.shape}."
        )
    if not ((values >= 1e-30) & (values <= 1e30)).all():  # NaN is neither
        raise ValueError(f"{name} must lie between 1e-30 and 1e30, got {prior!r}.")
    return np.broadcast_to(values, n_components).copy()


def as_floats(prior: Any, name: str) -> np.ndarray:
    """Return a prior as a new array of floats, read by position.

    Parameters
    ----------
    prior : array-like
    name : str
        The parameter's name, for error messages.

    Raises
    ------
    ValueError
        If it holds something else than real numbers, or has labels other than 0, 1, 2 and
        so on (a pandas or polars table): which number belongs to which label is not known
        here.
    """
    for labels in getattr(prior, "axes", [getattr(prior, "columns", ())]):
        if list(labels) != list(range(len(labels))):
            raise ValueError(
                f"{name} has the labels {shortened(list(labels))}, and numbers are read by "
                "position: put it in the order of the columns of X or of the topics (reindex "
                "in pandas), and pass its to_numpy()."
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
    """Return a seed below 2**63; NumPy's global random state is never touched.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None
        An int gives the same seed on every call; a generator is advanced by one draw;
        None gives a fresh seed from the operating system.

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
    """Raise a ValueError that names the first argument that is no whole number ≥ 1."""
    for name, number in numbers.items():
        if not isinstance(number, Integral) or number < 1:
            raise ValueError(
                f"{name} must be a whole number of at least 1, got {number!r}."
            )


def check_vocabulary(
    vocabulary: Any, n_columns: int, name: str, axis: str = "columns"
) -> dict[str, int]:
    """Return the column of each word, in the order of the columns.

    Parameters
    ----------
    vocabulary : sequence of str
        Read by position.
    n_columns : int
        How many words there must be.
    name, axis : str
        What has them, and what they are there, for error messages.

    Raises
    ------
    ValueError
        If it has no order (a dict, a set), another length, or a word twice.
    """
    if isinstance(vocabulary, str | Mapping | AbstractSet):
        raise ValueError(
            "vocabulary must be the words in the order of the columns, such as "
            f"vectorizer.get_feature_names_out(), got a {type(vocabulary).__name__}."
        )
    if len(vocabulary) != n_columns:
        raise ValueError(
            f"vocabulary has {len(vocabulary)} words, but {name} has {n_columns} {axis}."
        )
    columns = dict(zip(map(str, vocabulary), range(n_columns), strict=True))
    if len(columns) < n_columns:
        (twice, _), *_ = Counter(map(str, vocabulary)).most_common(1)
        raise ValueError(f"vocabulary has {twice!r} more than once.")
    return columns


def check_texts(X: Any, name: str) -> list[str]:
    """Return the texts in ``X`` as a list.

    Parameters
    ----------
    X : sequence of str
        A list, tuple, array, pandas or polars Series.
    name : str
        The name of the estimator or function, for error messages.

    Raises
    ------
    ValueError
        If it is one bare string or a set, has no or more than one dimension, is empty, or
        holds something other than texts (the row is named).
    """
    shape = getattr(X, "shape", (0,))
    if len(shape) == 2 and (sp.issparse(X) or np.asarray(X).dtype.kind in "biufc"):
        raise ValueError(
            f"{name} reads texts, got numbers ({type(X).__name__} of shape {shape}): pass the "
            "texts themselves. For a matrix of word counts, use GibbsLDA; for vectors, "
            "EmbeddingTopics."
        )
    texts = check_rows(X, name, "text")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"{name} reads texts (str), but row {row} holds {shortened(text)} of type "
                f"{type(text).__name__}."
            )
    return texts


def check_rows(X: Any, name: str, kind: str) -> list[Any]:
    """Return the rows of ``X``, one document each, as a list.

    Parameters
    ----------
    X : sequence
        A list, tuple, array, pandas or polars Series.
    name : str
        The name of the estimator or function, for error messages.
    kind : str
        What a row is, for error messages: "text", "picture".

    Raises
    ------
    ValueError
        If it is one bare row, a mapping or a set, has no or more than one dimension, or is
        empty.
    """
    if isinstance(X, str | bytes | Mapping) or not isinstance(X, Iterable):
        raise ValueError(
            f"{name} reads a list of {kind}s, got one {type(X).__name__}: put a single "
            f"{kind} into a list."
        )
    if isinstance(X, set | frozenset):
        raise ValueError(
            f"{name} reads a list of {kind}s, got a {type(X).__name__}, whose order changes "
            "from one process to the next: pass a list, sorted(X) for example."
        )
    shape = getattr(X, "shape", (0,))
    if len(shape) != 1:
        raise ValueError(
            f"{name} reads {kind}s in one dimension, got shape {shape}: pass one column."
        )
    rows = list(X)
    if not rows:
        raise ValueError(f"{name} needs at least one {kind}, got none.")
    return rows


_NOT_THE_USER = {"llmtopics", "sklearn", "contextlib", "joblib"}


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that called, directly or through scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals["__name__"].split(".")[0] in _NOT_THE_USER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def pandas_for(name: str) -> Any:
    """Return pandas; without it, say that the function ``name`` needs it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{name} returns a DataFrame: pip install 'llmtopics[pandas]'"
        ) from error
    return pandas
