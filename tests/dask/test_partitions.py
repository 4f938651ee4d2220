"""Fitted estimators over the partitions of collections of Dask."""

import dask
import dask.array as da
import dask.bag as db
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TransformerEmbedder
from llmtopics.dask import map_partitions
from llmtopics.datasets import load_bbc_news, make_topics

CORPUS = make_topics(60, 30, 3, doc_length=30, random_state=0)
X, LABELS = CORPUS.data, CORPUS.doc_topic.argmax(axis=1)
LDA = GibbsLDA(3, max_iter=20, random_state=0).fit(X)
TEXTS = load_bbc_news().data[:12]


@pytest.fixture(autouse=True)
def _without_cluster():
    with dask.config.set(scheduler="sync"):
        yield


def test_array():
    found = map_partitions(LDA, da.from_array(X.toarray(), chunks=(17, 30)))
    assert found.shape == (60, 3)
    assert found.chunks[0] == (17, 17, 17, 9)
    assert_array_equal(found.compute(), LDA.transform(X))


def test_bag_of_blocks():
    bag = db.from_sequence([X[:20], X[20:]], npartitions=2)
    assert_array_equal(
        np.concatenate(map_partitions(LDA, bag).compute()), LDA.transform(X)
    )


def test_bag_of_texts():
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=5, random_state=0))
    expected = model.fit_transform(TEXTS)
    rows = map_partitions(model, db.from_sequence(TEXTS, npartitions=3)).compute()
    assert_array_equal(rows, expected)


def test_other_methods():
    model = make_pipeline(LDA, LogisticRegression()).fit(X, LABELS)
    blocks = da.from_array(X.toarray(), chunks=(17, 30))
    for method in ("predict", "predict_proba"):
        found = map_partitions(model, blocks, method=method)
        expected = getattr(model, method)(X)
        assert found.shape == expected.shape
        assert_array_equal(found.compute(), expected)


def test_embedder_over_a_bag():
    embedder = TransformerEmbedder("minilm")
    rows = map_partitions(embedder, db.from_sequence(TEXTS, npartitions=3)).compute()
    assert_allclose(rows, embedder.transform(TEXTS), atol=1e-6)


def weights_loaded():
    """Return how often weights of language models were loaded in this process."""
    from llmtopics._language import load

    return load._models.cache_info().misses


def test_each_worker_loads_the_weights_once(tmp_path):
    """Ten partitions on two processes."""
    given = {"n_workers": 2, "threads_per_worker": 2, "dashboard_address": ":0"}
    with (
        LocalCluster(**given, processes=True) as cluster,
        Client(cluster, set_as_default=True) as client,
    ):
        embedder = TransformerEmbedder("minilm", cache_dir=False)
        bag = db.from_sequence(TEXTS, npartitions=10)
        rows = map_partitions(embedder, bag)
        found = client.compute(rows).result()
        loads = client.run(weights_loaded)
    assert len(found) == len(TEXTS)
    assert sum(loads.values()) >= 1
    assert max(loads.values()) == 1


def test_series_keeps_its_index():
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    import pandas as pd

    texts = pd.Series(TEXTS, index=range(100, 112))
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=5, random_state=0))
    expected = model.fit_transform(TEXTS)
    table = map_partitions(model, dd.from_pandas(texts, npartitions=3)).compute()
    assert list(table.index) == list(texts.index)
    assert list(table.columns) == ["gibbslda0", "gibbslda1"]
    assert_array_equal(table, expected)


def test_faults_say_what_to_do():
    blocks = da.from_array(X.toarray(), chunks=(17, 30))
    with pytest.raises(ValueError, match="reads arrays, bags and tables of Dask"):
        map_partitions(LDA, X)
    with pytest.raises(ValueError, match="has no method 'predict'"):
        map_partitions(LDA, blocks, method="predict")
    with pytest.raises(NotFittedError):
        map_partitions(GibbsLDA(), blocks).compute()
    with pytest.raises(ValueError, match="blocks of columns"):
        map_partitions(LDA, blocks.rechunk({1: 10}))
