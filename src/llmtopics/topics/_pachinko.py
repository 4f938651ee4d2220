"""Pachinko allocation: topics of topics, fitted by collapsed Gibbs sampling."""

from dataclasses import KW_ONLY, dataclass
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _get_container_adapter
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import N_JOBS, as_seed, check_counts, pandas_for
from llmtopics._compiled.threads import workers
from llmtopics._progress import Stage, fitting, stage
from llmtopics._state import restored_on_error
from llmtopics.topics._count_model import (
    EVERY,
    CountTopicModel,
    check_countable,
    rise,
    warn_not_converged,
)
from llmtopics.topics._gibbs.assigned_paths import AssignedPaths, PathPrior
from llmtopics.topics._gibbs.chain import Chain, is_exact, start_path_chain
from llmtopics.topics._gibbs.expected_counts import expected_counts, to_topics
from llmtopics.topics._gibbs.learned_priors import learn_prior, learn_word_prior
from llmtopics.topics._gibbs.likelihood import divided_paths, log_joint, tally_cells
from llmtopics.topics._gibbs.mixtures import infer_path_mixtures, path_contributions
from llmtopics.topics._gibbs.path_start import start_paths
from llmtopics.topics._gibbs.tokens import random_topics, tokens_from_counts

if TYPE_CHECKING:
    import pandas as pd

_START = 0.25  # share of max_iter that searches for a start
_LEAST, _MOST = 1e-6, 1e6  # bounds of priors: their products must fit into float32


