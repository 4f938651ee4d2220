"""Plots of topics: each function takes arrays and returns matplotlib's axes."""

from llmtopics.plots._correlations import plot_correlations

__all__ = ["plot_correlations"]


def __dir__() -> list[str]:
    return sorted(__all__)
