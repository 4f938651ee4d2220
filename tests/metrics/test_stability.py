import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA
from llmtopics.metrics import topic_stability

LDA = GibbsLDA(4, max_iter=50, random_state=0)


def test_planted_topics_are_stable_and_additional_ones_are_not(planted):
    true = topic_stability(LDA, planted.data)
    assert true.runs.shape == (5, 4)
    assert true.per_topic.min() > 0.8
    assert_allclose(true.per_topic, true.runs.mean(axis=0))
    assert_allclose(true.overall, true.runs.mean())
    twelve = clone(LDA).set_params(n_components=12)
    many = topic_stability(twelve, planted.data, n_runs=3)
    assert many.overall < true.overall - 0.1


def test_topics_are_matched_one_to_one(planted):
    stability = topic_stability(LDA, planted.data, n_runs=3)
    for match in stability.matches:
        assert_array_equal(np.sort(match), range(4))
    reference = stability.estimator.components_
    assert_array_equal(
        reference, GibbsLDA(**LDA.get_params()).fit(planted.data).components_
    )


def test_the_result_depends_on_the_seed_and_not_on_n_jobs(planted):
    alone = topic_stability(LDA, planted.data, n_runs=2).runs
    assert_array_equal(
        alone, topic_stability(LDA, planted.data, n_runs=2, n_jobs=2).runs
    )
    other = topic_stability(LDA, planted.data, n_runs=2, random_state=1).runs
    assert not np.array_equal(alone, other)
    assert LDA.random_state == 0


def test_parts_of_the_corpus_with_their_own_vocabularies():
    texts = ["cat dog pet", "dog cat vet", "bond sale bank", "bank bond rate"] * 5 + [
        "rare"
    ]
    model = make_pipeline(CountVectorizer(), NMF(2, init="nndsvda", max_iter=500))
    stability = topic_stability(model, texts, n_runs=4, subsample=0.7)
    assert stability.overall > 0.7
    assert (stability.runs <= 1).all()


class Recorder(BaseEstimator):
    """A fake topic model that records the input of each fit."""

    fits: list = []

    def __init__(self, random_state=None, inner=None):
        self.random_state = random_state
        self.inner = inner

    def fit(self, X, y=None):
        inner = None if self.inner is None else self.inner.random_state
        Recorder.fits.append((X[:, 0].tolist(), self.random_state, inner))
        self.components_ = np.eye(2)
        return self


@pytest.mark.parametrize("subsample", [None, 0.6])
def test_runs_see_the_documents_and_seeds_they_should(subsample):
    Recorder.fits = []
    X = np.arange(20).reshape(10, 2)
    model = Recorder(random_state=7, inner=Recorder())
    topic_stability(model, X, n_runs=4, subsample=subsample)
    (rows, seed, inner), *runs = Recorder.fits
    assert (rows, seed) == (X[:, 0].tolist(), 7)
    assert inner is not None  # was None: seeded, so that the first fit can be repeated
    size = 10 if subsample is None else 6
    for rows, seed, inner in runs:
        assert len(rows) == len(set(rows)) == size
        assert set(rows) <= set(X[:, 0].tolist())
        assert seed == inner != 7
    assert len({seed for _, seed, _ in runs}) == 4
    assert subsample is None or len({tuple(rows) for rows, _, _ in runs}) > 1


def test_the_first_fit_can_be_repeated(planted):
    model = LatentDirichletAllocation(3, max_iter=2)
    first, second = (topic_stability(model, planted.data, n_runs=1) for _ in range(2))
    assert_array_equal(first.runs, second.runs)


def test_topics_without_weight_are_not_stable(planted):
    class Half(NMF):
        def fit(self, X, y=None):
            super().fit(X)
            self.components_[2:] = 0
            return self

    model = Half(4, init="nndsvda", max_iter=500, random_state=0)
    stability = topic_stability(model, planted.data.astype(float), n_runs=2)
    assert_allclose(stability.per_topic[:2], 1)
    assert_array_equal(stability.per_topic[2:], 0)


def test_progress_is_shown_only_on_demand(planted, no_delay, capfd):
    topic_stability(LDA, planted.data, n_runs=2)
    assert capfd.readouterr() == ("", "")
    topic_stability(LDA, planted.data, n_runs=2, verbose=True)
    assert "topic_stability: 100%" in capfd.readouterr().err


def test_a_model_without_random_state_needs_subsample(planted):
    class Fixed(GibbsLDA):
        def get_params(self, deep=True):
            return {}

    with pytest.raises(ValueError, match="subsample"):
        topic_stability(Fixed(), planted.data)


@pytest.mark.parametrize("model", [None, "lda", GibbsLDA])
def test_what_cannot_be_fitted_is_refused(planted, model):
    with pytest.raises(TypeError, match="a topic model that it can fit, got"):
        topic_stability(model, planted.data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_runs": 0}, "n_runs"),
        ({"subsample": 1}, "subsample"),
        ({"subsample": 0}, "sub"),
        ({"subsample": "half"}, "subsample must be between 0 and 1, got 'half'"),
    ],
)
def test_bad_options_are_named(planted, options, message):
    with pytest.raises(ValueError, match=message):
        topic_stability(LDA, planted.data, **options)
