"""Suggest a number of topics: quality, likelihood and stability of several, in one call."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_memory

from llmtopics._checks import as_seed, check_positive, check_share, pandas_for
from llmtopics._progress import reporting, stage
from llmtopics.metrics._k_indices import indices_of
from llmtopics.metrics._scorers import topic_scorer
from llmtopics.metrics._stability import Weights, match_weights, weights_and_words

if TYPE_CHECKING:
    import pandas as pd

_SCORED = {"quality": "quality", "coherence": "npmi", "likelihood": "completion"}


@dataclass(frozen=True, repr=False)
class Suggestion:
    """The result of :func:`suggest_n_components`.

    Attributes
    ----------
    n_components : int
        The suggested number of topics, K.

    reason : str
        Why, in a sentence or two.

    plateau : list of int
        The numbers whose quality is no more than one standard error below the best one.

    table : pandas.DataFrame
        One row per number of topics: ``n_components``, then ``quality``, ``coherence``,
        ``likelihood`` (if the model has one) and ``stability``, each with its standard error
        over the runs (``quality_error`` and so on). ``stability_error`` is NaN with two runs:
        they are one pair. With ``indices=True`` also ``griffiths_steyvers`` (only of
        :class:`GibbsLDA`), ``cao_juan``, ``arun`` and ``deveaud``.
    """

    n_components: int
    reason: str
    plateau: list[int]
    table: "pd.DataFrame"

    def __repr__(self) -> str:
        shown = self.table.round(3).to_string(index=False)
        return f"n_components={self.n_components}. {self.reason}\n{shown}"


@config_context(transform_output="default")
def suggest_n_components(
    model: Any,
    X: Any,
    *,
    n_components: Iterable[int] = (2, 3, 5, 8, 12, 20, 30),
    n_runs: int = 4,
    test_size: float = 0.25,
    n_words: int = 10,
    indices: bool = False,
    memory: Any = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Suggestion:
    """Fit a topic model with several numbers of topics; suggest one, with the reason.

    Each number is fitted ``n_runs`` times, each time to other documents and with another seed. The
    rest of the documents scores the topics. All numbers of topics get the same documents.

    Parameters
    ----------
    model : topic model, or Pipeline that ends in one
        It must have the parameter ``n_components``. It is not changed: clones are fitted.
    X : list of str, array-like or sparse matrix
        Input of ``model.fit``, such as texts.
    n_components : iterable of int, default=(2, 3, 5, 8, 12, 20, 30)
        The numbers of topics to compare.
    n_runs : int, default=4
        Number of fits per number of topics, at least 2.
    test_size : float between 0 and 1, default=0.25
        Share of the documents that score each fit.
    n_words : int, default=10
        Number of words per topic that are scored.
    indices : bool, default=False
        Whether to add four indices of the literature, for those who must report them. They do
        not change the suggestion.
    memory : str, joblib.Memory or None, default=None
        Where to keep the results of fits. A call that was interrupted then goes on, and further
        numbers of topics cost only their own fits.
    random_state : int, RandomState, numpy.random.Generator or None, default=0
        Seeds the choice of documents, and all parameters of the model named ``random_state``.
    n_jobs : int or None, default=None
        Number of fits at the same time, as in joblib.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    suggestion : Suggestion
        ``n_components``: the suggested number. ``reason``: why. ``plateau``: the numbers that
        cannot be told from the best by quality. ``table``: a DataFrame with one row per number,
        to plot. Print it to see all.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If there is no number to compare, a number is below 1, the model has no parameter
        ``n_components``, or bad input of the model.

    Notes
    -----
    The rule: take the numbers whose quality is no more than one standard error below the best one
    (a plateau). It is the error of the difference of both on the same documents. Of those, take the most stable one. Of equally stable ones, take the smallest.

    - quality: coherence times diversity, see :func:`topic_scorer`. Coherence is counted in
      documents that the model has not seen.
    - coherence: NPMI of the words.
    - likelihood: held-out log-likelihood per token, in nats. It mostly grows with K, so it does not
      take part in the rule.
    - stability: mean over all pairs of runs of the similarity of matched topics, see
      :func:`topic_stability`. It mostly falls with K, so it decides on the plateau only.

    The indices: ``griffiths_steyvers`` [4]_ is the harmonic mean of ``p(w | z)`` over the sweeps of
    the second half of the chain, as a logarithm per token (larger is better). Only
    :class:`GibbsLDA` has it, alone or at the end of a Pipeline, and with ten sweeps or more. The
    estimate is unstable, because the sweep with the smallest likelihood decides it [5]_. It is of the
    documents in the fit, so it does not show overfitting. ``cao_juan`` [1]_ is the mean cosine of two topics (smaller is better). ``arun``
    [2]_ is the symmetric Kullback-Leibler divergence of the singular values of φ from the sizes
    of the topics (smaller is better). ``deveaud`` [3]_ is the mean Jensen-Shannon divergence of
    two topics (larger is better). None of them measures whether people can read the topics, or
    whether documents have fitting ones.

    References
    ----------
    .. [1] J. Cao, T. Xia, J. Li, Y. Zhang and S. Tang, "A density-based method for adaptive LDA
       model selection", Neurocomputing 72, 2009.
    .. [2] R. Arun, V. Suresh, C. Veni Madhavan and M. Narasimha Murthy, "On finding the natural
       number of topics with latent Dirichlet allocation", PAKDD 2010.
    .. [3] R. Deveaud, E. SanJuan and P. Bellot, "Accurate and effective latent concept modeling
       for ad hoc information retrieval", Document numérique 17, 2014.
    .. [4] T. Griffiths and M. Steyvers, "Finding scientific topics", PNAS 101, 2004.
    .. [5] H. Wallach, I. Murray, R. Salakhutdinov and D. Mimno, "Evaluation methods for topic
       models", ICML 2009, section 4.2.

    Examples
    --------
    >>> from llmtopics import GibbsLDA, suggest_n_components
    >>> from llmtopics.datasets import make_topics
    >>> X = make_topics(300, n_components=4, random_state=0).data
    >>> found = suggest_n_components(GibbsLDA(max_iter=50), X, n_components=[2, 4, 8])
    >>> found.n_components
    4
    """
    pandas_for("suggest_n_components")
    check_positive(n_runs=n_runs, n_words=n_words)
    check_share(test_size=test_size)
    if n_runs < 2:
        raise ValueError("n_runs must be at least 2: one run has no spread.")
    numbers = _numbers(n_components)
    name = _parameter(model)
    seeds = [p for p in model.get_params() if p.split("__")[-1] == "random_state"]
    rng = np.random.default_rng(as_seed(random_state))
    split = ShuffleSplit(
        n_runs, test_size=test_size, random_state=int(rng.integers(2**31))
    )
    runs = list(split.split(np.arange(_num_samples(X))))
    plans = [
        (dict.fromkeys(seeds, int(rng.integers(2**31))), train, test)
        for train, test in runs
    ]
    measure = check_memory(memory).cache(_measure)
    tasks = (
        delayed(measure)(
            clone(model).set_params(**seeding, **{name: number}),
            _safe_indexing(X, train),
            _safe_indexing(X, test),
            n_words,
            indices,
        )
        for number in numbers
        for seeding, train, test in plans
    )
    total = len(numbers) * n_runs
    fits = []
    with (
        reporting("suggest_n_components", verbose),
        stage("fits", total, "fits") as counted,
    ):
        for fitted in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
            fits.append(fitted)
            counted.update()
    by_number = [fits[i : i + n_runs] for i in range(0, total, n_runs)]
    return _suggest(numbers, by_number)


def _numbers(n_components: Any) -> list[int]:
    """Return the numbers to compare, sorted and distinct."""
    if isinstance(n_components, str) or not isinstance(n_components, Iterable):
        raise ValueError(
            f"n_components must be a list of numbers to compare, got {n_components!r}."
        )
    listed = list(n_components)
    if not listed:
        raise ValueError("n_components is empty: pass numbers of topics to compare.")
    for number in listed:
        check_positive(n_components=number)
    return sorted(set(listed))


def _parameter(model: Any) -> str:
    """Return the name of the model's parameter ``n_components``."""
    name = "n_components"
    while isinstance(model, Pipeline):
        step, model = model.steps[-1]
        name = f"{step}__{name}"
    known = not isinstance(model, type) and hasattr(model, "get_params")
    if not known or "n_components" not in model.get_params():
        raise ValueError(
            f"{type(model).__name__} has no parameter n_components: pass a topic model, or a "
            "Pipeline that ends in one."
        )
    return name


