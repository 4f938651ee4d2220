"""Latent Dirichlet allocation fitted by collapsed Gibbs sampling."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from llmtopics._checks import N_JOBS, as_seed, check_counts, check_prior
from llmtopics._compiled.threads import workers
from llmtopics._progress import Stage, aside, fitting, stage
from llmtopics._state import restored_on_error
from llmtopics._stored_counts import StoredCounts
from llmtopics.topics._count_model import (
    EVERY,
    CountTopicModel,
    check_countable,
    check_stored,
    rise,
    warn_not_converged,
)
from llmtopics.topics._gibbs.chain import Chain, is_exact, start_chain
from llmtopics.topics._gibbs.expected_counts import expected_counts, to_topics
from llmtopics.topics._gibbs.known_counts import draw_under_counts
from llmtopics.topics._gibbs.learned_priors import learn_prior, learn_word_prior
from llmtopics.topics._gibbs.likelihood import (
    divided,
    divided_each,
    log_joint,
    log_words,
    tally_cells,
)
from llmtopics.topics._gibbs.mixtures import contributions, infer_mixtures
from llmtopics.topics._gibbs.saved_chain import SavedChain, saved_chain
from llmtopics.topics._gibbs.tokens import (
    as_tokens,
    random_topics,
    tokens_from_counts,
    topics_from_prior,
)
from llmtopics.topics._gibbs.word_prior import WordPrior, check_word_prior

logger = logging.getLogger(__name__)

_BURN_IN = 0.5  # share of max_iter before priors are learned


@dataclass(eq=False, repr=False)
class GibbsLDA(CountTopicModel):
    """Find topics in word counts by collapsed Gibbs sampling.

    Every token of every document has a topic. A sweep redraws the topic of each token given
    the topics of all others. Over many sweeps the chain of topics converges to probable
    topics. The model is estimated from the topics after the last sweep.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    doc_topic_prior : float, array-like of shape (n_components,), "auto" or None, \
            default=None
        Dirichlet concentration of topics in a document, α in [1]_. With small values, a
        document has few topics. With unequal values, some topics are more common. None is
        ``1 / n_components``. "auto" starts there and learns one value per topic.

    topic_word_prior : float, array-like of shape (n_words,) or (n_components, n_words), \
            or "auto", default=0.1
        Dirichlet concentration of words in a topic, β in [1]_. With smaller
        values, a topic has fewer words. This suits many topics. "auto" starts from 0.1 and
        learns one value. An array has one value per word, or one per topic and word. Larger
        values of some words (seed words) guide a topic to them.

    sampler : {"auto", "exact", "blocked"}, default="auto"
        "exact" draws one token after another, in one thread. "blocked" is faster, above all
        with many topics. It draws a token given counts that are slightly out of date (see
        Notes). "auto" is exact up to 131,072 tokens, which takes seconds, and blocked above.

    max_iter : int, default=200
        Maximum number of sweeps over all tokens.

    tol : float or None, default=None
        Stop early when the log-likelihood per token rises by no more than this. It is
        checked every ten sweeps. The rise is the mean of the last three checks minus the
        mean of the three before. None makes all ``max_iter`` sweeps.

    warm_start : bool, default=False
        Whether ``fit`` starts from the topics of the previous fit, if there was one, instead
        of random topics. The data of the previous fit is not kept.

    decay : float, default=1.0
        Factor for earlier counts in every call of ``partial_fit`` after the first. Below 1,
        the model forgets old documents.

    n_jobs : int or None, default=None
        Number of threads for "blocked" sampling and ``transform``. The result does not
        depend on it. None is one thread unless ``joblib.parallel_config`` sets more. -1 is
        one thread per processor. Inside a worker of joblib it is always one thread.

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
        Expected number of tokens of each topic, from which ``components_`` is computed.

    doc_topic_prior_ : ndarray of shape (n_components,)
        The α used last.

    topic_word_prior_ : float, or ndarray of shape (n_words,) or (n_components, n_words)
        The β used last, in the shape that was given.

    log_likelihood_ : ndarray of shape (n_sweeps // 10,)
        ``log p(w, z)`` per token after every tenth sweep of the last ``fit``, in nats.
        Topic proportions and topics are integrated out ([1]_, equations 2 and 3).

    word_log_likelihood_ : ndarray of shape (n_sweeps // 10,)
        ``log p(w | z)`` per token after the same sweeps, in nats ([1]_, equation 2).

    n_iter_ : int
        Number of sweeps in the last call.

    n_features_in_ : int
        Number of words in ``fit``.

    feature_names_in_ : ndarray of shape (n_words,)
        Names of the words. Only if the columns of ``X`` had names.

    See Also
    --------
    sklearn.decomposition.LatentDirichletAllocation : The same model, fitted by
        variational inference.
    top_words : The words that describe each topic.

    Notes
    -----
    *Exact* sampling draws each token given the current topics of all others ([1]_,
    equation 5).

    *Blocked* sampling cuts the documents into 32 blocks. A token is drawn given the current
    topics of the other tokens of its document. Topics in other documents are those at the
    start of the block. Totals of topics are those at the start of the sweep. So the
    documents of a block are independent, for any number of threads. Counts of words are
    updated after each block. A block has about 1/32 of the tokens, or more if one document
    is longer than that. In the
    approximate distributed LDA of [2]_ they are updated after a whole sweep. The stationary
    distribution of the chain is near the posterior, not equal to it. The guide has figures.

    ``components_`` is computed from expected counts, not from the counts of the last sweep.
    They are computed in passes after the last sweep, while the topics of the tokens stay
    fixed. A pass divides each token among the topics in proportion to their conditional
    probabilities. Then it re-estimates the topic-word distributions from these shares.
    There are eight passes, or four with 256 topics or more. The steps are twice as long in
    logarithms (over-relaxation). One pass with a short step would give the estimate of
    [3]_. Expected counts predict held-out words better than the counts of the last sweep,
    and better than the average of the last samples.

    Learned priors take five of Minka's fixed-point steps ([4]_) every ten sweeps, in the
    second half of ``max_iter``. ``tol`` then uses this half only.

    ``transform`` does not sample. The topics are fixed. It recomputes the topic
    probabilities of each token from those of the document's other tokens (CVB0, [5]_). It
    stops when a pass moves no topic's share by more than 1e-5, or after 100 passes. A
    document's topic proportions do not depend on the other documents in ``X``, and
    ``fit_transform(X)`` equals ``fit(X).transform(X)``. A document without words gets the
    prior's mean.

    If ``fit`` fails or is interrupted, the estimator stays as it was before.

    With :class:`StoredCounts`, blocked sampling keeps the topics of all tokens in two files
    in a folder beside the counts. After each sweep it records its state there. If the process
    is killed, ``fit`` with the same parameters continues after the last complete sweep, and
    gives the same bits as a fit without interrupt. A logged message (INFO) says so. This
    needs an int as ``random_state``. The files are deleted when ``fit`` ends. Few tokens, and ``sampler="exact"``, are sampled in
    memory.

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

    n_components: int = 10
    _: KW_ONLY
    doc_topic_prior: float | ArrayLike | Literal["auto"] | None = None
    topic_word_prior: float | ArrayLike | Literal["auto"] = 0.1
    sampler: Literal["auto", "exact", "blocked"] = "auto"
    max_iter: int = 200
    tol: float | None = None
    warm_start: bool = False
    decay: float = 1.0
    n_jobs: int | None = None
    random_state: Any = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "components_",
        "doc_topic_prior_",
        "topic_counts_",
        "topic_word_prior_",
        "_n_continued",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        # beyond these bounds, products of probabilities overflow or become zero
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the model: sample the topics of all tokens of ``X``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words), or StoredCounts
            Whole-number word counts. With :class:`StoredCounts`, words and topics of tokens
            stay on disk (see Notes).
        y : None
            Ignored.

        Returns
        -------
        self : GibbsLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            For counts that are negative, fractional, NaN or infinite. If no document has a
            word. For 2**31 tokens or more in memory. For a word or document with 2**24 tokens
            or more, unless ``sampler="exact"`` or the word is in StoredCounts. For a prior that is not positive or has a
            wrong shape.

        Warns
        -----
        ConvergenceWarning
            If the likelihood still rises by more than ``tol`` after ``max_iter`` sweeps.
        """
        with fitting(self, 1), restored_on_error(self):
            known = self.warm_start and hasattr(self, "components_")
            X = self._checked(X, reset=not known)
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
        """Continue the fit with a batch of documents (online learning).

        The topics of the new tokens are sampled given the counts of all earlier documents
        times ``decay``. The first call is ``fit``. Later calls make a tenth of ``max_iter``
        sweeps over the new documents only, and ignore ``tol``. They do not change learned
        priors and ``log_likelihood_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts, with the same words in every call.
        y : None
            Ignored.

        Returns
        -------
        self : GibbsLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            As in ``fit``, and if ``n_components`` has changed since the first call.
        """
        if not hasattr(self, "components_"):
            return self.fit(X)
        with fitting(self, 1), restored_on_error(self):
            if isinstance(X, StoredCounts):
                raise ValueError(
                    "partial_fit takes one batch in memory: call it for each block, "
                    "`for block in counts: lda.partial_fit(block)`."
                )
            X = check_counts(self, X, reset=False)
            words, columns = np.unique(X.indices, return_inverse=True)
            if words.size:
                self._add(X, words, columns)
        return self

    def _checked(self, X: Any, *, reset: bool) -> sp.csr_array | StoredCounts:
        """Return counts that can be sampled."""
        if isinstance(X, StoredCounts):
            check_stored(self, X, reset=reset)
        else:
            X = check_counts(self, X, reset=reset)
            self._check_countable(X)
        return X

    def _add(self, X: sp.csr_array, words: np.ndarray, columns: np.ndarray) -> None:
        """Sample the documents of a batch and add them to the earlier counts.

        The chain gets the words of the batch, and one more word that stands for all others.
        It has their counts and their share of the prior, so that the totals of topics are
        right. Afterwards one pass over all words scales them to the new totals.

        words : (W,), the words of X
        columns : for each entry of ``X.data``, the place of its word in ``words``
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
        rows = rows[:, np.newaxis][:, : V - W]  # none if the batch has all words
        counts, others = np.vstack([counts, rows[0]]), np.vstack([others, rows[1]])
        batch = sp.csr_array(
            (X.data, columns.astype(np.int32), X.indptr),
            shape=(X.shape[0], len(counts)),
        )
        batch_beta = beta.of_batch(words) if V > W else beta
        weights = self._sample(batch, counts, others, batch_beta)
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
        """Return the counts of words in topics behind ``components_``, (V, K)."""
        if len(self.components_) != self.n_components:
            raise ValueError(
                f"n_components={self.n_components}, and the fitted model has "
                f"{len(self.components_)} topics: a continued fit cannot change their "
                "number. Set n_components back, or call fit on clone(model)."
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
            batches=True,
        )

    def _sample(
        self,
        X: sp.csr_array | StoredCounts,
        counts: np.ndarray | None = None,
        others: np.ndarray | None = None,
        word_prior: WordPrior | None = None,
    ) -> np.ndarray:
        """Run the chain; return expected counts of words in topics, of shape (V, K).

        counts : (V, K), earlier counts to start from, or None
        others : (V, K), earlier counts that stay beside those of X, or None in ``fit``
        word_prior : prior of the words of a batch, or None for that of the parameter
        """
        seed, K = as_seed(self.random_state), self.n_components
        # a continued fit must not repeat the draws of the earlier fit from the same seed
        n_continued = 0 if counts is None else getattr(self, "_n_continued", 0) + 1
        if n_continued:
            seed = as_seed(np.random.default_rng([seed, n_continued]))
        alpha, learn_alpha = self._doc_prior(counts is not None)
        beta, learn_beta = word_prior, False
        if beta is None:
            beta, learn_beta = self._word_prior(X.shape[1], counts is not None)
        tokens, saved = as_tokens(X), None
        place = fresh = None  # in memory
        with workers(self.n_jobs) as threads, ExitStack() as stack:
            if isinstance(X, StoredCounts) and not is_exact(self.sampler, tokens):
                given = [seed, counts, alpha, learn_alpha, beta.values, learn_beta]
                given += [self.sampler, self.max_iter, self.tol]
                key = None if self.random_state is None else given
                saved = stack.enter_context(saved_chain(X, K, key))
                place, fresh = saved.topics, saved.fresh
                del given, key
            if saved and saved.state:
                topics = saved.topics
            else:
                topics = random_topics(tokens, K, seed, place)
                if counts is not None:
                    topics[:] = draw_under_counts(
                        tokens, topics, counts, alpha, beta, seed, threads
                    )
            chain = start_chain(
                *(tokens, topics, K, beta, seed, threads, others),
                sampler=self.sampler,
                fresh=fresh,
            )
            del topics, place, fresh, counts
            alpha, trace, of_words = self._run(
                chain, alpha, learn_alpha, learn_beta, saved
            )
            weights = expected_counts(chain, alpha[np.newaxis])
        self.n_iter_ = chain.n_sweeps
        if others is None:
            self.log_likelihood_ = np.array(trace)
            self.word_log_likelihood_ = np.array(of_words)
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
        saved: SavedChain | None,
    ) -> tuple[np.ndarray, list[float], list[float]]:
        """Make the sweeps; return α, and log p(w, z) and log p(w | z) at the checks."""
        n_sweeps, tol, stop = self.max_iter, self.tol, False
        batch = chain.others is not None
        if batch:  # too small, perhaps, to learn priors from
            n_sweeps, tol = max(1, n_sweeps // 10), None
        burn_in = n_sweeps * _BURN_IN if learn_alpha or learn_beta else 0
        trace: list[float] = []
        of_words: list[float] = []
        if saved and saved.state:
            alpha, trace = np.array(saved.state["alpha"]), saved.state["trace"]
            of_words = saved.state["of_words"]
            chain.n_sweeps = saved.state["n_sweeps"]
            saved.restore(chain)
            if learn_beta:
                chain.word_prior = WordPrior(saved.state["beta"], chain.tokens.n_words)
            with aside():
                logger.info(
                    "fit continues after sweep %d of %d", chain.n_sweeps, n_sweeps
                )

        def risen() -> float:
            return rise(trace[int(burn_in) // EVERY :])

        counted = stage("sweeps", n_sweeps, "sweeps", each=True, first=chain.n_sweeps)
        with counted as sweeps:
            while chain.n_sweeps < n_sweeps and not stop:
                checked = not batch and chain.n_sweeps % EVERY == 0
                if checked and tol is not None and risen() <= tol:
                    break
                chain.sweep(alpha[np.newaxis])
                stop = self._count(sweeps, chain, alpha, trace, of_words)
                if not batch and chain.n_sweeps % EVERY == 0:
                    cells = tally_cells(chain)
                    mixtures = divided(chain.tokens.starts, chain.topics, alpha.size)
                    trace.append(log_joint(cells, (mixtures, alpha)))
                    of_words.append(log_words(cells))
                    if learn_alpha and chain.n_sweeps >= burn_in:
                        alpha = learn_prior(mixtures, alpha)
                    if learn_beta and chain.n_sweeps >= burn_in:
                        chain.word_prior = learn_word_prior(cells)
                if saved and not stop:  # a continued chain asks its callbacks again
                    beta = chain.word_prior.values if learn_beta else None
                    now = {"alpha": alpha.tolist(), "beta": beta}
                    now |= {"trace": trace, "of_words": of_words}
                    saved.save(chain, n_sweeps=chain.n_sweeps, **now)
        if tol is not None and not stop and risen() > tol:
            least = "60 sweeps, or 120 with learned priors"
            warn_not_converged("GibbsLDA", n_sweeps, tol, risen(), least)
        return alpha, trace, of_words

    def _count(
        self,
        sweeps: Stage,
        chain: Chain[np.ndarray],
        prior: np.ndarray,
        trace: list[float],
        of_words: list[float],
    ) -> bool:
        """Count a sweep; return whether a callback asks to stop.

        prior : (K,), or (D, K) with one prior per document
        """

        def snapshot() -> dict[str, Any]:
            beta, cells = chain.word_prior, tally_cells(chain)
            shared = prior.ndim == 1
            divide = divided if shared else divided_each
            parts = divide(chain.tokens.starts, chain.topics, prior.shape[-1]), prior
            counts = chain.counts.word_topic().T.astype(np.float64)
            return {
                "components_": to_topics(counts, beta.values),
                "topic_counts_": counts.sum(axis=1),
                "doc_topic_prior_": (
                    prior.copy() if shared else self._doc_prior(False)[0]
                ),
                "topic_word_prior_": copy(beta.values),
                "log_likelihood_": np.array([*trace, log_joint(cells, parts)]),
                "word_log_likelihood_": np.array([*of_words, log_words(cells)]),
                "n_features_in_": chain.tokens.n_words,
                "n_iter_": chain.n_sweeps,
            }

        batch = chain.others is not None  # its columns are not those of the model
        return sweeps.update(estimator=self, snapshot=None if batch else snapshot)

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
        # one value is learned, so an array of an earlier fit is no start
        learned = known and isinstance(self.topic_word_prior_, float)
        return WordPrior(self.topic_word_prior_ if learned else 0.1, n_words), True

    def _last_word_prior(self) -> WordPrior:
        return WordPrior(self.topic_word_prior_, self.n_features_in_)

    def _mixtures(self, X: sp.csr_array, given: np.ndarray | float = 0.0) -> np.ndarray:
        """Return θ; ``given``, of shape (D, K), is added to the prior of each document."""
        prior = self.doc_topic_prior_ + given
        return infer_mixtures(X, self.components_, prior, self.n_jobs)

    def _contributions(
        self, X: sp.csr_array, given: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, and the prior, add to its mixture.

        X : csr_array of shape (1, V), int32
        given : (K,), added to ``doc_topic_prior_``
        """
        return contributions(X, self.components_, self.doc_topic_prior_ + given)

    def _fit_given(
        self,
        X: sp.csr_array,
        given: np.ndarray,
        seed: int,
        after_sweep: Callable[..., np.ndarray | None],
    ) -> None:
        """Fit with one prior per document, for ``FusionTopicModel``.

        Document d has the prior ``doc_topic_prior + given[d]``. It may change after each
        sweep. The chain starts from the mean of the prior. "auto" priors are not supported.

        Parameters
        ----------
        X : csr_array of shape (D, V), int32
        given : ndarray of shape (D, K)
        seed : int
        after_sweep : callable
            Called with the number of sweeps made, the Tokens, their topics, and the whole
            prior, (D, K). Returns the next ``given``, or None for no change.
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
            stop = False
            with stage("sweeps", self.max_iter, "sweeps", each=True) as sweeps:
                while chain.n_sweeps < self.max_iter and not stop:
                    chain.sweep(prior)
                    stop = self._count(sweeps, chain, prior, [], [])
                    new = after_sweep(chain.n_sweeps, tokens, chain.topics, prior)
                    if new is not None:
                        prior = new + epsilon
            counts = expected_counts(chain, prior)
        self._keep_given(counts, epsilon, beta, chain.n_sweeps)

    def _keep_given(
        self, counts: np.ndarray, epsilon: np.ndarray, beta: WordPrior, n_sweeps: int
    ) -> None:
        """Set the attributes of a fit with one prior per document.

        counts : (V, K), expected counts of words in topics
        epsilon : (K,), what ``doc_topic_prior`` adds to each prior
        """
        self.components_ = to_topics(counts.T.astype(np.float64), beta.values)
        self.topic_counts_ = counts.sum(axis=0, dtype=np.float64)
        self.doc_topic_prior_, self.topic_word_prior_ = epsilon, beta.values
        self.n_features_in_, self.n_iter_ = len(counts), n_sweeps
        # not defined under these priors
        self.log_likelihood_ = self.word_log_likelihood_ = np.empty(0)
