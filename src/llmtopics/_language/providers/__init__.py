"""Formats of requests and answers, one for each kind of server.

A new kind needs a subclass of :class:`Provider` in its own file, and an entry here.
"""

from llmtopics._language.providers.base import Provider, Reply
from llmtopics._language.providers.openai_compatible import OpenAICompatible

__all__ = ["PROVIDERS", "Provider", "Reply"]

PROVIDERS: dict[str, Provider] = {"openai": OpenAICompatible()}
