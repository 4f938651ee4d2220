"""Plots of topics, sentiment and training: functions from arrays to matplotlib's axes."""

from llmtopics.plots._colors import topic_colors
from llmtopics.plots._correlations import plot_correlations
from llmtopics.plots._sentiment import plot_topic_sentiment
from llmtopics.plots._training import plot_training

__all__ = [
    "plot_correlations",
    "plot_topic_sentiment",
    "plot_training",
    "topic_colors",
]


def __dir__() -> list[str]:
    return sorted(__all__)
