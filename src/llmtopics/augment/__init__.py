"""Texts to richer texts, more texts, or extra counts, by a language model."""

from llmtopics.augment._next_words import NextWordCounts

__all__ = ["NextWordCounts"]
