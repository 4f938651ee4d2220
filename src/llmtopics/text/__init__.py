"""Texts → words: an analyzer for scikit-learn's vectorizers, and stop words."""

from llmtopics.text._analyzer import TextAnalyzer
from llmtopics.text._stop_words import stop_words

__all__ = ["TextAnalyzer", "stop_words"]


def __dir__() -> list[str]:
    return sorted(__all__)
