"""``TopicMerger``: a topic model with fewer topics, some merged and some left out."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_memory

from llmtopics._checks import check_texts
from llmtopics._fitted_model import FittedModel, check_reads_texts
from llmtopics._progress import fitting
from llmtopics._state import restored_on_error
from llmtopics._vectorizers import unfrozen
from llmtopics.reading._merging import as_phi, choose_members, joined_names, merge_tree
from llmtopics.reading._words import read_words
from llmtopics.reading._wrapper import WrappedTopics

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics


@dataclass(eq=False, repr=False)
class TopicMerger(WrappedTopics):
    """Merge the topics of a topic model, so that fewer are left, or leave some out.

    It wraps a topic model and is one itself: a step of a Pipeline, with ``top_words``, and for
    :func:`explain`, :func:`read_topics`, searches and scorers. For a fitted model,
    :meth:`Topics.merge` makes it.

    Parameters
    ----------
    estimator : estimator
        A topic model that reads texts, or a Pipeline to one. ``fit`` fits a clone. A fitted
        model in scikit-learn's ``FrozenEstimator`` is kept as it is.

    n_components : int or None, default=None
        Number of topics to keep, K'. The topics with the most similar words are merged, step by
        step (average linkage of Jensen-Shannon distances). None merges only ``groups``.

    groups : list of lists of topics or None, default=None
        Topics to merge, such as ``[[0, 3], [1, 4, 5]]``, by number, or by name if the model names
        them. Topics that no group has stay as they are.

    drop : list of topics, default=()
        Topics to leave out. The other shares of a document are divided by their sum.

    order : {"first", "size"}, default="first"
        Order of the topics: by the smallest old number in each, or the largest share first.

    memory : str, joblib.Memory or None, default=None
        Where to keep the fitted topic model. A search over ``n_components`` then fits it once per
        fold. Give the topic model a ``random_state``: without one, the kept model is returned by
        each later fit.

    Attributes
    ----------
    estimator_ : estimator
        The fitted topic model.

    mapping_ : ndarray of shape (K,)
        The new number of each topic of ``estimator_``, -1 if it is left out. Topics that
        were merged or renamed in several steps (:meth:`Topics.merge`) have one merger around
        the first model, and this is its topics' last number.

    merge_tree_ : ndarray of shape (K - 1, 4)
        The steps that merge all topics into one, as in ``scipy.cluster.hierarchy.linkage``. Draw it
        with ``scipy.cluster.hierarchy.dendrogram``.

    components_ : ndarray of shape (n_topics, n_words)
        φ: the mean of the merged topics, weighted by their shares of the texts, or with equal
        weights if no text has them. Rows sum to one, or to zero for a topic without words.

    vocabulary_ : ndarray of shape (n_words,)
        The words, in the order of the columns of ``components_``.

    keyness_ : ndarray of shape (n_topics, n_words)
        How typical each word is of each topic. Only if the model ranks words by keyness.

    names_ : list of str or None
        Names of the topics: those of the model, joined by " + " in merged topics. None if the
        model numbers them.

    See Also
    --------
    Topics.merge : Merges the topics of a fitted model.

    Notes
    -----
    A merged share is the sum of the shares. If ``drop`` leaves nothing of a document, it gets the
    mean of the prior: each topic's number of merged topics, divided by their sum. Numbers of topics
    change only here, and ``mapping_`` says how.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, TopicMerger
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(4, random_state=0))
    >>> merger = TopicMerger(model, n_components=2).fit(texts)
    >>> merger.transform(texts).shape
    (11, 2)
    >>> merger.mapping_.shape
    (4,)
    """

    estimator: Any
    n_components: int | None = None
    _: KW_ONLY
    groups: Sequence[Sequence[int | str]] | None = None
    drop: Sequence[int | str] = ()
    order: str = "first"
    memory: Any = None

    _fitted_state: ClassVar[tuple[str, ...]] = (
        *WrappedTopics._fitted_state,
        "merge_tree_",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "transform"])],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "groups": ["array-like", None],
        "drop": ["array-like"],
        "order": [StrOptions({"first", "size"})],
        "memory": [str, HasMethods(["cache"]), None],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the topic model and merge its topics.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : array-like or None, default=None
            Passed on to the topic model.

        Returns
        -------
        self : TopicMerger
            The fitted estimator.

        Raises
        ------
        ValueError
            If a topic does not exist or is in two groups, if both ``n_components`` and
            ``groups`` are given, if there are fewer topics than ``n_components``, or if all
            topics are left out.
        TypeError
            If the topic model does not read texts.
        """
        texts = check_texts(X, "TopicMerger")
        check_reads_texts(self.estimator, "TopicMerger")
        with (
            fitting(self, verbose=getattr(self.estimator, "verbose", False)),
            restored_on_error(self),
            config_context(transform_output="default"),
        ):
            cached = check_memory(self.memory).cache(_fit)
            model, theta = cached(clone(self.estimator), texts, y)
            fitted = FittedModel.of_texts(model, "TopicMerger")
            words = read_words(fitted, texts, theta)
            members = self._choose(as_phi(words.weights), theta, fitted.names)
            names = joined_names(fitted.names, members)
            self.merge_tree_ = merge_tree(as_phi(words.weights))
            self._set_topics(fitted, theta, words, members, names)
        return self

    @classmethod
    def _around(
        cls,
        first: "Topics",
        topics: "Topics",
        names: list[str] | None,
        parameters: dict[str, Any],
    ) -> tuple["TopicMerger", list[list[int]]]:
        """Return a fitted merger of topics, and which of them each new one is made of.

        ``topics`` may be merged themselves. The merger is around the model of ``first``, whose
        topics were not.
        """
        model = FrozenEstimator(unfrozen(first.model))
        given = {name: value for name, value in parameters.items() if value is not None}
        merger = cls(model, **given)
        merger._validate_params()
        names = names or topics._given_names
        members = merger._choose(topics.components, topics.mixtures, names)
        if topics is first:
            of_first = members
        else:
            mapping = unfrozen(topics.model).mapping_
            of_first = [
                np.flatnonzero(np.isin(mapping, some)).tolist() for some in members
            ]
        merger.merge_tree_ = merge_tree(first.components)
        names = joined_names(names, members)
        merger._set_topics(
            first._fitted, first.mixtures, first._all_words, of_first, names
        )
        if topics is not first:
            merger.set_params(
                n_components=None,
                groups=[group for group in of_first if len(group) > 1],
                drop=np.flatnonzero(merger.mapping_ < 0).tolist(),
            )
        return merger, members

    def _choose(
        self, phi: np.ndarray, theta: np.ndarray, names: list[str] | None
    ) -> list[list[int]]:
        """Return the topics of each new one, in the order of the parameter."""
        shares = theta.mean(axis=0)
        members = choose_members(
            merge_tree(phi),
            names or [str(k) for k in range(len(shares))],
            self.n_components,
            self.groups,
            self.drop,
        )
        if self.order == "size":
            members.sort(key=lambda group: -shares[group].sum())
        return members


def _fit(model: Any, texts: list[str], y: Any) -> tuple[Any, np.ndarray]:
    """Fit a topic model; return it and the topic proportions of the texts."""
    model.fit(texts, y)
    return model, FittedModel.of_texts(model, "TopicMerger").mixtures(texts)
