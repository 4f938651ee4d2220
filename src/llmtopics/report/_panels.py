"""Groups, time and quality, as numbers and as paths of charts.

A panel is a dict. If it cannot be made, its only key is ``why_not``, one sentence.
"""

from typing import Any

import numpy as np

from llmtopics.metrics import topic_diversity
from llmtopics.reading import Topics
from llmtopics.reading._groups import parse_times, sorted_groups
from llmtopics.reading._inputs import check_column

_MOST_TOPICS, _MOST_GROUPS = 30, 25  # rows and columns of tables and charts
_MOST_PERIODS = 40
_FREQUENCIES = ("D", "W", "M", "Q", "Y")
_WIDTH, _HEIGHT = 200, 56  # units of a chart
_CLEAR = 0.5  # share of a clear first topic
_CLEAR_NAME = "Documents with a clear topic"
_MEANS = {
    "Coherence (NPMI)": "Mean over topics. From -1 to 1, higher is better: the ten words of a "
    "topic occur in the same documents. At 0 they occur together as rarely as random words.",
    "Exclusivity": "Mean over topics. From 0 to 1, higher is better: the most probable words "
    "of a topic are rare in the others.",
    "Diversity": "Share of distinct words among the ten words of all topics. At 1, no word is "
    "in two topics.",
    _CLEAR_NAME: "Share of documents of which one topic has at least "
    f"{_CLEAR:.0%}. The others are about several topics, are too short to tell, or have no known "
    "word.",
    "Topics without documents": "Number of topics that are the first topic of no document. "
    "Many of them say that the model has too many topics.",
}
Panel = tuple[dict[str, Any], np.ndarray | None]


def group_panel(topics: Topics, groups: Any) -> Panel:
    """Return the shares of topics in groups, and the group of each document (-1: none)."""
    given = topics.labels if groups is None else groups
    if given is None:
        return {
            "why_not": "The documents have no groups: pass labels= to read_topics."
        }, None
    values = _column(given, topics, "groups")
    rows = _known(values)
    if not len(rows):
        return {"why_not": "No document has a group: all groups are missing."}, None
    kinds, members = sorted_groups(values, rows)
    sizes = np.array([len(group) for group in members])
    column = np.full(len(topics.texts), -1)
    for g, group in enumerate(members):
        column[group] = g
    found = {"names": [str(kind) for kind in kinds], "sizes": sizes.tolist()}
    if len(kinds) == 1:
        why = "All documents are of one group, so there is nothing to compare."
        return found | {"why_not": why}, column
    largest = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_GROUPS])
    some = np.flatnonzero(np.isin(column, largest))
    named = np.empty(len(values), dtype=object)
    named[some] = [column[d] for d in some]
    table = topics.by(named, missing="drop")
    made = found | _shares(table, len(topics.names))
    made["groups"] = largest.tolist()
    made["largest_topics"] = _largest(topics)
    made["n_missing"] = len(values) - len(rows)
    return made, column


def time_panel(topics: Topics, times: Any, freq: str | None) -> Panel:
    """Return the shares of topics over time, and the period of each document (-1: none)."""
    given = topics.times if times is None else times
    if given is None:
        return {
            "why_not": "The documents have no dates: pass times= to read_topics."
        }, None
    values = _column(given, topics, "times")
    rows = _known(values)
    if not len(rows):
        return {"why_not": "No document has a date: all times are missing."}, None
    periods = parse_times(values, rows, freq or "D")
    each = freq or _shortest(periods)
    periods = periods.asfreq(each)
    kinds = periods.unique().sort_values()
    column = np.full(len(topics.texts), -1)
    column[rows] = kinds.get_indexer(periods)
    found = {"names": [str(kind).split("/")[0] for kind in kinds], "freq": each}
    if len(kinds) == 1:
        why = "All documents are of one period, so there is nothing to compare."
        return found | {"why_not": why}, column
    table = topics.over(values, freq=each, missing="drop")
    made = found | _shares(table, len(topics.names))
    made["words"] = table.words.to_numpy().reshape(len(kinds), -1).T.tolist()
    starts = kinds.start_time.astype("int64").to_numpy().astype(float)
    places = (starts - starts[0]) / (starts[-1] - starts[0])
    shares, highs = np.array(made["share"]), np.array(made["high"])
    made["charts"] = [
        _chart(places, shares[k], np.array(made["low"][k]), highs[k])
        for k in _largest(topics)
    ]
    made["largest_topics"] = _largest(topics)
    made["n_missing"] = len(values) - len(rows)
    return made, column


