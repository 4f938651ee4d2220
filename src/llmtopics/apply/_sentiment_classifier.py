"""Labels of sentiment, the default classifier, and sentences on the scale of documents."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics._progress import stage
from llmtopics.apply._sentiment_sentences import Sentences
from llmtopics.finetune._inputs import classes_of

_DIGITS = 9  # of probabilities: rounding hides that sums depend on the batch
_EDGE = 1e-6  # probabilities of 0 and 1 have no finite log-odds

_ORDERED = (("negative", "neutral", "positive"), ("neg", "neu", "pos"))


def check_labels(y: Any, texts: list[str], order: Any) -> np.ndarray:
    """Return the labels of texts.

    Raises
    ------
    ValueError
        As ``classes_of``, if texts with words have one class, and for labels that ``order``
        lacks.
    """
    labels = classes_of(y, len(texts), "TopicSentiment")
    values_of(np.unique(labels).tolist(), order, labels.tolist())
    written = labels[[bool(text.strip()) for text in texts]]
    classes = np.unique(written).tolist()
    if len(classes) < 2:
        raise ValueError(
            f"y has one class, {classes[0]!r}, for texts with words, and sentiment needs at "
            "least two: add texts of another class, or pass seed words (positive, negative) "
            "instead of y."
        )
    return labels


def values_of(
    classes: Sequence[Any], order: Sequence[Any] | None, labels: Sequence[Any] = ()
) -> np.ndarray:
    """Return the polarity of each class, from -1 to 1.

    ``order`` lists classes from the most negative to the most positive. Without it, classes are
    numbers, also those in text, which keep their distances, or "negative", "neutral" and
    "positive". Classes of ``order`` have equal distances.
    ``labels`` are those of the texts, for the error.
    """
    if order is None:
        if len(classes) < 2:
            return np.zeros(len(classes))
        numbers = _as_numbers(classes)
        if numbers is None:
            raise ValueError(
                f"The classes {list(classes)} are no numbers, so it is not known which one is "
                "positive: pass order=, the classes from the most negative to the most "
                "positive."
            )
        at = np.array(numbers, float)
        return 2 * (at - at.min()) / np.ptp(at) - 1
    known = list(order)
    twice = any(each in known[:i] for i, each in enumerate(known))
    if len(known) < 2 or twice:
        raise ValueError(
            f"order must list at least two different classes, got {order!r}."
        )
    for row, label in enumerate(labels or classes):
        if label not in known:
            raise ValueError(
                f"{'y' if len(labels) else 'classifier'} has the class {label!r} "
                f"{f'in row {row} ' if len(labels) else ''}that order={known!r} lacks: add it to order."
            )
    return np.array([2 * known.index(each) / (len(known) - 1) - 1 for each in classes])


def _as_numbers(classes: Sequence[Any]) -> list[float] | None:
    """Return classes as numbers, "10" after "9", or None if one is no number."""
    for known in _ORDERED:
        if {str(each).lower() for each in classes} <= set(known):
            return [float(known.index(str(each).lower())) for each in classes]
    try:
        numbers = [float(each) for each in classes]
    except (TypeError, ValueError):
        return None
    distinct = len(set(numbers)) == len(numbers)
    return numbers if distinct and np.isfinite(numbers).all() else None


def default_classifier(vectorizer: Any, embedder: Any) -> VotingClassifier:
    """Return the mean of two logistic regressions, on words and on vectors."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    as_float64 = FunctionTransformer(
        np.asarray, kw_args={"dtype": np.float64, "order": "C"}
    )
    return VotingClassifier(
        [
            (
                "words",
                make_pipeline(
                    words if vectorizer is None else clone(vectorizer),
                    LogisticRegression(C=30, max_iter=1000),
                ),
            ),
            (
                "vectors",
                make_pipeline(
                    clone(embedder),
                    as_float64,
                    LogisticRegression(C=3, max_iter=1000),
                ),
            ),
        ],
        voting="soft",
    )


class Calibration(NamedTuple):
    """Polarity of a sentence from the classifier's: ``2 σ(slope · logit + intercept) - 1``."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        return 2 * expit(self.slope * scores + self.intercept) - 1


def scores_of(classifier: Any, values: np.ndarray, texts: list[str]) -> np.ndarray:
    """Return the log-odds of texts, of the classifier's mean polarity on a scale of 0 to 1."""
    polarity = polarities(classifier.predict_proba(texts), values)
    return logit(np.clip((1 + polarity) / 2, _EDGE, 1 - _EDGE))


