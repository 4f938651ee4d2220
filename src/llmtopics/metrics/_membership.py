"""Membership inference: an attack that tells training documents from others."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from llmtopics import _held_out
from llmtopics._checks import as_counts, check_share
from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import as_mixtures
from llmtopics.metrics._input_checks import weights_of

Scores = Callable[[Any], Any]


def membership_inference(
    model: Any,
    members: Any,
    others: Any,
    *,
    reference: Any = None,
    false_positive_rate: float = 0.01,
    confidence: float = 0.95,
) -> Bunch:
    """Attack a fitted model: tell documents that it was fitted on from others.

    Each document gets a score, its log-likelihood per token under the model. If a model has
    memorized its documents, they score higher than others. An attacker with the fitted model
    and a document guesses from the score whether the document was in ``fit``. An AUC of 0.5
    means that this attack is no better than chance. 1 means that it is always right.

    Parameters
    ----------
    model : topic model, Pipeline that ends in one, or callable
        A fitted topic model with ``components_``. A callable takes documents and returns one
        score per document, higher for documents that it knows. For a tuned language model:
        ``lambda texts: [tuner.score([text]) for text in texts]``.
    members : array-like, sparse matrix or list of str
        Documents that ``fit`` has seen, as the model's ``transform`` reads them.
    others : array-like, sparse matrix or list of str
        Documents from the same source that ``fit`` has not seen. If they differ from the
        members in other ways, such as topic or date, the attack measures that difference.
    reference : as ``model``, or None, default=None
        A model fitted on neither members nor others, with the same words. Its score is
        subtracted. A document that is easy for every model then no longer looks like a member.
        The attack is stronger with it.
    false_positive_rate : float, default=0.01
        Share of the others that the attacker accepts to call members by mistake.
    confidence : float, default=0.95
        Confidence of the interval.

    Returns
    -------
    attack : Bunch
        ``auc``: probability that a member scores higher than another document, ties counting
        half. ``interval``: its lower and upper bound. ``true_positive_rate``: share of the
        members that the attacker finds at ``false_positive_rate``. ``member_scores`` and
        ``other_scores``: ndarrays, one score per document.

    Raises
    ------
    TypeError
        If the model is not callable and has no ``components_``.
    ValueError
        If there are fewer than two members or others. If a score is not a finite number. If a
        document has no words of the model's vocabulary.

    Notes
    -----
    The score of a topic model is ``(1 / N_d) Σ_w X_dw log Σ_k θ_dk φ_kw``, with θ from
    ``transform`` of the same document. The interval is DeLong's ([2]_). It is too narrow
    for few documents, which an attacker without knowledge may all get right. So the lower
    bound is at most ``((1 - confidence) / 2) ** (1 / n)``, with n the smaller number of
    documents. The probability to get n pairs right is at most the AUC to the power of n. The
    upper bound is the mirror image.

    With fewer others than ``1 / false_positive_rate``, the attacker may make no mistake.

    A low AUC does not prove privacy: another attack may be stronger. Only a bound such as that
    of :class:`~llmtopics.PrivateLDA` does. A high AUC proves a leak. See [1]_ on why the rate
    at few false positives matters more than the AUC.

    References
    ----------
    .. [1] N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis and F. Tramèr, "Membership
       inference attacks from first principles", IEEE S&P 2022.
    .. [2] E. DeLong, D. DeLong and D. Clarke-Pearson, "Comparing the areas under two or more
       correlated receiver operating characteristic curves", Biometrics 44, 1988.

    Examples
    --------
    >>> from llmtopics import GibbsLDA
    >>> from llmtopics.datasets import make_topics
    >>> from llmtopics.metrics import membership_inference
    >>> X = make_topics(100, 200, 2, random_state=0).data
    >>> lda = GibbsLDA(40, topic_word_prior=0.01, random_state=0)  # too many topics
    >>> lda = lda.fit(X[:50])
    >>> attack = membership_inference(lda, X[:50], X[50:])
    >>> round(attack.auc, 1)
    0.6
    """
    check_share(false_positive_rate=false_positive_rate, confidence=confidence)
    found = []
    for name, documents in [("members", members), ("others", others)]:
        scores = _scores(model, documents, name)
        if scores.size < 2:
            raise ValueError(f"{name} needs two or more documents, got {scores.size}.")
        if reference is not None:
            scores = scores - _scores(reference, documents, name)
        found.append(scores)
    auc, deviation = _auc(*found)
    tail = (1 - confidence) / 2
    reach = float(norm.isf(tail)) * deviation
    most = tail ** (1 / min(scores.size for scores in found))  # DeLong's may be [1, 1]
    threshold = np.quantile(found[1], 1 - false_positive_rate, method="higher")
    return Bunch(
        auc=auc,
        interval=(
            min(max(0.0, auc - reach), most),
            max(min(1.0, auc + reach), 1 - most),
        ),
        true_positive_rate=float(np.mean(found[0] > threshold)),
        member_scores=found[0],
        other_scores=found[1],
    )


def _scores(model: Any, documents: Any, name: str) -> np.ndarray:
    """Return one finite score per document. ``name`` says whose, for errors."""
    if hasattr(model, "transform"):
        return _log_likelihoods(model, documents, name)
    if not callable(model):
        raise TypeError(
            f"membership_inference needs a fitted topic model or a function that returns one "
            f"score per document, got {type(model).__name__}."
        )
    scores = np.asarray(model(documents), np.float64)
    n = documents.shape[0] if hasattr(documents, "shape") else len(documents)
    if scores.shape != (n,):
        raise ValueError(
            f"The scores of {name} have shape {scores.shape}: return one number per document, "
            f"{n} in all."
        )
    if not np.isfinite(scores).all():
        row = int(np.argmin(np.isfinite(scores)))
        raise ValueError(
            f"The score of row {row} of {name} is {scores[row]}: leave out this document, such "
            "as one without words."
        )
    return scores


def _log_likelihoods(model: Any, documents: Any, name: str) -> np.ndarray:
    """Return the mean log-likelihood of a token of each document, in nats."""
    check_is_fitted(model)
    fitted = FittedModel(model)
    phi = as_mixtures(weights_of(fitted))
    counts = as_counts(fitted.counts(documents), type(fitted.last).__name__)
    lengths = counts.sum(axis=1)
    if not lengths.all():
        raise ValueError(
            f"Row {int(np.argmin(lengths > 0))} of {name} has no words of the model's "
            "vocabulary: leave out such documents."
        )
    p = _held_out.probabilities(counts, fitted.mixtures(documents), phi)
    parts = counts.data * np.log(np.maximum(p, 1e-12))
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    return np.bincount(rows, parts, minlength=counts.shape[0]) / lengths


def _auc(members: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Return the AUC and its standard deviation (DeLong)."""
    m, n = members.size, others.size
    both = rankdata(np.concatenate([members, others]))
    of_members = (both[:m] - rankdata(members)) / n  # share of others below each
    of_others = 1 - (both[m:] - rankdata(others)) / m
    variance = of_members.var(ddof=1) / m + of_others.var(ddof=1) / n
    return float(of_members.mean()), float(np.sqrt(variance))
