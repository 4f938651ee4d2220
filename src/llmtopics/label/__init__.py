"""Why a text has its topics."""

from llmtopics.label._explain import explain
from llmtopics.label._explanation import Explanation

__all__ = ["Explanation", "explain"]


def __dir__() -> list[str]:
    return sorted(__all__)
