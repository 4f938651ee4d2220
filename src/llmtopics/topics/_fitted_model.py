"""What a fitted topic model of texts says, whatever its kind: proportions, words, counts."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import is_clusterer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from llmtopics._vectorizers import find_words, steps_of
from llmtopics._words import term_scores
from llmtopics.text._vectorizer import default_vectorizer
from llmtopics.topics._keyness import keyness


def as_rows(weights: np.ndarray) -> np.ndarray:
    """Return rows divided by their sums. A row of zeros gets equal shares."""
    totals = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])
    return np.divide(weights, totals, where=totals > 0, out=even)


class Words(NamedTuple):
    """Words of topics.

    weights, scores : (K, V): ``components_``, and by what words are ranked
    vocabulary : (V,)
    counts : (D, V): counts of the texts
    vectorizer : texts → counts, fitted
    """

    weights: np.ndarray
    scores: np.ndarray
    vocabulary: np.ndarray
    counts: sp.csr_array
    vectorizer: Any


class FittedModel:
    """A fitted topic model of texts: an estimator that reads texts, or a Pipeline to one.

    Parameters
    ----------
    model : estimator
        FusionTopicModel, LLMTopics, a Pipeline of a vectorizer and a topic model of counts, or
        a Pipeline of an embedder and a model of vectors. FrozenEstimator around any is seen
        through.
    name : str
        Who asks, for error messages.

    Raises
    ------
    TypeError
        If it does not read texts, has no ``transform``, or clusters.
    NotFittedError
        If it is not fitted.
    """

    def __init__(self, model: Any, name: str) -> None:
        check_reads_texts(model, name)
        check_is_fitted(model)
        self.model = model
        *self.before, self.last = steps_of(model)
        check_no_distances(self.last, name)

    @config_context(transform_output="default")
    def mixtures(self, texts: list[str]) -> np.ndarray:
        """Return θ of texts, (D, K). Rows sum to one.

        Raises
        ------
        ValueError
            If the model gives negative or missing weights, or a sparse matrix.
        """
        found = self.model.transform(texts)
        name = type(self.last).__name__
        if sp.issparse(found):
            raise ValueError(
                f"{name}.transform gives a sparse matrix, so it is no topic model: pass a "
                "Pipeline that ends in a topic model."
            )
        weights = np.array(found, np.float64)
        if not (weights >= 0).all():
            row = int(np.argmin((weights >= 0).all(axis=1)))
            raise ValueError(
                f"{name}.transform gives negative or missing weights, such as in row {row}, "
                "so they are no topic proportions: pass a model whose weights are not "
                "negative, such as GibbsLDA or NMF."
            )
        return as_rows(weights)

    @property
    def names(self) -> list[str] | None:
        """Names of the topics, None if the model numbers them."""
        try:
            names = self.last.get_feature_names_out()
        except (AttributeError, ValueError):
            return None
        prefix = type(self.last).__name__.lower()
        if all(name == f"{prefix}{k}" for k, name in enumerate(names)):
            return None
        return [str(name) for name in names]

    @cached_property
    def weights(self) -> np.ndarray | None:
        """``components_`` as floats, (K, V), or None if its columns are not words."""
        if self.vectorizer is None or not hasattr(self.last, "components_"):
            return None
        weights = np.asarray(self.last.components_, np.float64)
        words = self.vocabulary
        known = words is not None and weights.shape[1] == len(words)
        return weights if known and (weights >= 0).all() else None

    @cached_property
    def vocabulary(self) -> np.ndarray | None:
        """The word of each column, (V,)."""
        if hasattr(self.last, "vocabulary_") and _reads_texts(self.last):
            return np.asarray(self.last.vocabulary_, dtype=object)
        words = None if self.vectorizer is None else find_words(self.vectorizer)
        return None if words is None else np.asarray(words, dtype=object)

    @cached_property
    def vectorizer(self) -> Any:
        """Texts → counts, fitted. None if the model counts nothing."""
        if hasattr(self.last, "vectorizer_"):
            return _joined([*self.before, self.last.vectorizer_])
        if any(hasattr(step, "vocabulary_") for step in self.before):
            return _joined(self.before)
        return None

    def words(self, texts: list[str], mixtures: np.ndarray) -> Words:
        """Return the words of the topics. A model that knows none gets those of the texts."""
        if self.weights is None:
            return count_words(texts, mixtures)
        scores, words = self.top_scores(), self.vocabulary
        assert words is not None
        return Words(self.weights, scores, words, self.counts(texts), self.vectorizer)

    def top_scores(self) -> np.ndarray:
        """Return scores by which the model ranks words, (K, V)."""
        if hasattr(self.last, "keyness_"):
            return np.asarray(self.last.keyness_)
        assert self.weights is not None
        return term_scores(self.weights)

    @config_context(transform_output="default")
    def counts(self, texts: list[str]) -> sp.csr_array:
        """Return the counts of texts, (D, V), by the model's own vectorizer."""
        made = self.vectorizer.transform(texts)
        return sp.csr_array(made if sp.issparse(made) else np.asarray(made))

    @config_context(transform_output="default")
    def vectors(self, texts: list[str]) -> np.ndarray | None:
        """Return vectors of texts of length one, (D, E), or None without an embedder."""
        has_vectors = hasattr(self.last, "_vectors")
        if self.vectorizer is not None and not has_vectors:
            return None  # before texts are counted for nothing
        read: Any = texts
        for step in self.before:
            read = step.transform(read)
            if len(getattr(read, "shape", ())) == 2:  # texts may also be arrays
                break
        if has_vectors:
            found = self.last._vectors(list(read))
        elif len(getattr(read, "shape", ())) == 2:
            found = np.asarray(read)
        else:
            found = None
        return None if found is None else normalize(np.asarray(found, np.float64))


def count_words(texts: list[str], mixtures: np.ndarray) -> Words:
    """Return words of topics, with each token divided among topics by the θ of its document.

    Words are ranked by keyness.
    """
    vectorizer = default_vectorizer(len(texts))
    X = sp.csr_array(vectorizer.fit_transform(texts))
    totals = (X.T @ mixtures).T + 1e-2
    weights = totals / totals.sum(axis=1, keepdims=True)
    scores = keyness(mixtures, X, weights)
    words = vectorizer.get_feature_names_out()
    return Words(weights, scores, words, X, vectorizer)


def check_reads_texts(model: Any, name: str) -> None:
    """Raise a TypeError if ``model`` is no topic model, fitted or not, that reads texts."""
    if isinstance(model, type) or not hasattr(model, "transform"):
        raise TypeError(
            f"{name} needs a fitted topic model with the method transform, got {model!r}: "
            "pass a FusionTopicModel, or a Pipeline of a vectorizer and a topic model."
        )
    first, *others = steps_of(model)
    if not others and not _reads_texts(first):
        raise TypeError(
            f"{name} needs a model that reads texts, and {type(first).__name__} reads "
            "numbers: pass make_pipeline(vectorizer, model)."
        )


def check_no_distances(model: Any, name: str) -> None:
    """Raise a TypeError if the weights of ``model`` are distances from clusters."""
    if is_clusterer(model):
        raise TypeError(
            f"{name} needs a topic model, and {type(model).__name__}.transform gives "
            "distances from clusters, which are small where the share is large: pass "
            "EmbeddingTopics."
        )


def _reads_texts(step: Any) -> bool:
    tags = getattr(step, "__sklearn_tags__", None)
    return bool(tags is not None and tags().input_tags.string)


def _joined(steps: list[Any]) -> Any:
    return steps[0] if len(steps) == 1 else make_pipeline(*steps)
