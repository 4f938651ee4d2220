"""Why a text has its topics: what each part of it adds to them.

The package is not named ``explain``: importing it would hide the function of that name.
"""

from llmtopics.explanation._explain import explain
from llmtopics.explanation._explanation import Explanation

__all__ = ["Explanation", "explain"]


def __dir__() -> list[str]:
    return sorted(__all__)
