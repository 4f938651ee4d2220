"""Language models. Only this package imports torch and transformers, when they are needed."""

from typing import Any

from llmtopics._language.errors import LLMError, LLMLimitError, LLMUnsupportedError
from llmtopics._language.local import LocalLLM
from llmtopics._language.model import LanguageModel
from llmtopics._language.remote import RemoteLLM

__all__ = [
    "LLMError",
    "LLMLimitError",
    "LLMUnsupportedError",
    "LanguageModel",
    "LocalLLM",
    "RemoteLLM",
    "as_llm",
    "model_to_ask",
    "usage_since",
]


def as_llm(llm: str | LanguageModel) -> LanguageModel:
    """Return the language model for a parameter ``llm``. A name becomes a ``LocalLLM``.

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


def model_to_ask(fitted: LanguageModel, llm: Any) -> LanguageModel:
    """Return the language model that a fitted estimator calls: ``llm`` or ``fitted``.

    It is ``llm`` if both give the same answers. So a device or limit that was set after
    ``fit`` is used.
    """
    same = type(llm) is type(fitted) and all(
        getattr(llm, name) == getattr(fitted, name)
        for name in fitted._DECIDES or fitted.get_params(deep=False)
    )
    return llm if same else fitted


def usage_since(before: dict[str, float], llm: LanguageModel) -> dict[str, float]:
    """Return the usage of a language model since its ``usage_`` was ``before``."""
    return {name: n - before[name] for name, n in llm.usage_.items()}
