"""Base class of embedders."""

from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)

from llmtopics._checks import check_texts
from llmtopics._progress import fitting
from llmtopics._text_readers import FitsNothing


class Embedder(
    FitsNothing, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Base class of embedders. They transform texts, and learn nothing in ``fit``."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the texts. Nothing is learned.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : estimator
            The estimator itself.
        """
        with fitting(self):
            check_texts(X, type(self).__name__)
        return self
