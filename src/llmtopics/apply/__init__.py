"""What people do with topics: recommendations, summaries, sentiment."""

from llmtopics.apply._recommender import TopicRecommender
from llmtopics.apply._recommender_explanation import RecommendationExplanation
from llmtopics.apply._sentiment import TopicSentiment
from llmtopics.apply._summarizer import TopicSummarizer

__all__ = [
    "RecommendationExplanation",
    "TopicRecommender",
    "TopicSentiment",
    "TopicSummarizer",
]


def __dir__() -> list[str]:
    return sorted(__all__)
