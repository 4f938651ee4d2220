"""Training and tuning of language models on texts."""

from llmtopics.finetune._classifier import TransformerClassifier
from llmtopics.finetune._tuner import LanguageModelTuner

__all__ = ["LanguageModelTuner", "TransformerClassifier"]


def __dir__() -> list[str]:
    return sorted(__all__)
