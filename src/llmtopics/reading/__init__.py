"""A fitted model's topics: tables, words, documents, groups, merged and renamed topics."""

from llmtopics.reading._labeler import TopicLabeler
from llmtopics.reading._map import TopicMap
from llmtopics.reading._merger import TopicMerger
from llmtopics.reading._read import read_topics
from llmtopics.reading._topics import Topics

__all__ = ["TopicLabeler", "TopicMap", "TopicMerger", "Topics", "read_topics"]


def __dir__() -> list[str]:
    return sorted(__all__)
