"""Topics as directions on the unit sphere."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import normalized_mutual_info_score

from llmtopics import EmbeddingTopics
from llmtopics.datasets import make_topics
from llmtopics.topics import _sphere as sphere
from llmtopics.topics._embedding import class_tfidf


@pytest.fixture(scope="module")
def clouds():
    """300 vectors around 5 directions, with one large dimension of noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(5, size=300)
    X = 3 * np.eye(5, 12)[labels] + rng.normal(size=(300, 12)) * 0.7
    X[:, 11] *= 8
    return X, labels


def test_planted_directions_are_found_where_k_means_is_misled(clouds):
    X, labels = clouds
    found = EmbeddingTopics(5, random_state=0).fit(X)
    assert normalized_mutual_info_score(labels, found.labels_) > 0.85
    plain = EmbeddingTopics(5, max_iter=0, random_state=0).fit(X)
    assert normalized_mutual_info_score(labels, plain.labels_) < 0.6


def test_a_start_on_a_sample_continues_with_all_vectors(clouds, monkeypatch):
    X, labels = clouds
    monkeypatch.setattr(sphere, "_N_SAMPLED", 50)
    found = EmbeddingTopics(5, random_state=0).fit(X)
    assert normalized_mutual_info_score(labels, found.labels_) > 0.85


def test_mixtures_are_the_softmax_of_the_cosines(clouds):
    X, _ = clouds
    model = EmbeddingTopics(5, concentration=3.0, max_iter=0, random_state=0).fit(X)
    unit = X - X.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    weights = np.exp(3 * unit @ model.cluster_centers_.T)
    mixtures = weights / weights.sum(axis=1, keepdims=True)
    assert_allclose(model.transform(X), mixtures, rtol=1e-6)
    assert_allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1)
    assert_array_equal(model.labels_, mixtures.argmax(axis=1))


def test_the_metric_is_that_of_linear_discriminant_analysis(clouds):
    X, labels = clouds
    moments = sphere.measure(X)
    found, points, _ = sphere.discriminate(X, np.eye(5)[labels], moments)
    lda = LinearDiscriminantAnalysis(solver="eigen", store_covariance=True)
    within = lda.fit(X, labels).covariance_
    whitened = found.scale @ within @ found.scale
    # the identity, except for the shrinkage of so small a sample
    assert_allclose(whitened / np.trace(whitened) * 12, np.eye(12), atol=0.1)
    assert_allclose(np.linalg.norm(points, axis=1), 1)


def test_zero_vectors_have_equal_proportions_and_change_no_topic(clouds):
    X, _ = clouds
    model = EmbeddingTopics(5, random_state=0).fit(X)
    assert_allclose(model.transform(np.zeros((1, 12))), 0.2)
    with_blanks = clone(model).fit(np.vstack([X, np.zeros((50, 12))]))
    assert_allclose(with_blanks.cluster_centers_, model.cluster_centers_, atol=1e-5)


def test_mixtures_do_not_depend_on_the_batch(clouds):
    X, _ = clouds
    model = EmbeddingTopics(5, random_state=0).fit(X)
    together = model.transform(X)
    assert_array_equal(np.vstack([model.transform(row[None]) for row in X]), together)
    assert_array_equal(model.transform(X[::-1])[::-1], together)
    assert_array_equal(clone(model).fit_transform(X), together)
    assert together.dtype == np.float64
    assert_allclose(together.sum(axis=1), 1, rtol=1e-12)
    assert_array_equal(
        model.transform(X.astype(np.float32)).argmax(axis=1), model.labels_
    )


@pytest.mark.parametrize("exponent", [-900, -60, 63, 900])
def test_the_scale_of_vectors_does_not_matter(clouds, exponent):
    X, _ = clouds
    model = EmbeddingTopics(5, random_state=0).fit(X)
    scaled = EmbeddingTopics(5, random_state=0).fit(np.ldexp(X, exponent))
    assert_array_equal(scaled.labels_, model.labels_)
    assert_array_equal(scaled.transform(np.ldexp(X, exponent)), model.transform(X))
    assert_allclose(model.transform(np.ldexp(X, 900)).sum(axis=1), 1)


def test_seeds_and_generators_are_accepted_and_change_the_result(clouds):
    X, _ = clouds
    kinds = [lambda s: s, np.random.default_rng, np.random.RandomState]
    for kind in kinds:
        a, b = (EmbeddingTopics(9, random_state=kind(3)).fit(X) for _ in range(2))
        assert_array_equal(a.transform(X), b.transform(X))


