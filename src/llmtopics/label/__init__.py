"""Names of topics, written by a language model."""

from llmtopics.label._labeler import TopicLabeler

__all__ = ["TopicLabeler"]


def __dir__() -> list[str]:
    return sorted(__all__)
