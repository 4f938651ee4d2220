"""Plots of topics, sentiment and training: functions from tables to matplotlib's axes."""

from llmtopics.plots._choices import plot_alpha, plot_n_components
from llmtopics.plots._colors import topic_colors
from llmtopics.plots._correlations import plot_correlations
from llmtopics.plots._groups import plot_groups
from llmtopics.plots._map import plot_map
from llmtopics.plots._over_time import plot_over_time
from llmtopics.plots._quality import plot_quality
from llmtopics.plots._sentiment import plot_topic_sentiment
from llmtopics.plots._similarity import plot_merge_tree, plot_similarity
from llmtopics.plots._sizes import plot_sizes
from llmtopics.plots._trace import plot_trace
from llmtopics.plots._training import plot_training
from llmtopics.plots._words import plot_words

__all__ = [
    "plot_alpha",
    "plot_correlations",
    "plot_groups",
    "plot_map",
    "plot_merge_tree",
    "plot_n_components",
    "plot_over_time",
    "plot_quality",
    "plot_similarity",
    "plot_sizes",
    "plot_topic_sentiment",
    "plot_trace",
    "plot_training",
    "plot_words",
    "topic_colors",
]


def __dir__() -> list[str]:
    return sorted(__all__)
