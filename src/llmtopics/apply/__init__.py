"""What people do with topics: summaries."""

from llmtopics.apply._summarizer import TopicSummarizer

__all__ = ["TopicSummarizer"]


def __dir__() -> list[str]:
    return sorted(__all__)
