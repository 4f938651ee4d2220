"""Latent Dirichlet allocation fitted by collapsed Gibbs sampling."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from llmtopics._checks import (
    as_seed,
    check_counts,
    check_prior,
    whole_or_not_at_all,
)
from llmtopics._completion import halves, log_likelihood
from llmtopics.topics import _gibbs_kernels as kernels
from llmtopics.topics._sampler import random_start, sample
from llmtopics.topics._tokens import Tokens, tokens_from_counts

_N_SAMPLES = 10  # samples of the chain that ``components_`` averages
_MAX_PASSES, _TOLERANCE = 100, 1e-5  # of folding in


class GibbsLDA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Find topics in word counts by collapsed Gibbs sampling.

    Every token of every document carries a topic. A sweep redraws each of them given
    all the others, so that the assignments wander to probable ones; the counts of
    words in topics at the end of the chain give the topics.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    doc_topic_prior : float, array-like of shape (n_components,) or None, default=None
        Dirichlet concentration of topics in a document, α in [1]_. Small values lean a
        document to few topics; unequal ones make topics unequally common. None stands
        for ``1 / n_components``.

    topic_word_prior : float, default=0.1
        Dirichlet concentration of words in a topic, β in [1]_. Smaller values make
        topics narrower, which suits larger numbers of them.

    max_iter : int, default=200
        Sweeps over all tokens. Time grows with
        ``max_iter * n_tokens * n_components``.

    n_jobs : int or None, default=None
        Accepted so that searches and pipelines can set it; the sampler runs in one
        thread and the result does not depend on it.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the first assignment and all draws. An int gives the same bits on every
        run; NumPy's global random state is never used.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Probability of each word in each topic, φ. Rows sum to one.

    doc_topic_prior_ : ndarray of shape (n_components,)
        The α used.

    n_iter_ : int
        Sweeps made.

    n_features_in_ : int
        Number of words seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_words,)
        Names of the words; only when ``X`` carried them as column names.

    See Also
    --------
    sklearn.decomposition.LatentDirichletAllocation : The same model, fitted by
        variational inference.
    top_words : The words that say what a topic is.

    Notes
    -----
    The sampler is exact: a token's draw sees the topics of all other tokens as they are
    at that moment. ``components_`` is ``(n_kw + β) / (n_k + Vβ)``, the counts averaged over
    ten evenly spaced samples from the last quarter of the chain (the last ten sweeps,
    where there are fewer than 40); one sample alone foretells held-out words worse.

    ``transform`` does not sample: with the topics fixed, the expected topic of every
    token given the expected topics of the others is iterated (CVB0, [2]_), until a pass
    moves no topic's share by more than 1e-5, at most 100 times. A document's mixture does
    not depend on what else is in ``X``, and ``fit_transform(X)`` is
    ``fit(X).transform(X)``. A document without words gets the prior's mean.

    If ``fit`` fails or is interrupted, the estimator stays as it was before.

    References
    ----------
    .. [1] T. Griffiths and M. Steyvers, "Finding scientific topics", PNAS 101,
       5228-5235, 2004. Equation 5 is the conditional that is drawn from.
    .. [2] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference
       for topic models", UAI 2009. CVB0, with the topics held fixed.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from llmtopics import GibbsLDA, top_words
    >>> texts = ["cat dog cat", "dog cat dog", "stock bond stock", "bond stock bond"]
    >>> vectorizer = CountVectorizer()
    >>> lda = GibbsLDA(2, random_state=0)
    >>> mixtures = lda.fit_transform(vectorizer.fit_transform(texts))
    >>> mixtures.round(1)
    array([[0.1, 0.9],
           [0.1, 0.9],
           [0.9, 0.1],
           [0.9, 0.1]])
    >>> top_words(lda.components_, vectorizer.get_feature_names_out(), n_words=2)
    [['bond', 'stock'], ['cat', 'dog']]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        # beyond these bounds, products of probabilities would leave the range of floats
        "doc_topic_prior": [
            Interval(Real, 1e-30, 1e30, closed="both"),
            "array-like",
            None,
        ],
        "topic_word_prior": [Interval(Real, 1e-30, 1e30, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 10,
        *,
        doc_topic_prior: float | ArrayLike | None = None,
        topic_word_prior: float = 0.1,
        max_iter: int = 200,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Sample topics for the documents of ``X``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts.
        y : None
            Ignored.

        Returns
        -------
        self : GibbsLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            For counts that are negative, fractional, NaN or infinite, if no document has
            a word, and for a prior that is not positive or not of length
            ``n_components``.
        """
        with whole_or_not_at_all(self):
            prior = check_prior(
                self.doc_topic_prior, self.n_components, "doc_topic_prior"
            )
            tokens = tokens_from_counts(check_counts(self, X, reset=True))
            if not tokens.words.size:
                raise ValueError(
                    "X holds no words: all its counts are zero. Check the vocabulary "
                    "(CountVectorizer's min_df, max_df and stop words)."
                )
            word_topic = self._mean_counts(tokens, prior) + self.topic_word_prior
            self.components_ = np.ascontiguousarray(
                (word_topic / word_topic.sum(axis=0)).T
            )
            self.doc_topic_prior_ = prior
            self.n_iter_ = self.max_iter
        return self

    def _mean_counts(self, tokens: Tokens, prior: np.ndarray) -> np.ndarray:
        """Run the chain; return the mean word-topic counts of its last samples."""
        seed = as_seed(self.random_state)
        state = random_start(tokens, self.n_components, seed)
        gap = max(1, self.max_iter // (4 * _N_SAMPLES))
        stops = np.arange(self.max_iter, 0, -gap)[:_N_SAMPLES][::-1]
        total = np.zeros(state.word_topic.shape)
        bar = tqdm(total=self.max_iter, desc="GibbsLDA", disable=not self.verbose)

        def progress(sweeps: range) -> Iterator[int]:
            for sweep in sweeps:
                yield sweep
                bar.update()

        with bar:
            for stop in stops:
                n_sweeps = stop - state.n_sweeps
                state = sample(
                    tokens,
                    state,
                    prior,
                    self.topic_word_prior,
                    n_sweeps,
                    seed,
                    progress,
                )
                total += state.word_topic
        return total / len(stops)

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

    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        return fold_in(X, self.components_, self.doc_topic_prior_)

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


def fold_in(X: sp.csr_array, components: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the mixtures of documents, topics held fixed; each row by itself.

    Parameters
    ----------
    X : csr_array of shape (D, V), int32
    components : ndarray of shape (K, V)
        φ: rows sum to one.
    prior : ndarray of shape (K,) or (D, K)
        Dirichlet prior that all documents share, or of each. Written α.

    Returns
    -------
    mixtures : ndarray of shape (D, K)
        θ: rows sum to one.
    """
    words, indices = np.unique(X.indices, return_inverse=True)
    return kernels.fold_in(
        X.data,
        indices.astype(np.int32),
        X.indptr.astype(np.int64),
        np.ascontiguousarray(components[:, words].T),
        np.ascontiguousarray(np.atleast_2d(prior), np.float64),
        _MAX_PASSES,
        _TOLERANCE,
    )
