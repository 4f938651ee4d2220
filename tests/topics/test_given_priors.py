"""What fusion needs from topic models: priors per document, topics refitted to mixtures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics import EmbeddingTopics, GibbsLDA
from llmtopics._checks import as_counts
from llmtopics.datasets import make_topics
from llmtopics.topics._embedding import class_tfidf


@pytest.fixture(scope="module")
def planted():
    return make_topics(60, 30, 2, doc_length=20, random_state=0)


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
def test_strong_priors_decide_topics_and_may_change_after_a_sweep(planted, sampler):
    X = as_counts(planted.data, "test")
    first = 1e6 * np.eye(2)[np.arange(60) % 2]
    seen = []

    def swap_once(n_sweeps, tokens, topics, prior):
        documents = np.repeat(np.arange(60), np.diff(tokens.starts))
        seen.append((topics == documents % 2).mean())
        assert_allclose(prior, (first if n_sweeps <= 3 else first[:, ::-1]) + 0.5)
        return first[:, ::-1] if n_sweeps == 3 else None

    model = GibbsLDA(2, max_iter=5, sampler=sampler)
    model._fit_given(X, first, 0, swap_once)
    assert len(seen) == model.n_iter_ == 5
    assert min(seen[:3]) > 0.99
    assert max(seen[3:]) < 0.01
    assert_allclose(model.components_.sum(axis=1), 1)
    assert_allclose(model.topic_counts_.sum(), X.sum(), rtol=1e-5)
    theta = model._mixtures(X, first)
    assert_array_equal(theta.argmax(axis=1), np.arange(60) % 2)
    assert_array_equal(model._mixtures(X), model.transform(planted.data))


def test_moved_embedding_topics_are_those_of_the_mixtures(planted):
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    vectors = rng.normal(size=(60, 4))
    vectors[:, 0] += 8 * truth
    counts = as_counts(planted.data, "test")
    model = EmbeddingTopics(2, random_state=0).fit(vectors)
    before = model.concentration_
    for labels in (truth, 1 - truth):
        mixtures = np.eye(2)[labels]
        f = model._move(*model._measure(vectors), mixtures)
        assert_array_equal(f.argmax(axis=1), labels)
        assert_allclose(f, model.transform(vectors), atol=1e-4)  # from float32
        assert model.concentration_ == before
    model._move(*model._measure(vectors), mixtures, (counts, planted.components))
    assert model.concentration_ != before
    model._relabel(f, counts)
    assert_array_equal(model.labels_, 1 - truth)
    assert_array_equal(model.components_, class_tfidf(f, counts))
