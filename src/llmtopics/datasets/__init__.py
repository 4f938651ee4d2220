"""Corpora: real ones by name, and planted ones whose topics are known.

The real ones are read from the files of packages that ``make models`` installs; those
packages are never imported.
"""

from llmtopics.datasets._bbc_news import load_bbc_news
from llmtopics.datasets._planted import make_topics
from llmtopics.datasets._reuters395 import load_reuters395

__all__ = ["load_bbc_news", "load_reuters395", "make_topics"]


def __dir__() -> list[str]:
    return sorted(__all__)
