"""Topic models: count matrices in, document mixtures and topic words out."""

from llmtopics._words import top_words
from llmtopics.topics._gibbs_lda import GibbsLDA

__all__ = ["GibbsLDA", "top_words"]
