import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import normalized_mutual_info_score

from llmtopics import GibbsLDA, TextAnalyzer
from llmtopics.datasets import load_bbc_news, load_reuters395
from llmtopics.topics import _gibbs_kernels as kernels
from llmtopics.topics import _gibbs_lda


@pytest.fixture(scope="module")
def reuters():
    return load_reuters395().data


@pytest.mark.parametrize("seed", range(3))
def test_finds_planted_topics(planted, seed):
    model = GibbsLDA(4, random_state=seed).fit(planted.data)
    distance = cdist(model.components_, planted.components, "jensenshannon")
    found, true = linear_sum_assignment(distance)
    assert distance[found, true].max() < 0.15
    mixtures = model.transform(planted.data)
    assert np.abs(mixtures[:, found] - planted.doc_topic[:, true]).mean() < 0.05


def test_topics_of_bbc_news_agree_with_the_editors():
    corpus = load_bbc_news()
    X = CountVectorizer(analyzer=TextAnalyzer(), min_df=5).fit_transform(corpus.data)
    topics = GibbsLDA(5, random_state=0).fit_transform(X).argmax(axis=1)
    assert normalized_mutual_info_score(corpus.target, topics) > 0.65


def test_components_are_distributions_over_words(reuters):
    model = GibbsLDA(20, max_iter=5, random_state=0).fit(reuters)
    assert model.components_.shape == (20, 4258)
    assert model.components_.dtype == np.float64
    assert (model.components_ > 0).all()
    assert_allclose(model.components_.sum(axis=1), 1)
    assert model.n_iter_ == 5


def test_mixtures_are_settled(reuters):
    """Ten times as many passes change nothing that matters."""
    model = GibbsLDA(20, max_iter=20, random_state=0).fit(reuters)
    X = reuters.astype(np.int32)
    settled = np.empty((X.shape[0], 20))
    kernels.fold_in(
        X.data,
        X.indices,
        X.indptr.astype(np.int64),
        np.ascontiguousarray(model.components_.T),
        model.doc_topic_prior_[np.newaxis],
        2000,
        0.0,
        0,
        X.shape[0],
        settled,
    )
    assert_allclose(model.transform(reuters), settled, atol=2e-3)


def test_longer_chains_and_true_number_of_topics_score_higher(planted):
    fit, held_out = planted.data[:150], planted.data[150:]

    def score(**parameters):
        parameters = {"n_components": 4, "random_state": 0, **parameters}
        return GibbsLDA(**parameters).fit(fit).score(held_out)

    assert score(max_iter=1) < score(max_iter=5) < score()
    assert score(n_components=1) < score(n_components=2) < score()


def test_score_is_the_mean_over_held_out_tokens(planted):
    """By hand: two documents, every second token of each held out."""
    model = GibbsLDA(4, random_state=0).fit(planted.data)
    X = np.zeros((2, 60), int)
    X[0, [3, 5, 9]] = 2, 1, 1  # tokens 3 3 5 9: observed 3 5, held out 3 9
    X[1, [7]] = 3  # observed 7 7, held out 7
    observed = np.zeros((2, 60), int)
    observed[0, [3, 5]] = 1
    observed[1, 7] = 2
    p = model.transform(observed) @ model.components_
    by_hand = np.log([p[0, 3], p[0, 9], p[1, 7]]).mean()
    assert_allclose(model.score(X), by_hand)
    assert_allclose(model.perplexity(X), np.exp(-by_hand))


def test_score_of_a_document_does_not_depend_on_the_others(planted):
    X = planted.data[:20]
    model = GibbsLDA(4, max_iter=20, random_state=0).fit(planted.data)
    n_held_out = X.sum(axis=1) // 2
    alone = [model.score(X[[i]]) for i in range(20)]
    assert_allclose(model.score(X), np.average(alone, weights=n_held_out))
    with_others = sp.vstack([X[[0]], sp.csr_array(X.shape, dtype=np.int32)])
    assert model.score(with_others) == alone[0]


def test_nothing_to_score_is_an_error(planted):
    model = GibbsLDA(4, max_iter=5, random_state=0).fit(planted.data)
    with pytest.raises(ValueError, match="at least two words"):
        model.score(np.eye(60, dtype=int))


