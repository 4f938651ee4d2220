"""The only door to torch, transformers and the model hub; importing it loads neither."""

from typing import Any

from llmtopics._language._ask import (
    LanguageModel,
    LLMError,
    LLMLimitError,
    LLMUnsupportedError,
)
from llmtopics._language._local import LocalLLM
from llmtopics._language._remote import RemoteLLM

__all__ = [
    "LLMError",
    "LLMLimitError",
    "LLMUnsupportedError",
    "LanguageModel",
    "LocalLLM",
    "RemoteLLM",
    "as_llm",
    "still_asked",
    "used_since",
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


def still_asked(fitted: LanguageModel, llm: Any) -> LanguageModel:
    """Return the language model that a fitted estimator asks, given its parameter ``llm``.

    That is ``llm`` as it is now, with a device or a limit that was set since, as long as it
    gives the same answers as the one that was ``fitted``.
    """
    same = type(llm) is type(fitted) and all(
        getattr(llm, name) == getattr(fitted, name)
        for name in fitted._DECIDES or fitted.get_params(deep=False)
    )
    return llm if same else fitted


def used_since(before: dict[str, float], llm: LanguageModel) -> dict[str, float]:
    """Return what a language model was asked since its ``usage_`` was ``before``."""
    return {name: n - before[name] for name, n in llm.usage_.items()}
