"""Fits on a real cluster of processes."""

import os
import pickle
import re
import signal
import threading
import time

import dask.array as da
import dask.bag as db
import numpy as np
import pytest
import scipy.sparse as sp
from distributed import Client, LocalCluster
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from llmtopics import GibbsLDA, SweepCallback, _progress, store_counts
from llmtopics.dask import DaskGibbsLDA, _errors, _memory, _sampling
from llmtopics.dask._changes import Moves, change_of, merged
from llmtopics.dask._errors import LostWorker
from llmtopics.dask._sampling import Sampling
from llmtopics.dask._team import Team
from llmtopics.datasets import make_topics

X = make_topics(120, 60, 4, doc_length=25, random_state=0).data
LEARNED = {"doc_topic_prior": "auto", "topic_word_prior": "auto"}
SETTINGS = {"n_components": 5, "max_iter": 2, "random_state": 3}


def in_memory(**parameters):
    return GibbsLDA(**{**SETTINGS, **parameters}, sampler="blocked").fit(X)


def array(n_rows):
    return da.from_array(X.toarray(), chunks=(n_rows, X.shape[1]))


def assert_same(lda, local):
    for name in ("components_", "topic_counts_", "doc_topic_prior_", "log_likelihood_"):
        assert_array_equal(getattr(lda, name), getattr(local, name))
    assert lda.n_iter_ == local.n_iter_


@pytest.mark.parametrize(
    ("n_sweeps", "priors"),
    [(1, {}), pytest.param(11, LEARNED, marks=pytest.mark.slow)],
)
def test_two_workers_give_the_bits_of_a_fit_in_memory(client, n_sweeps, priors):
    given = {"max_iter": n_sweeps, **priors}
    lda = DaskGibbsLDA(**SETTINGS | given, client=client)
    assert_same(lda.fit(array(50)), in_memory(**given))


def test_a_bar_shows_the_sweeps(threads, monkeypatch, capfd):
    monkeypatch.setattr(_progress, "_DELAY", -1)
    DaskGibbsLDA(**SETTINGS, client=threads, verbose=True).fit(array(50))
    assert re.search("DaskGibbsLDA: 100%.*sweeps [0-9]+ s", capfd.readouterr().err)


class StopsAtThree:
    def setup(self, estimator, context):
        self.n = 0

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.n += context.task_name == "sweep"
        return self.n == 3


def test_a_callback_stops_the_fit(threads):
    pytest.importorskip("sklearn.callback")
    lda = DaskGibbsLDA(**SETTINGS | {"max_iter": 20}, client=threads)
    lda.set_callbacks(StopsAtThree()).set_output(transform="pandas")
    lda = clone(lda).fit(array(50))
    assert_same(lda, in_memory(max_iter=3))
    assert list(lda.transform(X).columns) == list(lda.get_feature_names_out())
    with pytest.raises(ValueError, match="cannot call SweepCallback"):
        lda.set_callbacks(SweepCallback(print)).fit(array(50))


def test_a_worker_lost_after_a_callback_stopped_the_fit_adds_no_sweep(
    threads, monkeypatch
):
    pytest.importorskip("sklearn.callback")
    lost = []

    def lost_once(name):
        function = getattr(Team, name)

        def call(*given):
            if name not in lost:
                lost.append(name)
                raise LostWorker("gone")
            return function(*given)

        monkeypatch.setattr(Team, name, call)

    lost_once("topics")  # so the last checkpoint is not written
    lost_once("expected_counts")
    lda = DaskGibbsLDA(**SETTINGS | {"max_iter": 20}, client=threads)
    lda.set_callbacks(StopsAtThree()).fit(array(50))
    assert lost == ["topics", "expected_counts"]
    assert_same(lda, in_memory(max_iter=3))


def test_one_worker_with_threads_gives_the_same_bits(threads):
    prior = np.linspace(0.05, 0.3, X.shape[1])
    lda = DaskGibbsLDA(**SETTINGS, topic_word_prior=prior, client=threads)
    assert_same(lda.fit(X), in_memory(topic_word_prior=prior))


