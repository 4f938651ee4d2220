"""What only many runs can show: run by hand, with ``make soak``."""

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    PrecomputedEmbeddings,
)
from llmtopics.datasets import load_bbc_news, make_topics

pytestmark = pytest.mark.soak


def random_counts(rng):
    """Counts of any shape: empty documents, unused words, very long documents."""
    D, V = rng.integers(1, 300), rng.integers(1, 500)
    lengths = np.minimum(rng.zipf(1.5, D) - 1, 3000)
    if not lengths.any():
        lengths[0] = 1
    chances = rng.dirichlet(np.full(V, 10.0 ** rng.uniform(-2, 1)))
    return sp.csr_array(rng.multinomial(lengths, chances))


def random_model(rng):
    def prior(*others):
        return 10.0 ** rng.uniform(-6, 4) if rng.random() < 0.7 else rng.choice(others)

    shared = {
        "topic_word_prior": prior("auto"),
        "sampler": rng.choice(["exact", "blocked"]),
        "max_iter": rng.integers(1, 25),
        "random_state": rng.integers(2**31),
    }
    if rng.random() < 0.7:
        return GibbsLDA(
            rng.integers(1, 400), doc_topic_prior=prior(None, "auto"), **shared
        )
    return PachinkoAllocation(
        rng.integers(1, 60), n_super_components=rng.integers(1, 20), **shared
    )


@pytest.mark.parametrize("block", range(10))
def test_any_counts_and_any_parameters_keep_the_promises(block):
    for case in range(20):
        rng = np.random.default_rng([block, case])
        X, model = random_counts(rng), random_model(rng)
        theta = model.fit(X).transform(X)
        assert theta.shape == (X.shape[0], model.n_components), model
        assert_allclose(theta.sum(axis=1), 1, rtol=1e-12, err_msg=repr(model))
        assert (theta >= 0).all(), model
        assert_allclose(model.components_.sum(axis=1), 1, err_msg=repr(model))
        row = rng.integers(X.shape[0])
        assert_array_equal(model.transform(X[[row]])[0], theta[row], repr(model))
        again = pickle.loads(pickle.dumps(model)).set_params(n_jobs=2)
        assert_array_equal(again.transform(X), theta, repr(model))
        assert_array_equal(again.fit(X).components_, model.components_, repr(model))


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
def test_planted_topics_are_found_by_nine_seeds_of_ten(sampler):
    """A chain may stay where it shares two topics out wrongly."""
    found = 0
    for seed in range(50):
        planted = make_topics(
            300, 100, 5, doc_length=60, topic_word_prior=0.1, random_state=seed
        )
        model = GibbsLDA(5, sampler=sampler, random_state=seed).fit(planted.data)
        likeness = np.sqrt(planted.components) @ np.sqrt(model.components_).T
        found += likeness.max(axis=1).min() > 0.9
    assert found >= 45


def memory():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


@pytest.mark.parametrize("kind", ["counts", "paths", "vectors", "texts"])
def test_memory_does_not_grow_with_the_number_of_fits(kind):
    counts = make_topics(200, 300, 5, doc_length=50, random_state=0).data
    vectors = np.random.default_rng(0).normal(size=(200, 32))
    texts = load_bbc_news().data[:200]
    model, X = {
        "counts": (GibbsLDA(10, sampler="blocked", max_iter=10, n_jobs=2), counts),
        "paths": (PachinkoAllocation(10, max_iter=10), counts),
        "vectors": (EmbeddingTopics(10), vectors),
        "texts": (
            FusionTopicModel(
                5, embedder=PrecomputedEmbeddings(texts, vectors), max_iter=10
            ),
            texts,
        ),
    }[kind]
    for n in range(300):
        model.set_params(random_state=n).fit(X).transform(X)
        if n == 100:
            before = memory()
    assert memory() - before < 32  # MiB; one model's arrays take less than one


def test_threads_may_share_a_model_for_long():
    texts = load_bbc_news().data[:300]
    counts = make_topics(300, 100, 5, doc_length=60, random_state=0).data
    fusion = FusionTopicModel(5, max_iter=20, random_state=0).fit(texts)
    lda = GibbsLDA(5, max_iter=20, n_jobs=2, random_state=0).fit(counts)
    expected = fusion.transform(texts), lda.transform(counts)

    def work(_):
        for _ in range(100):
            found = fusion.transform(texts), lda.transform(counts)
            assert_array_equal(found[0], expected[0])
            assert_array_equal(found[1], expected[1])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
