"""What other libraries' views of topics take."""

from typing import TYPE_CHECKING, Any

import numpy as np

from llmtopics._redact import cleaner, distinct
from llmtopics.reading._tables import Redact

if TYPE_CHECKING:
    from llmtopics.reading._topics import Topics


def to_pyldavis(topics: "Topics", redact: Redact) -> dict[str, Any]:
    """Return the arguments of ``pyLDAvis.prepare``."""
    counts = topics._counts
    return {
        "topic_term_dists": topics.components,
        "doc_topic_dists": topics.mixtures,
        "doc_lengths": np.asarray(counts.sum(axis=1)).ravel(),
        "vocab": _vocabulary(topics, redact),
        "term_frequency": np.asarray(counts.sum(axis=0)).ravel(),
        "sort_topics": False,  # keep our numbers
        "start_index": 0,
    }


def to_topicwizard(topics: "Topics", redact: Redact) -> dict[str, Any]:
    """Return the ``topic_data`` of topicwizard."""
    clean = cleaner(redact)
    counts, vectors = topics._counts, topics._vectors
    return {
        "corpus": [clean(text) for text in topics.texts],
        "vocab": np.array(_vocabulary(topics, redact)),
        "document_term_matrix": counts,
        "document_topic_matrix": topics.mixtures,
        "topic_term_matrix": topics.components,
        "document_representation": counts if vectors is None else vectors,
        # the model knows all words, as they are
        "transform": topics._fitted.mixtures if redact is None else None,
        "topic_names": distinct(map(clean, topics.names)),
    }


def _vocabulary(topics: "Topics", redact: Redact) -> list[str]:
    return distinct(map(cleaner(redact), map(str, topics.vocabulary)))
