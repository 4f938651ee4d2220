"""Fusion of words and embeddings on a real cluster of processes."""

import os
import pickle
import signal

import dask
import dask.array as da
import dask.bag as db
import numpy as np
import pytest
from distributed import Client
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import normalized_mutual_info_score

from llmtopics import FusionTopicModel, GibbsLDA, TextAnalyzer, load, save
from llmtopics.dask import DaskFusionTopicModel, _fusion_fit
from llmtopics.dask._futures import Tasks
from llmtopics.datasets import load_bbc_news

BBC = load_bbc_news()
TEXTS, SECTIONS = BBC.data[::8], np.asarray(BBC.target)[::8]
SETTINGS = {"n_components": 5, "max_iter": 10, "random_state": 3}
ARRAYS = "components_", "keyness_"


def bag(n_partitions, texts=TEXTS):
    return db.from_sequence(texts, npartitions=n_partitions)


def labels(model, client):
    return client.compute(model.labels_).result()


def assert_same(model, other):
    for name in ARRAYS:
        assert_array_equal(getattr(model, name), getattr(other, name))


@pytest.fixture(scope="module")
def local():
    return FusionTopicModel(**SETTINGS).fit(TEXTS)


@pytest.fixture(scope="module")
def fitted(threads):
    model = DaskFusionTopicModel(**SETTINGS, client=threads)
    theta = model.fit_transform(bag(4))
    return model, threads.compute(theta).result()


def test_one_partition_gives_the_model_in_memory(threads, local):
    model = DaskFusionTopicModel(**SETTINGS, client=threads).fit(bag(1))
    close = {"rtol": 1e-3, "atol": 1e-8}  # cached vectors are those of other batches
    for name in ARRAYS:
        assert_allclose(getattr(model, name), getattr(local, name), **close)
    assert_array_equal(labels(model, threads), local.labels_)
    assert_array_equal(model.vocabulary_, local.vocabulary_)
    assert model.to_local().strength_ == local.strength_
    assert model.top_words(5) == local.top_words(5)
    found, expected = model.to_local().language_topics_, local.language_topics_
    assert_allclose(found.components_, expected.components_, **close)
    assert found.concentration_ == pytest.approx(expected.concentration_)


def test_partitions_give_almost_the_same_topics(fitted, threads, local):
    model, theta = fitted
    found = labels(model, threads)
    assert np.mean(found == local.labels_) > 0.98
    assert_array_equal(model.vocabulary_, local.vocabulary_)
    assert_array_equal(found, theta.argmax(axis=1))
    overlap = np.minimum(model.components_, local.components_).sum(axis=1)
    assert (overlap > 0.9).all()
    of_sections = normalized_mutual_info_score(SECTIONS, found)
    assert of_sections > normalized_mutual_info_score(SECTIONS, local.labels_) - 0.03


def test_the_number_of_workers_changes_no_bit(fitted, client):
    model, theta = fitted
    again = clone(model).set_params(client=client)
    assert_array_equal(client.compute(again.fit_transform(bag(4))).result(), theta)
    assert_same(again, model)


def test_to_local_pickles_and_files_need_no_client(fitted, tmp_path):
    model, theta = fitted
    assert_allclose(model.to_local().transform(TEXTS), theta, atol=1e-6)
    copied = pickle.loads(pickle.dumps(model))
    assert copied.client is None
    assert not hasattr(copied, "labels_")
    save(model, tmp_path / "model")
    for other in (copied, load(tmp_path / "model"), model.to_local()):
        assert_same(other, model)
        assert_allclose(other.transform(TEXTS[:9]), theta[:9], atol=1e-6)
    assert clone(model).client is model.client
    rows = model.transform(bag(2, TEXTS[:9])).compute(scheduler="sync")
    assert_allclose(rows, theta[:9], atol=1e-6)
    assert model.get_feature_names_out()[0] == "daskfusiontopicmodel0"
    assert "<table" in model._repr_html_()
    with config_context(transform_output="pandas"):  # collections stay what they are
        assert isinstance(model.transform(bag(2, TEXTS[:9])), db.Bag)
        assert_allclose(model.transform(TEXTS[:9]), theta[:9], atol=1e-6)


