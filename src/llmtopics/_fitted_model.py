"""What a fitted topic model says, whatever its kind: proportions, words, counts, vectors."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import OneToOneFeatureMixin, is_clusterer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from llmtopics._mixtures import as_mixtures
from llmtopics._vectorizers import find_words, steps_of
from llmtopics._words import term_scores, top_words


class Changed(NamedTuple):
    """Texts after the steps that change texts.

    texts : list of str
    n_steps : int
        Number of these steps.
    made : matrix or None
        Counts or vectors that the next step made. None if the topic model reads the texts.
    """

    texts: list[str]
    n_steps: int
    made: Any


class FittedModel:
    """A fitted topic model, alone or at the end of a Pipeline.

    It reads texts (FusionTopicModel, LLMTopics, a Pipeline of a vectorizer or an embedder and
    a topic model), or it reads counts (GibbsLDA). FrozenEstimators and Pipelines in Pipelines
    are seen through. A step that only rescales the proportions may follow the topic model.

    Attributes
    ----------
    model : estimator
        The model itself.
    before : list of transformers
        The steps before the topic model.
    last : estimator
        The topic model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        *self.before, self.last = steps_of(model)
        while isinstance(self.last, OneToOneFeatureMixin) and any(
            hasattr(step, "components_") for step in self.before[-1:]
        ):
            self.last = self.before.pop()  # such as NMF before a Normalizer

    @classmethod
    def of_texts(cls, model: Any, name: str) -> "FittedModel":
        """Return a fitted model that must read texts. ``name`` says who asks, for errors.

        Raises
        ------
        TypeError
            If it does not read texts, has no ``transform``, or clusters.
        NotFittedError
            If it is not fitted.
        """
        check_reads_texts(model, name)
        check_is_fitted(model)
        fitted = cls(model)
        check_no_distances(fitted.last, name)
        return fitted

    @config_context(transform_output="default")
    def mixtures(self, texts: list[str]) -> np.ndarray:
        """Return θ of texts, (D, K). Rows sum to one.

        Raises
        ------
        ValueError
            If the model gives negative, missing or infinite weights, or a sparse matrix.
        """
        found = self.model.transform(texts)
        name = type(self.last).__name__
        if sp.issparse(found):
            raise ValueError(
                f"{name}.transform gives a sparse matrix, so it is no topic model: pass a "
                "Pipeline that ends in a topic model."
            )
        weights = np.array(found, np.float64)
        valid = (weights >= 0) & (weights < np.inf)
        if not valid.all():
            row = int(np.argmin(valid.all(axis=1)))
            raise ValueError(
                f"{name}.transform gives negative, missing or infinite weights, such as in row "
                f"{row}, so they are no topic proportions: pass a model whose weights are not "
                "negative, such as GibbsLDA or NMF."
            )
        return as_mixtures(weights)

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

    @property
    def embedder(self) -> Any:
        """The fitted embedder in the model, None if it has none."""
        found = (getattr(step, "embedder_", None) for step in [*self.before, self.last])
        return next((each for each in found if each is not None), None)

    @cached_property
    def vectorizer(self) -> Any:
        """Texts → counts, fitted. None if the model counts nothing."""
        if hasattr(self.last, "vectorizer_"):
            return joined([*self.before, self.last.vectorizer_])
        if any(hasattr(step, "vocabulary_") for step in self.before):
            return joined(self.before)
        return None

    @cached_property
    def vocabulary(self) -> np.ndarray | None:
        """The word of each column of ``components_``, (V,), None if unknown."""
        words = None
        if hasattr(self.last, "vectorizer_"):
            words = self.last.vocabulary_
        elif self.before:
            words = find_words(joined(self.before))
        else:
            words = getattr(self.last, "feature_names_in_", None)
        return None if words is None else np.asarray(words, dtype=object)

    @cached_property
    def weights(self) -> np.ndarray | None:
        """``components_`` as floats, (K, V), or None if its columns are not words."""
        if not hasattr(self.last, "components_"):
            return None
        if self.before and self.vectorizer is None:  # such as after an embedder
            return None
        weights = np.asarray(self.last.components_, np.float64)
        words = self.vocabulary
        known = words is not None and weights.shape[1] == len(words)
        return weights if known and (weights >= 0).all() else None

    def top_words(self, n_words: int = 10) -> list[list[str]] | None:
        """Return the words of each topic, best first, None if they are unknown."""
        if hasattr(self.last, "top_words"):
            return self.last.top_words(n_words)
        if self.weights is None or self.vocabulary is None:
            return None
        return top_words(self.weights, self.vocabulary, n_words)

    def word_scores(self) -> np.ndarray:
        """Return scores by which the model ranks its words, (K, V)."""
        if hasattr(self.last, "keyness_"):
            return np.asarray(self.last.keyness_)
        assert self.weights is not None
        return term_scores(self.weights)

    @config_context(transform_output="default")
    def counts(self, X: Any) -> Any:
        """Return what the topic model counts: ``X`` after the steps before it.

        A model of counts alone gets ``X`` itself.
        """
        for step in self.before:
            X = step.transform(X)
        has_vectorizer = hasattr(self.last, "vectorizer_")
        return self.last.vectorizer_.transform(X) if has_vectorizer else X

    @config_context(transform_output="default")
    def vectors(self, texts: list[str]) -> np.ndarray | None:
        """Return vectors of texts of length one, (D, E), or None without an embedder."""
        if hasattr(self.last, "_vectors"):
            found = self.last._vectors(self.changed(texts).texts)
        elif self.weights is not None:
            return None  # before texts are counted for nothing
        else:
            _, n_steps, found = self.changed(texts)
            for step in self.before[n_steps + 1 :]:
                found = step.transform(found)
            if sp.issparse(found):
                return None
        return None if found is None else normalize(np.asarray(found, np.float64))

    def changed(self, texts: list[str]) -> "Changed":
        """Return texts after the steps that change texts."""
        for n_steps, step in enumerate(self.before):
            made = step.transform(texts)
            if len(getattr(made, "shape", ())) == 2:  # an array of texts has one axis
                return Changed(texts, n_steps, made)
            texts = list(made)
        return Changed(texts, len(self.before), None)


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


def joined(steps: list[Any]) -> Any:
    """Return fitted steps as one: a Pipeline, or the only step itself."""
    return steps[0] if len(steps) == 1 else make_pipeline(*steps)


def _reads_texts(step: Any) -> bool:
    tags = getattr(step, "__sklearn_tags__", None)
    return bool(tags is not None and tags().input_tags.string)
