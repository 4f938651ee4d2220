"""What topic models share that wrap another one: merged or named topics of it."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import check_positive, check_texts
from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import as_mixtures
from llmtopics._text_readers import TextReader
from llmtopics._topic_html import ShowsTopics
from llmtopics._vectorizers import unfrozen
from llmtopics._words import METHODS, rank_words, term_scores, top_words
from llmtopics.explanation._text_models import Contributions, stages_of
from llmtopics.reading._merging import as_phi
from llmtopics.reading._words import Words
from llmtopics.topics._keyness import keyness


class WrappedTopics(
    ShowsTopics,
    TextReader,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """A topic model of texts whose topics are sums of those of another one."""

    _fitted_state: ClassVar[tuple[str, ...]] = (
        "estimator_",
        "mapping_",
        "components_",
        "vocabulary_",
        "vectorizer_",
        "names_",
        "keyness_",
        "_shares",
    )

    mapping_: np.ndarray

    def _set_topics(
        self,
        fitted: FittedModel,
        theta: np.ndarray,
        words: Words,
        members: list[list[int]],
        names: list[str] | None,
    ) -> None:
        """Set the attributes of topics whose ``members`` are topics of the fitted model."""
        shares, phi = theta.mean(axis=0), as_phi(words.weights)
        self.estimator_ = unfrozen(fitted.model)
        self.mapping_ = np.full(len(shares), -1)
        for new, group in enumerate(members):
            self.mapping_[group] = new
        if len(members) == len(shares):
            self.components_ = phi[[group[0] for group in members]]
        else:
            totals = self._matrix.T @ shares
            # topics that no text has are merged with equal weights
            unused = (self._matrix @ (totals <= 1e-12)).astype(bool)
            weights = np.where(unused, 1.0, shares)
            self.components_ = as_phi((self._matrix * weights[:, None]).T @ phi)
        self.vocabulary_, self.vectorizer_ = words.vocabulary, words.vectorizer
        if hasattr(fitted.last, "keyness_") or fitted.weights is None:
            self.keyness_ = self._keyness(theta, words, members)
        elif hasattr(self, "keyness_"):
            del self.keyness_
        self.names_, self._shares = names, self._merged(theta).mean(axis=0)

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
        """Return topic proportions of those of the wrapped model, (D, K')."""
        matrix = self._matrix
        merged = mixtures @ matrix
        totals = merged.sum(axis=1, keepdims=True)
        prior = matrix.sum(axis=0) / matrix.sum()
        nothing = totals <= 1e-12
        return np.where(nothing, prior, merged / np.where(nothing, 1, totals))

    def transform(self, X):
        """Return the topic proportions of texts.

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
        texts = check_texts(X, type(self).__name__)
        return self._merged(FittedModel(self.estimator_).mixtures(texts))

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
        check_positive(n_words=n_words)
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
            ``names_``, or else the lower-case name of the class and a number.
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
        return FittedModel(self.estimator_).vectors(texts)


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
    merger: WrappedTopics,
    mixture: np.ndarray,
    alpha: float,
    parts: Contributions,
    division: Any,
) -> tuple[np.ndarray, float, _MergedParts]:
    """Return θ, α and contributions of merged topics. They sum to θ again."""
    matrix = merger._matrix
    merged = merger._merged(as_mixtures(mixture[None]))[0]
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