def test_all_inputs_and_empty_partitions(threads, monkeypatch):
    """Two thirds of the texts are the sample."""
    texts = TEXTS[:60]
    monkeypatch.setattr(_fusion_fit, "N_SAMPLED", 40)
    settings = SETTINGS | {"n_components": 3, "max_iter": 4}
    model = DaskFusionTopicModel(**settings, concentration=9, client=threads)
    expected = model.fit(bag(3, texts)).components_
    assert expected.shape[0] == 3
    kinds = [
        da.from_array(np.array(texts, object), chunks=20),
        db.concat([bag(1, texts[:20]), bag(1, ["a"]).filter(len).filter(lambda t: 0)])
        .repartition(2)
        .map(str),
    ]
    assert_array_equal(clone(model).fit(kinds[0]).components_, expected)
    pieces = [texts[:20], [], texts[20:40], texts[40:]]
    parts = db.from_sequence(pieces, npartitions=4).flatten()
    assert_array_equal(clone(model).fit(parts).components_, expected)


def test_a_column_of_a_dataframe(fitted, threads):
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    import pandas as pd

    model, _ = fitted
    sizes = [0, *np.cumsum(threads.compute(bag(4).map_partitions(count)).result())]
    table = pd.DataFrame({"text": TEXTS}, index=range(len(TEXTS)))
    divisions = [*map(int, sizes[:-1]), len(TEXTS) - 1]
    frame = dd.from_pandas(table, npartitions=1).repartition(divisions=divisions)
    again = clone(model).fit(frame["text"])
    assert_same(again, model)


def count(partition):
    return [len(list(partition))]


def test_given_vectorizers(threads):
    settings = SETTINGS | {"n_components": 3, "max_iter": 4, "co_training": 0}
    texts = TEXTS[:60]
    model = DaskFusionTopicModel(**settings, client=threads)
    vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=0.05, max_df=0.5)
    expected = clone(vectorizer).fit(texts)
    words = expected.get_feature_names_out()
    fits = [
        clone(model).set_params(vectorizer=each).fit(bag(3, texts))
        for each in (
            vectorizer,
            FrozenEstimator(expected),
            CountVectorizer(analyzer=TextAnalyzer(), vocabulary=list(words)),
        )
    ]
    for each in fits:
        assert_array_equal(each.vocabulary_, words)
        assert_same(each, fits[0])


def test_faults_say_what_to_do(threads):
    model = DaskFusionTopicModel(**SETTINGS, client=threads)
    with pytest.raises(NotFittedError):
        model.transform(TEXTS)
    with pytest.raises(ValueError, match=r"pass a dask\.array, dask\.bag"):
        model.fit(TEXTS)
    for none in (bag(2).count(), dask.delayed(TEXTS)):
        with pytest.raises(ValueError, match=r"pass a dask\.array, dask\.bag"):
            model.fit(none)
    with pytest.raises(ValueError, match=r"Partition 1: .*row 1 holds 7 of type int"):
        model.fit(bag(2, ["one cat", "two dogs", "three", 7]))
    with pytest.raises(ValueError, match="X holds no texts"):
        model.fit(bag(1, ["a"]).filter(lambda text: False))
    with pytest.raises(ValueError, match="No word is in at least 1"):
        model.fit(bag(2, ["", "of the"]))
    with pytest.raises(ValueError, match="n_components=5"):
        model.fit(bag(2, ["a cat", "two dogs", ""]))

    def other(match, **parameters):
        with pytest.raises(ValueError, match=match):
            clone(model).set_params(**parameters).fit(bag(2))

    other("use DaskGibbsLDA", alpha=0)
    other("fit EmbeddingTopics to a sample", alpha=1)
    other(r"FusionTopicModel\(alpha='auto'\) to a sample", alpha="auto")
    other("max_features", vectorizer=CountVectorizer(max_features=10))
    other(
        "Invalid value for ngram_range", vectorizer=CountVectorizer(ngram_range=(2, 1))
    )
    other("'min_df' parameter", vectorizer=CountVectorizer(min_df=-1))
    other("of a CountVectorizer only", vectorizer=TfidfVectorizer())
    other("Partition 0: ", vectorizer=FrozenEstimator(tfidf()))
    other("give numbers instead", topic_model=GibbsLDA(doc_topic_prior="auto"))
    each = GibbsLDA(topic_word_prior=np.ones((5, 5)))
    few = CountVectorizer(vocabulary=["minister", "film", "match", "market", "phone"])
    other("one value per word", topic_model=each, vectorizer=few)
    assert not hasattr(model, "labels_")
    assert not hasattr(model, "components_")


