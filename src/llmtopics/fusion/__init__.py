"""Topics of texts from word counts and embeddings together."""

from llmtopics.fusion._estimator import FusionTopicModel

__all__ = ["FusionTopicModel"]


def __dir__() -> list[str]:
    return sorted(__all__)
