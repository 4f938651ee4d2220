"""Use topics: sentiment."""

from llmtopics.apply._sentiment import TopicSentiment

__all__ = ["TopicSentiment"]


def __dir__() -> list[str]:
    return sorted(__all__)
