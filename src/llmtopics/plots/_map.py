"""Map of topics and documents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics.plots._figures import FONT_SIZE, new_axes
from llmtopics.plots._places import write_names
from llmtopics.plots._shown import columns_of, shown_topics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDE = 6.5  # inches


def plot_map(
    topics: Any,
    topics_to_show: int | Sequence[int | str] = 25,
    *,
    method: str = "topics",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw documents as dots in the colors of their topics, and names at their topics.

    Parameters
    ----------
    topics : Topics or TopicMap
        Result of :func:`llmtopics.read_topics`, or of its method ``map``.
    topics_to_show : int or list of topics, default=25
        How many topics get their names, the largest first. Or which ones, by number or name.
        Documents of the other topics are gray.
    method : {"topics", "pca", "umap"}, default="topics"
        How places are found. See :meth:`llmtopics.reading.Topics.map`. A TopicMap has them
        already.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes. Near topics have similar documents. A document between two topics has shares of
        both. Directions and units have no meaning, so there is no scale. A name without room is
        left out, with a note above.

    Raises
    ------
    ImportError
        If matplotlib is not installed, or umap-learn for ``method="umap"``.
    TypeError
        If ``topics`` is neither Topics nor a TopicMap.
    ValueError
        If a topic does not exist, or ``method`` is unknown.

    See Also
    --------
    llmtopics.reading.Topics.map : The same numbers as tables, and what they mean.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> from llmtopics.plots import plot_map
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> ax = plot_map(read_topics(model, texts))
    >>> len(ax.collections[0].get_offsets())  # documents
    11
    """
    found = topics.map(method) if hasattr(topics, "mixtures") else topics
    if not hasattr(found, "documents") or not hasattr(found, "topics"):
        raise TypeError(
            f"plot_map needs Topics, got {type(topics).__name__}: pass the result of "
            "read_topics(model, texts), or of its method map."
        )
    source = "Topics.map"
    documents = columns_of(found.documents, ("x", "y", "topic"), (), source)
    places = columns_of(found.topics, ("x", "y", "share"), ("name",), source)
    shown = shown_topics(places["share"], places["name"], topics_to_show)
    x, y = documents["x"], documents["y"]
    if ax is None:
        flat = np.clip((np.ptp(y) + 0.1) / (np.ptp(x) + 0.1), 0.6, 1.2)
        ax = new_axes("plot_map", _SIDE, _SIDE * flat)
    colors = np.full(len(places["name"]), "#9a9a9a", dtype=object)
    colors[shown.numbers] = shown.colors
    order = np.random.default_rng(0).permutation(len(x))  # no topic covers the others
    ax.scatter(
        x[order], y[order], c=list(colors[documents["topic"].astype(int)[order]]),
        s=np.clip(2e4 / len(x), 1.5, 14), alpha=0.6, linewidths=0, rasterized=True,
    )  # fmt: skip
    ax.set(xticks=[], yticks=[])
    ax.margins(0.04)
    ax.set_aspect("equal", adjustable="datalim")
    ax.spines[:].set_visible(False)
    at = np.column_stack([places["x"], places["y"]])[shown.numbers]
    n_named = write_names(ax, at, shown.names)
    if n_named < len(places["name"]):
        ax.set_title(
            f"{n_named} of {len(places['name'])} topics have room for their names"
            if n_named < len(shown.numbers)
            else shown.note,
            loc="right", fontsize=FONT_SIZE - 1,
        )  # fmt: skip
    return ax