def polarities(probabilities: Any, values: np.ndarray) -> np.ndarray:
    """Return the mean polarity under probabilities of classes."""
    return np.round(np.asarray(probabilities, np.float64), _DIGITS) @ values


class LabeledSentences(NamedTuple):
    """Sentences with the labels of their documents.

    texts : list of n str
    labels : ndarray of shape (n,)
    documents : ndarray of shape (n,)
        Numbers of the documents, from 0.
    kept : ndarray of shape (n,)
        Their places among all sentences.
    """

    texts: list[str]
    labels: np.ndarray
    documents: np.ndarray
    kept: np.ndarray


def labeled_sentences(
    sentences: Sentences, rows: np.ndarray, labels: np.ndarray | None
) -> LabeledSentences:
    """Return the sentences of the documents in ``rows``, which have labels."""
    kept = np.flatnonzero(np.isin(sentences.documents, rows))
    documents = np.searchsorted(rows, sentences.documents[kept])
    of_each = np.empty(0) if labels is None else labels[documents]
    return LabeledSentences(
        [sentences.texts[i] for i in kept], of_each, documents, kept
    )


def held_out_scores(
    classifier: Any,
    read: LabeledSentences,
    values: dict[Any, float],
    n_folds: int,
    seed: int,
) -> np.ndarray | None:
    """Return scores of sentences by classifiers that have not seen their documents.

    Folds have the same shares of classes. If a class has fewer documents than folds, they have
    the same shares of the documents above and below the mean polarity. None if there is a
    single document on one side.

    Parameters
    ----------
    classifier : classifier
    read : LabeledSentences
    values : dict
        Polarity of each class.
    n_folds : int
    seed : int
    """
    _, firsts = np.unique(read.documents, return_index=True)
    labels = read.labels[firsts]
    if np.unique(labels, return_counts=True)[1].min() < n_folds:
        polarity = np.array([values[label] for label in labels.tolist()])
        labels = polarity > polarity.mean()
    n_folds = min(n_folds, int(np.unique(labels, return_counts=True)[1].min()))
    if n_folds < 2:
        return None
    scores = np.zeros(len(read.texts))
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with stage("cross-validation", n_folds, "folds") as done:
        for _, test in folds.split(firsts, labels):
            asked = np.isin(read.documents, test)
            in_test = list(zip(read.texts, asked, strict=True))
            own = [text for text, there in in_test if not there]
            others = [text for text, there in in_test if there]
            model = clone(classifier).fit(own, read.labels[~asked])
            # a rare class may be in none of the other folds
            classes = np.asarray(model.classes_).tolist()
            known = np.array([values[each] for each in classes])
            scores[asked] = scores_of(model, known, others)
            done.update()
    return scores


def calibrate(
    scores: np.ndarray, targets: np.ndarray, documents: np.ndarray
) -> Calibration:
    """Fit what a sentence of some score tells of its document.

    Both ends of the scale get the same total weight, so that a sentence that tells nothing is
    neutral, whatever the share of positive documents.

    Parameters
    ----------
    scores : ndarray of shape (n_sentences,)
    targets : ndarray of shape (n_sentences,)
        Polarity of each sentence's document, from -1 to 1.
    documents : ndarray of shape (n_sentences,)
        Its document.
    """
    weights = 1 / np.bincount(documents)[documents]  # documents count equally
    positive, negative = weights * (1 + targets) / 2, weights * (1 - targets) / 2
    half = weights.sum() / 2
    positive, negative = (
        half * part / part.sum() if part.any() else part
        for part in (positive, negative)
    )

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slope, intercept = parameters
        at = slope * scores + intercept
        missed = positive @ log_expit(at) + negative @ log_expit(-at)
        pull = negative * expit(at) - positive * expit(-at)
        # with few documents, stay near the classifier's own scale
        own = ((slope - 1) ** 2 + intercept**2) / 2
        return own - missed, np.array(
            [slope - 1 + pull @ scores, intercept + pull.sum()]
        )

    found = minimize(loss, [1.0, 0.0], jac=True, bounds=[(0, None), (None, None)])
    return Calibration(*map(float, found.x))
