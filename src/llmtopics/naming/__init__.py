"""Name and describe topics with a language model."""

from llmtopics.naming._labeler import TopicLabeler

__all__ = ["TopicLabeler"]


def __dir__() -> list[str]:
    return sorted(__all__)
