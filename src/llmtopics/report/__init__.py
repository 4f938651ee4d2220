"""One HTML page about the topics of a fitted model."""

from llmtopics.report._report import topic_report

__all__ = ["topic_report"]


def __dir__() -> list[str]:
    return sorted(__all__)
