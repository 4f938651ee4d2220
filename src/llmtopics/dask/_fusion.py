"""Topics from words and embeddings of texts on a Dask cluster."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import dask.array as da
import numpy as np
from distributed import Client
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import as_seed
from llmtopics._parts import PartsMixin
from llmtopics._progress import fitting
from llmtopics._state import as_fitted, restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics._topic_html import ShowsTopics
from llmtopics.dask._client import UsesClient
from llmtopics.dask._fusion_fit import Fit
from llmtopics.dask._fusion_tasks import first_of
from llmtopics.dask._partitions import map_partitions
from llmtopics.fusion import FusionTopicModel
from llmtopics.topics import GibbsLDA


@dataclass(eq=False, repr=False)
class DaskFusionTopicModel(
    UsesClient,
    ShowsTopics,
    PartsMixin,
    TextReader,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]  # collections stay what they are
):
    """Find topics in texts on a Dask cluster: ``FusionTopicModel`` on many machines.

    Texts, their vectors and the topics of their words stay in their partitions. Workers send
    each other sums over documents. Each sweep draws the topics of all partitions at the same
    time. The result depends on the partitions. It does not depend on the number of workers.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.

    alpha : float between 0 and 1, default=0.5
        Fusion weight α, the weight of the embedding side in a document of median length. 0, 1
        and "auto" are errors (see Notes).

    vectorizer : transformer or None, default=None
        Texts to counts, as in :class:`FusionTopicModel`. The words of a ``CountVectorizer`` are
        those of all texts, unless it has a ``vocabulary``. ``max_features`` is not supported.
        Any other vectorizer must be fitted, and be passed as scikit-learn's
        ``FrozenEstimator(vectorizer)``.

    embedder : transformer, str or None, default=None
        Texts to vectors, as in :class:`FusionTopicModel`. An embedder that learns from texts is
        fitted to the sample.

    topic_model : GibbsLDA or None, default=None
        Has the priors and the sampler. None is ``GibbsLDA()``. The outer ``n_components``,
        ``random_state`` and ``max_iter`` replace its own.

    concentration : float or None, default=None
        As in :class:`FusionTopicModel`.

    co_training : float between 0 and 1, default=0.6
        As in :class:`FusionTopicModel`. Both classifiers learn from the sample, and correct θ of
        all texts.

    max_iter : int, default=100
        Sweeps of the sampler.

    random_state : int, RandomState, numpy.random.Generator or None, default=None
        Seed of the sample, of both sides, and of given parts that have none.

    client : distributed.Client or None, default=None
        The connection to the cluster. None is the current client. Copies and pickles of the
        estimator have None.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_words)
        Topic–word distribution, φ. Rows sum to one.

    vocabulary_ : ndarray of shape (n_words,)
        The words, in the order of the columns of ``components_``.

    keyness_ : ndarray of shape (n_components, n_words)
        How typical each word is of each topic.

    labels_ : dask.array of shape (n_texts,)
        First (dominant) topic of each text in ``fit``. It stays on the workers:
        ``client.compute(model.labels_).result()`` brings it here, with the client of ``fit``
        and before that is closed. Afterwards it is an error. Pickles do not contain it.

    See Also
    --------
    FusionTopicModel : The same model on one machine.
    DaskGibbsLDA : The count side alone (``alpha=0``).
    llmtopics.dask.map_partitions : Any fitted estimator over the partitions of a collection.

    Notes
    -----
    A sample of 20,000 texts (all, if there are fewer) is sent to the client. The first
    directions of the topics and both classifiers of co-training come from the sample. The
    vocabulary, the covariance of the vectors, the directions, the topics of words and keyness
    come from all texts.

    In a sweep, each partition is sampled with the counts of the other partitions as they were
    before the sweep (approximate distributed LDA, [1]_). ``FusionTopicModel`` uses newer
    counts. With one partition of at most 20,000 texts both give the same topics, up to
    rounding.

    All tasks are functions of their input. If a worker is lost, Dask repeats what is missing,
    with the same result. After every twentieth of the sweeps, each result is copied to a second
    worker. Dask deletes these copies after seconds, unless its Active Memory Manager is off
    (``distributed.scheduler.active-memory-manager.start: false``). Without a copy, Dask repeats
    all sweeps.

    Not on a cluster: other poolings than "prior", ``expander``, ``language_topics`` and
    ``alpha="auto"``. For a weight, fit ``FusionTopicModel(alpha="auto")`` to a sample and
    pass its ``alpha_``.

    References
    ----------
    .. [1] D. Newman, A. Asuncion, P. Smyth and M. Welling, "Distributed algorithms for topic
       models", JMLR 10, 1801-1828, 2009.

    Examples
    --------
    >>> import dask.bag as db
    >>> from distributed import Client, LocalCluster
    >>> from llmtopics.dask import DaskFusionTopicModel
    >>> cluster = LocalCluster(n_workers=1, processes=False, dashboard_address=":0")
    >>> client = Client(cluster)
    >>> texts = [
    ...     "The cat chased a mouse.",
    ...     "A dog barked at the cat.",
    ...     "My puppy sleeps all day.",
    ...     "Banks raised interest rates.",
    ...     "Shares and bonds fell.",
    ...     "Investors sold their stock.",
    ... ]
    >>> bag = db.from_sequence(texts, npartitions=2)
    >>> model = DaskFusionTopicModel(2, random_state=0).fit(bag)
    >>> labels = client.compute(model.labels_).result()
    >>> bool(labels[0] != labels[3])
    True
    >>> local = model.to_local()
    >>> local.transform(["kittens and puppies"]).shape
    (1, 2)
    >>> client.close()
    >>> cluster.close()
    """

    n_components: int = 10
    _: KW_ONLY
    alpha: float = 0.5
    vectorizer: Any = None
    embedder: Any = None
    topic_model: Any = None
    concentration: float | None = None
    co_training: float = 0.6
    max_iter: int = 100
    random_state: Any = None
    client: Any = None
    verbose: bool | int = False

    _part_defaults: ClassVar = {
        name: FusionTopicModel._part_defaults[name]
        for name in ("vectorizer", "embedder", "topic_model")
    }

    _fitted_state: ClassVar[tuple[str, ...]] = ("_local",)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{
            name: FusionTopicModel._parameter_constraints[name]
            for name in (
                *("vectorizer", "embedder", "concentration", "co_training"),
                *("max_iter", "random_state", "verbose"),
            )
        },
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "topic_model": [GibbsLDA, None],
        "client": [Client, None],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Find the topics of texts on the workers.

        Parameters
        ----------
        X : dask.bag, dask.array or column of a dask.dataframe
            Texts. Partitions without texts are left out.
        y : None
            Ignored.

        Returns
        -------
        self : DaskFusionTopicModel
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is no client, if ``X`` is no collection of Dask, or for parameters that
            need the texts in one place. For texts as in ``FusionTopicModel.fit``, with the
            number of the partition.
        RuntimeError
            If the scheduler stops, or workers are lost again and again.
        """
        self._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Find the topics of texts; return their proportions, which stay on the workers.

        Parameters
        ----------
        X : dask.bag, dask.array or column of a dask.dataframe
            Texts.
        y : None
            Ignored.

        Returns
        -------
        mixtures : dask.array of shape (n_texts, n_components)
            θ. Rows sum to one, in the order of the partitions. To bring them here, use
            ``client.compute(mixtures).result()``.
        """
        return self._fit(X)

    @config_context(transform_output="default")  # the parts make plain arrays
    def _fit(self, X: Any) -> Any:
        """Fit the model; return the mixtures of the texts."""
        local = self._unfitted()
        given, seed = as_fitted(local), self.random_state
        if not isinstance(seed, Integral):
            seed = as_seed(seed) % 2**32
        with fitting(self), restored_on_error(self):
            client = self._client()
            run = Fit(client, given, int(seed))
            found = run.run(X)
            for name, value in found.items():
                setattr(local, name, value)
            local._as_fitted = given
            self._local = local
            K = self.n_components
            labels = _as_array(
                [client.submit(first_of, each, pure=False) for each in run.mixtures],
                [(size,) for size in run.sizes],
                np.int64,
            )
            self._on_workers = labels, client
            shapes = [(size, K) for size in run.sizes]
            return _as_array(run.mixtures, shapes, np.float64)

    def _unfitted(self) -> FusionTopicModel:
        """Return the model on one machine, not fitted."""
        if self.alpha in (0, 1, "auto"):
            instead = {
                0: "use DaskGibbsLDA on counts",
                1: "fit EmbeddingTopics to a sample of vectors, and use map_partitions",
                "auto": "fit FusionTopicModel(alpha='auto') to a sample, and pass its alpha_",
            }[self.alpha]
            raise ValueError(
                f"DaskFusionTopicModel needs a number between 0 and 1 as alpha, got "
                f"{self.alpha!r}: {instead}."
            )
        model = self.topic_model
        for name in ("doc_topic_prior", "topic_word_prior"):
            if isinstance(getattr(model, name, None), str):
                raise ValueError(
                    f"DaskFusionTopicModel cannot learn the {name} of topic_model: give "
                    "numbers instead of 'auto'."
                )
        mine = self.get_params(deep=False)
        del mine["client"]
        return FusionTopicModel(**mine)

    def transform(self, X):
        """Return the topic proportions of each text.

        Parameters
        ----------
        X : dask.bag, dask.array, column of a dask.dataframe, or sequence of str
            Texts.

        Returns
        -------
        mixtures : ndarray of shape (n_texts, n_components)
            θ. Rows sum to one. Of a collection of Dask: a lazy collection, see
            :func:`llmtopics.dask.map_partitions`.
        """
        local = self.to_local()
        if hasattr(X, "__dask_graph__"):
            return map_partitions(local, X)
        with config_context(transform_output="default"):
            return local.transform(X)

    def to_local(self) -> FusionTopicModel:
        """Return the fitted model as ``FusionTopicModel``, which needs no cluster.

        Returns
        -------
        model : FusionTopicModel
            With the same topics. It has all fitted attributes but those of the texts in
            ``fit``, ``labels_`` and ``document_alpha_``.
        """
        check_is_fitted(self, "_local")
        return self._local

    def top_words(self, n_words: int = 10, method: str = "keyness") -> list[list[str]]:
        """Return the words that describe each topic, best first.

        Parameters
        ----------
        n_words : int, default=10
            Largest number of words per topic.
        method : {"keyness", "term_score", "relevance", "probability", "frex"}, \
                default="keyness"
            As in :class:`FusionTopicModel`.

        Returns
        -------
        words : list of n_components lists of str
            The words of each topic, best first.
        """
        return self.to_local().top_words(n_words, method)

    @property
    def components_(self):
        """Topic–word distribution, φ."""
        return self._local.components_

    @property
    def keyness_(self):
        """How typical each word is of each topic."""
        return self._local.keyness_

    @property
    def vocabulary_(self):
        """The words, in the order of the columns of ``components_``."""
        return self._local.vocabulary_

    @property
    def labels_(self):
        """First (dominant) topic of each text in ``fit``, on the workers."""
        labels, client = vars(self).get("_on_workers", (None, None))
        if client is None:
            raise AttributeError(
                "labels_ is there after fit, and neither in pickles nor in saved models: call "
                "transform with the texts."
            )
        if client.status != "running":
            raise AttributeError(
                "labels_ was on the workers until the client of fit was closed or lost: call "
                "transform with the texts, or fit again and call "
                "client.compute(model.labels_).result() before you close the client."
            )
        return labels

    @property
    def _shares(self):
        return self._local._shares

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __getstate__(self):
        state = super().__getstate__()
        return {name: state[name] for name in state if name != "_on_workers"}


def _as_array(futures: list[Any], shapes: Sequence[tuple[int, ...]], kind: type) -> Any:
    """Return the results of partitions as an array of Dask."""
    pairs = zip(futures, shapes, strict=True)
    parts = [da.from_delayed(each, shape, dtype=kind) for each, shape in pairs]
    return da.concatenate(parts)
