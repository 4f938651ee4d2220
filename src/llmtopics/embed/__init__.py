"""Embed texts as vectors, with a language model, by a server, or from given vectors."""

from llmtopics.embed._precomputed import PrecomputedEmbeddings
from llmtopics.embed._remote import RemoteEmbedder
from llmtopics.embed._store_vectors import store_vectors
from llmtopics.embed._transformer import TransformerEmbedder

__all__ = [
    "PrecomputedEmbeddings",
    "RemoteEmbedder",
    "TransformerEmbedder",
    "store_vectors",
]


def __dir__() -> list[str]:
    return sorted(__all__)
