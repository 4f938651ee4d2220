"""Texts → words and sentences: an analyzer for vectorizers, stop words, languages."""

from llmtopics.text._analyzer import TextAnalyzer
from llmtopics.text._detect import detect_language
from llmtopics.text._sentences import split_sentences
from llmtopics.text._stop_words import stop_words
from llmtopics.text._store_texts import store_texts

__all__ = [
    "TextAnalyzer",
    "detect_language",
    "split_sentences",
    "stop_words",
    "store_texts",
]


def __dir__() -> list[str]:
    return sorted(__all__)
