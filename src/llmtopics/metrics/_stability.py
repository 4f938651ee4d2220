"""Stability: how similar the topics of repeated fits are."""

from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import Bunch, _safe_indexing
from sklearn.utils.validation import _num_samples

from llmtopics._checks import as_seed, check_positive, check_share
from llmtopics._fitted_model import FittedModel
from llmtopics._progress import reporting, stage
from llmtopics.metrics._input_checks import columns_of, weights_of


@config_context(transform_output="default")
def topic_stability(
    estimator: Any,
    X: Any,
    *,
    n_runs: int = 5,
    subsample: float | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Bunch:
    """Fit a topic model several times; return how similar its topics are each time.

    ``estimator`` is fitted once as it is. Then it is fitted ``n_runs`` times with other seeds,
    on all documents or on random subsets. The topics of each run are matched one to one to
    those of the first fit (Hungarian method). The stability of a topic is the mean over the
    runs of ``1 - JS(φ_k, φ_match(k))``, with JS the Jensen-Shannon distance in [0, 1].

    Parameters
    ----------
    estimator : topic model, or Pipeline that ends in one
        It must have ``components_`` after ``fit``. It is not changed: clones are fitted.
    X : array-like, sparse matrix or list of str
        Input of ``estimator.fit``.
    n_runs : int, default=5
        Number of fits that are compared with the first.
    subsample : float in (0, 1) or None, default=None
        Share of the documents for each run, drawn without replacement. None uses all.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Seeds the choice of documents and all parameters named ``random_state`` of the runs.
        In the first fit, it seeds only those that are None in ``estimator``.
    n_jobs : int or None, default=None
        Number of runs fitted at the same time, as in joblib.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    stability : Bunch
        ``per_topic``: ndarray of shape (n_components,), in [0, 1], higher is better.
        ``overall``: its mean. ``runs``: ndarray of shape (n_runs, n_components), the
        similarities; 0 for a topic without any weight. ``matches``: int ndarray of the same
        shape, the matched topic of each run. ``estimator``: the first fit, whose topics these
        are.

    Raises
    ------
    TypeError
        If ``estimator`` is no estimator, or has no ``components_`` after ``fit``.
    ValueError
        If all runs would be equal: no ``subsample``, and no parameter ``random_state``.

    Notes
    -----
    Stability shows which topics to trust, and from which K on topics change from fit to fit.
    It does not measure whether topics are good: a single topic is perfectly stable, and
    stability mostly falls as K grows. Because of smoothing and chance, topics that people
    would call the same have about 0.7 to 0.9. Unrelated topics have about 0.2.

    References
    ----------
    D. Greene, D. O'Callaghan and P. Cunningham, "How many topics? Stability analysis for
    topic models", ECML PKDD 2014.

    Examples
    --------
    >>> from sklearn.decomposition import NMF
    >>> from llmtopics.datasets import make_topics
    >>> from llmtopics.metrics import topic_stability
    >>> X = make_topics(n_components=3, random_state=0).data
    >>> model = NMF(3, init="nndsvd", random_state=0)  # draws nothing
    >>> round(topic_stability(model, X, n_runs=2).overall, 3)
    1.0
    """
    check_positive(n_runs=n_runs)
    _check_can_be_fitted(estimator)
    if subsample is not None:
        check_share(subsample=subsample)
    seeds = [
        name
        for name in estimator.get_params()
        if name == "random_state" or name.endswith("__random_state")
    ]
    if not seeds and subsample is None:
        raise ValueError(
            f"{type(estimator).__name__} has no random_state: every run would be the same. "
            "Pass subsample, a share of the documents such as 0.8."
        )
    rng = np.random.default_rng(as_seed(random_state))
    n = _num_samples(X)

    def refit(seed: int, rows: np.ndarray | None) -> Weights:
        model = clone(estimator).set_params(**dict.fromkeys(seeds, seed))
        return weights_and_words(
            model.fit(X if rows is None else _safe_indexing(X, rows))
        )

    first = clone(estimator)
    unset = [name for name in seeds if first.get_params()[name] is None]
    first.set_params(**dict.fromkeys(unset, int(rng.integers(2**31))))
    shown = reporting("topic_stability", verbose)
    with shown, stage("fits", 1 + n_runs, "fits") as counted:
        first.fit(X)
        counted.update()
        plans = [
            (int(rng.integers(2**31)), _part(n, subsample, rng)) for _ in range(n_runs)
        ]
        fits = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(refit)(*plan) for plan in plans
        )
        reference, matched = weights_and_words(first), []
        for topics in fits:
            counted.update()
            matched.append(match_weights(reference, topics))
    runs = np.array([similarity for similarity, _ in matched])
    return Bunch(
        per_topic=runs.mean(axis=0),
        overall=float(runs.mean()),
        runs=runs,
        matches=np.array([match for _, match in matched]),
        estimator=first,
    )


def _check_can_be_fitted(estimator: Any) -> None:
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(
            f"topic_stability needs a topic model that it can fit, got {estimator!r}: pass a "
            "topic model, or a Pipeline that ends in one."
        )


def _part(
    n: int, subsample: float | None, rng: np.random.Generator
) -> np.ndarray | None:
    """Return the rows of a run, in their order; None for all."""
    if subsample is None:
        return None
    return np.sort(rng.permutation(n)[: max(1, round(subsample * n))])


class Weights(NamedTuple):
    """Weights of words in topics, (K, V), and the words."""

    weights: np.ndarray
    vocabulary: list[str]


def weights_and_words(fitted: Any) -> Weights:
    """Return the weights and words of a fitted model."""
    model = FittedModel(fitted)
    return Weights(weights_of(model), columns_of(model))


def similarities(reference: Weights, other: Weights) -> np.ndarray:
    """Return ``1 - JS`` of each topic with each of another model, over the words of both.

    A topic without any weight has similarity 0.
    """
    words = dict.fromkeys([*reference.vocabulary, *other.vocabulary])
    column = {word: i for i, word in enumerate(words)}

    def aligned(topics: Weights) -> np.ndarray:
        rows = np.zeros((len(topics.weights), len(words)))
        rows[:, [column[word] for word in topics.vocabulary]] = topics.weights
        return rows

    a, b = aligned(reference), aligned(other)
    alive = np.outer(a.any(axis=1), b.any(axis=1))
    with np.errstate(invalid="ignore"):  # topics without weight have no distribution
        distance = cdist(a, b, "jensenshannon") / np.sqrt(np.log(2))
    return np.where(alive, 1 - np.clip(np.nan_to_num(distance), 0, 1), 0)


def match_weights(reference: Weights, other: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return each reference topic's similarity to its match, and the match."""
    similarity = similarities(reference, other)
    rows, match = linear_sum_assignment(similarity, maximize=True)
    return similarity[rows, match], match
