"""From texts to vectors: by a language model, or looked up among given vectors."""

from llmtopics.embed._precomputed import PrecomputedEmbeddings
from llmtopics.embed._transformer import TransformerEmbedder

__all__ = ["PrecomputedEmbeddings", "TransformerEmbedder"]


def __dir__() -> list[str]:
    return sorted(__all__)
