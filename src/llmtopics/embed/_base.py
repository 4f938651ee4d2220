"""Base class of embedders."""

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context

from llmtopics._checks import check_texts
from llmtopics._progress import fitting
from llmtopics._text_readers import FitsNothing


class Embedder(FitsNothing, TransformerMixin, BaseEstimator):
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

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return names of the dimensions: the name of the class and a number.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str, of shape (n_dimensions,)
        """
        prefix = type(self).__name__.lower()
        names = [f"{prefix}{i}" for i in range(self._n_dimensions())]
        return np.array(names, dtype=object)

    @abstractmethod
    def _n_dimensions(self) -> int:
        """Return the number of dimensions. This may load a model or ask a server.

        So it is no property: notebooks read all properties of what they show.
        """
