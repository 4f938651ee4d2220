"""Progress: one bar per call, callbacks of scikit-learn, and faults that are told once."""

import copy
import io
import logging
import os
import pickle
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from tqdm import tqdm

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    LLMAugmenter,
    PachinkoAllocation,
    SweepCallback,
    TopicMerger,
    TransformerEmbedder,
    _progress,
    _stage,
    suggest_n_components,
)
from llmtopics._progress import aside, fitting, is_first, reporting, stage

TEXTS = [
    f"{a} {b} {a} {c}"
    for a, b, c in [("cat", "dog", "paw"), ("bank", "stock", "bond")] * 10
]
SIX = {"max_iter": 6, "random_state": 0}


def lsa():
    return make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0))


def fusion(**parameters):
    return FusionTopicModel(2, embedder=lsa(), **{**SIX, **parameters})


def lines(capfd):
    """Return the lines that are left at the end. A bar draws over itself."""
    out, err = capfd.readouterr()
    assert out == ""
    return [line.split("\r")[-1].strip() for line in err.split("\n") if line]


def frames(capfd):
    """Return all drawings of bars."""
    return [f for f in capfd.readouterr().err.replace("\r", "\n").split("\n") if f]


class Recorder:
    """A callback that notes the tasks of a fit. Outer estimators pass it on."""

    max_propagation_depth = None

    def __init__(self):
        self.begun, self.ended, self.fits = [], [], 0

    def setup(self, estimator, context):
        self.fits += 1

    def teardown(self, estimator, context):
        self.fits -= 1

    def on_fit_task_begin(self, estimator, context):
        self.begun.append((context.estimator_name, context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.ended.append((context.estimator_name, context.task_name))


@pytest.fixture
def callbacks():
    return pytest.importorskip("sklearn.callback")


# the bar ------------------------------------------------------------------------------


def test_work_of_a_moment_shows_no_bar(capfd):
    with reporting("Work", verbose=True), stage("steps", 5, "steps") as steps:
        for _ in range(5):
            steps.update()
    assert lines(capfd) == []


def test_a_stage_of_nothing_counts_nothing(capfd):
    with reporting("Work", verbose=True), stage("steps", 0, "steps") as steps:
        assert steps.update() is False
    assert lines(capfd) == []


def test_one_bar_goes_through_all_stages(no_delay, monkeypatch, capfd):
    monkeypatch.setattr(_progress, "tqdm", partial(tqdm, mininterval=0))
    with reporting("Work", verbose=True):
        for name, unit in [("vectors", "texts"), ("sweeps", "sweeps")]:
            with stage(name, 3, unit) as steps:
                for _ in range(3):
                    steps.update()
    out = frames(capfd)
    assert any("Work: vectors" in frame for frame in out)
    assert any("Work: sweeps" in frame for frame in out)
    assert "100%" in out[-1]
    assert out[-1].startswith("Work: ")
    assert out[-1].rstrip().endswith("vectors 0 s, sweeps 0 s")


def test_inner_calls_report_to_the_bar_of_the_outer_one(no_delay, capfd):
    with (
        reporting("Outer", verbose=True),
        reporting("Inner", verbose=True),
        stage("steps", 2, "steps") as steps,
    ):
        steps.update(2)
    assert len(found := lines(capfd)) == 1
    assert found[0].startswith("Outer: 100%")
    with (
        reporting("Outer", verbose=False),
        reporting("Inner", verbose=True),
        stage("steps", 2, "steps") as steps,
    ):
        steps.update(2)
    assert [line[:11] for line in lines(capfd)] == ["Inner: 100%"]


def test_an_inner_stage_is_a_note_beside_the_outer_one(no_delay, monkeypatch):
    drawn = io.StringIO()
    monkeypatch.setattr(_progress, "tqdm", partial(tqdm, file=drawn, mininterval=0))
    with reporting("Work", verbose=True), stage("fits", 2, "fits") as fits:
        with stage("sweeps", 8, "sweeps") as sweeps:
            sweeps.update(4)
        fits.update()
    assert "Work: fits:   0%" in drawn.getvalue()
    assert "0/2 fits, 4/8 sweeps" in drawn.getvalue()
    assert "1/2 fits" in drawn.getvalue()


def test_the_rest_of_the_time_is_that_of_work(no_delay, monkeypatch):
    """A long text comes first: half of the work is done, not one text of three."""
    made = []
    monkeypatch.setattr(
        _progress, "tqdm", lambda **given: made.append(tqdm(**given)) or made[0]
    )
    with (
        reporting("Work", verbose=True),
        stage("vectors", 3, "texts", work=100) as texts,
    ):
        texts.update(1, 50)
        assert made[0].n / made[0].total == 0.5
        assert "1/3 texts" in made[0].postfix


@pytest.fixture
def bars(no_delay, monkeypatch):
    """All bars that are made."""
    made = []
    monkeypatch.setattr(
        _progress, "tqdm", lambda **given: made.append(tqdm(**given)) or made[-1]
    )
    return made


def test_the_time_left_is_that_at_the_mean_speed(bars):
    """Inner stages draw between two steps, and a first step may take longest."""
    with reporting("Work", verbose=True), stage("fits", 12, "fits") as fits:
        bars[0].start_t = fits.start = fits.start - 40
        for _ in range(4):
            fits.update()
        with stage("sweeps", 50, "sweeps") as sweeps:
            for _ in range(50):
                sweeps.update()
        assert "4/12 fits" in str(bars[0])
        assert "00:40<01:20" in str(bars[0])


def test_a_continued_stage_starts_where_it_was(bars):
    with (
        reporting("Work", verbose=True),
        stage("sweeps", 60, "sweeps", first=24) as sweeps,
    ):
        bars[0].start_t = sweeps.start = sweeps.start - 6
        sweeps.update(12)
        assert "60%" in str(bars[0])
        assert "36/60 sweeps, 2.0 sweeps/s" in str(bars[0])
        assert "00:06<00:12" in str(bars[0])


def test_a_stage_of_unknown_length_counts(no_delay, monkeypatch, capfd):
    monkeypatch.setattr(_progress, "tqdm", partial(tqdm, mininterval=0))
    with reporting("Work", verbose=True):
        with stage("vocabulary", None, "texts") as texts:
            texts.update(1200)
        with stage("counts", 1200, "texts") as texts:
            texts.update(1200)
    drawn = frames(capfd)
    counted = [frame for frame in drawn if "Work: vocabulary" in frame]
    assert "1,200 texts" in counted[-1]
    assert not any("%" in frame for frame in counted)
    assert drawn[-1].startswith("Work: 100%")
    assert drawn[-1].rstrip().endswith("vocabulary 0 s (1,200 texts), counts 0 s")


def test_a_slow_stage_is_shown_before_its_first_step(callbacks, capfd):
    recorder = Recorder()
    model = GibbsLDA(verbose=True).set_callbacks(recorder)
    counted = stage("load", 1, "packages", slow=True, hidden=True)
    with fitting(model), counted as loaded:
        assert "GibbsLDA: load:   0%" in capfd.readouterr().err
        loaded.update()
    assert ("GibbsLDA", "load") not in recorder.begun


def test_the_end_says_how_many_steps_there_were_if_fewer_than_planned(no_delay, capfd):
    with reporting("Work", verbose=True), stage("calls", 63, "calls") as calls:
        calls.update(41)
    assert lines(capfd)[0].endswith("calls 0 s (41 calls)")


def test_the_speed_is_written_in_steps_per_second_or_seconds_per_step(monkeypatch):
    now = 100.0
    monkeypatch.setattr(_stage, "time", lambda: now)
    with stage("vectors", 9000, "texts") as texts:
        assert texts.speed == ""
        now = 110.0
        texts.update(25)
        assert texts.speed == "2.5 texts/s"
        texts.update(5000)
        assert texts.speed == "502 texts/s"
    with stage("vectors", 3, "texts") as texts:
        now = 140.0
        texts.update(2)
        assert texts.speed == "15.0 s/text"


@pytest.mark.parametrize(
    "model",
    [
        fusion(),
        fusion(pooling="linear", topic_model=GibbsLDA(verbose=True)),
        fusion(alpha="auto"),
        fusion(alpha=0),
        TopicMerger(fusion(), 2),
        make_pipeline(CountVectorizer(), PachinkoAllocation(2, **SIX)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_fit_has_one_bar_whatever_it_fits(model, no_delay, capfd):
    model = clone(model)
    for each in [model, *model.get_params().values()]:
        if hasattr(each, "verbose") and not isinstance(each, Pipeline):  # it prints
            each.set_params(verbose=True)
    model.fit(TEXTS)
    assert len(found := lines(capfd)) == 1
    assert "100%" in found[0]


@pytest.mark.parametrize("model", [GibbsLDA(2, **SIX), PachinkoAllocation(2, **SIX)])
def test_the_work_after_the_last_sweep_is_shown(model, no_delay, capfd):
    clone(model).set_params(verbose=True).fit([[2, 1], [1, 3]])
    assert re.search("sweeps .* s, passes .* s", lines(capfd)[0])


def test_a_failed_fit_ends_its_bar_where_it_was(no_delay, capfd):
    class Fails(GibbsLDA):
        def _count(self, *_):
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        Fails(2, verbose=True).fit(np.eye(3, dtype=int))
    assert [line[:16] for line in lines(capfd)] == ["Fails: sweeps:  "]
    GibbsLDA(2, verbose=True, **SIX).fit(np.eye(3, dtype=int))
    assert len(lines(capfd)) == 1  # the failed fit is no outer call


def test_threads_do_not_draw_on_the_bar_of_another_thread(no_delay, capfd):
    with (
        reporting("Work", verbose=True),
        stage("fits", 2, "fits") as fits,
        ThreadPoolExecutor(2) as pool,
    ):
        for each in [pool.submit(fusion().fit, TEXTS) for _ in range(2)]:
            each.result()
            fits.update()
    assert not any("sweeps" in frame for frame in frames(capfd))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_does_not_draw_on_the_bar_of_its_parent():
    with reporting("Work", verbose=True):
        if not (child := os.fork()):
            os._exit(len(_progress._CALLS.get()))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(_progress._CALLS.get()) == 1


def test_a_logged_line_does_not_break_the_bar(no_delay, capfd):
    with reporting("Work", verbose=True), stage("steps", 2, "steps") as steps:
        steps.update()
        with aside():
            print("a line", file=sys.stderr)
    assert lines(capfd)[0] == "a line"


# callbacks of scikit-learn ------------------------------------------------------------


def test_callbacks_see_stages_and_steps(callbacks):
    recorder = Recorder()
    fusion().set_callbacks(recorder).fit(TEXTS)
    assert recorder.begun[0] == ("FusionTopicModel", "fit") == recorder.ended[-1]
    assert sorted(recorder.begun) == sorted(recorder.ended)
    steps = [name for _, name in recorder.ended]
    assert steps.index("counts") == steps.count("text") == 20
    assert steps.count("sweep") == 6
    assert steps.index("directions") < steps.index("sweep") < steps.index("sweeps")
    assert recorder.fits == 0


def test_a_stage_of_many_steps_has_a_hundred_tasks(callbacks):
    recorder = Recorder()
    model = GibbsLDA().set_callbacks(recorder)
    with fitting(model), stage("vectors", 1234, "texts") as texts:
        for _ in range(617):
            texts.update(2)
    assert [name for _, name in recorder.ended].count("text") == 100


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_callbacks_come_through_pipelines_and_searches(callbacks, n_jobs, capfd):
    pytest.importorskip("rich")
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, **SIX))
    search = GridSearchCV(
        model, {"gibbslda__n_components": [2, 3]}, cv=2, n_jobs=n_jobs
    )
    with pytest.warns(UserWarning, match="CountVectorizer does not support callbacks"):
        clone(search).set_params(n_jobs=None).set_callbacks(Recorder()).fit(TEXTS)
    search.set_params(estimator=fusion(), param_grid={"alpha": [0.2, 0.8]})
    bar = callbacks.ProgressBar(max_propagation_depth=None)
    found = search.set_callbacks(bar).fit(TEXTS)
    out, _ = capfd.readouterr()
    assert out.count("FusionTopicModel - sweeps") >= 5  # four fits and the refit
    plain = clone(search).set_callbacks().fit(TEXTS)
    assert_array_equal(found.transform(TEXTS), plain.transform(TEXTS))


def test_an_embedder_in_a_pipeline_reports_its_texts(callbacks):
    recorder = Recorder()
    pipeline = make_pipeline(
        TransformerEmbedder(cache_dir=False), EmbeddingTopics(2, random_state=0)
    )
    pipeline.set_callbacks(recorder).fit(TEXTS)
    assert ("TransformerEmbedder", "vectors") in recorder.ended
    assert ("EmbeddingTopics", "directions") in recorder.ended
    assert recorder.ended[-1] == ("Pipeline", "fit")
    plain = clone(pipeline).set_callbacks().fit(TEXTS)
    assert_allclose(pipeline.transform(TEXTS), plain.transform(TEXTS), atol=1e-6)


def test_a_progress_bar_of_scikit_learn_replaces_ours(callbacks, no_delay, capfd):
    pytest.importorskip("rich")
    fusion(verbose=True).set_callbacks(callbacks.ProgressBar()).fit(TEXTS)
    out, err = capfd.readouterr()
    assert "FusionTopicModel - sweeps" in out
    assert err == ""


def test_a_failed_fit_ends_its_callbacks_and_stays_as_it_was(callbacks):
    recorder = Recorder()
    model = fusion().set_callbacks(recorder).fit(TEXTS)
    before = model.components_
    with pytest.raises(ValueError, match="row 1"):
        model.fit([*TEXTS[:1], None])
    model.set_params(n_components=300)
    with pytest.raises(ValueError, match="n_components"):
        model.fit(TEXTS)
    assert recorder.fits == 0
    assert model.components_ is before
    assert not [n for n in vars(model) if "callback" in n and n != "_skl_callbacks"]


def test_without_callbacks_a_newer_scikit_learn_is_asked_for():
    if hasattr(_progress, "CallbackSupportMixin") and hasattr(
        _progress.CallbackSupportMixin, "_init_callback_context"
    ):
        pytest.skip("this scikit-learn has callbacks")
    with pytest.raises(ImportError, match="newer"):
        GibbsLDA().set_callbacks()


# SweepCallback ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        GibbsLDA(3, max_iter=25, random_state=0),
        GibbsLDA(3, max_iter=25, random_state=0, sampler="blocked"),
        GibbsLDA(
            3,
            max_iter=25,
            random_state=0,
            doc_topic_prior="auto",
            topic_word_prior="auto",
        ),
        PachinkoAllocation(
            3, n_super_components=2, super_sub_prior=0.5, max_iter=25, random_state=0
        ),
    ],
    ids=["exact", "blocked", "learned", "pachinko"],
)
def test_each_sweep_gives_a_fitted_model_and_the_same_bits(callbacks, planted, model):
    seen = []
    watched = clone(model).set_callbacks(SweepCallback(seen.append)).fit(planted.data)
    plain = clone(model).fit(planted.data)
    assert_array_equal(watched.components_, plain.components_)
    assert [each.n_iter_ for each in seen] == list(range(1, 26))
    trace = [each.log_likelihood_[-1] for each in seen]
    assert_array_equal(trace[9::10], plain.log_likelihood_)
    assert trace[-1] > trace[0]
    for each in (seen[0], seen[-1]):
        assert_allclose(each.components_.sum(axis=1), 1)
        assert_allclose(each.transform(planted.data).sum(axis=1), 1)
        assert each.topic_counts_.sum() == pytest.approx(planted.data.sum())
    assert seen[-1].score(planted.data) > seen[0].score(planted.data)


def test_a_callback_stops_the_fit(callbacks, planted):
    def enough(model):
        return model.n_iter_ == 10

    stopped = GibbsLDA(3, random_state=0, tol=0.0).set_callbacks(SweepCallback(enough))
    stopped.fit(planted.data)  # and warns of nothing
    short = GibbsLDA(3, max_iter=10, random_state=0).fit(planted.data)
    assert stopped.n_iter_ == 10
    assert_array_equal(stopped.components_, short.components_)
    assert_array_equal(stopped.log_likelihood_, short.log_likelihood_)
    early = fusion(max_iter=60).set_callbacks(SweepCallback(enough)).fit(TEXTS)
    assert early.topic_model_.n_iter_ == 10
    pam = PachinkoAllocation(3, random_state=0, tol=0.0)
    pam.set_callbacks(SweepCallback(lambda model: True)).fit(planted.data)
    assert pam.n_iter_ == 51  # the first quarter searches for a start


def test_a_comparison_of_numpy_stops_the_fit(callbacks, planted):
    def enough(model):
        return model.log_likelihood_[-1] > -1e9  # a bool of NumPy

    model = GibbsLDA(3, random_state=0).set_callbacks(SweepCallback(enough))
    assert model.fit(planted.data).n_iter_ == 1


def test_copies_are_free_of_the_fit(callbacks, planted):
    """Neither callbacks nor what an earlier fit has left."""
    seen = []
    lda = GibbsLDA(3, max_iter=30, random_state=0).fit(planted.data)
    lda.set_params(max_iter=11).set_callbacks(SweepCallback(lambda m: seen.append(m)))
    lda.fit(planted.data)
    first, *_, last = seen
    assert_array_equal(last.word_log_likelihood_[:1], lda.word_log_likelihood_)
    assert len(first.word_log_likelihood_) == len(first.log_likelihood_) == 1
    twin = pickle.loads(pickle.dumps(first))  # although a lambda cannot be pickled
    assert_array_equal(twin.transform(planted.data), first.transform(planted.data))
    first.fit(planted.data)  # calls nobody
    assert len(seen) == 11


@pytest.mark.parametrize(
    "model",
    [
        GibbsLDA(3, max_iter=12, random_state=0),
        GibbsLDA(3, max_iter=12, random_state=0, doc_topic_prior="auto"),
        PachinkoAllocation(3, super_sub_prior=0.5, max_iter=12, random_state=0),
    ],
    ids=["fixed", "learned", "pachinko"],
)
def test_a_function_that_changes_its_copy_does_not_change_the_fit(
    callbacks, planted, model
):
    def spoil(copied):
        for value in vars(copied).values():
            if isinstance(value, np.ndarray) and value.flags.writeable:
                value[...] = 7

    n_words = planted.data.shape[1]
    if isinstance(model, GibbsLDA):
        model = clone(model).set_params(topic_word_prior=np.full(n_words, 0.1))
    plain = clone(model).fit(planted.data)
    spoiled = clone(model).set_callbacks(SweepCallback(spoil)).fit(planted.data)
    assert_array_equal(spoiled.components_, plain.components_)
    assert_array_equal(spoiled.transform(planted.data), plain.transform(planted.data))


def test_fusion_shows_its_topic_model_after_each_sweep(callbacks):
    seen = []
    model = fusion(max_iter=20).set_callbacks(SweepCallback(seen.append)).fit(TEXTS)
    assert [type(each) for each in seen] == [GibbsLDA] * 20
    assert all(np.isfinite(each.log_likelihood_).all() for each in seen)
    assert seen[-1].components_.shape == model.components_.shape
    assert_array_equal(
        fusion(max_iter=20).fit(TEXTS).transform(TEXTS), model.transform(TEXTS)
    )
    seen.clear()
    part = GibbsLDA().set_callbacks(SweepCallback(seen.append))
    fusion(pooling="linear", topic_model=part).fit(TEXTS)
    assert len(seen) == 6


def test_the_likelihood_of_priors_per_document_is_the_formula(callbacks):
    from scipy.special import gammaln

    from llmtopics.topics._gibbs.likelihood import divided_each, log_division

    starts, topics = np.array([0, 3, 3, 5]), np.array([0, 2, 2, 1, 1])
    prior = np.arange(1.0, 10).reshape(3, 3) / 4
    found = log_division(divided_each(starts, topics, 3), prior)
    counts = np.array([[1, 0, 2], [0, 0, 0], [0, 2, 0]])
    total = prior.sum(axis=1)
    expected = gammaln(total) - gammaln(total + counts.sum(axis=1))
    expected = expected.sum() + (gammaln(prior + counts) - gammaln(prior)).sum()
    assert found == pytest.approx(expected)


def ignore(model):
    """Do nothing after a sweep."""


def test_a_model_with_a_callback_can_be_cloned_copied_and_pickled(callbacks, planted):
    model = GibbsLDA(3, max_iter=3, random_state=0).set_callbacks(SweepCallback(ignore))
    assert clone(model)._skl_callbacks[0] is model._skl_callbacks[0]
    assert "callbacks" not in str(model.get_params())
    model.fit(planted.data)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(twin.transform(planted.data), model.transform(planted.data))
        assert_array_equal(
            twin.fit(planted.data).transform(planted.data),
            model.transform(planted.data),
        )


def test_partial_fit_and_learning_a_start_call_no_function(callbacks, planted):
    seen = []
    model = GibbsLDA(3, max_iter=20, random_state=0).fit(planted.data)
    model.set_callbacks(SweepCallback(seen.append)).partial_fit(planted.data)
    assert seen == []


# faults that are told once ------------------------------------------------------------


def test_long_texts_are_logged_once_per_fit(caplog):
    embedder = TransformerEmbedder(max_length=8, cache_dir=False)
    texts = [" ".join([word, *text.split()] * 5) for word, text in enumerate_(TEXTS)]
    with caplog.at_level(logging.WARNING):
        for start in (0, 5, 10):
            embedder.transform(texts[start : start + 5])
        assert len(caplog.records) == 1
        caplog.clear()
        embedder.fit_transform(texts)
        assert len(caplog.records) == 1
        caplog.clear()
        model = FusionTopicModel(2, embedder=embedder, **SIX)
        model.fit(texts)
        model.transform(texts[:4])
        assert len(caplog.records) == 1
        caplog.clear()
        suggest_n_components(model, texts, n_components=[2, 3], n_runs=2)
        assert len(caplog.records) == 1


def enumerate_(texts):
    return [(f"{'abcdefghij'[i % 10]}word", text) for i, text in enumerate(texts)]


def test_a_fact_is_told_once_per_outermost_call():
    first, second = GibbsLDA(), GibbsLDA()
    assert is_first(first, "a")
    assert not is_first(first, "a")
    assert is_first(first, "b")
    with reporting("Work", verbose=False):
        assert is_first(first, "a")
        assert not is_first(second, "a")
    with fitting(second):
        assert is_first(first, "a")
    with fitting(second):
        assert is_first(first, "a")
    assert is_first(first, "c", of_process=True)
    assert not is_first(second, "c", of_process=True)


def test_an_augmenter_reports_in_a_pipeline(callbacks):
    recorder = Recorder()
    augmenter = LLMAugmenter(max_new_tokens=2, max_length=16)
    augmenter.set_callbacks(recorder).fit_transform(TEXTS[:2])
    assert recorder.ended[-1] == ("LLMAugmenter", "fit")
