"""What topics mean to people: why a text has the topics it has."""

from llmtopics.label._explain import explain
from llmtopics.label._explanation import Explanation

__all__ = ["Explanation", "explain"]
