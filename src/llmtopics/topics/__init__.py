"""Topic models: count matrices in, document mixtures and topic words out."""

from llmtopics.topics._gibbs_lda import GibbsLDA
from llmtopics.topics._words import top_words

__all__ = ["GibbsLDA", "top_words"]
