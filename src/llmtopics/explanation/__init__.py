"""``explain``: what each part of a text adds to its topics.

The package is not named ``explain``: importing it would hide the function of that name.
"""

from llmtopics.explanation._explain import explain
from llmtopics.explanation._explanation import Explanation

__all__ = ["Explanation", "explain"]


def __dir__() -> list[str]:
    return sorted(__all__)