@dataclass(eq=False, repr=False)
class PachinkoAllocation(CountTopicModel):
    """Find topics, and which of them occur together, by collapsed Gibbs sampling.

    LDA assumes topics without correlations. Here a few super-topics are distributions over
    the topics (sub-topics). A document is a mixture of super-topics, a super-topic of
    sub-topics, a sub-topic of words. With the root these are four levels.

    Parameters
    ----------
    n_components : int, default=10
        Number of sub-topics, K: the topics of ``transform`` and ``components_``.

    n_super_components : int, default=5
        Number of super-topics, S.

    doc_super_prior : float, array-like of shape (n_super_components,), "auto" or None, \
            default=None
        Dirichlet concentration of super-topics in a document, α_s of the root in [1]_. None
        is ``1 / n_super_components``. "auto" starts there and learns one value per
        super-topic.

    super_sub_prior : float, array-like of shape (n_super_components, n_components) or \
            "auto", default="auto"
        Dirichlet concentration of sub-topics in a super-topic, in each document: α_st in
        [1]_. "auto" learns one value per pair. Only these values connect the super-topics
        of different documents. With one number for all pairs, super-topics have no meaning
        beyond their document.

    topic_word_prior : float or "auto", default=0.1
        Dirichlet concentration of words in a sub-topic, β. "auto" starts from 0.1 and
        learns one value.

    sampler : {"auto", "exact", "blocked"}, default="auto"
        "exact" draws one token after another, in one thread. "blocked" draws a token given
        counts that are slightly out of date, in any number of threads. "auto" is exact up
        to 131,072 tokens, and blocked above. See :class:`GibbsLDA`.

    max_iter : int, default=200
        Maximum number of sweeps over all tokens.

    tol : float or None, default=None
        Stop early when the log-likelihood per token rises by no more than this. It is
        checked every ten sweeps. The rise is the mean of the last three checks minus the
        mean of the three before. None makes all ``max_iter`` sweeps.

    n_jobs : int or None, default=None
        Number of threads for "blocked" sampling and ``transform``. The result does not
        depend on it. None is one thread unless ``joblib.parallel_config`` sets more. -1 is
        one thread per processor. Inside a worker of joblib it is always one thread.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the first assignment and all draws. An int gives the same bits on every
        run. NumPy's global random state is never used.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Probability of each word in each sub-topic, φ. Rows sum to one.

    super_sub_ : ndarray of shape (n_super_components, n_components)
        Share of each sub-topic in each super-topic, over all documents. Rows sum to one.
        ``super_sub_ @ components_`` has the words of the super-topics.

    topic_counts_ : ndarray of shape (n_components,)
        Expected number of tokens of each sub-topic, from which ``components_`` is computed.

    super_counts_ : ndarray of shape (n_super_components,)
        Number of tokens of each super-topic.

    doc_super_prior_ : ndarray of shape (n_super_components,)
        The α_s used last.

    super_sub_prior_ : ndarray of shape (n_super_components, n_components)
        The α_st used last.

    topic_word_prior_ : float
        The β used last.

    log_likelihood_ : ndarray
        ``log p(w, s, t)`` per token after every tenth sweep, in nats. All mixtures and topics
        are integrated out. The sweeps that search for a start are left out, so it may be
        empty.

    n_iter_ : int
        Number of sweeps, including those that search for the first sub-topics.

    n_features_in_ : int
        Number of words in ``fit``.

    feature_names_in_ : ndarray of shape (n_words,)
        Names of the words. Only if the columns of ``X`` had names.

    See Also
    --------
    GibbsLDA : Topics without correlations.
    llmtopics.metrics.topic_correlations : Correlations of any model's topics.

    Notes
    -----
    Each token has a path of a super-topic s and a sub-topic t. It is drawn from
    ``p(s, t) ∝ A_s (n_dst + α_st) (n_tw + β)/(n_t + Vβ)`` with
    ``A_s = (n_ds + α_s)/(n_ds + Σ_t α_st)``. The counts leave out the token itself ([1]_,
    section 3.2). The draw is exact and has two steps. First t is drawn: the sum over s,
    ``Σ_s A_s (n_dst + α_st)``, is kept up to date. Then s is drawn given t. That takes about
    3 K + S operations per token instead of K S.

    From a random start, all super-topics stay alike: each is a mixture of all sub-topics,
    whatever priors are learned. So the first quarter of the sweeps fits an LDA with K topics,
    which are the first sub-topics. A second LDA gives the first super-topics. Its words are
    the sub-topics of about sixteen tokens per document. With few tokens, a document moves
    easily from one super-topic to another; with many it hardly does. The second LDA makes as
    many sweeps. They are short and are not counted. If ``super_sub_prior`` is given, the
    start is random.

    Learned priors of mixtures take one of Minka's fixed-point steps ([2]_) after every sweep
    over paths, between 1e-5 and 1e5. A learned ``topic_word_prior`` takes five steps every
    ten sweeps.

    ``components_`` is computed from expected counts, as in :class:`GibbsLDA`. ``transform``
    does not sample. The topics are fixed. It iterates the expected path of every token given
    the expected paths of the others (after CVB0, [3]_). One approximation: a token has the
    super-topics that its sub-topic has in the document. It stops when a pass moves no topic's
    share by more than 1e-5, or after 100 passes. Then ``θ_t ∝ Σ_s A_s (n_dst + α_st)``, with
    the counts of all tokens. A document's topic proportions do not depend on the other
    documents in ``X``, and ``fit_transform(X)`` equals ``fit(X).transform(X)``. A document
    without words gets the priors' mean.

    If ``fit`` fails or is interrupted, the estimator stays as it was before.

    References
    ----------
    .. [1] W. Li and A. McCallum, "Pachinko allocation: DAG-structured mixture models of
       topic correlations", ICML 2006.
    .. [2] T. Minka, "Estimating a Dirichlet distribution", 2000, equation 55.
    .. [3] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference
       for topic models", UAI 2009.

    Examples
    --------
    >>> from llmtopics import PachinkoAllocation, top_words
    >>> from llmtopics.datasets import make_topics
    >>> X = make_topics(200, 60, 4, random_state=0).data
    >>> pam = PachinkoAllocation(4, n_super_components=2, max_iter=50, random_state=0)
    >>> mixtures = pam.fit_transform(X)
    >>> mixtures.shape, pam.transform_super(X).shape, pam.super_sub_.shape
    ((200, 4), (200, 2), (2, 4))
    """

    n_components: int = 10
    _: KW_ONLY
    n_super_components: int = 5
    doc_super_prior: float | ArrayLike | Literal["auto"] | None = None
    super_sub_prior: float | ArrayLike | Literal["auto"] = "auto"
    topic_word_prior: float | Literal["auto"] = 0.1
    sampler: Literal["auto", "exact", "blocked"] = "auto"
    max_iter: int = 200
    tol: float | None = None
    n_jobs: int | None = None
    random_state: Any = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "components_",
        "doc_super_prior_",
        "super_sub_prior_",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_super_components": [Interval(Integral, 1, None, closed="left")],
        "doc_super_prior": [
            Interval(Real, _LEAST, _MOST, closed="both"),
            "array-like",
            StrOptions({"auto"}),
            None,
        ],
        "super_sub_prior": [
            Interval(Real, _LEAST, _MOST, closed="both"),
            "array-like",
            StrOptions({"auto"}),
        ],
        "topic_word_prior": [
            Interval(Real, _LEAST, _MOST, closed="both"),
            StrOptions({"auto"}),
        ],
        "sampler": [StrOptions({"auto", "exact", "blocked"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_jobs": N_JOBS,
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the model: sample the paths of all tokens of ``X``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts.
        y : None
            Ignored.

        Returns
        -------
        self : PachinkoAllocation
            The fitted estimator.

        Raises
        ------
        ValueError
            For counts that are negative, fractional, NaN or infinite. If no document has a
            word. For 2**31 tokens or more. For a word or document with 2**24 tokens or
            more. For a prior that is not between 1e-6 and 1e6 or has a wrong shape.

        Warns
        -----
        ConvergenceWarning
            If the likelihood still rises by more than ``tol`` after ``max_iter`` sweeps.
        """
        with fitting(self, 1), restored_on_error(self):
            self._sample(check_counts(self, X, reset=True))
        return self

    def _sample(self, X: sp.csr_array) -> None:
        """Run the chain and set the fitted attributes."""
        seed = as_seed(self.random_state)
        K, S = self.n_components, self.n_super_components
        root = self._prior("doc_super_prior", (S,), 1 / S)
        below = self._prior("super_sub_prior", (S, K), 1 / K)
        beta = 0.1 if self.topic_word_prior == "auto" else float(self.topic_word_prior)
        check_countable(X)
        tokens = tokens_from_counts(X)
        sampler = "exact" if is_exact(self.sampler, tokens) else "blocked"
        sweeps = stage("sweeps", self.max_iter, "sweeps", each=True)
        with workers(self.n_jobs) as threads:
            with sweeps as counted:
                n_start = 0
                if isinstance(self.super_sub_prior, str):
                    n_start = int(self.max_iter * _START)
                    topics, supers, below = start_paths(
                        tokens,
                        S,
                        K,
                        root,
                        beta,
                        seed,
                        threads,
                        sampler,
                        n_start,
                        counted.update,
                    )
                else:
                    topics = random_topics(tokens, K, seed)
                    supers = random_topics(tokens, S, seed + 1)
                paths = AssignedPaths(topics, supers, S, K)
                chain = start_path_chain(
                    tokens, paths, beta, seed, threads, sampler=sampler
                )
                chain.n_sweeps = n_start
                prior, trace = self._run(chain, paths, PathPrior(root, below), counted)
            weights = expected_counts(chain, prior).T.astype(np.float64)
            found = _from_counts(chain, paths, prior, weights)
        for name, value in found.items():
            setattr(self, name, value)
        self.log_likelihood_ = np.array(trace)

    def _run(
        self,
        chain: Chain[PathPrior],
        paths: AssignedPaths,
        prior: PathPrior,
        sweeps: Stage,
    ) -> tuple[PathPrior, list[float]]:
        """Make the sweeps; return the priors and the likelihoods at the checks."""
        learned = [
            isinstance(given, str)
            for given in (self.doc_super_prior, self.super_sub_prior)
        ]
        trace: list[float] = []
        risen, stop = np.inf, False
        while chain.n_sweeps < self.max_iter and not stop:
            chain.sweep(prior)
            stop = sweeps.update(
                estimator=self,
                snapshot=partial(_attributes, chain, paths, prior, trace),
            )
            look = chain.n_sweeps % EVERY == 0
            if not (look or any(learned)):
                continue
            divisions = divided_paths(chain.tokens.starts, paths)
            if look:
                cells = tally_cells(chain)
                parts = zip(divisions, prior, strict=True)
                trace.append(log_joint(cells, *parts))
                risen = rise(trace)
                if self.tol is not None and risen <= self.tol:
                    break
                if self.topic_word_prior == "auto":
                    chain.word_prior = learn_word_prior(cells)
            prior = PathPrior(
                *(
                    learn_prior(among, alpha, 1) if learn else alpha
                    for among, alpha, learn in zip(
                        divisions, prior, learned, strict=True
                    )
                )
            )
        else:
            if self.tol is not None and not stop:
                name = type(self).__name__
                least = "60 sweeps, or 80 with super_sub_prior='auto'"
                warn_not_converged(name, self.max_iter, self.tol, risen, least)
        return prior, trace

    def _prior(self, name: str, shape: tuple[int, ...], default: float) -> np.ndarray:
        """Return a prior as an array; None and "auto" give the default."""
        given = getattr(self, name)
        try:
            values = np.asarray(
                default if given is None or isinstance(given, str) else given, float
            )
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must be a number or an array of numbers, got {given!r}."
            ) from None
        if values.shape not in [(), shape]:
            raise ValueError(
                f"{name} must be one number or of shape {shape}, got shape {values.shape}."
            )
        if not ((values >= _LEAST) & (values <= _MOST)).all():  # False for NaN
            raise ValueError(
                f"{name} must lie between {_LEAST} and {_MOST}, got {given!r}."
            )
        return np.broadcast_to(values, shape).copy()

    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        return self._infer(X)[0]

    def _infer(self, X: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return the mixtures of sub-topics and of super-topics."""
        return infer_path_mixtures(
            X,
            self.components_,
            self.doc_super_prior_,
            self.super_sub_prior_,
            self.n_jobs,
        )

    def _contributions(
        self, X: sp.csr_array, given: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what the words of one document, and the priors, add to its mixture.

        ``given`` is ignored. ``GibbsLDA`` uses it.
        """
        return path_contributions(
            X, self.components_, self.doc_super_prior_, self.super_sub_prior_
        )

    def transform_super(self, X):
        """Return the proportions (mixture) of super-topics of each document.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_super_components)
            Rows sum to one. In a table (see ``set_output``), the columns are
            "pachinkoallocation_super0" and so on.
        """
        check_is_fitted(self, "components_")
        mixtures = self._infer(check_counts(self, X, reset=False))[1]
        container = _get_container_adapter("transform", self)
        if container is None:
            return mixtures
        prefix = f"{type(self).__name__.lower()}_super"
        names = [f"{prefix}{s}" for s in range(mixtures.shape[1])]
        return container.create_container(mixtures, X, columns=names)

    def topic_correlations(self) -> "pd.DataFrame":
        """Return the correlations of sub-topics that the fitted priors imply.

        They are the correlations of ``θ_t = Σ_s θ_s θ_st`` under ``doc_super_prior_`` and
        ``super_sub_prior_``, computed from moments. They describe future documents.
        :func:`llmtopics.metrics.topic_correlations` describes given documents.

        Returns
        -------
        correlations : pandas.DataFrame of shape (n_components, n_components)
            From -1 to 1. Rows and columns have the names of the columns of ``transform``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        check_is_fitted(self, "components_")
        pd = pandas_for("topic_correlations")
        alpha, below = self.doc_super_prior_, self.super_sub_prior_
        a, beneath = alpha.sum(), below.sum(axis=1, keepdims=True)
        pairs = (np.outer(alpha, alpha) + np.diag(alpha)) / (a * (a + 1))
        means = below / beneath
        mean = alpha / a @ means
        covariance = means.T @ pairs @ means - np.outer(mean, mean)
        spread = np.diag(pairs)[:, np.newaxis] / (beneath + 1)  # within a super-topic
        covariance += np.diag((spread * means).sum(axis=0)) - means.T @ (spread * means)
        scale = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
        correlations = np.clip(covariance / np.outer(scale, scale), -1, 1)
        np.fill_diagonal(correlations, 1)
        names = self.get_feature_names_out()
        return pd.DataFrame(correlations, names, names)


def _from_counts(
    chain: Chain[PathPrior], paths: AssignedPaths, prior: PathPrior, counts: np.ndarray
) -> dict[str, Any]:
    """Return the fitted attributes; ``counts`` of words in sub-topics, (K, V)."""
    beta, of_supers = chain.word_prior.values, paths.super_sub()
    return {
        "components_": to_topics(counts, beta),
        "topic_counts_": counts.sum(axis=1),
        "super_counts_": of_supers.sum(axis=1),
        "super_sub_": to_topics(of_supers, prior.below),
        "doc_super_prior_": prior.root,
        "super_sub_prior_": prior.below,
        "topic_word_prior_": beta,
        "n_iter_": chain.n_sweeps,
    }


def _attributes(
    chain: Chain[PathPrior], paths: AssignedPaths, prior: PathPrior, trace: list[float]
) -> dict[str, Any]:
    """Return the fitted attributes as of this sweep, for callbacks."""
    counts = chain.counts.word_topic().T.astype(np.float64)
    parts = zip(divided_paths(chain.tokens.starts, paths), prior, strict=True)
    likelihood = log_joint(tally_cells(chain), *parts)
    own = PathPrior(*(np.copy(each) for each in prior))
    return {
        **_from_counts(chain, paths, own, counts),
        "log_likelihood_": np.array([*trace, likelihood]),
    }
