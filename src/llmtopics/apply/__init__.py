"""Use topics: recommendations, sentiment."""

from llmtopics.apply._recommender import TopicRecommender
from llmtopics.apply._recommender_explanation import RecommendationExplanation
from llmtopics.apply._sentiment import TopicSentiment

__all__ = ["RecommendationExplanation", "TopicRecommender", "TopicSentiment"]


def __dir__() -> list[str]:
    return sorted(__all__)
