"""What topic models of word counts share: ``transform``, scores and the stopping rule."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_n_features, check_is_fitted

from llmtopics._checks import check_counts, warn_user
from llmtopics._held_out import halves, log_likelihood
from llmtopics._progress import CallbackSupportMixin
from llmtopics._stored_counts import StoredCounts
from llmtopics._topic_html import ShowsTopics
from llmtopics.topics._gibbs.tokens import COUNTED

EVERY = 10  # sweeps between checks of the likelihood


class CountTopicModel(
    ShowsTopics,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    ABC,
):
    """A topic model of word counts with ``components_``, of shape (K, V)."""

    components_: np.ndarray

    @abstractmethod
    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        """Return θ, of shape (D, K). The counts have been checked."""

    def transform(self, X):
        """Return the topic proportions (mixture) of each document.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words), or StoredCounts
            Whole-number word counts.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_components)
            θ. Rows sum to one.
        """
        check_is_fitted(self, "components_")
        if isinstance(X, StoredCounts):
            _check_n_features(self, X, reset=False)
            return np.concatenate([self._mixtures(block) for block in X])
        return self._mixtures(check_counts(self, X, reset=False))

    def score(self, X, y=None):
        """Return the held-out log-likelihood per token, by document completion.

        Every second token of a document (in column order) is held out. ``transform``
        estimates θ from the other tokens. The score is the mean of
        ``log max(Σ_k θ_dk φ_kw, 1e-12)`` over all held-out tokens. Higher is better. What a
        document adds does not depend on the other documents in ``X``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts. Use documents that ``fit`` did not see to measure how
            well the topics generalize.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Nats per token, at most 0.

        Raises
        ------
        ValueError
            If no document of ``X`` has two tokens.

        References
        ----------
        H. Wallach, I. Murray, R. Salakhutdinov and D. Mimno, "Evaluation methods for
        topic models", ICML 2009, section 5 (document completion).
        """
        check_is_fitted(self, "components_")
        observed, held_out = halves(check_counts(self, X, reset=False))
        if not held_out.nnz:
            raise ValueError(
                "X cannot be scored: the held-out likelihood needs a document with at least "
                "two words of the vocabulary. Pass longer documents."
            )
        total = log_likelihood(held_out, self._mixtures(observed), self.components_)
        return total / held_out.data.sum(dtype=np.int64)

    def perplexity(self, X):
        """Return ``exp(-score(X))``, the held-out perplexity. Lower is better.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts.

        Returns
        -------
        perplexity : float
            At least 1. A model that guesses has the size of the vocabulary.
        """
        return float(np.exp(-self.score(X)))

    @property
    def _shares(self):
        return self.topic_counts_ / self.topic_counts_.sum()

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True  # makes scikit-learn's checks pass integers
        return tags


def check_countable(
    X: sp.csr_array,
    known: np.ndarray | float = 0.0,
    *,
    single: bool = True,
    remedy: str = "",
    batches: bool = False,
) -> None:
    """Raise a ValueError if the tokens of X cannot be sampled.

    known : (V,), the largest count of each word in a topic, from earlier batches
    single : whether counts will be kept in single precision
    remedy : more advice for a word or document with too many tokens
    batches : whether the model has ``partial_fit``
    """
    n_tokens = X.data.sum(dtype=np.int64)
    if n_tokens == 0:
        raise ValueError(
            "X holds no words: all its counts are zero. Check the vocabulary "
            "(min_df, max_df and stop_words of CountVectorizer)."
        )
    if n_tokens >= 2**31:
        raise ValueError(
            f"X holds {n_tokens:,} words, 2**31 or more. Fit a sample of the documents"
            f"{', or pass them to partial_fit in batches' if batches else ''}."
        )
    if single and n_tokens + np.max(known) >= COUNTED:
        of_word = known + np.bincount(X.indices, X.data, minlength=X.shape[1])
        for axis, totals in [("Column", of_word), ("Row", X.sum(axis=1))]:
            if totals.max() >= COUNTED:
                raise ValueError(
                    f"{axis} {totals.argmax()} of X counts {totals.max():,.0f} words "
                    "(earlier batches included): 2**24 or more do not fit into "
                    "single-precision counts. Leave out such a word (max_df of "
                    f"CountVectorizer), or split such a document{remedy}."
                )


def check_stored(estimator: Any, counts: StoredCounts, *, reset: bool) -> None:
    """Check the files and the columns, and raise a ValueError if tokens cannot be sampled."""
    counts.check()
    _check_n_features(estimator, counts, reset=reset)
    if reset:
        vars(estimator).pop("feature_names_in_", None)
    if not counts.n_tokens:
        raise ValueError(
            f"{counts.path} holds no words: all its counts are zero. Check the vocabulary."
        )
    lengths = np.diff(counts.starts)
    if lengths.max() >= COUNTED:
        raise ValueError(
            f"Document {lengths.argmax()} of the stored counts has {lengths.max():,} words: "
            "2**24 or more do not fit into single-precision counts. Split it."
        )


def rise(trace: list[float]) -> float:
    """Return the mean of the last three values minus the mean of the three before."""
    return sum(trace[-3:]) / 3 - sum(trace[-6:-3]) / 3 if len(trace) >= 6 else np.inf


def warn_not_converged(name: str, n_sweeps: int, tol: float, rise: float, least: str):
    """Warn that ``tol`` was not met; ``least`` says how many sweeps a check takes."""
    fault = f"its likelihood still rises by {rise:.2g}, more than tol={tol}"
    if rise == np.inf:
        fault = f"these are too few to check tol={tol}, which takes {least}"
    warn_user(
        f"{name} made max_iter={n_sweeps} sweeps: {fault}. Raise max_iter.",
        ConvergenceWarning,
    )
