import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA
from llmtopics.metrics import topic_stability

LDA = GibbsLDA(4, max_iter=50, random_state=0)


def test_planted_topics_come_back_and_superfluous_ones_do_not(planted):
    true = topic_stability(LDA, planted.data, n_runs=3)
    assert true.runs.shape == (3, 4)
    assert true.per_topic.min() > 0.7
    assert_allclose(true.per_topic, true.runs.mean(axis=0))
    assert_allclose(true.overall, true.runs.mean())
    many = topic_stability(LDA.set_params(n_components=12), planted.data, n_runs=3)
    LDA.set_params(n_components=4)
    assert many.overall < true.overall - 0.1


def test_topics_are_matched_one_to_one(planted):
    stability = topic_stability(LDA, planted.data, n_runs=3)
    for match in stability.matches:
        assert_array_equal(np.sort(match), range(4))
    reference = stability.estimator.components_
    assert_array_equal(
        reference, GibbsLDA(**LDA.get_params()).fit(planted.data).components_
    )


def test_n_jobs_changes_nothing_and_seeds_decide(planted):
    alone = topic_stability(LDA, planted.data, n_runs=2).runs
    assert_array_equal(
        alone, topic_stability(LDA, planted.data, n_runs=2, n_jobs=2).runs
    )
    other = topic_stability(LDA, planted.data, n_runs=2, random_state=1).runs
    assert not np.array_equal(alone, other)
    assert LDA.random_state == 0


def test_parts_of_the_corpus_with_vocabularies_of_their_own():
    texts = ["cat dog pet", "dog cat vet", "bond sale bank", "bank bond rate"] * 5 + [
        "rare"
    ]
    model = make_pipeline(CountVectorizer(), NMF(2, init="nndsvda", max_iter=500))
    stability = topic_stability(model, texts, n_runs=4, subsample=0.7)
    assert stability.overall > 0.7
    assert (stability.runs <= 1).all()


def test_what_cannot_vary_is_refused(planted):
    class Fixed(GibbsLDA):
        def get_params(self, deep=True):
            return {}

    with pytest.raises(ValueError, match="subsample"):
        topic_stability(Fixed(), planted.data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_runs": 0}, "n_runs"),
        ({"subsample": 1}, "subsample"),
        ({"subsample": 0}, "sub"),
    ],
)
def test_bad_options_are_named(planted, options, message):
    with pytest.raises(ValueError, match=message):
        topic_stability(LDA, planted.data, **options)
