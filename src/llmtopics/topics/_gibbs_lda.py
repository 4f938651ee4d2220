"""Latent Dirichlet allocation fitted by collapsed Gibbs sampling."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from tqdm import tqdm

from llmtopics._checks import N_JOBS, as_seed, check_counts, check_prior
from llmtopics._compiled.threads import workers
from llmtopics._state import restored_on_error
from llmtopics.topics._count_model import (
    EVERY,
    CountTopicModel,
    check_countable,
    rise,
    warn_unsettled,
)
from llmtopics.topics._gibbs.chain import Chain, start_chain
from llmtopics.topics._gibbs.expected_counts import expected_counts, to_topics
from llmtopics.topics._gibbs.known_counts import draw_under_counts
from llmtopics.topics._gibbs.learned_priors import learn_prior, learn_word_prior
from llmtopics.topics._gibbs.likelihood import divided, log_joint, tally_cells
from llmtopics.topics._gibbs.mixtures import contributions, infer_mixtures
from llmtopics.topics._gibbs.tokens import (
    random_topics,
    tokens_from_counts,
    topics_from_prior,
)
from llmtopics.topics._gibbs.word_prior import WordPrior, check_word_prior

_BURN_IN = 0.5  # share of max_iter before priors are learned


class GibbsLDA(CountTopicModel):
    """Find topics in word counts by collapsed Gibbs sampling.

    Every token of every document carries a topic. A sweep redraws each of them given
    all the others, so that the assignments wander to probable ones; from those at the end
    of the chain the topics are estimated.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    doc_topic_prior : float, array-like of shape (n_components,), "auto" or None, \
            default=None
        Dirichlet concentration of topics in a document, α in [1]_. Small values lean a
        document to few topics; unequal ones make topics unequally common. None stands
        for ``1 / n_components``. "auto" starts there and learns one value a topic.

    topic_word_prior : float, array-like of shape (n_words,) or (n_components, n_words), \
            or "auto", default=0.1
        Dirichlet concentration of words in a topic, β in [1]_. Smaller values make
        topics narrower, which suits larger numbers of them. "auto" starts from 0.1 and
        learns one value. An array has one value per word, or one per topic and word:
        larger values of some words (seed words) guide a topic to them.

    sampler : {"auto", "exact", "blocked"}, default="auto"
        "exact" draws one token after another, in one thread. "blocked" is faster, the more
        so with many topics, and draws a token given counts that are a little old (see
        Notes). "auto" is
        exact up to 131,072 tokens, where that takes seconds, and blocked beyond.

    max_iter : int, default=200
        Sweeps over all tokens, at most.

    tol : float or None, default=None
        Stop early once the log-likelihood per token, looked at every ten sweeps, rises
        by no more than this: the mean of the last three looks against the three before.
        None makes all ``max_iter`` sweeps.

    warm_start : bool, default=False
        Whether ``fit`` starts from the topics found before, if there are any, instead of
        from random ones. The data of the earlier fit is not remembered.

    decay : float, default=1.0
        What earlier counts are multiplied with in every call of ``partial_fit`` after the
        first; below 1 forgets.

    n_jobs : int or None, default=None
        Threads of "blocked" sampling and of ``transform``. The result does not depend on
        it. None is one thread unless ``joblib.parallel_config`` says more, -1 is one per
        processor. Inside a worker of joblib it is always one.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the first assignment and all draws. An int gives the same bits on every
        run. A fit that continues an earlier one (``warm_start``, ``partial_fit``) draws new
        numbers, also in a copied or pickled model. NumPy's global random state is never used.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Probability of each word in each topic, φ. Rows sum to one.

    topic_counts_ : ndarray of shape (n_components,)
        Tokens of each topic that ``components_`` rest on.

    doc_topic_prior_ : ndarray of shape (n_components,)
        The α used last.

    topic_word_prior_ : float, or ndarray of shape (n_words,) or (n_components, n_words)
        The β used last, in the shape that was given.

    log_likelihood_ : ndarray of shape (n_sweeps // 10,)
        ``log p(w, z)`` per token after every tenth sweep of the last ``fit``, mixtures and
        topics integrated out ([1]_, equations 2 and 3); in nats.

    n_iter_ : int
        Sweeps made in the last call.

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
    *Exact* sampling draws each token given the topics that all others have at that moment
    ([1]_, equation 5). *Blocked* sampling cuts the documents into 32 blocks: a token is
    drawn given the topics that the other tokens of its document have at that moment, those
    of other documents as they were when the block began, and topics' totals as they were
    when the sweep began. A block's documents are then independent, for any number of
    threads. Counts of words lag by a thirty-second of a sweep, or the longest document; in
    the approximate distributed LDA of [2]_, by comparison, they lag a whole sweep. The
    chain's stationary distribution is near the posterior, not equal to it; the guide has
    figures.

    ``components_`` are not the counts of the last sweep but expected ones: with each
    document's topics as the chain left them, tokens are shared among topics by their
    conditional probabilities, and the topics' words reckoned from the shares; eight times
    in turn, or four from 256 topics on (the first time gives the estimate of [3]_). They
    foretell held-out words better than the counts do, and better than their average over
    the last samples.

    Learned priors take five of Minka's fixed-point steps every ten sweeps ([4]_) in the
    second half of ``max_iter``; ``tol`` then looks at that half alone.

    ``transform`` does not sample: with the topics fixed, the expected topic of every
    token given the expected topics of the others is iterated (CVB0, [5]_), until a pass
    moves no topic's share by more than 1e-5, at most 100 times. A document's mixture does
    not depend on what else is in ``X``, and ``fit_transform(X)`` is
    ``fit(X).transform(X)``. A document without words gets the prior's mean.

    If ``fit`` fails or is interrupted, the estimator stays as it was before.

    References
    ----------
    .. [1] T. Griffiths and M. Steyvers, "Finding scientific topics", PNAS 101,
       5228-5235, 2004. Equation 5 is the conditional that is drawn from.
    .. [2] D. Newman, A. Asuncion, P. Smyth and M. Welling, "Distributed algorithms for topic
       models", JMLR 10, 1801-1828, 2009.
    .. [3] Y. Papanikolaou, J. Foulds, T. Rubin and G. Tsoumakas, "Dense distributions from
       sparse samples: improved Gibbs sampling parameter estimators for LDA", JMLR 18, 2017.
    .. [4] H. Wallach, D. Mimno and A. McCallum, "Rethinking LDA: why priors matter", NIPS
       2009; T. Minka, "Estimating a Dirichlet distribution", 2000.
    .. [5] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference
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
            StrOptions({"auto"}),
            None,
        ],
        "topic_word_prior": [
            Interval(Real, 1e-30, 1e30, closed="both"),
            "array-like",
            StrOptions({"auto"}),
        ],
        "sampler": [StrOptions({"auto", "exact", "blocked"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "warm_start": ["boolean"],
        "decay": [Interval(Real, 0, 1, closed="right")],
        "n_jobs": N_JOBS,
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 10,
        *,
        doc_topic_prior: float | ArrayLike | Literal["auto"] | None = None,
        topic_word_prior: float | ArrayLike | Literal["auto"] = 0.1,
        sampler: Literal["auto", "exact", "blocked"] = "auto",
        max_iter: int = 200,
        tol: float | None = None,
        warm_start: bool = False,
        decay: float = 1.0,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.sampler = sampler
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.decay = decay
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
            a word, for 2**31 words or more, for a word or document with 2**24 or more
            ("exact" takes it), and for a prior that is not positive or of a wrong
            shape.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` sweeps were made and the likelihood still rose by more than
            ``tol``.
        """
        with restored_on_error(self):
            known = self.warm_start and hasattr(self, "components_")
            X = check_counts(self, X, reset=not known)
            self._check_countable(X)
            weights = self._sample(X, self._counts() if known else None)
            beta = self._last_word_prior()
            self.topic_counts_ = weights.sum(axis=0, dtype=np.float64)
            scale = 1 / (self.topic_counts_ + beta.totals)
            self.components_ = np.empty((self.n_components, X.shape[1]))
            for k, row in enumerate(self.components_):
                row[:] = (weights[:, k] + np.float64(beta.of_topic(k))) * scale[k]
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Add the documents of ``X`` to what was learned so far.

        Topics of the new documents' tokens are sampled while the counts of all earlier
        ones, times ``decay``, stand beside them. The first call is ``fit``; later ones make
        a tenth of ``max_iter`` sweeps, over the new documents alone, whatever ``tol``, and
        leave learned priors and ``log_likelihood_`` as they were.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts, of the same words in every call.
        y : None
            Ignored.

        Returns
        -------
        self : GibbsLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            As ``fit`` does, and if ``n_components`` has changed since the first call.
        """
        if not hasattr(self, "components_"):
            return self.fit(X)
        with restored_on_error(self):
            X = check_counts(self, X, reset=False)
            words, columns = np.unique(X.indices, return_inverse=True)
            if words.size:
                self._add(X, words, columns)
        return self

    def _add(self, X: sp.csr_array, words: np.ndarray, columns: np.ndarray) -> None:
        """Sample the documents of a portion and add them to what was learned.

        The chain sees the portion's words, and one more that stands for all others: it has
        their counts and their share of the prior, so that the topics' totals are right.
        Afterwards one pass over all words scales them to the new totals.

        words : (W,), the words of X
        columns : as many as X has counts, the place of each one's word in ``words``
        """
        V, W = X.shape[1], len(words)
        before, beta_before = self.components_, self._last_word_prior()
        scale_before = self.topic_counts_ + beta_before.totals
        beta, _ = self._word_prior(V, True)
        counts = self._counts(words)
        others = counts * np.float32(self.decay)
        known = np.zeros(V)
        known[words] = others.max(axis=1)
        self._check_countable(X, known)
        rest = np.maximum(self.topic_counts_ - counts.sum(axis=0, dtype=np.float64), 0)
        prior = (V - W - 1) * beta.mean_of_others(words) if V > W else 0
        rows = np.array([rest + prior, self.decay * rest + prior], np.float32)
        rows = rows[:, np.newaxis][:, : V - W]  # none if the portion has all words
        counts, others = np.vstack([counts, rows[0]]), np.vstack([others, rows[1]])
        portion = sp.csr_array(
            (X.data, columns.astype(np.int32), X.indptr),
            shape=(X.shape[0], len(counts)),
        )
        portion_beta = beta.portion(words) if V > W else beta
        weights = self._sample(portion, counts, others, portion_beta)
        self.topic_word_prior_ = beta.values
        self.components_, self.topic_counts_ = np.empty_like(before), rest
        totals = np.broadcast_to(beta.totals, len(before))
        for k, row in enumerate(self.components_):
            np.multiply(before[k], scale_before[k], out=row)
            row -= beta_before.of_topic(k)
            np.maximum(row, 0, out=row)
            row *= self.decay
            row[words] = weights[:W, k]
            self.topic_counts_[k] = row.sum()
            row += beta.of_topic(k)
            row *= 1 / (self.topic_counts_[k] + totals[k])

    def _counts(self, words: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the counts of words in topics that ``components_`` stand for, (V, K)."""
        if len(self.components_) != self.n_components:
            raise ValueError(
                f"The fitted topics are {len(self.components_)}, n_components is "
                f"{self.n_components}: to go on from them, they must be as many."
            )
        beta = self._last_word_prior()
        scale = (self.topic_counts_ + beta.totals)[:, np.newaxis]
        weights = self.components_[:, words] * scale
        return np.maximum(weights.T - beta.of_words(words), 0, dtype=np.float32)

    def _check_countable(self, X: sp.csr_array, known: np.ndarray | float = 0.0):
        check_countable(
            X,
            known,
            single=self.sampler != "exact",
            remedy=", or use sampler='exact'",
            portions=True,
        )

    def _sample(
        self,
        X: sp.csr_array,
        counts: np.ndarray | None = None,
        others: np.ndarray | None = None,
        word_prior: WordPrior | None = None,
    ) -> np.ndarray:
        """Run the chain; return expected counts of words in topics, of shape (V, K).

        counts : (V, K), what is known and started from, or None
        others : (V, K), counts of earlier portions beside X's, or None for a fit
        word_prior : of a portion's words, or None for what the parameter says
        """
        seed, K = as_seed(self.random_state), self.n_components
        # draws that an earlier fit made from the same seed must not come again
        n_continued = 0 if counts is None else getattr(self, "_n_continued", 0) + 1
        if n_continued:
            seed = as_seed(np.random.default_rng([seed, n_continued]))
        alpha, learn_alpha = self._doc_prior(counts is not None)
        beta, learn_beta = word_prior, False
        if beta is None:
            beta, learn_beta = self._word_prior(X.shape[1], counts is not None)
        tokens = tokens_from_counts(X)
        with workers(self.n_jobs) as threads:
            topics = random_topics(tokens, K, seed)
            if counts is not None:
                topics = draw_under_counts(
                    tokens, topics, counts, alpha, beta, seed, threads
                )
            chain = start_chain(
                tokens, topics, K, beta, seed, threads, others, sampler=self.sampler
            )
            del topics, counts
            alpha, trace = self._run(chain, alpha, learn_alpha, learn_beta)
            weights = expected_counts(chain, alpha[np.newaxis])
        self.n_iter_ = chain.n_sweeps
        if others is None:
            self.log_likelihood_ = np.array(trace)
        self.doc_topic_prior_ = alpha
        self.topic_word_prior_ = chain.word_prior.values
        self._n_continued = n_continued
        return weights

    def _run(
        self,
        chain: Chain[np.ndarray],
        alpha: np.ndarray,
        learn_alpha: bool,
        learn_beta: bool,
    ) -> tuple[np.ndarray, list[float]]:
        """Make the sweeps; return α and the likelihoods seen on the way."""
        n_sweeps, tol, risen = self.max_iter, self.tol, np.inf
        portion = chain.others is not None
        if portion:  # it may be too small to learn from
            n_sweeps, tol = max(1, n_sweeps // 10), None
        burn_in = n_sweeps * _BURN_IN if learn_alpha or learn_beta else 0
        trace: list[float] = []
        with tqdm(total=n_sweeps, desc="GibbsLDA", disable=not self.verbose) as bar:
            while chain.n_sweeps < n_sweeps:
                chain.sweep(alpha[np.newaxis])
                bar.update()
                if portion or chain.n_sweeps % EVERY:
                    continue
                cells = tally_cells(chain)
                mixtures = divided(chain.tokens.starts, chain.topics, alpha.size)
                trace.append(log_joint(cells, (mixtures, alpha)))
                if chain.n_sweeps < burn_in:
                    continue
                if learn_alpha:
                    alpha = learn_prior(mixtures, alpha)
                if learn_beta:
                    chain.word_prior = learn_word_prior(cells)
                risen = rise(trace[int(burn_in) // EVERY :])
                if tol is not None and risen <= tol:
                    break
            else:
                if tol is not None:
                    least = "60, where priors are learned 120"
                    warn_unsettled("GibbsLDA", n_sweeps, tol, risen, least)
        return alpha, trace

    def _doc_prior(self, known: bool) -> tuple[np.ndarray, bool]:
        """Return α to start with, and whether to learn it."""
        prior, K = self.doc_topic_prior, self.n_components
        if not (isinstance(prior, str) and prior == "auto"):
            return check_prior(prior, K, "doc_topic_prior"), False
        return self.doc_topic_prior_ if known else np.full(K, 1 / K), True

    def _word_prior(self, n_words: int, known: bool) -> tuple[WordPrior, bool]:
        """Return β to start with, and whether to learn it."""
        prior, K = self.topic_word_prior, self.n_components
        if not isinstance(prior, str):
            return WordPrior(check_word_prior(prior, K, n_words), n_words), False
        # an array of an earlier fit is no start: one value is learned
        learned = known and isinstance(self.topic_word_prior_, float)
        return WordPrior(self.topic_word_prior_ if learned else 0.1, n_words), True

    def _last_word_prior(self) -> WordPrior:
        return WordPrior(self.topic_word_prior_, self.n_features_in_)

    def _mixtures(self, X: sp.csr_array, given: np.ndarray | float = 0.0) -> np.ndarray:
        """Return θ; ``given``, (D, K), is added to the prior of each document."""
        prior = self.doc_topic_prior_ + given
        return infer_mixtures(X, self.components_, prior, self.n_jobs)

    def _contributions(
        self, X: sp.csr_array, given: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, and the prior, add to its mixture.

        X : csr_array of shape (1, V), int32
        given : (K,), prior beside ``doc_topic_prior_``
        """
        return contributions(X, self.components_, self.doc_topic_prior_ + given)

    def _fit_given(
        self,
        X: sp.csr_array,
        given: np.ndarray,
        seed: int,
        after_sweep: Callable[..., np.ndarray | None],
    ) -> None:
        """Fit under a prior per document, which may change after each sweep.

        Document d has the prior ``doc_topic_prior + given[d]``; the chain starts from its
        mean. Priors of "auto" are not supported. For ``FusionTopicModel``.

        Parameters
        ----------
        X : csr_array of shape (D, V), int32
        given : ndarray of shape (D, K)
        seed : int
        after_sweep : callable
            Called with the number of sweeps made, the Tokens, their topics, and the whole
            prior, (D, K). Returns the next ``given``, or None to leave it as it is.
        """
        K = self.n_components
        beta, _ = self._word_prior(X.shape[1], False)
        epsilon = check_prior(self.doc_topic_prior, K, "doc_topic_prior")
        check_countable(
            X,
            single=self.sampler != "exact",
            remedy=", or use topic_model=GibbsLDA(sampler='exact')",
        )
        tokens, prior = tokens_from_counts(X), given + epsilon
        with workers(self.n_jobs) as threads:
            topics = topics_from_prior(tokens, prior, seed)
            chain = start_chain(
                tokens, topics, K, beta, seed, threads, sampler=self.sampler
            )
            del topics
            while chain.n_sweeps < self.max_iter:
                chain.sweep(prior)
                new = after_sweep(chain.n_sweeps, tokens, chain.topics, prior)
                if new is not None:
                    prior = new + epsilon
            counts = expected_counts(chain, prior)
        self.components_ = to_topics(counts.T.astype(np.float64), beta.values)
        self.topic_counts_ = counts.sum(axis=0, dtype=np.float64)
        self.doc_topic_prior_, self.topic_word_prior_ = epsilon, beta.values
        self.n_features_in_, self.n_iter_ = X.shape[1], self.max_iter
        self.log_likelihood_ = np.empty(0)  # not defined under these priors
