"""What topic models of word counts share: mixtures, scores, and when a chain may stop."""

from abc import ABC, abstractmethod

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import check_counts, warn_user
from llmtopics._held_out import halves, log_likelihood
from llmtopics.topics._gibbs.tokens import COUNTED

EVERY = 10  # sweeps between looks at the likelihood


class CountTopicModel(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC
):
    """A topic model of word counts with ``components_``, of shape (K, V)."""

    components_: np.ndarray

    @abstractmethod
    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        """Return θ, of shape (D, K), of counts that have been checked."""

    def transform(self, X):
        """Return the topic mixture of each document.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_components)
            θ. Rows sum to one.
        """
        check_is_fitted(self, "components_")
        return self._mixtures(check_counts(self, X, reset=False))

    def score(self, X, y=None):
        """Return the held-out log-likelihood per token, by document completion.

        Every second token of a document (in column order) is held out; the mixture is
        estimated from the others by ``transform``; the score is the mean over all
        held-out tokens of ``log max(Σ_k θ_dk φ_kw, 1e-12)``. Higher is better. What a
        document adds does not depend on what else is in ``X``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts, of documents that ``fit`` did not see if the score
            is to say how well the topics generalise.
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
                "Nothing to score: document completion needs a document with at least "
                "two words of the vocabulary."
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
            At least 1. A model that knows nothing has that of the vocabulary's size.
        """
        return float(np.exp(-self.score(X)))

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True  # whole numbers: rounds the checks' data
        return tags


def check_countable(
    X: sp.csr_array,
    known: np.ndarray | float = 0.0,
    *,
    single: bool = True,
    remedy: str = "",
    portions: bool = False,
) -> None:
    """Raise a ValueError if the tokens of X cannot be sampled.

    known : (V,), what earlier portions count of a word in a topic at most
    single : whether counts will be kept in single precision
    remedy : what else helps against a word, or document, of too many tokens
    portions : whether the model takes the documents in portions
    """
    n_tokens = X.data.sum(dtype=np.int64)
    if n_tokens == 0:
        raise ValueError(
            "X holds no words: all its counts are zero. Check the vocabulary "
            "(CountVectorizer's min_df, max_df and stop words)."
        )
    if n_tokens >= 2**31:
        raise ValueError(
            f"X holds {n_tokens:,} words, 2**31 or more: fit a sample of the documents"
            f"{', or pass them to partial_fit in portions' if portions else ''}."
        )
    if single and n_tokens + np.max(known) >= COUNTED:
        of_word = known + np.bincount(X.indices, X.data, minlength=X.shape[1])
        for axis, totals in [("Column", of_word), ("Row", X.sum(axis=1))]:
            if totals.max() >= COUNTED:
                raise ValueError(
                    f"{axis} {totals.argmax()} of X counts {totals.max():,.0f} words in "
                    "all, earlier portions included: 2**24 or more, beyond what "
                    "single-precision counts hold. Leave such a word out "
                    f"(CountVectorizer's max_df), or cut such a document{remedy}."
                )


def rise(trace: list[float]) -> float:
    """Return how far the mean of the last three is above that of the three before."""
    return sum(trace[-3:]) / 3 - sum(trace[-6:-3]) / 3 if len(trace) >= 6 else np.inf


def warn_unsettled(name: str, n_sweeps: int, tol: float, rise: float, least: str):
    """Warn that ``tol`` was not met; ``least`` says how many sweeps it takes to judge."""
    fault = f"its likelihood still rises by {rise:.2g}, more than tol={tol}"
    if rise == np.inf:
        fault = f"that is too few to judge tol by ({least})"
    warn_user(
        f"{name} made max_iter={n_sweeps} sweeps, and {fault}: raise max_iter.",
        ConvergenceWarning,
    )
