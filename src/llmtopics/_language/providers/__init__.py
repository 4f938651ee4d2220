"""What requests and answers look like, for each kind of server.

A new kind is a subclass of :class:`Provider` in a file of its own, and an entry here.
"""

from llmtopics._language.providers.base import Provider, Reply
from llmtopics._language.providers.openai_compatible import OpenAICompatible

__all__ = ["PROVIDERS", "Provider", "Reply"]

PROVIDERS: dict[str, Provider] = {"openai": OpenAICompatible()}
