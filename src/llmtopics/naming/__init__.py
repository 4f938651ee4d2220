"""Name and describe topics with a language model."""

from llmtopics.naming._name_topics import TopicNames, name_topics

__all__ = ["TopicNames", "name_topics"]


def __dir__() -> list[str]:
    return sorted(__all__)
