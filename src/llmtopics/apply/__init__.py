"""Use topics: recommendations."""

from llmtopics.apply._recommender import TopicRecommender
from llmtopics.apply._recommender_explanation import RecommendationExplanation

__all__ = ["RecommendationExplanation", "TopicRecommender"]


def __dir__() -> list[str]:
    return sorted(__all__)
