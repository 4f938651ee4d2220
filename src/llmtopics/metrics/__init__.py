"""Evaluation of topics: functions of arrays, and scorers for scikit-learn's searches."""

from llmtopics.metrics._agreement import (
    harmonic_purity,
    inverse_purity,
    label_agreement,
    matched_accuracy,
    purity,
)
from llmtopics.metrics._coherence import coherence
from llmtopics.metrics._correlations import topic_correlations
from llmtopics.metrics._distinctness import (
    exclusivity,
    inverted_rbo,
    topic_distances,
    topic_diversity,
)
from llmtopics.metrics._embedding_coherence import embedding_coherence
from llmtopics.metrics._intrusion import topic_intrusion, word_intrusion
from llmtopics.metrics._left_to_right import left_to_right
from llmtopics.metrics._membership import membership_inference
from llmtopics.metrics._perplexity import completion_split, perplexity
from llmtopics.metrics._rankings import ndcg_at_k, recall_at_k
from llmtopics.metrics._ratings import rate_topics
from llmtopics.metrics._scorers import topic_scorer
from llmtopics.metrics._stability import topic_stability
from llmtopics.metrics._suggest import suggest_n_components

__all__ = [
    "coherence",
    "completion_split",
    "embedding_coherence",
    "exclusivity",
    "harmonic_purity",
    "inverse_purity",
    "inverted_rbo",
    "label_agreement",
    "left_to_right",
    "matched_accuracy",
    "membership_inference",
    "ndcg_at_k",
    "perplexity",
    "purity",
    "rate_topics",
    "recall_at_k",
    "suggest_n_components",
    "topic_correlations",
    "topic_distances",
    "topic_diversity",
    "topic_intrusion",
    "topic_scorer",
    "topic_stability",
    "word_intrusion",
]


def __dir__() -> list[str]:
    return sorted(__all__)
