"""Pachinko allocation: topics of topics, fitted by collapsed Gibbs sampling."""

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _get_container_adapter
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from llmtopics._checks import N_JOBS, as_seed, check_counts, pandas_for
from llmtopics._compiled.threads import workers
from llmtopics._state import restored_on_error
from llmtopics.topics._count_model import (
    EVERY,
    CountTopicModel,
    check_countable,
    rise,
    warn_unsettled,
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

_START = 0.25  # share of max_iter in which the chain's start is looked for
_LEAST, _MOST = (
    1e-6,
    1e6,
)  # of priors: products of them must stay single-precision floats


class PachinkoAllocation(CountTopicModel):
    """Find topics, and which of them go together, by collapsed Gibbs sampling.

    Topics of LDA know nothing of each other. Here each of a few super-topics is a
    distribution over topics, the sub-topics: a document mixes super-topics, each of these
    the sub-topics that it is made of, and sub-topics words (four levels, with the root).

    Parameters
    ----------
    n_components : int, default=10
        Number of sub-topics, K: the topics of ``transform`` and ``components_``.

    n_super_components : int, default=5
        Number of super-topics, S.

    doc_super_prior : float, array-like of shape (n_super_components,), "auto" or None, \
            default=None
        Dirichlet concentration of super-topics in a document, α_s of the root in [1]_. None
        stands for ``1 / n_super_components``. "auto" starts there and learns one value a
        super-topic.

    super_sub_prior : float, array-like of shape (n_super_components, n_components) or \
            "auto", default="auto"
        Dirichlet concentration of sub-topics in a super-topic, in each document: α_st in
        [1]_. "auto" learns one value for each pair. They are all that makes the
        super-topics of one document those of another, so one number for all leaves
        super-topics that mean nothing beyond their document.

    topic_word_prior : float or "auto", default=0.1
        Dirichlet concentration of words in a sub-topic, β. "auto" starts from 0.1 and
        learns one value.

    sampler : {"auto", "exact", "blocked"}, default="auto"
        "exact" draws one token after another, in one thread; "blocked" given counts that
        are a little old, in any number of threads. "auto" is exact up to 131,072 tokens. See
        :class:`GibbsLDA`.

    max_iter : int, default=200
        Sweeps over all tokens, at most.

    tol : float or None, default=None
        Stop early once the log-likelihood per token, looked at every ten sweeps, rises
        by no more than this: the mean of the last three looks against the three before.
        None makes all ``max_iter`` sweeps.

    n_jobs : int or None, default=None
        Threads of "blocked" sampling and of ``transform``. The result does not depend on
        it. None is one thread unless ``joblib.parallel_config`` says more, -1 is one per
        processor. Inside a worker of joblib it is always one.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the first assignment and all draws. An int gives the same bits on every
        run; NumPy's global random state is never used.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Probability of each word in each sub-topic, φ. Rows sum to one.

    super_sub_ : ndarray of shape (n_super_components, n_components)
        Which sub-topics each super-topic is made of, over all documents. Rows sum to one;
        ``super_sub_ @ components_`` are the super-topics' words.

    topic_counts_ : ndarray of shape (n_components,)
        Tokens of each sub-topic that ``components_`` rest on.

    super_counts_ : ndarray of shape (n_super_components,)
        Tokens of each super-topic.

    doc_super_prior_ : ndarray of shape (n_super_components,)
        The α_s used last.

    super_sub_prior_ : ndarray of shape (n_super_components, n_components)
        The α_st used last.

    topic_word_prior_ : float
        The β used last.

    log_likelihood_ : ndarray
        ``log p(w, s, t)`` per token after every tenth sweep, those of the start not looked
        at, all mixtures and topics integrated out; in nats. Empty where there was none.

    n_iter_ : int
        Sweeps made, those of the start's sub-topics included.

    n_features_in_ : int
        Number of words seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_words,)
        Names of the words; only when ``X`` carried them as column names.

    See Also
    --------
    GibbsLDA : Topics that know nothing of each other.
    llmtopics.metrics.topic_correlations : Correlations of any model's topics.

    Notes
    -----
    Each token has a path of a super-topic s and a sub-topic t, drawn from
    ``p(s, t) ∝ A_s (n_dst + α_st) (n_tw + β)/(n_t + Vβ)`` with
    ``A_s = (n_ds + α_s)/(n_ds + Σ_t α_st)``, counts without the token ([1]_, section 3.2). It is
    drawn in two stages, exactly: t under ``Σ_s A_s (n_dst + α_st)``, which is kept up to
    date, then s given t. That costs about 3 K + S steps a token instead of K S.

    From a random start, super-topics stay alike, each a mixture of all, whatever
    is learned. So the first quarter of the sweeps is that of an LDA over K topics, and
    super-topics start as the topics of an LDA whose words are those K, of about sixteen
    tokens a document (few are easily moved together, many hardly; its sweeps are as many,
    short, and not counted). With given
    ``super_sub_prior`` the start is random. Learned priors of mixtures take one of Minka's
    fixed-point steps ([2]_) after every sweep over paths, within 1e-5 and 1e5, ``topic_word_prior`` five every ten.

    ``components_`` are expected counts, as in :class:`GibbsLDA`. ``transform`` does not
    sample: with the topics fixed, the expected path of every token given those of the
    others is iterated (after CVB0, [3]_; the super-topics of a word's own token are taken
    to be those of its sub-topic in the document), until a pass moves no topic's share by
    more than 1e-5, at most 100 times. Mixtures are ``θ_t ∝ Σ_s A_s (n_dst + α_st)``, with
    nothing taken out. A document's mixture does not depend on what else is in ``X``, and
    ``fit_transform(X)`` is ``fit(X).transform(X)``. A document without words gets the
    priors' mean.

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

    _parameter_constraints: dict[str, list[Any]] = {
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

    def __init__(
        self,
        n_components: int = 10,
        *,
        n_super_components: int = 5,
        doc_super_prior: float | ArrayLike | Literal["auto"] | None = None,
        super_sub_prior: float | ArrayLike | Literal["auto"] = "auto",
        topic_word_prior: float | Literal["auto"] = 0.1,
        sampler: Literal["auto", "exact", "blocked"] = "auto",
        max_iter: int = 200,
        tol: float | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.n_components = n_components
        self.n_super_components = n_super_components
        self.doc_super_prior = doc_super_prior
        self.super_sub_prior = super_sub_prior
        self.topic_word_prior = topic_word_prior
        self.sampler = sampler
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Sample paths for the documents of ``X``.

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
            For counts that are negative, fractional, NaN or infinite, if no document has
            a word, for 2**31 words or more, for a word or document with 2**24 or more,
            and for a prior that is not between 1e-6 and 1e6 or of another shape than it
            should be.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` sweeps were made and the likelihood still rose by more than
            ``tol``.
        """
        with restored_on_error(self):
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
        name = type(self).__name__
        bar = tqdm(total=self.max_iter, desc=name, disable=not self.verbose)
        with bar, workers(self.n_jobs) as threads:
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
                    bar.update,
                )
            else:
                topics = random_topics(tokens, K, seed)
                supers = random_topics(tokens, S, seed + 1)
            paths = AssignedPaths(topics, supers, S, K)
            chain = start_path_chain(
                tokens, paths, beta, seed, threads, sampler=sampler
            )
            chain.n_sweeps = n_start
            prior, trace = self._run(chain, paths, PathPrior(root, below), bar)
            weights = expected_counts(chain, prior).T.astype(np.float64)
            beta = chain.word_prior.values
        self.n_iter_, self.log_likelihood_ = chain.n_sweeps, np.array(trace)
        self.topic_counts_ = weights.sum(axis=1)
        self.components_ = to_topics(weights, beta)
        counts = paths.super_sub()
        self.super_counts_ = counts.sum(axis=1)
        self.super_sub_ = to_topics(counts, prior.below)
        self.doc_super_prior_, self.super_sub_prior_ = prior
        self.topic_word_prior_ = beta

    def _run(
        self, chain: Chain[PathPrior], paths: AssignedPaths, prior: PathPrior, bar: tqdm
    ) -> tuple[PathPrior, list[float]]:
        """Make the sweeps; return the priors and the likelihoods seen on the way."""
        learned = [
            isinstance(given, str)
            for given in (self.doc_super_prior, self.super_sub_prior)
        ]
        trace: list[float] = []
        risen = np.inf
        while chain.n_sweeps < self.max_iter:
            chain.sweep(prior)
            bar.update()
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
            if self.tol is not None:
                name, least = type(self).__name__, "60, and a third more to start"
                warn_unsettled(name, self.max_iter, self.tol, risen, least)
        return prior, trace

    def _prior(self, name: str, shape: tuple[int, ...], default: float) -> np.ndarray:
        """Return a prior as an array; what "auto" starts from is the default."""
        given = getattr(self, name)
        try:
            values = np.asarray(
                default if given is None or isinstance(given, str) else given, float
            )
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must be a number or numbers, got {given!r}."
            ) from None
        if values.shape not in [(), shape]:
            raise ValueError(
                f"{name} must be one number or of shape {shape}, got shape {values.shape}."
            )
        if not ((values >= _LEAST) & (values <= _MOST)).all():  # NaN is neither
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

        ``given`` has no use here; see ``GibbsLDA``.
        """
        return path_contributions(
            X, self.components_, self.doc_super_prior_, self.super_sub_prior_
        )

    def transform_super(self, X):
        """Return the mixture of super-topics of each document.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Whole-number word counts.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_super_components)
            Rows sum to one. As a table (see ``set_output``), its columns are
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
        """Return how sub-topics go together in documents, as the model has it.

        The correlations of ``θ_t = Σ_s θ_s θ_st`` under the priors of the mixtures,
        ``doc_super_prior_`` and ``super_sub_prior_``, by their moments: of documents to
        come, where :func:`llmtopics.metrics.topic_correlations` describes those at hand.

        Returns
        -------
        correlations : pandas.DataFrame of shape (n_components, n_components)
            From -1 to 1; rows and columns are named as the columns of ``transform``.

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