def _measure(
    model: Any, train: Any, test: Any, n_words: int, indices: bool
) -> tuple[dict[str, float], Weights]:
    """Fit a model; return its measures on other documents, and the weights of its words."""
    model.fit(train)
    found = {}
    for column, measure in _SCORED.items():
        scorer: Callable = topic_scorer(measure, n_words=n_words)
        try:
            found[column] = scorer(model, test)
        except (AttributeError, ValueError):
            if column != "likelihood":
                raise  # tf-idf and merged topics have no likelihood
    if indices:
        found |= indices_of(model, train)
    return found, weights_and_words(model)


def _suggest(numbers: list[int], fits: list[list[tuple[dict, Weights]]]) -> Suggestion:
    columns: dict[str, list[float]] = {"n_components": list(numbers)}
    measures = [
        name
        for name in fits[0][0][0]
        if all(name in found for runs in fits for found, _ in runs)
    ]
    for name in measures:
        values = np.array([[found[name] for found, _ in runs] for runs in fits])
        columns[name] = list(values.mean(axis=1))
        columns[f"{name}_error"] = list(_error(values))
    stable = np.array([list(_similarities(runs)) for runs in fits])
    columns["stability"] = list(stable.mean(axis=1))
    # pairs share runs: as many values as runs are independent
    errors = (
        stable.std(axis=1, ddof=1)
        if stable.shape[1] > 1
        else np.full(len(stable), np.nan)
    )
    columns["stability_error"] = list(errors / np.sqrt(len(fits[0])))
    table = pandas_for("suggest_n_components").DataFrame(columns)
    quality = np.array([[found["quality"] for found, _ in runs] for runs in fits])
    best = int(quality.mean(axis=1).argmax())
    lost = quality[best] - quality  # of the same documents
    plateau = table[lost.mean(axis=1) <= _error(lost)]
    most_stable = plateau["stability"].max()
    chosen = int(plateau.n_components[plateau["stability"] == most_stable].iloc[0])
    listed = [int(number) for number in plateau.n_components]
    reason = _reason(chosen, listed, numbers, numbers[best])
    return Suggestion(chosen, reason + _more_stable(chosen, table), listed, table)


