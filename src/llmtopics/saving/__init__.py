"""Save and load fitted models without pickle."""

from llmtopics.saving._save import load, save

__all__ = ["load", "save"]


def __dir__() -> list[str]:
    return sorted(__all__)