def dawdle(seconds):
    """Make the draws of a worker slow, or as quick as before. Runs on the worker."""
    from llmtopics.dask._shard import Shard

    if not hasattr(Shard, "quick"):
        Shard.quick = Shard.draw

    def draw(*given):
        time.sleep(seconds)
        Shard.quick(*given)

    Shard.draw = draw if seconds else Shard.quick


def test_a_slow_worker_gives_the_same_bits(client):
    """The other worker waits for it in each block."""
    one = [next(iter(client.scheduler_info(n_workers=-1)["workers"]))]
    client.run(dawdle, 0.03, workers=one)
    try:
        begin = time.perf_counter()
        lda = DaskGibbsLDA(**SETTINGS, client=client).fit(array(50))
        seconds = time.perf_counter() - begin
    finally:
        client.run(dawdle, 0, workers=one)
    assert seconds > 2 * 32 * 0.03  # it was slow: two sweeps of 32 blocks
    assert_same(lda, in_memory())


@pytest.mark.soak  # sixteen workers in one process lose each other on a busy machine
def test_sixteen_workers_send_their_changes_in_a_tree():
    with (
        LocalCluster(
            n_workers=16, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster, set_as_default=False) as many,
    ):
        assert_same(DaskGibbsLDA(**SETTINGS, client=many).fit(X), in_memory())


@pytest.mark.parametrize("kind", ["bag", "stored", "sparse"])
def test_all_inputs_give_the_same_bits(threads, kind, tmp_path):
    blocks = [sp.csr_array(X[a:b]) for a, b in [(0, 30), (30, 31), (31, 31), (31, 120)]]
    if kind == "bag":
        given = db.from_sequence(blocks, npartitions=2)
    elif kind == "stored":
        given = store_counts(X, tmp_path / "counts")
    else:
        given = array(40).map_blocks(sp.csr_array)
    lda = DaskGibbsLDA(**SETTINGS, client=threads).fit(given)
    assert_array_equal(lda.components_, in_memory().components_)


def test_to_local_transform_and_pickles_need_no_client(threads):
    lda = DaskGibbsLDA(**SETTINGS, client=threads).fit(X)
    local = in_memory()
    expected = local.transform(X)
    lazy = lda.transform(array(50))
    assert isinstance(lazy, da.Array)
    assert lazy.shape == expected.shape
    with Client(threads.cluster, set_as_default=True):
        assert_array_equal(lazy.compute(), expected)
    copied = pickle.loads(pickle.dumps(lda))
    assert copied.client is None
    for model in (lda, copied, lda.to_local(), clone(lda).fit(X)):
        assert_array_equal(model.transform(X), expected)
    assert clone(lda).client is threads
    # a continued fit is that of the model in memory
    continued = lda.to_local().partial_fit(X).components_
    assert_array_equal(continued, local.partial_fit(X).components_)
    assert lda.score(X) == lda.to_local().score(X)


def test_faults_say_what_to_do(threads):
    lda = DaskGibbsLDA(**SETTINGS, client=threads)
    with pytest.raises(NotFittedError):
        lda.transform(X)
    wrong = X.toarray().astype(float)
    wrong[52, 4] = 0.5
    with pytest.raises(ValueError, match=r"Partition 1: .*row 2, column 4"):
        lda.fit(da.from_array(wrong, chunks=(50, 60)))
    with pytest.raises(ValueError, match="rechunk"):
        lda.fit(da.from_array(X.toarray(), chunks=(50, 30)))
    with pytest.raises(ValueError, match="Partition 1 has 50 columns"):
        lda.fit(db.from_sequence([X, X[:, :50]], npartitions=2))
    with pytest.raises(ValueError, match="holds no words"):
        lda.fit(da.zeros((5, 3), dtype=int))
    with pytest.raises(ValueError, match="needs an int as random_state"):
        clone(lda).set_params(random_state=None, checkpoint_dir="x").fit(X)
    assert not hasattr(lda, "components_")


def test_without_a_client():
    with pytest.raises(ValueError, match="found no client"):
        DaskGibbsLDA().fit(X)


def test_small_workers_are_told_before_the_start(threads, monkeypatch):
    about = threads.scheduler_info(n_workers=-1)["workers"]
    small = {
        address: each | {"memory_limit": 10_000} for address, each in about.items()
    }
    monkeypatch.setattr(_sampling, "some_workers", lambda _: small)
    with pytest.raises(MemoryError, match=r"on each of 1 workers.* larger workers"):
        DaskGibbsLDA(**SETTINGS, client=threads).fit(X)