def _reason(chosen: int, plateau: list[int], numbers: list[int], best: int) -> str:
    if len(numbers) == 1:
        reason = f"{chosen} is the only number: pass others to compare."
    elif len(plateau) == 1:
        reason = f"{chosen} has the best quality, by more than one standard error."
    else:
        listed = ", ".join(map(str, plateau[:-1])) + f" and {plateau[-1]}"
        reason = (
            f"{listed} cannot be told apart by quality (one standard error; the mean of {best} "
            f"is highest). {chosen} is the most stable of them."
        )
    if len(numbers) > 1 and chosen in (numbers[0], numbers[-1]):
        side = "smaller" if chosen == numbers[0] else "larger"
        if chosen > 1:
            reason += f" It is at the end of the range: try {side} numbers, too."
    return reason


def _more_stable(chosen: int, table: "pd.DataFrame") -> str:
    """Name the best of the numbers that are clearly more stable than the chosen one."""
    rows = table.set_index("n_components")
    own = rows.loc[chosen]
    errors = np.hypot(rows.stability_error, own.stability_error).fillna(0)
    rows = rows[(rows.stability - own.stability > errors) & (rows.index > 1)]
    if rows.empty:
        return ""
    other = rows.quality.idxmax()
    found = rows.loc[other]
    return (
        f" {other} is more stable: stability {found.stability:.2f} against "
        f"{own.stability:.2f}, quality {found.quality:.3f} against {own.quality:.3f}."
    )


def _error(values: np.ndarray) -> np.ndarray:
    return values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def _similarities(runs: list[tuple[dict, Weights]]) -> Iterator[float]:
    """Yield the mean similarity of matched topics of each pair of runs."""
    for (_, a), (_, b) in combinations(runs, 2):
        yield float(match_weights(a, b)[0].mean())
