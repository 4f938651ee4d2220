"""Richer texts, more texts, or extra counts from a language model."""

from llmtopics.augment._augmenter import LLMAugmenter
from llmtopics.augment._next_words import NextWordCounts
from llmtopics.augment._resampler import LLMResampler

__all__ = ["LLMAugmenter", "LLMResampler", "NextWordCounts"]


def __dir__() -> list[str]:
    return sorted(__all__)