def tfidf():
    return TfidfVectorizer().fit(TEXTS)


def test_without_a_client():
    with pytest.raises(ValueError, match="DaskFusionTopicModel found no client"):
        DaskFusionTopicModel().fit(bag(1))


def test_labels_after_the_client_is_closed_say_what_to_do(threads):
    settings = SETTINGS | {"n_components": 2, "max_iter": 1, "co_training": 0}
    with Client(threads.scheduler.address, set_as_default=False) as client:
        model = DaskFusionTopicModel(**settings, client=client).fit(bag(1, TEXTS[:9]))
        assert labels(model, client).shape == (9,)
    with pytest.raises(AttributeError, match=r"closed or lost: call transform .* or"):
        print(model.labels_)
    with pytest.raises(AttributeError, match="neither in pickles"):
        print(pickle.loads(pickle.dumps(model)).labels_)
    assert model.transform(TEXTS[:2]).shape == (2, 2)


def test_a_stopped_scheduler_is_told(threads, monkeypatch):
    """DaskGibbsLDA has checkpoints, and this model has none."""
    client = Client(threads.scheduler.address, set_as_default=False)
    monkeypatch.setattr(Tasks, "copy", lambda tasks, futures: client.close())
    model = DaskFusionTopicModel(**SETTINGS, client=client)
    with pytest.raises(RuntimeError, match=r"scheduler .* call fit again\.$"):
        model.fit(bag(2, TEXTS[:60]))


def test_canceled_tasks_are_told(threads, monkeypatch):
    monkeypatch.setattr(
        Tasks,
        "copy",
        lambda tasks, futures: [threads.cancel(futures), tasks.wait(futures)],
    )
    with pytest.raises(RuntimeError, match="canceled tasks of the fit: call fit again"):
        DaskFusionTopicModel(**SETTINGS, client=threads).fit(bag(2))


def test_a_fit_goes_on_without_copies(threads, monkeypatch):
    """The scheduler raises ValueError if a worker is lost while it copies."""
    monkeypatch.setattr("llmtopics.dask._futures.some_workers", lambda client: [1, 2])
    copied = []

    def replicate(client, futures, n):
        copied.append(n)
        raise ValueError("Sample larger than population or is negative")

    monkeypatch.setattr(Client, "replicate", replicate)
    settings = SETTINGS | {"n_components": 3, "max_iter": 4}
    DaskFusionTopicModel(**settings, client=threads).fit(bag(2, TEXTS[:60]))
    assert set(copied) == {2}


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 6])
def test_a_killed_worker_changes_nothing(fitted, victims, monkeypatch, number):
    """Before the first checkpoint is complete, and after many."""
    model, theta = fitted
    copy, done = Tasks.copy, []

    def watched(tasks, futures):
        done.append(len(done))
        if len(done) == number:
            os.kill(next(iter(victims.run(os.getpid).values())), signal.SIGKILL)
        copy(tasks, futures)

    monkeypatch.setattr(Tasks, "copy", watched)
    again = clone(model).set_params(client=victims)
    assert_array_equal(victims.compute(again.fit_transform(bag(4))).result(), theta)
    assert len(done) > number
    assert_same(again, model)


def die(_):
    """End the worker, as Dask does when its memory is full."""
    os._exit(1)


@pytest.mark.slow
def test_a_partition_that_kills_its_workers_is_told(victims):
    with pytest.raises(RuntimeError, match=r"lost again.*smaller partitions"):
        DaskFusionTopicModel(**SETTINGS, client=victims).fit(bag(1).map(die))


def test_many_small_partitions_are_told(threads):
    model = DaskFusionTopicModel(2, max_iter=1, co_training=0, client=threads)
    with pytest.warns(UserWarning, match=r"20 partitions, with 2 texts on average"):
        model.fit(bag(20, TEXTS[:40]))
