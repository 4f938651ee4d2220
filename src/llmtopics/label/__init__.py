"""What topics mean to people: their names, and why a text has them."""

from llmtopics.label._explain import explain
from llmtopics.label._explanation import Explanation
from llmtopics.label._labeler import TopicLabeler

__all__ = ["Explanation", "TopicLabeler", "explain"]


def __dir__() -> list[str]:
    return sorted(__all__)
