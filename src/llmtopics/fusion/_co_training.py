"""Co-training: classifiers that learn topics from confident texts correct θ of all texts."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from warnings import catch_warnings, filterwarnings

import numpy as np
import scipy.sparse as sp
from scipy.optimize import brentq
from scipy.special import entr, log_softmax, softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from llmtopics._compiled.blas import one_thread
from llmtopics.topics import _sphere as sphere

_C = 10.0  # inverse strength of the regularization, for rows of length one
_POWERS = 0.01, 100.0  # limits of γ
_N_FOLDS = 3
_N_SEARCHED = 5000  # texts of a view that alpha="auto" asks


class Classifier(NamedTuple):
    """A linear classifier of the topics that are some text's first topic, n of them.

    coef : (features, n)
    intercept : (n,)
    topics : (n,)
        The numbers of these topics.
    """

    coef: np.ndarray
    intercept: np.ndarray
    topics: np.ndarray

    def log_probabilities(self, inputs: Any, n_components: int) -> np.ndarray:
        """Return log probabilities, (D, K).

        A topic that is no text's first topic gets the smallest value of the row. Rows of
        zeros say nothing about the topics, and get zeros.
        """
        if sp.issparse(inputs):
            scores, known = inputs @ self.coef, np.diff(inputs.indptr) > 0
        else:
            scores, known = sphere.products(inputs, self.coef), inputs.any(axis=1)
        found = log_softmax(scores + self.intercept, axis=1)
        every = np.repeat(found.min(axis=1, keepdims=True), n_components, axis=1)
        every[:, self.topics] = found
        return every * known[:, None]


class CoTraining(NamedTuple):
    """Two classifiers of the topics, of both views of a text.

    idf : TfidfTransformer
        From counts to the view of the words.
    by_vectors, by_words : Classifier
    power : float
        γ. With it, θ of the texts in ``fit`` keeps its mean entropy.
    """

    idf: TfidfTransformer
    by_vectors: Classifier
    by_words: Classifier
    power: float = 1.0

    def correct(
        self, mixtures: np.ndarray, vectors: np.ndarray, X: sp.csr_array
    ) -> np.ndarray:
        """Return ``(θ_k (p_k q_k)^(1/2))^γ``, divided by its sum; p and q are the classifiers'.

        Texts without a vector have no p, and texts without words have no q. Texts without both
        keep their θ.

        Parameters
        ----------
        mixtures : ndarray of shape (D, K)
        vectors : ndarray of shape (D, E)
        X : csr_array of shape (D, V)
        """
        found = softmax(self.power * self._logs(mixtures, vectors, X), axis=1)
        return np.where(_known(vectors, X)[:, None], found, mixtures)

    def _logs(
        self, mixtures: np.ndarray, vectors: np.ndarray, X: sp.csr_array
    ) -> np.ndarray:
        with np.errstate(divide="ignore"):
            logs = np.log(mixtures)
        K = logs.shape[1]
        logs += self.by_vectors.log_probabilities(sphere.unit(vectors), K) / 2
        logs += self.by_words.log_probabilities(self.idf.transform(X), K) / 2
        return logs

    def as_even(
        self, mixtures: np.ndarray, vectors: np.ndarray, X: sp.csr_array
    ) -> "CoTraining":
        """Return a copy with another power: with it, θ has the mean entropy it had before."""
        known = _known(vectors, X)
        logs = self._logs(mixtures, vectors, X)[known]
        before = _mean_entropy(mixtures[known])

        def more(log_power: float) -> float:
            return _mean_entropy(softmax(np.exp(log_power) * logs, axis=1)) - before

        low, high = np.log(_POWERS)
        if more(low) <= 0:
            return self._replace(power=_POWERS[0])
        if more(high) >= 0:
            return self._replace(power=_POWERS[1])
        return self._replace(power=float(np.exp(brentq(more, low, high, xtol=1e-6))))


def _known(vectors: np.ndarray, X: sp.csr_array) -> np.ndarray:
    """Return which texts have a vector or words."""
    return vectors.any(axis=1) | (np.diff(X.indptr) > 0)


def _mean_entropy(mixtures: np.ndarray) -> float:
    return float(entr(mixtures).sum(axis=1).mean())


def co_train(
    mixtures: np.ndarray, vectors: np.ndarray, X: sp.csr_array, share: float
) -> CoTraining | None:
    """Train both classifiers; return None if all texts have the same first topic.

    Parameters
    ----------
    mixtures : ndarray of shape (D, K)
        θ.
    vectors : ndarray of shape (D, E)
    X : csr_array of shape (D, V)
    share : float
        Share of the texts of each topic that are learned from: those with the largest
        proportion of it.
    """
    rows = confident_rows(
        mixtures, vectors.any(axis=1) & (np.diff(X.indptr) > 0), share
    )
    topics = mixtures[rows].argmax(axis=1)
    if len(np.unique(topics)) < 2:
        return None
    idf = TfidfTransformer().fit(X)
    by_vectors = _classifier(sphere.unit(vectors[rows]), topics)
    by_words = _classifier(idf.transform(X[rows]), topics)
    return CoTraining(idf, by_vectors, by_words).as_even(mixtures, vectors, X)


def explained(mixtures: np.ndarray, views: Sequence[Any]) -> float:
    """Return how much the views explain of the texts' first topics, each view alone.

    It is the mean over the views of ``1 - L / H``. L is the cross-entropy of a classifier on
    texts that it did not learn from, H the entropy of the topics. 1 is all, and 0 nothing.
    Rows of zeros are left out of a view. Topics that nothing can be learned of give -inf.

    Parameters
    ----------
    mixtures : ndarray of shape (D, K)
        θ.
    views : sequence of arrays of shape (D, features)
    """
    return float(np.mean([_explained(mixtures, view) for view in views]))


def _explained(mixtures: np.ndarray, view: Any) -> float:
    is_sparse = sp.issparse(view)
    known = np.flatnonzero(np.diff(view.indptr) if is_sparse else view.any(axis=1))
    rng = np.random.default_rng(0)
    known = np.sort(rng.permutation(known)[:_N_SEARCHED])
    view, topics = view[known], mixtures[known].argmax(axis=1)
    folds = rng.permutation(len(known)) % _N_FOLDS
    loss = 0.0
    for fold in range(_N_FOLDS):
        rows, others = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(np.unique(topics[rows])) < 2:
            return -np.inf
        classifier = _classifier(view[rows], topics[rows])
        logs = classifier.log_probabilities(view[others], mixtures.shape[1])
        loss -= logs[np.arange(len(others)), topics[others]].sum()
    shares = np.bincount(topics) / len(topics)
    return 1 - loss / len(topics) / entr(shares).sum()


def confident_rows(mixtures: np.ndarray, known: np.ndarray, share: float) -> np.ndarray:
    """Return the rows of each topic with the largest proportion of it.

    Parameters
    ----------
    mixtures : ndarray of shape (D, K)
        θ.
    known : ndarray of shape (D,), of bool
        The rows to choose from.
    share : float
        Share of the rows of each first topic; at least one row.
    """
    first, chosen = mixtures.argmax(axis=1), [np.empty(0, int)]
    for topic in np.unique(first[known]):
        members = np.flatnonzero(known & (first == topic))
        order = np.argsort(-mixtures[members, topic], kind="stable")
        chosen.append(members[order[: max(1, round(share * len(members)))]])
    return np.sort(np.concatenate(chosen))


def _classifier(inputs: np.ndarray | sp.csr_array, topics: np.ndarray) -> Classifier:
    with one_thread(), catch_warnings():
        filterwarnings("ignore", "The number of unique classes")  # few texts per topic
        model = LogisticRegression(C=_C, max_iter=1000).fit(inputs, topics)
    coef, intercept = model.coef_.T, model.intercept_
    if len(model.classes_) == 2:  # one column: of the second against the first
        coef, intercept = coef * [0, 1], intercept * [0, 1]
    return Classifier(np.ascontiguousarray(coef), intercept, model.classes_)
