"""What transformers from rows to one text per row share, if there is nothing to fit."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class TextOutput(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Base of transformers that return a list with one text per row and fit nothing."""

    _fitted_state: tuple[str, ...] = ()

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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags

    def __sklearn_is_fitted__(self):
        return True
