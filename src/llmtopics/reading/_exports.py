"""What other libraries' views of topics take."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics


def to_pyldavis(topics: "Topics") -> dict[str, Any]:
    """Return the arguments of ``pyLDAvis.prepare``."""
    counts = topics._counts
    return {
        "topic_term_dists": topics.components,
        "doc_topic_dists": topics.mixtures,
        "doc_lengths": np.asarray(counts.sum(axis=1)).ravel(),
        "vocab": [str(word) for word in topics.vocabulary],
        "term_frequency": np.asarray(counts.sum(axis=0)).ravel(),
        "sort_topics": False,  # keep our numbers
        "start_index": 0,
    }


def to_topicwizard(topics: "Topics") -> dict[str, Any]:
    """Return the ``topic_data`` of topicwizard."""
    counts, vectors = topics._counts, topics._vectors
    return {
        "corpus": topics.texts,
        "vocab": np.array([str(word) for word in topics.vocabulary]),
        "document_term_matrix": counts,
        "document_topic_matrix": topics.mixtures,
        "topic_term_matrix": topics.components,
        "document_representation": counts if vectors is None else vectors,
        "transform": topics._fitted.mixtures,
        "topic_names": list(topics.names),
    }
