"""Fit the topic model and the classifiers of ``TopicSentiment``."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from llmtopics._fitted_model import FittedModel, check_no_distances
from llmtopics.apply._sentiment_classifier import (
    Calibration,
    calibrate,
    default_classifier,
    held_out_scores,
    labeled_sentences,
    values_of,
)
from llmtopics.apply._sentiment_seeds import labels_from_seeds
from llmtopics.apply._sentiment_sentences import Sentences
from llmtopics.embed import TransformerEmbedder
from llmtopics.embed._encoder import as_embedder
from llmtopics.fusion import FusionTopicModel
from llmtopics.fusion._sides import seeded
from llmtopics.text import split_sentences


class Classifiers(NamedTuple):
    """Fitted classifiers.

    of_documents, of_sentences : classifiers
    values : ndarray of shape (n_classes,)
        Polarity of each class.
    calibration : Calibration
        Of sentences.
    held_out : tuple or None
        Places of sentences, and their scores by classifiers that did not see their documents.
    """

    of_documents: Any
    of_sentences: Any
    values: np.ndarray
    calibration: Calibration
    held_out: tuple[np.ndarray, np.ndarray] | None


def check_ways(given: SimpleNamespace, labels: np.ndarray | None) -> None:
    """Raise a ValueError unless one way to learn polarity is given."""
    n_sides = (given.positive is not None) + (given.negative is not None)
    frozen = isinstance(given.classifier, FrozenEstimator)
    if n_sides == 1:
        raise ValueError("positive and negative belong together: pass both.")
    if n_sides and (labels is not None or frozen):
        raise ValueError(
            f"Seed words and {'y' if labels is not None else 'a frozen classifier'} are "
            "both given: leave out positive and negative."
        )
    if not n_sides and labels is None and not frozen:
        raise ValueError(
            "TopicSentiment needs to know what is positive: pass y (labels), or positive "
            "and negative (seed words), or classifier=FrozenEstimator(classifier)."
        )
    if frozen:
        check_is_fitted(given.classifier)
        known = np.asarray(given.classifier.classes_).tolist()
        for row, label in enumerate([] if labels is None else labels.tolist()):
            if label not in known:
                raise ValueError(
                    f"y has the class {label!r} in row {row}, and the frozen classifier has "
                    f"{known}: pass its classes, or leave out y."
                )


def fit_topics(given: SimpleNamespace, texts: list[str], seed: int) -> Any:
    """Return the fitted topic model."""
    model = given.topic_model
    if model is None:
        model = FusionTopicModel(verbose=given.verbose)
    check_no_distances(FittedModel(model).last, "TopicSentiment")
    if given.fit_topics_on == "sentences":
        texts = [
            sentence
            for text in texts
            for sentence in split_sentences(text, given.language)
        ]
    return _copied(model, seed).fit(texts, None)  # FrozenEstimator needs y


def fit_classifiers(
    given: SimpleNamespace,
    topic_model: Any,
    texts: list[str],
    labels: np.ndarray | None,
    sentences: Sentences,
    seed: int,
) -> Classifiers:
    """Fit classifiers of texts and of sentences, and calibrate the latter."""

    def embedder() -> Any:
        found = given.embedder
        if found is None:
            found = FittedModel(topic_model).embedder or TransformerEmbedder()
        return seeded(clone(as_embedder(found, given.verbose)), seed)

    rows = np.unique(sentences.documents)  # texts that are not blank
    if labels is not None:
        labels = labels[rows]
    elif given.positive is not None:
        labels, rows = labels_from_seeds(
            texts, embedder(), given.positive, given.negative
        )
    classifier = given.classifier
    if classifier is None:
        classifier = default_classifier(given.vectorizer, embedder())
    classifier = _copied(classifier, seed)
    of_documents = of_sentences = classifier
    if not isinstance(classifier, FrozenEstimator):
        of_documents = clone(classifier).fit([texts[i] for i in rows], labels)
    classes = np.asarray(of_documents.classes_)
    values = values_of(classes.tolist(), given.order)
    if labels is None:
        return Classifiers(of_documents, of_sentences, values, Calibration(), None)
    read = labeled_sentences(sentences, rows, labels)
    if not isinstance(classifier, FrozenEstimator):
        of_sentences = clone(classifier).fit(read.texts, read.labels)
    targets = dict(zip(classes.tolist(), values.tolist(), strict=True))
    scores = None
    if given.cv >= 2:
        scores = held_out_scores(classifier, read, targets, given.cv, seed)
    if scores is None:
        return Classifiers(of_documents, of_sentences, values, Calibration(), None)
    calibration = calibrate(
        scores,
        np.array([targets[label] for label in read.labels.tolist()]),
        read.documents,
    )
    return Classifiers(
        of_documents, of_sentences, values, calibration, (read.kept, scores)
    )


def _copied(estimator: Any, seed: int) -> Any:
    """Return a clone whose random parts have a seed. Frozen estimators stay as they are."""
    if isinstance(estimator, FrozenEstimator):
        return clone(estimator)
    return seeded(clone(estimator), seed)
