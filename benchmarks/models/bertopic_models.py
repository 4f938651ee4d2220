"""BERTopic, as it is and with k-means."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.cluster import KMeans

from benchmarks.counts import Documents
from benchmarks.models.base import N_WORDS, Topics
from benchmarks.models.prepare import joined_tokens


def bertopic(
    corpus: Documents, K: int, seed: int, clusters: Callable | None = None
) -> tuple[Any, np.ndarray, list[list[str]]]:
    """Fit BERTopic; return it, a topic a document (-1: none), and words.

    Settings are its defaults; "multilingual" keeps it from changing the words.
    """
    from bertopic import BERTopic
    from umap import UMAP

    texts, vectorizer = joined_tokens(corpus)
    model = BERTopic(
        language="multilingual",
        top_n_words=N_WORDS,
        umap_model=UMAP(
            n_neighbors=15,
            n_components=5,
            min_dist=0.0,
            metric="cosine",
            random_state=seed,
        ),
        hdbscan_model=clusters and clusters(K, random_state=seed),
        vectorizer_model=vectorizer,
    )
    topics = np.array(model.fit_transform(texts, embeddings=corpus.vectors)[0])
    words = [
        [word for word, _ in model.get_topic(k) if word]
        for k in range(topics.max() + 1)
    ]
    return model, topics, words


def bertopic_as_is(corpus: Documents, K: int, seed: int) -> Topics:
    """UMAP and HDBSCAN: K is found, not given; documents without a topic share one."""
    _, topics, words = bertopic(corpus, K, seed)
    extra = {"n_topics": len(words), "outliers": float((topics < 0).mean())}
    return Topics(np.eye(len(words) + 1)[topics + 1], words, extra)


def bertopic_k_means(corpus: Documents, K: int, seed: int) -> Topics:
    """UMAP and k-means.

    It gives labels alone. Its mixtures here are the softmax of minus the squared
    distances to the k centers in UMAP's space, whose largest share is the label: they
    let a classifier see more than BERTopic returns.
    """
    model, _, words = bertopic(corpus, K, seed, KMeans)
    distances = model.hdbscan_model.transform(model.umap_model.embedding_)
    return Topics(softmax(-(distances.astype(float) ** 2), axis=1), words)
