"""A table with texts, pictures and sounds in its columns → one text per row."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import check_rows, check_texts
from llmtopics.describe._base import Describer
from llmtopics.describe._inputs import MISSING, is_missing


def make_describer(
    columns: Mapping[str, Any], *, separator: str = "\n", verbose: bool = False
) -> Pipeline:
    r"""Return a transformer of tables whose columns hold texts, pictures and sounds.

    It describes each column and joins the descriptions of a row to one text, which any
    model of texts reads. Cells may be missing.

    Parameters
    ----------
    columns : mapping of str to transformer or "passthrough"
        The describer of each column, in the order in which the texts are joined. It is
        :class:`ImageDescriber`, :class:`AudioTranscriber`, another transformer of texts to
        texts (:class:`LLMAugmenter`), or "passthrough", which keeps texts unchanged. Other
        columns of the table are not read.

    separator : str, default="\n"
        Text between two descriptions.

    verbose : bool, default=False
        Whether scikit-learn prints the time that each column takes.

    Returns
    -------
    describer : Pipeline
        It has two steps: a ``ColumnTransformer`` ("columns"), and a transformer that joins
        the texts ("join"). It reads pandas and polars DataFrames, and returns a list with one
        text per row. Parameters are named as in scikit-learn:
        ``columns__image__describer__on_error``.

    Raises
    ------
    ValueError
        If there is no column, if a value is not a transformer, or if a name cannot be used.

    See Also
    --------
    ImageDescriber : Pictures to texts.
    AudioTranscriber : Sounds to texts.

    Notes
    -----
    A missing cell (None, NaN, NA) has no text. A row without any text gives an empty text.
    Errors name the row of the table.

    ``fit`` describes all files, because ``ColumnTransformer`` does. With their caches, which
    are on by default, ``transform`` then finds every description.

    Reports are on the fitted copies:
    ``describer["columns"].named_transformers_["image"].describer_.report_``.

    A model sees the joined text, and ``explain`` cannot say from which column a word came.
    Call ``describer["columns"].transform(X)`` for the texts of each column.

    Examples
    --------
    >>> import pandas as pd
    >>> from PIL import Image, ImageDraw, ImageFont
    >>> from llmtopics import ImageDescriber, make_describer
    >>> page = Image.new("RGB", (400, 80), "white")
    >>> font = ImageFont.load_default(size=32)
    >>> ImageDraw.Draw(page).text((20, 20), "Shares fell sharply", "black", font)
    >>> table = pd.DataFrame(
    ...     {"text": ["Markets today", "A cup final"], "scan": [page, None]}
    ... )
    >>> describer = make_describer({"text": "passthrough", "scan": ImageDescriber()})
    >>> describer.fit_transform(table)
    ['Markets today\nShares fell sharply', 'A cup final']
    """
    if not isinstance(columns, Mapping) or not columns:
        raise ValueError(
            "columns must be a mapping from column names to describers, such as "
            f"{{'image': ImageDescriber()}}, got {columns!r}."
        )
    taken = ColumnTransformer([]).get_params(deep=False)
    for name, describer in columns.items():
        if not isinstance(name, str) or "__" in name or name in taken:
            raise ValueError(
                f"The column name {name!r} cannot be used: rename the column. Names must be "
                f"str, without '__', and none of {', '.join(taken)}."
            )
        if describer != "passthrough" and not hasattr(describer, "transform"):
            raise ValueError(
                f"Column {name!r} has {describer!r}, which is not a transformer: pass "
                "ImageDescriber(), AudioTranscriber() or 'passthrough'."
            )
    table = ColumnDescriber(
        [(name, ColumnTexts(each, name), name) for name, each in columns.items()],
        verbose=verbose,
    )
    return Pipeline([("columns", table), ("join", TextJoiner(separator))])


class ColumnDescriber(ColumnTransformer):
    """A ColumnTransformer whose error for a list or dict says what to pass."""

    def fit_transform(self, X, y=None, **params):
        """Fit and transform a DataFrame."""
        if not hasattr(X, "columns"):
            names = ", ".join(name for name, *_ in self.transformers)
            raise ValueError(
                f"make_describer reads tables, got a {type(X).__name__}: pass a DataFrame "
                f"with the columns {names}."
            )
        return super().fit_transform(X, y, **params)


@dataclass(eq=False, repr=False)
class ColumnTexts(TransformerMixin, BaseEstimator):
    """Describe the cells of one column. Missing cells get an empty text.

    Parameters
    ----------
    describer : transformer or "passthrough"
    column : str
        Its name, for error messages.
    """

    describer: Any = "passthrough"
    column: str = ""

    _fitted_state: ClassVar[tuple[str, ...]] = ("describer_",)

    def fit(self, X, y=None):
        """Fit a copy of the describer, if there is something to fit."""
        self.describer_ = self.describer
        if self.describer != "passthrough":
            self.describer_ = clone(self.describer)
            if get_tags(self.describer_).requires_fit:
                with self._column_named():
                    self.describer_.fit(self._cells(X), y)
        return self

    @config_context(transform_output="default")
    def transform(self, X):
        """Return one text per row, as an array of shape (n_rows, 1)."""
        check_is_fitted(self)
        texts = cells = self._cells(X)
        with self._column_named():
            if self.describer_ != "passthrough":
                texts = self.describer_.transform(cells)
            texts = check_texts(texts, "make_describer")
            if len(texts) != len(cells):
                raise ValueError(
                    f"{self.describer_} returned {len(texts)} texts for {len(cells)} cells: "
                    "use a transformer that returns one text per row."
                )
        return np.array(texts, dtype=object)[:, None]

    def get_feature_names_out(self, input_features=None):
        """Return the name of the one column."""
        return np.array(["text"], dtype=object)

    @contextmanager
    def _column_named(self) -> Iterator[None]:
        """Name the column in errors."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"Column {self.column!r}: {error}") from error

    def _cells(self, X: Any) -> list[Any]:
        """Return the cells, with ``MISSING`` or an empty text for missing ones."""
        mark = MISSING if isinstance(self.describer_, Describer) else ""
        rows = check_rows(X, "make_describer", "cell")
        return [mark if is_missing(cell) else cell for cell in rows]


@dataclass(eq=False, repr=False)
class TextJoiner(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Join the texts of a row, leaving out empty ones.

    Parameters
    ----------
    separator : str
    """

    separator: str = "\n"

    _fitted_state: ClassVar[tuple[str, ...]] = ()

    def fit(self, X, y=None):
        """Do nothing."""
        return self

    def transform(self, X):
        """Return a list with one text per row of an array or DataFrame of texts."""
        rows = np.asarray(X, dtype=object)
        return [self.separator.join(filter(None, row)) for row in rows]

    def get_feature_names_out(self, input_features=None):
        """Return the name of the one column."""
        return np.array(["text"], dtype=object)

    def set_output(self, *, transform=None):
        """Do nothing: texts are a list, whatever the container of other steps."""
        return self

    def __sklearn_is_fitted__(self):
        return True
