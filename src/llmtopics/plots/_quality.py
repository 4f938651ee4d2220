"""Coherence against exclusivity."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from llmtopics._checks import shortened
from llmtopics.plots._colors import topic_colors
from llmtopics.plots._figures import finish, new_axes
from llmtopics.plots._places import write_names
from llmtopics.plots._shown import check_topics, shown_topics

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_quality(
    topics: Any,
    topics_to_show: int | Sequence[int | str] = 30,
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw coherence against exclusivity: of the topics of one model, or of several models.

    Parameters
    ----------
    topics : Topics, or dict from str to Topics
        Result of :func:`llmtopics.read_topics`: of one model, or of several with their names.
    topics_to_show : int or list of topics, default=30
        How many topics of one model, the largest first. Or which ones, by number or name.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. Topics at the top right are good: their words occur together (coherence, NPMI of
        their ten first words) and are not words of other topics (exclusivity). The area of a dot
        is the share of the topic. Of several models, a dot is the mean over topics, and bars are
        standard errors.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``topics`` is not the result of ``read_topics``.
    ValueError
        If a topic does not exist, or no topic has enough words to be measured.

    See Also
    --------
    llmtopics.reading.Topics.topic_table : The same numbers as a table.

    Notes
    -----
    A topic with fewer than two words has no coherence and is left out, with a note above. Compare
    models on the same texts only, and with about the same number of topics.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> from llmtopics.plots import plot_quality
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> ax = plot_quality(read_topics(model, texts))
    >>> len(ax.collections[0].get_offsets())
    2
    """
    several = isinstance(topics, Mapping)
    for each in topics.values() if several else [topics]:
        check_topics(each, "plot_quality")
    found = _models(topics) if several else _topics(topics, topics_to_show)
    if ax is None:
        ax = new_axes("plot_quality", 6.2, 4.2)
    if found.errors is not None:
        dots = zip(found.means, found.errors, found.colors, strict=True)
        for (x, y), (wide, high), color in dots:
            ax.errorbar(x, y, high, wide, color=color, linewidth=1, zorder=1)
    ax.scatter(
        found.means[:, 0],
        found.means[:, 1],
        s=found.areas,
        color=found.colors,
        alpha=0.85,
        linewidths=0,
        zorder=2,
    )
    ax.margins(x=0.25, y=0.12)
    ax.set(xlabel="exclusivity", ylabel="coherence (NPMI)")
    finish(ax, found.note, grid="both")
    write_names(ax, found.means, found.names, beside=True)
    return ax


class _Dots(NamedTuple):
    means: np.ndarray  # exclusivity, coherence; of shape (n, 2)
    errors: np.ndarray | None
    names: list[str]
    colors: list[str]
    areas: Any
    note: str


def _topics(topics: Any, which: int | Sequence[int | str]) -> _Dots:
    """Return a dot per topic."""
    shares = topics.mixtures.mean(axis=0)
    shown = shown_topics(shares, topics.names, which)
    values = _measures(topics)[shown.numbers]
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not len(known):
        raise ValueError("No topic has two words or more, so none can be measured.")
    areas = shares[shown.numbers][known]
    return _Dots(
        values[known],
        None,
        [shown.names[i] for i in known],
        [shown.colors[i] for i in known],
        np.clip(260 * areas / areas.max(), 12, None),
        "" if len(known) == len(shares) else f"{len(known)} of {len(shares)} topics",
    )


def _models(models: Mapping[str, Any]) -> _Dots:
    """Return a dot per model."""
    if not models:
        raise ValueError("topics is empty: pass the Topics of at least one model.")
    means, errors, n_lost = [], [], 0
    for name, topics in models.items():
        values = _measures(topics)
        known = values[np.isfinite(values).all(axis=1)]
        if not len(known):
            raise ValueError(
                f"No topic of {shortened(name)} has two words or more, so none can be measured."
            )
        n_lost += len(values) - len(known)
        means.append(known.mean(axis=0))
        errors.append(known.std(axis=0) / np.sqrt(max(len(known) - 1, 1)))
    note = f"without {n_lost} topics of fewer than two words" if n_lost else ""
    colors = topic_colors(len(models))
    return _Dots(
        np.array(means), np.array(errors), list(map(str, models)), colors, 60, note
    )


def _measures(topics: Any) -> np.ndarray:
    """Return exclusivity and coherence of each topic, (K, 2), NaN where it has no words."""
    table = topics.topic_table()
    return np.array(table[["exclusivity", "coherence"]], np.float64)
