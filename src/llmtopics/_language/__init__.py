"""The only door to torch, transformers and the model hub; importing it loads neither."""

from llmtopics._language._ask import (
    LanguageModel,
    LLMError,
    LLMLimitError,
    LLMUnsupportedError,
)
from llmtopics._language._local import LocalLLM

__all__ = [
    "LLMError",
    "LLMLimitError",
    "LLMUnsupportedError",
    "LanguageModel",
    "LocalLLM",
]
