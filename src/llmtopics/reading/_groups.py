"""Shares of topics in groups of documents and over time, with intervals."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from llmtopics._checks import (
    as_seed,
    check_positive,
    check_share,
    pandas_for,
    shortened,
)
from llmtopics._held_out import probabilities
from llmtopics._words import rank_words, term_scores

if TYPE_CHECKING:
    import pandas as pd

    from llmtopics.reading._topics import Topics

_DAY_OR_MONTH = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-]\d").match  # which is which?
_AT_ONCE = 4_000_000  # weights of documents drawn at once


class Bootstrap(NamedTuple):
    """How intervals are drawn: number of samples, confidence, seed."""

    n_samples: int
    confidence: float
    random_state: Any


def shares_table(
    topics: "Topics",
    kind: str,
    kinds: list[Any],
    members: list[np.ndarray],
    drawing: Bootstrap,
) -> "pd.DataFrame":
    """Return the table of shares, one row per group and topic."""
    check_positive(n_bootstrap=drawing.n_samples)
    check_share(confidence=drawing.confidence)
    rng = np.random.default_rng(as_seed(drawing.random_state))
    n_topics = len(topics.names)
    thetas = [topics.mixtures[group] for group in members]
    ends = [
        intervals(theta, drawing.n_samples, drawing.confidence, rng) for theta in thetas
    ]
    return pandas_for("Topics").DataFrame(
        {
            kind: [value for value in kinds for _ in range(n_topics)],
            "topic": np.tile(np.arange(n_topics), len(kinds)),
            "name": topics.names * len(kinds),
            "share": np.concatenate([theta.mean(axis=0) for theta in thetas]),
            "low": np.concatenate([low for low, _ in ends]),
            "high": np.concatenate([high for _, high in ends]),
            "n_documents": np.repeat([len(group) for group in members], n_topics),
        }
    )


def over_time(
    topics: "Topics",
    times: np.ndarray,
    rows: np.ndarray,
    freq: str,
    smooth: int,
    n_words: int,
    drawing: Bootstrap,
) -> "pd.DataFrame":
    """Return the table of shares and words, one row per period and topic."""
    periods = parse_times(times, rows, freq).start_time
    kinds, members = sorted_groups(dict(zip(rows, periods, strict=True)), rows)
    table = shares_table(topics, "period", kinds, neighbors(members, smooth), drawing)
    sizes = [len(group) for group in members]
    table["n_documents"] = np.repeat(sizes, len(topics.names))
    words = words_of_periods(
        topics._counts,
        topics.mixtures,
        topics.components,
        topics.vocabulary,
        members,
        n_words,
    )
    table["words"] = [" ".join(topic) for period in words for topic in period]
    return table


def sorted_groups(values: Any, rows: np.ndarray) -> tuple[list[Any], list[np.ndarray]]:
    """Return the distinct values in order, and the rows of each."""
    found: dict[Any, list[int]] = {}
    for row in rows:
        try:
            found.setdefault(values[row], []).append(row)
        except TypeError:
            raise ValueError(
                f"groups has {shortened(values[row])} in row {row}, and a group is one value: "
                "pass a text, a number or a tuple."
            ) from None
    try:
        kinds = sorted(found)
    except TypeError:  # numbers and texts
        kinds = sorted(found, key=str)
    return kinds, [np.array(found[kind]) for kind in kinds]


def intervals(
    mixtures: np.ndarray, n_bootstrap: int, confidence: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a bootstrap interval of the mean of θ, (K,) and (K,).

    Documents are drawn with replacement. The interval has the quantiles of the means. One
    document says nothing of the spread, so its interval is [0, 1].
    """
    n = len(mixtures)
    if n < 2:
        return np.zeros(mixtures.shape[1]), np.ones(mixtures.shape[1])
    means, step = [], max(1, _AT_ONCE // n)
    for first in range(0, n_bootstrap, step):
        size = min(step, n_bootstrap - first)
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=size)
        means.append(drawn @ mixtures / n)
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.vstack(means), [tail, 1 - tail], axis=0)
    return low, high


def parse_times(times: np.ndarray, rows: np.ndarray, freq: str) -> Any:
    """Return the period of each document in ``rows``, a pandas PeriodIndex.

    Raises
    ------
    ValueError
        If a time is no date and no year, or ``freq`` is unknown.
    """
    pd = pandas_for("Topics.over")
    dates = []
    for row in rows:
        given = times[row]
        try:
            date = pd.Timestamp(_date_of(given))
            # pandas reads "" as no date, and "May 5" as a day of year 1
            if date is pd.NaT or (date.year == 1 and not _says_year_1(given)):
                raise ValueError
        except (ValueError, TypeError, OverflowError):
            raise ValueError(
                f"times has {shortened(given)} in row {row}, which is no date and no year: "
                "pass dates (such as '2024-05-31'), or years as whole numbers. Of text such as "
                "'03.04.2024', tell pandas first what is the day: pd.to_datetime(times, "
                "dayfirst=True)."
            ) from None
        dates.append(date.tz_convert("UTC").tz_localize(None) if date.tzinfo else date)
    try:
        return pd.DatetimeIndex(dates).to_period(freq)
    except (ValueError, AttributeError, KeyError) as error:
        raise ValueError(
            "freq must be a frequency of pandas such as 'D', 'W', 'M', 'Q' or 'Y', got "
            f"{freq!r}."
        ) from error


def _date_of(given: Any) -> Any:
    """Return what pandas reads as a date. Whole numbers are years."""
    if isinstance(given, bool | np.bool_):
        raise ValueError
    if isinstance(given, str) and (
        not any(map(str.isdigit, given))  # "now" would be another period on each day
        or _DAY_OR_MONTH(given)
    ):
        raise ValueError
    if hasattr(given, "start_time"):  # a Period of pandas
        return given.start_time
    if not isinstance(given, int | float | np.integer | np.floating):
        return given
    if not 1 <= given <= 9999 or given != int(given):
        raise ValueError
    return f"{int(given):04d}"


def _says_year_1(given: Any) -> bool:
    return not isinstance(given, str) or "0001" in given


def neighbors(members: list[np.ndarray], window: int) -> list[np.ndarray]:
    """Return the documents of each period and its neighbors, ``window`` periods in all."""
    before, after = (window - 1) // 2, window // 2
    return [
        np.concatenate(members[max(0, p - before) : p + after + 1])
        for p in range(len(members))
    ]


def words_of_periods(
    X: sp.csr_array,
    mixtures: np.ndarray,
    weights: np.ndarray,
    vocabulary: np.ndarray,
    periods: list[np.ndarray],
    n_words: int,
) -> Iterator[list[list[str]]]:
    """Yield the words of each topic in each period.

    Tokens of the period's documents are divided among topics in proportion to
    ``θ_dk φ_kw``. Words are then ranked by term score, as :func:`top_words` does. A word that
    no document of the period has is not listed.
    """
    totals = weights.sum(axis=1, keepdims=True)
    phi = np.divide(weights, totals, where=totals > 0, out=np.zeros_like(weights))
    words = [str(word) for word in vocabulary]
    for rows in periods:
        some = sp.csr_array(X[rows], dtype=np.float64)
        theta = mixtures[rows]
        expected = np.maximum(probabilities(some, theta, phi), 1e-300)
        ratios = sp.csr_array(
            (some.data / expected, some.indices, some.indptr), shape=some.shape
        )
        counted = (ratios.T @ theta).T * phi
        yield rank_words(term_scores(counted), counted, words, n_words)
