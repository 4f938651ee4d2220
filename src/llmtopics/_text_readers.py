"""What estimators that read texts share."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from llmtopics._progress import CallbackSupportMixin, fitting


class TextReader(CallbackSupportMixin):
    """Tells scikit-learn that an estimator reads texts, and takes its callbacks."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


class FitsNothing(TextReader):
    """Tells scikit-learn that an estimator reads texts and is always fitted."""

    _fitted_state: ClassVar[tuple[str, ...]] = ()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def __sklearn_is_fitted__(self):
        return True

    def fit_transform(self, X, y=None):
        """Return what ``transform`` does: nothing is learned.

        Parameters
        ----------
        X : sequence
            Input of ``transform``.
        y : None
            Ignored.

        Returns
        -------
        transformed : object
            Output of ``transform``.
        """
        with fitting(self):  # in a Pipeline, callbacks follow fits only
            return self.transform(X)


class OneTextColumn(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Base of transformers that return a list with one text per row."""

    def get_feature_names_out(self, input_features=None):
        """Return the name of the only column, so that later steps of a Pipeline have names.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (1,), of str
            "text".
        """
        return np.array(["text"], dtype=object)


class TextOutput(
    FitsNothing,
    OneTextColumn,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Base of transformers that return a list with one text per row and fit nothing."""
