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
    "as_llm",
]


def as_llm(llm: str | LanguageModel) -> LanguageModel:
    """Return the language model that a parameter ``llm`` means: a name is a local one.

    Raises
    ------
    ValueError
        If it is neither a name nor a language model.
    """
    if isinstance(llm, str):
        return LocalLLM(llm)
    if not isinstance(llm, LanguageModel):
        raise ValueError(
            "llm must be the name of a local model, such as 'smollm2', or a language model "
            f"such as LocalLLM(...), got {llm!r} of type {type(llm).__name__}."
        )
    return llm
