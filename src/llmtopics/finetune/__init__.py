"""Training and tuning of language models on texts."""

from llmtopics.finetune._tuner import LanguageModelTuner

__all__ = ["LanguageModelTuner"]


def __dir__() -> list[str]:
    return __all__