def test_no_model_beats_the_size_of_the_vocabulary_by_guessing():
    X = np.full((4, 10), 6)
    model = GibbsLDA(1, topic_word_prior=1000, random_state=0).fit(X)
    assert_allclose(model.perplexity(X), 10, rtol=1e-2)


def test_documents_without_words_change_nothing(reuters):
    padded = sp.vstack([reuters, sp.csr_array((3, 4258), dtype=np.int32)], format="csr")
    model = GibbsLDA(5, max_iter=5, random_state=0).fit(padded)
    plain = GibbsLDA(5, max_iter=5, random_state=0).fit(reuters)
    assert_array_equal(model.components_, plain.components_)


@pytest.mark.parametrize("seed", range(3))
def test_unequal_priors_make_topics_unequally_common(planted, seed):
    prior = [100, 0.1, 0.1, 0.1]
    model = GibbsLDA(4, doc_topic_prior=prior, random_state=seed).fit(planted.data)
    assert model.transform(planted.data).mean(axis=0)[0] > 0.5
    assert_allclose(model.transform(np.zeros((1, 60)))[0], np.array(prior) / 100.3)
    assert_array_equal(model.doc_topic_prior_, prior)


def test_one_prior_or_one_a_topic():
    X = np.arange(12).reshape(3, 4)
    fits = [
        GibbsLDA(2, doc_topic_prior=prior, max_iter=5, random_state=0)
        .fit(X)
        .transform(X)
        for prior in [None, 0.5, [0.5, 0.5], np.array([0.5, 0.5])]
    ]
    for fit in fits[1:]:
        assert_array_equal(fit, fits[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("doc_topic_prior", 0),
        ("doc_topic_prior", -1.0),
        ("doc_topic_prior", np.inf),
        ("doc_topic_prior", np.nan),
        ("doc_topic_prior", [0.1, 0.1, 0.1]),
        ("doc_topic_prior", [0.1, 0]),
        ("doc_topic_prior", [0.1, np.nan]),
        ("doc_topic_prior", [[0.1, 0.1]]),
        ("doc_topic_prior", "Auto"),
        ("doc_topic_prior", ["a", "b"]),
        ("topic_word_prior", 0),
        ("topic_word_prior", np.inf),
        ("topic_word_prior", np.nan),
        ("topic_word_prior", None),
    ],
)
def test_bad_priors_are_refused(name, value):
    model = GibbsLDA(2).set_params(**{name: value})
    with pytest.raises(ValueError, match=name):
        model.fit(np.ones((3, 4), int))
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("doc_topic_prior", [1e-30, 1e30])
@pytest.mark.parametrize("topic_word_prior", [1e-30, 1e30])
def test_extreme_priors_stay_finite(planted, doc_topic_prior, topic_word_prior):
    model = GibbsLDA(
        4,
        doc_topic_prior=doc_topic_prior,
        topic_word_prior=topic_word_prior,
        max_iter=5,
        random_state=0,
    ).fit(planted.data[:100])
    mixtures = model.transform(planted.data)
    assert_allclose(mixtures.sum(axis=1), 1)
    assert (mixtures >= 0).all()
    assert np.isfinite(model.score(planted.data))


def test_an_interrupt_leaves_the_old_fit_whole(monkeypatch, planted):
    model = GibbsLDA(4, max_iter=5, random_state=0).fit(planted.data)
    before = model.transform(planted.data)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_gibbs_lda, "settle", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(n_components=7).fit(planted.data[:, :30])
    assert_array_equal(model.transform(planted.data), before)
    assert model.n_components == 7


def test_fit_keeps_no_document(reuters):
    """The fitted model is as large as its topics, however many documents there were."""
    once = GibbsLDA(5, max_iter=2, random_state=0).fit(reuters)
    many = sp.vstack([reuters] * 3, format="csr")
    thrice = GibbsLDA(5, max_iter=2, random_state=0).fit(many)
    assert len(pickle.dumps(once)) == len(pickle.dumps(thrice))
