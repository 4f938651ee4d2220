"""Texts with known topics, and fusion models of them."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import FusionTopicModel, PrecomputedEmbeddings, TextAnalyzer
from llmtopics.datasets import load_bbc_news, make_topics


@pytest.fixture(scope="session")
def first_sentences():
    """Return a function: the first sentences of every n-th article, and their sections."""

    def get(every):
        corpus = load_bbc_news()
        texts = [" ".join(text.split()[:60]) for text in corpus.data[::every]]
        return texts, corpus.target[::every]

    return get


@pytest.fixture(scope="session")
def news(first_sentences):
    return first_sentences(every=8)


@pytest.fixture(scope="session")
def planted():
    """120 planted texts on 4 topics, and noisy vectors of their topic proportions."""
    rng = np.random.default_rng(0)
    corpus = make_topics(
        120, 60, 4, doc_length=30, topic_word_prior=0.1, random_state=0
    )
    X = corpus.data
    rows = [np.repeat(X.indices[i:j], X.data[i:j]) for i, j in pairwise(X.indptr)]
    texts = [" ".join(f"w{w}" for w in row) for row in rows]
    vectors = np.column_stack([corpus.doc_topic, np.zeros((120, 4))])
    vectors = vectors + rng.normal(size=vectors.shape) * 0.15
    return texts, PrecomputedEmbeddings(texts, vectors), corpus


@pytest.fixture(scope="session")
def fusion():
    """Return a function that makes a FusionTopicModel."""

    def make(n_components=5, **parameters):
        parameters = {"random_state": 0, **parameters}
        vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
        return FusionTopicModel(
            n_components, **{"vectorizer": vectorizer, **parameters}
        )

    return make
