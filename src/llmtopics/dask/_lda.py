"""Latent Dirichlet allocation on a Dask cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from distributed import Client
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    check_is_fitted,
)

from llmtopics._checks import as_seed, check_prior
from llmtopics._progress import fitting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._stored_counts import StoredCounts
from llmtopics.dask._client import UsesClient
from llmtopics.dask._errors import SchedulerGone
from llmtopics.dask._memory import check_blocks
from llmtopics.dask._partitions import map_partitions
from llmtopics.dask._sampling import Sampling, Settings, State
from llmtopics.dask._sources import Source, source_of
from llmtopics.topics import GibbsLDA
from llmtopics.topics._count_model import CountTopicModel, warn_not_converged
from llmtopics.topics._gibbs.saved_chain import key_of
from llmtopics.topics._gibbs.tokens import COUNTED
from llmtopics.topics._gibbs.word_prior import WordPrior, check_word_prior


class _OfCollections:
    """Results of collections of Dask are not brought here by ``set_output``.

    scikit-learn wraps the methods of its own classes. This class is none of them.
    """

    def transform(self, X):
        """Return the topic proportions (mixture) of each document.

        Parameters
        ----------
        X : dask.array, dask.bag, dask.dataframe, StoredCounts, array-like or sparse matrix
            Whole-number word counts of shape (n_documents, n_words).

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_components)
            θ. Rows sum to one. Of a collection of Dask: a lazy collection whatever
            ``set_output`` says, see :func:`llmtopics.dask.map_partitions`.
        """
        model: Any = self
        if hasattr(X, "__dask_graph__"):
            return map_partitions(model.to_local(), X)
        return super(_OfCollections, model).transform(X)

    def fit_transform(self, X, y=None):
        """Fit the model; return the topic proportions of ``X``, as ``transform`` does.

        Parameters
        ----------
        X : dask.array, dask.bag, dask.dataframe, StoredCounts, array-like or sparse matrix
            Whole-number word counts of shape (n_documents, n_words).
        y : None
            Ignored.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, n_components)
            θ. Of a collection of Dask: a lazy collection.
        """
        model: Any = self
        return model.fit(X, y).transform(X)


@contextmanager
def _checkpoints_told(folder: Path | None) -> Iterator[None]:
    """Say that a fit whose scheduler stopped can continue, if there are checkpoints."""
    try:
        yield
    except SchedulerGone as error:
        if folder is None:
            raise
        raise SchedulerGone(
            f"{error} With the same checkpoint_dir, parameters and X, it continues after the "
            "last checkpoint."
        ) from error


@dataclass(eq=False, repr=False)
class DaskGibbsLDA(_OfCollections, UsesClient, CountTopicModel):
    """Find topics in word counts on a Dask cluster: ``GibbsLDA`` on many machines.

    Documents and their topics stay on their workers. After each of 32 blocks of documents
    per sweep, workers exchange which tokens have moved to another topic. The result does not
    depend on the number of workers. It equals that of ``GibbsLDA(sampler="blocked")`` in
    memory, with the same bits (see Notes).

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    doc_topic_prior : float, array-like of shape (n_components,), "auto" or None, \
            default=None
        As in :class:`GibbsLDA`.

    topic_word_prior : float, array-like of shape (n_words,) or (n_components, n_words), \
            or "auto", default=0.1
        As in :class:`GibbsLDA`.

    max_iter : int, default=200
        Maximum number of sweeps over all tokens.

    tol : float or None, default=None
        As in :class:`GibbsLDA`.

    local_sweeps : int or None, default=None
        None: workers exchange changes after each block. A number: each worker makes this many
        sweeps over its own documents before workers exchange changes (approximate distributed
        LDA, [1]_). This needs less network. The result then depends on the number of workers.

    checkpoint_every : int, default=10
        Sweeps between checkpoints. If a worker is lost, the others continue from the last
        checkpoint, and the result is the same. Two workers hold each checkpoint.

    checkpoint_dir : str, Path or None, default=None
        Folder that all workers and the client share. Checkpoints are also written there. If
        the client or the scheduler stops, ``fit`` with the same parameters and ``X``
        continues from the last one. Needs an int as ``random_state``. The files are deleted
        when ``fit`` ends.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seeds the first assignment and all draws.

    client : distributed.Client or None, default=None
        The connection to the cluster. None is the current client. Copies and pickles of the
        estimator have None.

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
        ``log p(w, z)`` per token after every tenth sweep, in nats.

    n_iter_ : int
        Number of sweeps.

    n_features_in_ : int
        Number of words in ``fit``.

    feature_names_in_ : ndarray of shape (n_words,)
        Names of the words. Only if the columns of ``X`` had names.

    See Also
    --------
    GibbsLDA : The same model on one machine.
    llmtopics.dask.map_partitions : Any fitted estimator over the partitions of a collection.

    Notes
    -----
    The random number of a token depends only on the seed, the sweep and the token's place in
    the corpus. Changes of counts are whole numbers, so their sums do not depend on the order.
    After the last sweep, shares of words are added up in the order of the documents.

    With 256 topics or more, ``GibbsLDA`` stores counts in lists, and draws other numbers.
    ``DaskGibbsLDA`` always stores rows. The results then agree in distribution, and those of
    ``DaskGibbsLDA`` still do not depend on the number of workers.

    ``fit`` uses the workers that are there when it starts. Others that come later are used
    after a worker was lost. A block takes as long as its slowest worker.

    References
    ----------
    .. [1] D. Newman, A. Asuncion, P. Smyth and M. Welling, "Distributed algorithms for topic
       models", JMLR 10, 1801-1828, 2009.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> import dask.array as da
    >>> from distributed import Client, LocalCluster
    >>> from llmtopics.dask import DaskGibbsLDA
    >>> cluster = LocalCluster(n_workers=1, processes=False, dashboard_address=":0")
    >>> client = Client(cluster)
    >>> X = da.from_array([[2, 1, 0, 0], [1, 2, 0, 0], [0, 0, 2, 1], [0, 0, 1, 2]], chunks=(2, 4))
    >>> lda = DaskGibbsLDA(2, max_iter=20, random_state=0).fit(X)
    >>> lda.components_.shape
    (2, 4)
    >>> lda.transform(X).compute().shape
    (4, 2)
    >>> lda.to_local()
    GibbsLDA(max_iter=20, n_components=2, random_state=0, sampler='blocked')
    >>> client.close()
    >>> cluster.close()
    """

    n_components: int = 10
    _: KW_ONLY
    doc_topic_prior: float | ArrayLike | Literal["auto"] | None = None
    topic_word_prior: float | ArrayLike | Literal["auto"] = 0.1
    max_iter: int = 200
    tol: float | None = None
    local_sweeps: int | None = None
    checkpoint_every: int = 10
    checkpoint_dir: str | Path | None = None
    random_state: Any = None
    client: Any = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "components_",
        "doc_topic_prior_",
        "topic_counts_",
        "topic_word_prior_",
        "_local_parameters",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{
            name: GibbsLDA._parameter_constraints[name]
            for name in (
                *("n_components", "doc_topic_prior", "topic_word_prior"),
                *("max_iter", "tol", "random_state", "verbose"),
            )
        },
        "local_sweeps": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left")],
        "checkpoint_dir": [str, Path, None],
        "client": [Client, None],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the model: sample the topics of all tokens of ``X`` on the workers.

        Parameters
        ----------
        X : dask.array, dask.bag, dask.dataframe, StoredCounts, array-like or sparse matrix
            Whole-number word counts of shape (n_documents, n_words). An array is cut into
            blocks of rows, dense or of scipy's sparse formats. Elements of a bag are blocks
            of rows. The files of :class:`StoredCounts` must be on a file system that all
            workers share. A matrix in memory is sent to the workers.
        y : None
            Ignored.

        Returns
        -------
        self : DaskGibbsLDA
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is no client. For counts as in ``GibbsLDA.fit``, with the number of the
            partition.
        MemoryError
            If the workers' ``memory_limit`` is too small. Raised before sampling starts, and
            for dense blocks of an array and for :class:`StoredCounts` before they are read.
        RuntimeError
            If the scheduler stops, or workers are lost again and again.

        Warns
        -----
        ConvergenceWarning
            If the likelihood still rises by more than ``tol`` after ``max_iter`` sweeps.
        """
        with fitting(self, 1), restored_on_error(self):
            client = self._client()
            check_blocks(client, X)
            source = source_of(client, X)
            self._check(X, source)
            settings, start, folder = self._chain(source)
            sampling = Sampling(client, source, settings, start, folder)
            with _checkpoints_told(folder):
                weights = sampling.run()
            self._keep(weights, sampling.state)
            if self.tol is not None and self.n_iter_ == self.max_iter:
                risen = sampling.risen(sampling.state.trace)
                if risen > self.tol:
                    least = "60 sweeps, or 120 with learned priors"
                    given = self.n_iter_, self.tol, risen, least
                    warn_not_converged("DaskGibbsLDA", *given)
        return self

    def to_local(self) -> GibbsLDA:
        """Return the fitted model as ``GibbsLDA``, which needs no cluster.

        Returns
        -------
        lda : GibbsLDA
            With the same ``components_``. Its ``partial_fit`` continues the fit.
        """
        check_is_fitted(self, "components_")
        local = GibbsLDA(**self._local_parameters, sampler="blocked")
        names = "components_", "topic_counts_", "doc_topic_prior_", "topic_word_prior_"
        more = "log_likelihood_", "n_iter_", "n_features_in_", "feature_names_in_"
        for name in (*names, *more):
            if hasattr(self, name):
                setattr(local, name, getattr(self, name))
        local._n_continued = 0
        return local

    def _check(self, X: Any, source: Source) -> None:
        """Check the shape of X, and that its tokens can be sampled."""
        if len(source.starts) == 1 or not source.starts[-1]:
            raise ValueError(
                "X holds no words: all its counts are zero. Check the vocabulary (min_df, "
                "max_df and stop_words of CountVectorizer)."
            )
        self.__dict__.pop("feature_names_in_", None)
        if isinstance(X, StoredCounts) or hasattr(X, "__dask_graph__"):
            self.n_features_in_ = source.n_words
            columns = getattr(X, "columns", None)
            if columns is not None and all(isinstance(name, str) for name in columns):
                self.feature_names_in_ = np.array(list(columns), dtype=object)
        else:
            _check_feature_names(self, X, reset=True)
            _check_n_features(self, X, reset=True)
        lengths = np.diff(source.starts)
        if lengths.max() >= COUNTED:
            raise ValueError(
                f"Document {lengths.argmax()} has {lengths.max():,} words: 2**24 or more do "
                "not fit into single-precision counts. Split it."
            )

    def _chain(self, source: Source) -> tuple[Settings, State, Path | None]:
        """Return what the chain depends on, its start, and the folder of checkpoints."""
        K, V = self.n_components, source.n_words
        if self.checkpoint_dir is not None and not isinstance(
            self.random_state, Integral
        ):
            raise ValueError(
                "checkpoint_dir needs an int as random_state: another fit can continue only "
                "with the same random numbers."
            )
        seed = as_seed(self.random_state)
        learn_alpha = isinstance(self.doc_topic_prior, str)
        learn_beta = isinstance(self.topic_word_prior, str)
        alpha = np.full(K, 1 / K)
        if not learn_alpha:
            alpha = check_prior(self.doc_topic_prior, K, "doc_topic_prior")
        beta: Any = 0.1
        if not learn_beta:
            beta = check_word_prior(self.topic_word_prior, K, V)
        settings = Settings(
            *(K, seed, learn_alpha, learn_beta, self.max_iter, self.tol),
            *(self.local_sweeps, self.checkpoint_every),
        )
        folder = None
        if self.checkpoint_dir is not None:
            given = [source.digest, K, seed, alpha, learn_alpha, beta, learn_beta]
            given += [self.max_iter, self.tol, self.local_sweeps]
            folder = Path(self.checkpoint_dir) / f"chain-{key_of(*given)}"
        return settings, State(0, alpha, WordPrior(beta, V)), folder

    def _keep(self, weights: np.ndarray, state: State) -> None:
        """Set the attributes of a fitted model."""
        beta = state.beta
        self.topic_counts_ = weights.sum(axis=0, dtype=np.float64)
        scale = 1 / (self.topic_counts_ + beta.totals)
        self.components_ = np.empty((self.n_components, self.n_features_in_))
        for k, row in enumerate(self.components_):
            row[:] = (weights[:, k] + np.float64(beta.of_topic(k))) * scale[k]
        self.doc_topic_prior_, self.topic_word_prior_ = state.alpha, beta.values
        self.log_likelihood_, self.n_iter_ = np.array(state.trace), state.n_sweeps
        mine = vars(as_fitted(self))
        theirs = GibbsLDA().get_params(deep=False)
        self._local_parameters = {name: mine[name] for name in mine if name in theirs}

    def _mixtures(self, X: sp.csr_array) -> np.ndarray:
        return self.to_local()._mixtures(X)
