"""Any fitted estimator over the partitions of a collection of Dask."""

from collections.abc import Iterator
from typing import Any

import dask
import numpy as np
from sklearn.exceptions import NotFittedError

from llmtopics.dask._sources import delayed_partitions


def map_partitions(estimator: Any, X: Any, *, method: str = "transform") -> Any:
    """Apply a fitted estimator to each partition of a collection, lazily.

    Works with every estimator of this library and of scikit-learn whose method treats each
    row alone: topic models, embedders, describers, augmenters, classifiers, Pipelines. Each
    worker receives the estimator once, so it loads the weights of a language model once.

    Parameters
    ----------
    estimator : estimator instance
        Fitted, or one that needs no fit, such as ``TransformerEmbedder``.
    X : dask.bag, dask.array or dask.dataframe
        Input of the method. Elements of a bag are rows, such as texts, or blocks of rows as
        sparse matrices. An array is cut into blocks of rows.
    method : str, default="transform"
        Such as "transform", "predict" or "predict_proba".

    Returns
    -------
    result : dask.bag, dask.array or dask.dataframe
        Of a bag of rows: a bag with one result per row. Of a bag of blocks: a bag with one
        array per block. Of an array: an array. Of a table or series: a table with the same
        index, or a series if the method returns one value per row.

    Raises
    ------
    ValueError
        If ``X`` is no collection of Dask, or is cut into blocks of columns.

    Examples
    --------
    >>> import dask.bag as db
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.dask import map_partitions
    >>> texts = ["cat dog cat", "dog cat dog", "stock bond stock", "bond stock bond"]
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> bag = db.from_sequence(texts, npartitions=2)
    >>> rows = map_partitions(model, bag).compute(scheduler="sync")
    >>> len(rows), rows[0].round(1)
    (4, array([0.1, 0.9]))
    """
    partitions = np.ravel(delayed_partitions(X, "map_partitions")).tolist()
    if not hasattr(estimator, method):
        raise ValueError(
            f"{type(estimator).__name__} has no method {method!r}: pass one that it has."
        )
    model = dask.delayed(estimator, traverse=False)  # one key: sent once per worker
    if hasattr(X, "dtype") and hasattr(X, "numblocks"):
        return _of_array(model, estimator, X, partitions, method)
    if hasattr(X, "divisions"):
        return X.map_partitions(
            _of_frame, model, method, meta=_meta(estimator, X, method)
        )
    import dask.bag as db

    apply = dask.delayed(_of_bag, pure=False)
    return db.from_delayed([apply(model, part, method) for part in partitions])


def _of_array(model: Any, estimator: Any, X: Any, partitions: list, method: str) -> Any:
    import dask.array as da

    n_columns = _n_columns(estimator, method)
    apply = dask.delayed(_of_block, pure=False)
    parts = []
    for part, n_rows in zip(partitions, X.chunks[0], strict=True):
        shape = (n_rows,) if n_columns is None else (n_rows, n_columns)
        made = apply(model, part, method)
        parts.append(da.from_delayed(made, shape, meta=np.empty((0,) * len(shape))))
    return da.concatenate(parts, allow_unknown_chunksizes=True)


def _n_columns(estimator: Any, method: str) -> float | None:
    """Return the number of columns of the output; None of one value per row."""
    if method == "transform":
        try:
            return len(estimator.get_feature_names_out())
        except NotFittedError:
            raise
        except (AttributeError, ValueError, TypeError):
            return np.nan
    if method.startswith("predict_") or method == "decision_function":
        n = len(estimator.classes_)
        return None if method == "decision_function" and n == 2 else n
    return None


def _of_block(model: Any, block: Any, method: str) -> Any:
    return getattr(model, method)(block)


def _of_bag(model: Any, partition: Any, method: str) -> list[Any]:
    """Return one result per row, or per block of rows."""
    rows = list(partition)
    call = getattr(model, method)
    if not rows:
        return []
    if getattr(rows[0], "ndim", 0) == 2:
        return [call(block) for block in rows]
    return list(_rows(call(rows)))


def _rows(found: Any) -> Iterator[Any]:
    """Yield the rows of an array, a sparse matrix, a table or a list."""
    if hasattr(found, "iloc"):
        found = found.to_numpy()
    return (
        (found[i] for i in range(len(found)))
        if not hasattr(found, "tocsr")
        else (found[[i]] for i in range(found.shape[0]))
    )


def _of_frame(part: Any, model: Any, method: str) -> Any:
    """Return the output for a table as a table with the same index."""
    import pandas as pd

    found = getattr(model, method)(part)
    if np.ndim(found) == 1:
        return pd.Series(np.asarray(found), index=part.index, name=method)
    columns = getattr(found, "columns", None)
    if columns is None:
        try:
            columns = model.get_feature_names_out()
        except (AttributeError, ValueError, TypeError):
            columns = [str(i) for i in range(found.shape[1])]
    return pd.DataFrame(np.asarray(found), index=part.index, columns=columns)


def _meta(estimator: Any, X: Any, method: str) -> Any:
    """Return the output of the first row, without rows: its columns and types."""
    first = X.head(1, npartitions=-1)
    return _of_frame(first, estimator, method).iloc[:0]
