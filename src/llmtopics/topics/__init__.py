"""Topic models: word counts or embeddings → topic proportions θ and topics φ."""

from llmtopics._words import top_words
from llmtopics.topics._embedding import EmbeddingTopics
from llmtopics.topics._gibbs_lda import GibbsLDA
from llmtopics.topics._log_ratios import log_ratios
from llmtopics.topics._pachinko import PachinkoAllocation
from llmtopics.topics._private_lda import PrivateLDA
from llmtopics.topics._private_vocabulary import private_vocabulary

__all__ = [
    "EmbeddingTopics",
    "GibbsLDA",
    "PachinkoAllocation",
    "PrivateLDA",
    "log_ratios",
    "private_vocabulary",
    "top_words",
]


def __dir__() -> list[str]:
    return sorted(__all__)