def test_large_blocks_are_told_before_they_are_read(threads, monkeypatch):
    read = []
    blocks = array(60).map_blocks(lambda block: read.append(1) or block)
    about = threads.scheduler_info(n_workers=-1)["workers"]
    small = {
        address: each | {"memory_limit": 15_000} for address, each in about.items()
    }
    monkeypatch.setattr(_memory, "some_workers", lambda _: small)
    read.clear()
    with pytest.raises(MemoryError, match=r"Partition 0 .* 60 rows .*X.rechunk"):
        DaskGibbsLDA(**SETTINGS, client=threads).fit(blocks)
    assert not read


def test_a_dataframe_gives_the_same_bits(threads):
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    import pandas as pd

    names = [f"word{i}" for i in range(X.shape[1])]
    table = pd.DataFrame(X.toarray(), columns=names)
    given = dd.from_pandas(table, npartitions=3)
    lda = DaskGibbsLDA(**SETTINGS, client=threads).fit(given)
    local = GibbsLDA(**SETTINGS, sampler="blocked").fit(table)
    assert_same(lda, local)
    assert list(lda.feature_names_in_) == names
    with Client(threads.cluster, set_as_default=True):
        found = lda.transform(given).compute()
    assert_array_equal(found, local.transform(table))
    assert list(found.columns) == list(local.get_feature_names_out())


def test_local_sweeps_find_the_planted_topics(threads):
    corpus = make_topics(
        150, 40, 3, doc_length=60, topic_word_prior=0.05, random_state=1
    )
    lda = DaskGibbsLDA(
        3, max_iter=40, local_sweeps=4, random_state=0, client=threads
    ).fit(corpus.data)
    overlap = np.minimum(lda.components_[:, None], corpus.components).sum(axis=2)
    assert (overlap.max(axis=0) > 0.85).all()
    assert lda.n_iter_ == 40
    assert len(lda.log_likelihood_) == 4


@pytest.mark.slow
def test_local_sweeps_of_two_workers_count_all_tokens(client):
    lda = DaskGibbsLDA(**SETTINGS, local_sweeps=2, client=client).fit(X)
    again = DaskGibbsLDA(**SETTINGS, local_sweeps=2, client=client).fit(X)
    assert_array_equal(lda.components_, again.components_)
    assert lda.topic_counts_.sum() == pytest.approx(X.sum())


def test_a_grid_search_runs_on_the_cluster(threads):
    search = GridSearchCV(
        GibbsLDA(max_iter=5, random_state=0), {"n_components": [2, 4]}, cv=2
    )
    expected = clone(search).fit(X).cv_results_["mean_test_score"]
    with Client(threads.cluster), parallel_config("dask"):
        found = search.fit(X).cv_results_["mean_test_score"]
    assert_array_equal(found, expected)


def during(monkeypatch, number, act):
    """Call ``act`` once, while a sweep runs."""
    sweep, done = Team.sweep, []

    def watched(team, n, *given):
        if n == number and not done:
            done.append(n)
            thread = threading.Thread(target=act)
            thread.start()
            thread.join()
        sweep(team, n, *given)

    monkeypatch.setattr(Team, "sweep", watched)
    return done


@pytest.mark.slow
@pytest.mark.parametrize("every", [2, 10])
def test_a_killed_worker_changes_nothing(victims, monkeypatch, every):
    """With a checkpoint, and before the first one."""
    pids = victims.run(os.getpid)
    victim = next(iter(pids.values()))
    done = during(monkeypatch, 4, lambda: os.kill(victim, signal.SIGKILL))
    more = {"max_iter": 12, "doc_topic_prior": "auto", "checkpoint_every": every}
    lda = DaskGibbsLDA(**SETTINGS | more, client=victims).fit(array(50))
    assert done
    more.pop("checkpoint_every")
    assert_same(lda, in_memory(**more))


