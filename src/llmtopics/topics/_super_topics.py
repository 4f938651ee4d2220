"""The super-topics of Pachinko allocation as a topic model of counts."""

import numpy as np
import scipy.sparse as sp

from llmtopics.topics._count_model import CountTopicModel
from llmtopics.topics._gibbs.mixtures import super_contributions
from llmtopics.topics._pachinko import PachinkoAllocation


class SuperTopics(CountTopicModel):
    """The super-topics of a fitted PachinkoAllocation. ``transform`` gives their proportions.

    Parameters
    ----------
    model : PachinkoAllocation
        The fitted model. It is not fitted again.
    """

    def __init__(self, model: PachinkoAllocation) -> None:
        self.model = model

    def fit(self, X, y=None):
        """Return itself: there is nothing to fit."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self.model, "components_")

    @property
    def components_(self) -> np.ndarray:  # type: ignore[override]
        """φ of the super-topics, (S, V): the mean of their sub-topics. Rows sum to one."""
        return self.model.super_sub_ @ self.model.components_

    @property
    def n_features_in_(self) -> int:
        return self.model.n_features_in_

    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        return self.model._infer(X)[1]

    def _contributions(self, X: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, and the prior, add to its mixture."""
        model = self.model
        return super_contributions(
            X, model.components_, model.doc_super_prior_, model.super_sub_prior_
        )
