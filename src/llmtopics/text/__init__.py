"""Texts → words: an analyzer for scikit-learn's vectorizers, stop words, detected languages."""

from llmtopics.text._analyzer import TextAnalyzer
from llmtopics.text._detect import detect_language
from llmtopics.text._stop_words import stop_words

__all__ = ["TextAnalyzer", "detect_language", "stop_words"]


def __dir__() -> list[str]:
    return sorted(__all__)