def test_topics_that_dask_canceled_are_drawn_again(threads, monkeypatch):
    """It cancels what a lost worker held, if nobody can compute it again."""
    sweep, save, saved = Team.sweep, Sampling._save, []

    def watched_save(sampling, *given):
        save(sampling, *given)
        saved.append(sampling.state)

    def watched(team, n, *given):
        if len(saved) == 1:
            gone = [future for _, own in saved[0].copies for future in own]
            threads.cancel(gone)
            saved.append(None)
            raise LostWorker("one")
        sweep(team, n, *given)

    monkeypatch.setattr(Sampling, "_save", watched_save)
    monkeypatch.setattr(Team, "sweep", watched)
    lda = DaskGibbsLDA(**SETTINGS | {"max_iter": 6}, checkpoint_every=2, client=threads)
    with pytest.warns(UserWarning, match="starts again from the first sweep"):
        lda.fit(X)
    assert_same(lda, in_memory(max_iter=6))


def die(_):
    """End the worker, as Dask does when its memory is full."""
    os._exit(1)


@pytest.mark.slow
def test_a_partition_that_kills_its_workers_is_told(victims):
    bag = db.from_sequence([X], npartitions=1).map(die)
    with pytest.raises(RuntimeError, match=r"while they read X.*smaller partitions"):
        DaskGibbsLDA(**SETTINGS, client=victims).fit(bag)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_collections_stay_what_they_are_under_set_output(threads, container):
    pytest.importorskip(container)
    lda = DaskGibbsLDA(**SETTINGS | {"max_iter": 2}, client=threads)
    lda.set_output(transform=container)
    assert isinstance(lda.fit_transform(array(50)), da.Array)
    assert isinstance(lda.transform(array(50)), da.Array)
    assert isinstance(lda.transform(db.from_sequence([X], npartitions=1)), db.Bag)
    for frame in (lda.transform(X), lda.fit_transform(X)):
        assert type(frame).__module__.startswith(container)


def test_a_cluster_without_workers_is_told(monkeypatch):
    """The scheduler itself would keep the tasks forever."""
    monkeypatch.setattr(_errors, "_PATIENCE", 2)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
        pytest.raises(RuntimeError, match=r"no worker for 2 seconds: start workers"),
    ):
        DaskGibbsLDA(**SETTINGS, client=client).fit(db.from_sequence([X]))


@pytest.mark.slow
def test_a_stopped_scheduler_leaves_a_checkpoint(tmp_path, monkeypatch):
    settings = SETTINGS | {"max_iter": 12, "checkpoint_every": 2}
    settings |= {"checkpoint_dir": tmp_path / "chain"}
    given = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    cluster = LocalCluster(**given)
    client = Client(cluster, set_as_default=False, timeout=20)
    done = during(monkeypatch, 7, cluster.close)
    with pytest.raises(
        RuntimeError, match=r"scheduler .* has stopped .* checkpoint_dir"
    ):
        DaskGibbsLDA(**settings, client=client).fit(X)
    client.close(timeout=2)
    assert done
    assert list((tmp_path / "chain").glob("*/topics-6.bin"))
    sweeps = []
    monkeypatch.undo()
    sweep = Team.sweep
    monkeypatch.setattr(
        Team, "sweep", lambda team, n, *a: [sweeps.append(n), sweep(team, n, *a)]
    )
    with (
        LocalCluster(**given) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        lda = DaskGibbsLDA(**settings, client=client).fit(X)
    assert sweeps == list(range(6, 12))
    assert_same(lda, in_memory(max_iter=12))
    assert not list((tmp_path / "chain").iterdir())


def test_changes_are_dense_where_that_is_smaller():
    rng = np.random.default_rng(0)
    words = rng.integers(4, size=500).astype(np.int32)
    before, after = rng.integers(3, size=(2, 500)).astype(np.uint16)
    dense = change_of(words, before, after, (4, 16))
    assert isinstance(dense, np.ndarray)
    large = (4000, 16)
    moves = change_of(words, before, after, large)
    assert isinstance(moves, Moves)
    assert (moves.before != moves.after).all()
    both = merged((4, 16), dense, moves)
    assert_array_equal(both, 2 * dense)
    assert_array_equal(dense.sum(axis=1), 0)
    assert_array_equal(
        dense.sum(axis=0)[:3], np.bincount(after, minlength=3) - np.bincount(before)
    )