def test_counts_give_words_and_a_concentration():
    corpus = make_topics(
        400, 60, 4, doc_length=40, topic_word_prior=0.1, random_state=0
    )
    vectors = np.log(corpus.doc_topic + 0.02)
    model = EmbeddingTopics(4, random_state=0).fit(vectors, counts=corpus.data)
    assert model.components_.shape == (4, 60)
    assert_allclose(model.components_.sum(axis=1), 1)
    assert 1 < model.concentration_ < 100
    assert model.concentration_ != EmbeddingTopics(4).fit(vectors).concentration_
    said = EmbeddingTopics(4, concentration=5.0).fit(vectors, counts=corpus.data)
    assert said.concentration_ == 5.0
    assert not hasattr(clone(model).fit(vectors), "components_")
    assert not hasattr(model.fit(vectors), "components_")


def test_the_concentration_that_made_the_words_is_found(rng):
    directions = sphere.unit(rng.normal(size=(3, 20)))
    points = sphere.unit(rng.normal(size=(3000, 20)))
    cosines = sphere.cosines(points, directions)
    phi = rng.dirichlet(np.full(50, 0.1), size=3)
    for tau in [2.0, 10.0]:
        mixtures = sphere.memberships(cosines, tau)
        X = np.array([rng.multinomial(60, p) for p in mixtures @ phi])
        found = sphere.estimate_concentration(cosines, as_csr(X), phi)
        assert found == pytest.approx(tau, rel=0.15)


def as_csr(X):
    return sp.csr_array(X.astype(np.int32))


def test_class_tfidf_is_its_formula(rng):
    counts = as_csr(rng.poisson(1.0, size=(6, 4)))
    hard = np.eye(2)[[0, 0, 0, 1, 1, 1]]
    tf = hard.T @ counts.toarray()
    expected = tf / tf.sum(axis=1, keepdims=True)
    expected = expected * np.log(1 + tf.sum(axis=1).mean() / tf.sum(axis=0))
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(class_tfidf(hard, counts), expected)


def test_score_is_higher_for_vectors_like_those_fitted(clouds, rng):
    X, _ = clouds
    model = EmbeddingTopics(5, concentration=10.0, random_state=0).fit(X[:200])
    assert model.score(X[200:]) > model.score(rng.normal(size=(100, 12)))
    assert model.score(X) <= 10.0
    sharp = EmbeddingTopics(5, concentration=1e5, random_state=0).fit(X)
    assert np.isfinite(sharp.score(X))


def test_fewer_distinct_vectors_than_topics_warn(rng):
    X = np.repeat(rng.normal(size=(3, 6)), 4, axis=0)
    with pytest.warns(ConvergenceWarning, match="more than the 3 distinct vectors"):
        mixtures = EmbeddingTopics(5, random_state=0).fit_transform(X)
    assert_allclose(mixtures.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, np.nan], [1, 2], [3, 4]], "NaN"),
        ([[1.0, 2.0]], "^n_samples=1 texts are fewer than n_components=3"),
        (np.vstack([np.ones((2, 4)), np.zeros((5, 4))]), "Only 2 of n_samples=7 texts"),
    ],
)
def test_bad_vectors_are_refused(X, message):
    model = EmbeddingTopics(3)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.transform(X)


def test_counts_of_other_documents_are_refused(clouds):
    X, _ = clouds
    with pytest.raises(ValueError, match="counts has 3 documents and X has 300"):
        EmbeddingTopics(3).fit(X, counts=np.ones((3, 2), int))


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_components", 0), ("concentration", 0.0), ("max_iter", -1)],
)
def test_bad_parameters_are_named(clouds, name, value):
    with pytest.raises(ValueError, match=name):
        EmbeddingTopics(**{name: value}).fit(clouds[0])


def test_moments_of_parts_are_those_of_all_vectors(clouds):
    """Also if a part has zero vectors only."""
    X = np.vstack([clouds[0], np.zeros((3, 12))])
    parts = [sphere.measure(X[a:b]) for a, b in [(0, 70), (70, 300), (300, 303)]]
    parts[2] = parts[2]._replace(n_vectors=0)
    found, expected = sphere.merged(*parts), sphere.measure(X)
    assert found.n_vectors == expected.n_vectors == 300
    assert_allclose(found.mean, expected.mean, atol=1e-12)
    assert_allclose(found.covariance, expected.covariance, atol=1e-12)
    assert_array_equal(sphere.merged(expected).covariance, expected.covariance)


def test_metric_and_directions_need_no_array_of_documents_times_topics(rng):
    D, K = 4000, 500
    vectors = rng.normal(size=(D, 4)).astype(np.float32)
    vectors[::7] = 0  # blank texts
    mixtures = np.full((D, K), 1 / K)
    mixtures[np.arange(D), np.arange(D) % (K - 1)] += (
        1  # the last topic is first in no document
    )
    moments = sphere.measure(vectors)
    tracemalloc.start()
    _, points, directions = sphere.discriminate(vectors, mixtures, moments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < D * K  # bytes: a quarter of an array of float32
    weights = np.eye(K)[mixtures.argmax(axis=1)]
    weights[:, -1] = mixtures[:, -1]
    expected = weights.T @ points
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert_allclose(directions, expected, atol=1e-5)
