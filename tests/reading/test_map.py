"""Places of topics and documents."""

import sys
import time
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from llmtopics import FusionTopicModel, GibbsLDA, TextAnalyzer, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.reading._map import METHODS, by_topics

NEWS = load_bbc_news()
TEXTS = NEWS.data[::10]
K = 5


@pytest.fixture(scope="module", params=["vectors", "words"])
def topics(request):
    if request.param == "vectors":
        model = FusionTopicModel(K, random_state=0)
    else:
        words = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
        model = make_pipeline(words, GibbsLDA(K, random_state=0))
    return read_topics(model.fit(TEXTS), TEXTS)


def places(table):
    return table[["x", "y"]].to_numpy()


def n_same(places, groups, n=10):
    """Return the share of the nearest documents that are of the same group."""
    near = NearestNeighbors(n_neighbors=n + 1).fit(places).kneighbors()[1]
    return (groups[near] == groups[:, None]).mean()


@pytest.mark.parametrize("method", ["topics", "pca"])
def test_tables_have_one_row_per_document_and_topic(topics, method):
    documents, of_topics = topics.map(method)
    assert list(documents.document) == list(range(len(TEXTS)))
    assert_array_equal(documents.topic, topics.first_topics)
    assert_allclose(documents.share, topics.mixtures.max(axis=1))
    assert list(of_topics.name) == topics.names
    assert_array_equal(of_topics.n_documents, topics.sizes)
    assert of_topics.share.sum() == pytest.approx(1)
    assert np.abs(places(documents)).max() == pytest.approx(1)
    assert documents.x.std() >= documents.y.std()
    medians = documents.groupby("topic")[["x", "y"]].median()
    assert_allclose(places(of_topics)[medians.index], medians)


def test_topics_are_apart_more_than_by_pca(topics):
    first = topics.first_topics
    ours = n_same(places(topics.map().documents), first)
    assert ours > n_same(places(topics.map("pca").documents), first) + 0.1
    assert ours > 0.8


def test_sections_are_apart(topics):
    """The places know no labels."""
    assert n_same(places(topics.map().documents), NEWS.target[::10]) > 0.7


def test_the_same_places_every_time(topics):
    first, second = topics.map(), topics.map()
    assert first.documents.equals(second.documents)
    assert first.topics.equals(second.topics)


def test_a_document_of_two_topics_is_between_them():
    rng = np.random.default_rng(0)
    theta = np.vstack([np.repeat(np.eye(3), 40, axis=0), [[0.5, 0.5, 0]] * 5])
    vectors = theta @ np.eye(3) + rng.normal(0, 0.05, (125, 3))
    found = by_topics(vectors, theta)
    a, b, c = (found[40 * k : 40 * k + 40].mean(axis=0) for k in range(3))
    middle = found[120:].mean(axis=0)
    distance = np.linalg.norm(a - b)
    assert np.linalg.norm(middle - (a + b) / 2) < 0.35 * distance
    assert np.linalg.norm(middle - c) > 0.6 * distance


def test_similar_topics_are_neighbors():
    rng = np.random.default_rng(0)
    centers = np.array([[1, 0, 0], [0.9, 0.4, 0], [0, 0, 1], [0, 0.4, 0.9]])
    theta = np.repeat(np.eye(4), 30, axis=0)
    vectors = theta @ centers + rng.normal(0, 0.05, (120, 3))
    found = by_topics(vectors, theta).reshape(4, 30, 2).mean(axis=1)
    gaps = np.linalg.norm(found[:, None] - found, axis=2)
    assert max(gaps[0, 1], gaps[2, 3]) < min(
        gaps[0, 2], gaps[0, 3], gaps[1, 2], gaps[1, 3]
    )


@pytest.mark.parametrize(
    ("n_documents", "n_topics", "n_dimensions"),
    [(1, 1, 3), (2, 1, 3), (1, 2, 3), (2, 2, 1), (5, 3, 4), (60, 1, 8), (40, 90, 3)],
)
@pytest.mark.parametrize("method", ["topics", "pca"])
def test_few_documents_and_many_topics_have_places(
    method, n_documents, n_topics, n_dimensions
):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n_documents, n_dimensions))
    theta = rng.dirichlet(np.ones(n_topics), n_documents)
    found = METHODS[method](vectors, theta)
    assert found.shape == (n_documents, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", ["topics", "pca"])
def test_documents_that_are_all_alike_have_places(method):
    theta = np.eye(5)[np.arange(20) % 2]  # three topics have no documents
    for vectors in (np.zeros((20, 4)), np.ones((20, 4))):
        assert np.isfinite(METHODS[method](vectors, theta)).all()


def test_places_of_20_000_documents_take_seconds():
    rng = np.random.default_rng(0)
    theta = rng.dirichlet(np.full(30, 0.1), 20_000)
    vectors = theta @ rng.normal(size=(30, 384)) + rng.normal(size=(20_000, 384))
    start = time.process_time()
    by_topics(vectors, theta)
    assert time.process_time() - start < 10  # seconds


@pytest.mark.parametrize("method", ["topics", "pca"])
def test_few_documents_with_many_words_take_no_time(method):
    rng = np.random.default_rng(0)
    start = time.process_time()
    places = METHODS[method](rng.random((3, 5_000)), rng.dirichlet(np.ones(4), 3))
    assert np.isfinite(places).all()
    assert time.process_time() - start < 5  # seconds; with covariances a minute


@pytest.mark.parametrize("text", ["", TEXTS[0]])
def test_many_equal_texts_have_places_without_warnings(text):
    words = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
    model = make_pipeline(words, GibbsLDA(K, max_iter=5, random_state=0)).fit(TEXTS)
    topics = read_topics(model, [text] * 60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(topics.map().documents[["x", "y"]]).all(axis=None)


def test_an_unknown_method_is_refused(topics):
    with pytest.raises(ValueError, match="one of topics, pca, umap, got 'tsne'"):
        topics.map("tsne")


def test_umap_is_named_where_it_is_missing(topics, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match="pip install umap-learn"):
        topics.map("umap")


def test_umap_has_places_where_it_is_installed(topics):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        pytest.importorskip("umap")
        found = topics.map("umap")
        assert n_same(places(found.documents), topics.first_topics) > 0.5
        assert found.documents.equals(topics.map("umap").documents)
    with pytest.raises(ValueError, match="at least 5 documents"):
        METHODS["umap"](np.eye(3), np.eye(3))