def _shortest(days: Any) -> str:
    """Return the frequency of the shortest periods of which there are not too many.

    If longer periods distinguish as much, such as years of which only January 1 occurs, they
    are taken.
    """
    n_periods = {freq: days.asfreq(freq).nunique() for freq in _FREQUENCIES}
    few = [freq for freq in _FREQUENCIES if n_periods[freq] <= _MOST_PERIODS]
    if not few:
        return _FREQUENCIES[-1]
    return [freq for freq in few if n_periods[freq] == n_periods[few[0]]][-1]


def _column(given: Any, topics: Topics, name: str) -> np.ndarray:
    column = check_column(given, len(topics.texts), name)
    assert column is not None
    return column


def _known(values: np.ndarray) -> np.ndarray:
    import pandas as pd  # read_topics needs it, so it is there

    return np.flatnonzero(~np.asarray(pd.isna(values), bool))


def _shares(table: Any, n_topics: int) -> dict[str, Any]:
    """Return the numbers of a table of shares as lists, one list per topic."""
    columns = {
        name: table[name].to_numpy().reshape(-1, n_topics).T.round(5).tolist()
        for name in ("share", "low", "high")
    }
    return columns | {"n_documents": table.n_documents.to_numpy()[::n_topics].tolist()}


def _largest(topics: Topics) -> list[int]:
    """Return the topics with the largest shares, largest first."""
    order = np.argsort(-topics.mixtures.mean(axis=0), kind="stable")
    return order[:_MOST_TOPICS].tolist()


def _chart(
    x: np.ndarray, share: np.ndarray, low: np.ndarray, high: np.ndarray
) -> dict[str, Any]:
    """Return the paths of a line with its interval, and the top of the scale."""
    top = max(min(high.max(), 1.6 * share.max()), 1e-3)

    def points(values: np.ndarray, order: slice) -> str:
        y = _HEIGHT * (1 - np.minimum(values / top, 1))
        pairs = zip((_WIDTH * x)[order], y[order], strict=True)
        return "L".join(f"{a:.1f} {b:.1f}" for a, b in pairs)

    forward, back = slice(None), slice(None, None, -1)
    return {
        "line": f"M{points(share, forward)}",
        "band": f"M{points(high, forward)}L{points(low, back)}Z",
        "highest": float(share.max()),
        "highest_at": int(share.argmax()),
    }


def quality_panel(topics: Topics) -> list[dict[str, Any]]:
    """Return measures of quality: name, value (None if not measurable), kind, meaning."""
    coherences, exclusivities = topics._quality
    words = [listed for listed in topics._words(10) if listed]
    is_clear = topics.mixtures.max(axis=1) >= _CLEAR
    is_clear &= np.diff(topics._counts.indptr) > 0  # others may have the prior's mean
    values = {
        "Coherence (NPMI)": _mean(coherences),
        "Exclusivity": _mean(exclusivities),
        "Diversity": topic_diversity(words) if words else None,
        _CLEAR_NAME: float(is_clear.mean()),
        "Topics without documents": int((topics.sizes == 0).sum()),
    }
    return [
        {
            "name": name,
            "value": value,
            "is_share": name == _CLEAR_NAME,
            "means": _MEANS[name],
        }
        for name, value in values.items()
    ]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
