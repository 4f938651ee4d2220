"""``TopicMerger``: a topic model with fewer topics, some merged and some left out."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import check_texts
from llmtopics._state import restored_on_error
from llmtopics._text_readers import TextReader
from llmtopics._vectorizers import unfrozen
from llmtopics._words import METHODS, rank_words, term_scores, top_words
from llmtopics.explanation._text_models import Contributions, stages_of
from llmtopics.reading._merging import as_phi, choose_members, merge_tree
from llmtopics.topics._fitted_model import (
    FittedModel,
    Words,
    as_rows,
    check_reads_texts,
)
from llmtopics.topics._keyness import keyness

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics


@dataclass(eq=False, repr=False)
class TopicMerger(
    TextReader, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
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

    Attributes
    ----------
    estimator_ : estimator
        The fitted topic model.

    mapping_ : ndarray of shape (K,)
        The new number of each topic of ``estimator_``, -1 if it is left out.

    merge_tree_ : ndarray of shape (K - 1, 4)
        The steps that merge all topics into one, as in ``scipy.cluster.hierarchy.linkage``. Draw it
        with ``scipy.cluster.hierarchy.dendrogram``.

    components_ : ndarray of shape (n_topics, n_words)
        φ: the mean of the merged topics, weighted by their shares of the texts. Rows sum to one, or
        to zero for a topic without words.

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

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "estimator_",
        "mapping_",
        "merge_tree_",
        "components_",
        "vocabulary_",
        "vectorizer_",
        "names_",
        "keyness_",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "transform"])],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "groups": ["array-like", None],
        "drop": ["array-like"],
        "order": [StrOptions({"first", "size"})],
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
        with restored_on_error(self), config_context(transform_output="default"):
            fitted = FittedModel(clone(self.estimator).fit(texts, y), "TopicMerger")
            theta = fitted.mixtures(texts)
            self._merge(fitted, theta, fitted.words(texts, theta), fitted.names)
        return self

    @classmethod
    def _around(
        cls, topics: "Topics", *, names: list[str] | None, **parameters: Any
    ) -> "TopicMerger":
        """Return a fitted merger around a fitted model whose topics were read."""
        given = {name: value for name, value in parameters.items() if value is not None}
        merger = cls(FrozenEstimator(topics.model), **given)
        merger._validate_params()
        words = Words(
            topics.components,
            topics._scores,
            topics.vocabulary,
            topics._counts,
            topics._vectorizer,
        )
        merger._merge(
            topics._fitted, topics.mixtures, words, names or topics._given_names
        )
        return merger

    def _merge(
        self,
        fitted: FittedModel,
        theta: np.ndarray,
        words: Words,
        names: list[str] | None,
    ) -> None:
        """Choose what to merge, and set the attributes."""
        shares = theta.mean(axis=0)
        phi = as_phi(words.weights)
        tree = merge_tree(phi)
        members = choose_members(
            tree,
            names or [str(k) for k in range(len(shares))],
            self.n_components,
            self.groups,
            self.drop,
        )
        if self.order == "size":
            members.sort(key=lambda group: -shares[group].sum())
        self.mapping_ = np.full(len(shares), -1)
        for new, group in enumerate(members):
            self.mapping_[group] = new
        matrix = self._matrix
        self.estimator_ = unfrozen(fitted.model)
        self.merge_tree_ = tree
        merged = len(members) < len(shares)
        self.components_ = (
            as_phi((matrix * shares[:, None]).T @ phi)
            if merged
            else phi[[group[0] for group in members]]
        )
        self.vocabulary_, self.vectorizer_ = words.vocabulary, words.vectorizer
        if hasattr(fitted.last, "keyness_") or fitted.weights is None:
            self.keyness_ = self._keyness(theta, words, members)
        elif hasattr(self, "keyness_"):
            del self.keyness_
        self.names_ = names and [
            " + ".join(names[k] for k in group) for group in members
        ]

    def _keyness(
        self, theta: np.ndarray, words: Words, members: list[list[int]]
    ) -> np.ndarray:
        """Return the keyness of words in the new topics. If none is merged, it stays."""
        if len(members) == len(self.mapping_):
            return words.scores[[group[0] for group in members]]
        floor = np.maximum(self.components_, 1e-300)
        return keyness(self._merged(theta), words.counts, floor)

    @property
    def _matrix(self) -> np.ndarray:
        """1 where an old topic is part of a new one, (K, K')."""
        n_new = self.mapping_.max() + 1
        return (self.mapping_[:, None] == np.arange(n_new)).astype(np.float64)

    def _merged(self, mixtures: np.ndarray) -> np.ndarray:
        """Return merged topic proportions of given ones, (D, K')."""
        matrix = self._matrix
        merged = mixtures @ matrix
        totals = merged.sum(axis=1, keepdims=True)
        prior = matrix.sum(axis=0) / matrix.sum()
        nothing = totals <= 1e-12
        return np.where(nothing, prior, merged / np.where(nothing, 1, totals))

    def transform(self, X):
        """Return the merged topic proportions of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        mixtures : ndarray of shape (n_texts, n_topics)
            θ. Rows sum to one.
        """
        check_is_fitted(self, "components_")
        texts = check_texts(X, "TopicMerger")
        return self._merged(FittedModel(self.estimator_, "TopicMerger").mixtures(texts))

    def top_words(
        self, n_words: int = 10, method: str | None = None
    ) -> list[list[str]]:
        """Return the words that describe each topic, best first.

        Parameters
        ----------
        n_words : int, default=10
            Largest number of words per topic.
        method : str or None, default=None
            None ranks as the topic model does: by keyness if it has it, or else by term score.
            Others are those of :func:`llmtopics.top_words`, and "keyness".

        Returns
        -------
        words : list of lists of str
            The words of each topic, best first.
        """
        check_is_fitted(self, "components_")
        has_keyness = hasattr(self, "keyness_")
        if method not in (None, *METHODS) and not (method == "keyness" and has_keyness):
            raise ValueError(
                f"method must be None or one of {', '.join(METHODS)}"
                f"{', keyness' if has_keyness else ''}, got {method!r}."
            )
        if method in METHODS:
            return top_words(self.components_, self.vocabulary_, n_words, method)
        scores = self.keyness_ if has_keyness else term_scores(self.components_)
        return rank_words(scores, self.components_, self.vocabulary_, n_words)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the topics.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_topics,), of str
            ``names_``, or else "topicmerger0" and so on.
        """
        check_is_fitted(self, "components_")
        if self.names_ is None:
            return super().get_feature_names_out()
        return np.array(self.names_, dtype=object)

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    # for explain: see TextModel in llmtopics.explanation --------------------------------------

    def _explained(
        self, texts: list[str], own: sp.csr_array, divide: Callable | None
    ) -> tuple[sp.csr_array, np.ndarray, float, Contributions]:
        _, read, last, division = stages_of(self.estimator_, texts[0])
        X, mixture, alpha, parts = last._explained(
            read, own, division and division.divide
        )
        return X, *_merge_parts(self, mixture, alpha, parts, division)

    def _embedding_mixtures(self, texts: list[str]) -> np.ndarray | None:
        found = stages_of(self.estimator_, texts[0]).model._embedding_mixtures(texts)
        return None if found is None else self._merged(found)

    def _vectors(self, texts: list[str]) -> np.ndarray | None:
        return FittedModel(self.estimator_, "TopicMerger").vectors(texts)


class _MergedParts:
    """Contributions to merged topics."""

    def __init__(
        self, words: np.ndarray, embedding: np.ndarray, prior: np.ndarray, note: str
    ) -> None:
        self.words, self.embedding, self.prior, self.note = (
            words,
            embedding,
            prior,
            note,
        )


def _merge_parts(
    merger: TopicMerger,
    mixture: np.ndarray,
    alpha: float,
    parts: Contributions,
    division: Any,
) -> tuple[np.ndarray, float, _MergedParts]:
    """Return θ, α and contributions of merged topics. They sum to θ again."""
    matrix = merger._matrix
    merged = merger._merged(as_rows(mixture[None]))[0]
    total = (mixture @ matrix).sum()
    scale = 1 / total if total > 1e-12 else 0.0
    words, embedding = parts.words @ matrix * scale, parts.embedding @ matrix * scale
    prior = parts.prior @ matrix * scale if scale else merged
    notes = [parts.note] if parts.note else []
    if division is not None and not division.exact:
        notes.append(
            "The model has no exact division among words: each topic's weight is divided by "
            "the words' weights in it."
        )
    return merged, alpha, _MergedParts(words, embedding, prior, " ".join(notes))
