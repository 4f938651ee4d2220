import copy
import os
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.special import gammaln
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer
from llmtopics._compiled.threads import ONE
from llmtopics.datasets import load_bbc_news, load_reuters395, make_topics
from llmtopics.topics import _gibbs_lda
from llmtopics.topics._gibbs import chain as chains
from llmtopics.topics._gibbs import expected_counts as expected_counts_of
from llmtopics.topics._gibbs import learned_priors, likelihood
from llmtopics.topics._gibbs.chain import start_chain
from llmtopics.topics._gibbs.expected_counts import to_topics
from llmtopics.topics._gibbs.kernels.mixtures import CSRCounts, StopRule, infer
from llmtopics.topics._gibbs.tokens import random_topics, tokens_from_counts


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


@pytest.mark.slow
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


def test_mixtures_have_converged(reuters):
    """Ten times as many passes change almost nothing."""
    model = GibbsLDA(20, max_iter=20, random_state=0).fit(reuters)
    X = reuters.astype(np.int32)
    settled = np.empty((X.shape[0], 20))
    infer(
        CSRCounts(X.data, X.indices, X.indptr.astype(np.int64)),
        np.ascontiguousarray(model.components_.T),
        model.doc_topic_prior_[np.newaxis],
        StopRule(2000, 0.0),
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


def test_one_prior_or_one_per_topic():
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
        ("topic_word_prior", "Auto"),
        ("topic_word_prior", ["a", "b", "c", "d"]),
        ("topic_word_prior", np.ones(3)),
        ("topic_word_prior", np.ones((4, 2))),
        ("topic_word_prior", np.ones((1, 4))),
    ],
)
def test_bad_priors_are_refused(name, value):
    model = GibbsLDA(2).set_params(**{name: value})
    with pytest.raises(ValueError, match=name):
        model.fit(np.ones((3, 4), int))
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize(
    ("name", "n"), [("doc_topic_prior", 2), ("topic_word_prior", 4)]
)
def test_priors_with_labels_or_complex_numbers_are_refused(name, n):
    X, values = np.ones((3, 4), int), np.arange(1, n + 1) / 10
    labels = ["cat", "dog", "bond", "stock"][:n]

    def fit(prior):
        return (
            GibbsLDA(2, max_iter=2, random_state=0).set_params(**{name: prior}).fit(X)
        )

    for prior in [pd.Series(values, labels), pd.Series(values)[::-1]]:
        with pytest.raises(ValueError, match=rf"{name} has the labels .*to_numpy\(\)"):
            fit(prior)
    with pytest.raises(ValueError, match=f"{name} must be .* real numbers"):
        fit(values * 1j)
    expected = fit(values).transform(X)
    for unlabelled in [pd.Series(values), pl.Series(values), values.tolist()]:
        assert_array_equal(fit(unlabelled).transform(X), expected)


def test_tables_of_a_prior_per_topic_and_word_are_read_by_position_alone():
    X, values = np.ones((3, 4), int), np.arange(1, 9).reshape(2, 4) / 10

    def fit(prior):
        return GibbsLDA(2, topic_word_prior=prior, max_iter=2, random_state=0).fit(X)

    words = ["cat", "dog", "bond", "stock"]
    tables = [pd.DataFrame(values, columns=words), pl.DataFrame(values, schema=words)]
    for table in [*tables, pd.DataFrame(values, index=["money", "pets"])]:
        with pytest.raises(ValueError, match=r"has the labels \["):
            fit(table)
    expected = fit(values).transform(X)
    assert_array_equal(fit(pd.DataFrame(values)).transform(X), expected)


@pytest.mark.parametrize("wrong", [0, -1, np.nan, np.inf])
def test_a_wrong_entry_of_a_word_prior_is_named(wrong):
    X, prior = np.ones((3, 4), int), np.ones((2, 4))
    prior[1, 2] = wrong
    with pytest.raises(ValueError, match=rf"row 1, column 2 holds {wrong}"):
        GibbsLDA(2, topic_word_prior=prior).fit(X)
    with pytest.raises(ValueError, match=rf"column 2 holds {wrong}"):
        GibbsLDA(2, topic_word_prior=prior[1]).fit(X)
    with pytest.raises(ValueError, match=r"shape \(n_components, n_words\) = \(2, 4\)"):
        GibbsLDA(2, topic_word_prior=prior.T).fit(X)


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


def test_an_interrupt_keeps_the_old_fit(monkeypatch, planted):
    model = GibbsLDA(4, max_iter=5, random_state=0).fit(planted.data)
    before = model.transform(planted.data)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_gibbs_lda, "expected_counts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(n_components=7).fit(planted.data[:, :30])
    assert_array_equal(model.transform(planted.data), before)
    assert model.n_components == 7


def test_fit_keeps_no_document(reuters):
    """The fitted model is as large as its topics, however many documents there were."""
    once = GibbsLDA(5, max_iter=2, random_state=0).fit(reuters)
    many = sp.vstack([reuters] * 3, format="csr")
    three_times = GibbsLDA(5, max_iter=2, random_state=0).fit(many)
    assert len(pickle.dumps(once)) == len(pickle.dumps(three_times))


# priors of words ------------------------------------------------------------------------


def word_prior(dimensions, n_components=4, n_words=60):
    rng = np.random.default_rng(0)
    return rng.gamma(1, size=(n_components, n_words)[-dimensions:]) + 0.01


@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize("sampler", ["exact", "blocked"])
def test_the_word_prior_is_kept_and_topics_without_tokens_are_its_mean(
    planted, dimensions, sampler
):
    given = word_prior(dimensions)
    alpha = [1e5, 1e5, 1e-9, 1e-9]  # the last two topics get no token
    model = GibbsLDA(
        4,
        doc_topic_prior=alpha,
        topic_word_prior=given,
        sampler=sampler,
        max_iter=10,
        random_state=0,
    ).fit(planted.data)
    assert_array_equal(model.topic_word_prior_, given)
    assert_array_equal(model.topic_word_prior, given)
    assert model.topic_word_prior_ is not given
    rows = np.broadcast_to(given, (4, 60))[2:]
    expected = rows / rows.sum(axis=1, keepdims=True)
    assert_allclose(model.components_[2:], expected, rtol=1e-3)
    assert_allclose(model.components_.sum(axis=1), 1)
    counts = model._counts().sum(axis=1)
    assert_allclose(counts, planted.data.sum(axis=0), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_the_trace_reads_the_word_prior(planted, dimensions):
    """An array of equal numbers gives the likelihood of the number; others do not."""
    shape = (4, 60)[-dimensions:]

    def trace(prior):
        model = GibbsLDA(4, topic_word_prior=prior, max_iter=20, random_state=0)
        return model.fit(planted.data).log_likelihood_

    assert_allclose(trace(np.full(shape, 0.25)), trace(0.25), rtol=1e-9)
    assert not np.allclose(trace(word_prior(dimensions)), trace(0.25))


@pytest.mark.parametrize("n_components", [4, 300])
def test_a_word_prior_of_many_topics(planted, n_components):
    """From 256 topics on, counts are lists, except with a prior per topic and word."""
    for dimensions in (1, 2):
        prior = word_prior(dimensions, n_components)
        model = GibbsLDA(
            n_components,
            topic_word_prior=prior,
            sampler="blocked",
            max_iter=10,
            random_state=0,
        ).fit(planted.data)
        assert_allclose(model.components_.sum(axis=1), 1)
        assert model.log_likelihood_.shape == (1,)
        counts = model._counts().sum(axis=1)
        assert_allclose(counts, planted.data.sum(axis=0), rtol=1e-2, atol=1e-2)


def test_a_warm_start_may_change_the_form_of_the_word_prior(planted):
    model = GibbsLDA(4, max_iter=20, warm_start=True, random_state=0)
    topics = model.fit(planted.data).components_
    for prior in (np.full(60, 0.1), np.full((4, 60), 0.1), "auto", 0.1):
        model.set_params(topic_word_prior=prior).fit(planted.data)
        assert np.shape(model.topic_word_prior_) == np.shape(prior)
        distance = cdist(model.components_, topics, "jensenshannon")
        assert_array_equal(distance.argmin(axis=1), range(4))  # in the same places


SEED_WORDS = {
    "business": ["bank", "economy", "growth", "market", "oil"],
    "entertainment": ["actor", "album", "award", "film", "music"],
    "politics": ["blair", "election", "labour", "minister", "party"],
    "sports": ["champion", "coach", "cup", "match", "player"],
    "tech": ["broadband", "computer", "internet", "mobile", "software"],
}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_seed_words_give_topics_their_places(seed):
    """Five words per section of BBC news; without them, topics come in any order."""
    corpus = load_bbc_news()
    vectorizer = CountVectorizer(stop_words="english", min_df=5)
    X = vectorizer.fit_transform(corpus.data)
    sections = [corpus.target_names[k] for k in range(5)]
    prior = np.full((5, X.shape[1]), 0.1)
    for k, section in enumerate(sections):
        columns = [vectorizer.vocabulary_[word] for word in SEED_WORDS[section]]
        prior[k, columns] = 50

    def accuracy(topic_word_prior):
        model = GibbsLDA(
            5, topic_word_prior=topic_word_prior, max_iter=50, random_state=seed
        )
        return (model.fit_transform(X).argmax(axis=1) == corpus.target).mean()

    assert accuracy(prior) > 0.85
    assert accuracy(0.1) < 0.6


# samplers ------------------------------------------------------------------------------


def test_auto_is_exact_for_few_tokens_and_blocked_for_many(planted, monkeypatch):
    def fit(sampler):
        model = GibbsLDA(4, sampler=sampler, max_iter=5, random_state=0)
        return model.fit(planted.data).components_

    exact, blocked = fit("exact"), fit("blocked")
    assert not np.array_equal(exact, blocked)
    assert_array_equal(fit("auto"), exact)
    monkeypatch.setattr(chains, "FEW_TOKENS", planted.data.sum() - 1)
    assert_array_equal(fit("auto"), blocked)


@pytest.mark.parametrize(
    "n_components", [20, pytest.param(300, marks=pytest.mark.slow)]
)
def test_the_same_bits_for_any_number_of_threads(reuters, n_components):
    """Learned priors, trace, topics and mixtures."""

    def fit(n_jobs):
        model = GibbsLDA(
            n_components,
            doc_topic_prior="auto",
            topic_word_prior="auto",
            sampler="blocked",
            max_iter=20,
            n_jobs=n_jobs,
            random_state=0,
        )
        mixtures = model.fit_transform(reuters)
        return (
            mixtures,
            model.components_,
            model.doc_topic_prior_,
            model.log_likelihood_,
        )

    alone = fit(None)
    for n_jobs in (2, 5):
        for one, other in zip(alone, fit(n_jobs), strict=True):
            assert_array_equal(one, other)


@pytest.mark.slow
def test_the_same_bits_when_compiled_again(tmp_path):
    """With an empty folder of compiled code, and with a full one."""
    code = (
        "import numpy as np; from llmtopics import GibbsLDA;"
        "X = np.random.default_rng(0).poisson(1, (40, 50));"
        "m = GibbsLDA(5, sampler='blocked', max_iter=20, random_state=0).fit(X);"
        "print(m.components_.tobytes().hex())"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    cold, cached = (
        subprocess.check_output([sys.executable, "-c", code], env=environment)
        for _ in range(2)
    )
    assert cold == cached
    assert any(tmp_path.rglob("*.nbi"))


# the trace, and stopping early -----------------------------------------------------------


@pytest.mark.parametrize("kind", ["exact", "rows", "lists"])
def test_the_trace_is_the_joint_likelihood(planted, kind):
    """log p(w, z) per token by its formula, for unequal priors and long documents."""
    X = sp.csr_array(planted.data, copy=True)
    X.data[0] = 700  # beyond the table of small counts
    tokens, beta = tokens_from_counts(X), 0.05
    alpha = np.array([0.1, 0.5, 0.02, 1.0])
    topics, sampler = (
        random_topics(tokens, 4, 0),
        "exact" if kind == "exact" else "blocked",
    )
    chain = start_chain(
        tokens, topics, 4, beta, 0, ONE, sampler=sampler, lists=kind == "lists"
    )
    chain.sweep(alpha[np.newaxis])
    docs = np.repeat(np.arange(X.shape[0]), np.diff(tokens.starts))
    n_dk, n_wk = np.zeros((X.shape[0], 4)), chain.counts.word_topic()
    np.add.at(n_dk, (docs, chain.topics), 1)

    def polya(counts, prior):
        return (
            gammaln(prior.sum())
            - gammaln((counts + prior).sum(axis=1))
            + (gammaln(counts + prior) - gammaln(prior)).sum(axis=1)
        ).sum()

    by_hand = polya(n_dk, alpha) + polya(n_wk.T.astype(float), np.full(60, beta))
    mixtures = likelihood.divided(tokens.starts, chain.topics, 4)
    cells = likelihood.tally_cells(chain)
    found = likelihood.log_joint(cells, (mixtures, alpha))
    assert_allclose(found, by_hand / tokens.words.size)
    of_words = polya(n_wk.T.astype(float), np.full(60, beta))
    assert_allclose(likelihood.log_words(cells), of_words / tokens.words.size)


def test_a_chain_stops_when_its_likelihood_does(planted):
    full = GibbsLDA(4, max_iter=300, random_state=0).fit(planted.data)
    early = GibbsLDA(4, max_iter=300, tol=1e-3, random_state=0).fit(planted.data)
    assert full.n_iter_ == 300
    assert len(full.log_likelihood_) == 30
    assert 60 <= early.n_iter_ < 300
    assert early.n_iter_ % 10 == 0
    assert_array_equal(
        early.log_likelihood_, full.log_likelihood_[: early.n_iter_ // 10]
    )
    assert early.log_likelihood_[-1] > early.log_likelihood_[0]


def test_a_chain_that_has_not_converged_warns(reuters):
    with pytest.warns(
        ConvergenceWarning, match=r"still rises by 0\.\d+, more than tol"
    ):
        GibbsLDA(20, max_iter=60, tol=0.0, random_state=0).fit(reuters)
    model = GibbsLDA(4, max_iter=50, tol=10, random_state=0)
    for call in [model.fit, model.fit_transform, make_pipeline(model).fit_transform]:
        with pytest.warns(ConvergenceWarning, match="too few to check") as caught:
            call(reuters[:50])
        assert caught[0].filename == __file__


def test_a_batch_makes_all_its_sweeps_for_any_tol(planted):
    model = GibbsLDA(4, tol=1e-3, random_state=0).fit(planted.data[:100])
    trace = model.log_likelihood_
    model.partial_fit(planted.data[100:])  # a warning would be an error
    assert model.n_iter_ == 20
    assert_array_equal(model.log_likelihood_, trace)
    model.set_params(tol=None, max_iter=5).fit(planted.data)
    assert model.log_likelihood_.size == 0


# learned priors ----------------------------------------------------------------------------


def test_priors_are_learned():
    """Planted topics are common to different degrees; words have a known prior."""
    corpus = make_topics(
        600,
        200,
        4,
        doc_length=100,
        doc_topic_prior=[0.6, 0.3, 0.1, 0.1],
        topic_word_prior=0.05,
        random_state=0,
    )
    model = GibbsLDA(
        4, doc_topic_prior="auto", topic_word_prior="auto", random_state=1
    ).fit(corpus.data)
    assert_allclose(
        np.sort(model.doc_topic_prior_)[::-1], [0.6, 0.3, 0.1, 0.1], rtol=0.15
    )
    assert_allclose(model.topic_word_prior_, 0.05, rtol=0.15)
    fixed = GibbsLDA(4, random_state=1).fit(corpus.data)
    assert model.log_likelihood_[-1] > fixed.log_likelihood_[-1]


def test_learned_priors_are_where_the_likelihood_is_highest(planted):
    tokens = tokens_from_counts(planted.data)
    topics = random_topics(tokens, 4, 0)
    chain = start_chain(tokens, topics, 4, 0.1, 0, ONE, sampler="blocked")
    for _ in range(30):
        chain.sweep(np.full((1, 4), 0.1))
    mixtures = likelihood.divided(tokens.starts, chain.topics, 4)
    cells, alpha = likelihood.tally_cells(chain), np.full(4, 0.1)

    def with_prior(beta):
        return cells._replace(priors=beta, prior_totals=60 * beta)

    for _ in range(100):
        alpha = learned_priors.learn_prior(mixtures, alpha)
        cells = with_prior(learned_priors.learn_word_prior(cells).values)
    best = likelihood.log_joint(cells, (mixtures, alpha))
    for k in range(4):
        for factor in (0.97, 1.03):
            moved = alpha * np.where(np.arange(4) == k, factor, 1)
            assert likelihood.log_joint(cells, (mixtures, moved)) < best
            other = with_prior(cells.priors * factor)
            assert likelihood.log_joint(other, (mixtures, alpha)) < best


# continuing a fit --------------------------------------------------------------------------


def test_a_warm_start_continues_where_the_last_fit_ended(planted):
    cold = GibbsLDA(4, max_iter=10, random_state=0).fit(planted.data)
    first = cold.log_likelihood_[0]
    warm = GibbsLDA(4, max_iter=100, warm_start=True, random_state=0).fit(planted.data)
    topics = warm.components_
    warm.set_params(max_iter=10).fit(planted.data)
    assert warm.log_likelihood_[0] > first
    distance = cdist(warm.components_, topics, "jensenshannon")
    assert distance.diagonal().max() < 0.1  # the same topics in the same places
    with pytest.raises(ValueError, match=r"the fitted model has 4 topics"):
        warm.set_params(n_components=5).fit(planted.data)
    with pytest.raises(ValueError, match="59 features"):
        warm.set_params(n_components=4).fit(planted.data[:, :59])
    assert_array_equal(warm.transform(planted.data).shape, (200, 4))


def test_batches_find_the_topics_of_the_whole_corpus():
    corpus = make_topics(200, 60, 4, random_state=0)
    model = GibbsLDA(4, random_state=0)
    for first in range(0, 200, 50):
        model.partial_fit(corpus.data[first : first + 50])
    assert_allclose(model.topic_counts_.sum(), corpus.data.sum(), rtol=1e-4)
    distance = cdist(model.components_, corpus.components, "jensenshannon")
    found, true = linear_sum_assignment(distance)
    assert distance[found, true].max() < 0.08
    alone = GibbsLDA(4, random_state=0).fit(corpus.data[:50])
    assert model.score(corpus.data) > alone.score(corpus.data)


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
@pytest.mark.parametrize("n_components", [4, 300])
def test_later_batches_keep_the_counts_of_earlier_ones(planted, sampler, n_components):
    model = GibbsLDA(n_components, sampler=sampler, max_iter=20, random_state=0)
    model.partial_fit(planted.data[:100])
    before = model._counts().sum(axis=1)
    model.set_params(decay=0.5).partial_fit(planted.data[100:])
    expected = 0.5 * before + planted.data[100:].sum(axis=0)
    assert_allclose(model._counts().sum(axis=1), expected, rtol=1e-3, atol=1e-3)
    assert model.n_iter_ == 2


def test_a_small_batch_does_not_change_learned_priors(planted):
    model = GibbsLDA(
        4, doc_topic_prior="auto", topic_word_prior="auto", max_iter=50, random_state=0
    ).fit(planted.data)
    alpha, beta = model.doc_topic_prior_, model.topic_word_prior_
    model.partial_fit(planted.data[:1])
    assert_array_equal(model.doc_topic_prior_, alpha)
    assert model.topic_word_prior_ == beta


def test_an_interrupt_in_a_batch_keeps_the_batches_before(monkeypatch, planted):
    model = GibbsLDA(4, max_iter=10, random_state=0).partial_fit(planted.data[:100])
    before = model.transform(planted.data)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_gibbs_lda, "expected_counts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(planted.data[100:])
    assert_array_equal(model.transform(planted.data), before)
    assert model.topic_counts_.sum() < planted.data.sum()


# extremes ----------------------------------------------------------------------------------


def test_more_topics_than_two_bytes_count(planted):
    X = planted.data[:2, :5]
    model = GibbsLDA(70_000, max_iter=1, sampler="blocked", random_state=0).fit(X)
    assert_allclose(model.components_.sum(axis=1), 1)
    assert_allclose(model.transform(X).sum(axis=1), 1)


def test_one_huge_document():
    X = np.random.default_rng(0).poisson(3000, (1, 100))
    model = GibbsLDA(3, max_iter=10, n_jobs=2, random_state=0).fit(X)
    assert X.sum() > chains.FEW_TOKENS
    assert_allclose(model.topic_counts_.sum(), X.sum(), rtol=1e-4)


def test_more_words_than_can_be_counted_are_refused_before_memory_is_taken():
    X = sp.csr_array(np.full((2, 3), 2**30, dtype=np.int64))
    with pytest.raises(ValueError, match="6,442,450,944 words"):
        GibbsLDA(2).fit(X)
    X = sp.csr_array(np.array([[2**24 - 1, 1], [2, 5]]))
    with pytest.raises(ValueError, match="Column 0 of X counts 16,777,217"):
        GibbsLDA(2).fit(X)
    X = sp.csr_array(np.full((1, 8), 2**21))
    with pytest.raises(ValueError, match="Row 0 of X counts 16,777,216"):
        GibbsLDA(2).fit(X)
    model = GibbsLDA(2, max_iter=1, random_state=0).fit(np.eye(2, dtype=int))
    model.topic_counts_ = np.full(2, 2.0**25)
    with pytest.raises(ValueError, match="earlier batches included"):
        model.partial_fit(np.eye(2, dtype=int))


def peak(method, X):
    """Bytes that a call takes: the least of three, as other threads are traced, too."""
    method(X)  # imports, compiles
    found = []
    for _ in range(3):
        tracemalloc.start()
        method(X)
        found.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return min(found)


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
def test_fitting_takes_as_much_memory_as_the_guide_says(sampler):
    rng = np.random.default_rng(0)
    X = sp.csr_array(rng.integers(500, 1500, (10, 20), np.int32))
    model = GibbsLDA(2, sampler=sampler, max_iter=1, random_state=0)
    for method in (model.fit, model.partial_fit):
        assert 8 < peak(method, X) / X.sum() < 10.1  # bytes per word of the corpus
    model = GibbsLDA(100, sampler=sampler, max_iter=1, random_state=0)
    X = sp.csr_array(np.ones((1, 5_000), np.int32))
    size = 100 * 5_000 * np.float32().itemsize
    assert 3 < peak(model.fit, X) / size < 4
    assert 5 < peak(model.partial_fit, X) / size < 7


@pytest.mark.parametrize("prior", [None, [1e9, 1]], ids=["one topic", "two topics"])
def test_exact_sampling_counts_beyond_single_precision(prior, monkeypatch):
    """Added up one by one, float32 stops at 16,777,216."""
    monkeypatch.setattr(expected_counts_of, "N_PASSES", 1)
    X = np.array([[9_000_000, 3], [8_000_000, 2]])
    n_components = 1 if prior is None else 2
    model = GibbsLDA(
        n_components, doc_topic_prior=prior, sampler="exact", max_iter=1, random_state=0
    ).fit(X)
    assert_allclose(model._counts().sum(axis=1), X.sum(axis=0), rtol=1e-6)
    assert_allclose(model.topic_counts_[0], X.sum(), rtol=1e-6)


def test_a_matrix_with_broken_indices_is_refused():
    """SciPy does not check the indices; compiled loops would write outside the array."""
    X = sp.csr_array(([1, 1], [3, 5_000_000], [0, 1, 2]), shape=(2, 10))
    with pytest.raises(ValueError, match="beyond its 10"):
        GibbsLDA(2).fit(X)


# huge priors ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
@pytest.mark.parametrize("a", [1e-30, 0.1, 10, 1e5, 1e6, 1e7, 1e14, 1e30])
def test_log_rising_is_a_sum_of_logarithms(a, n):
    by_hand = np.log(a + np.arange(n)).sum()
    assert_allclose(likelihood.log_rising(a, np.array([n])), by_hand, rtol=1e-9)


@pytest.mark.parametrize("prior", [1e10, 1e14, 1e20, 1e30])
def test_under_huge_priors_topics_and_words_are_drawn_evenly(planted, prior):
    model = GibbsLDA(
        4, doc_topic_prior=prior, topic_word_prior=prior, max_iter=10, random_state=0
    ).fit(planted.data)
    assert_allclose(model.log_likelihood_, -np.log(4 * 60), rtol=1e-6)


# the time of a batch depends on its words ---------------------------------------------------


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
@pytest.mark.parametrize("decay", [1.0, 0.5])
@pytest.mark.parametrize("n_words", [20, 59, 60])
@pytest.mark.parametrize("dimensions", [0, 1, 2])
def test_a_batch_is_sampled_as_if_with_all_words(
    planted, sampler, decay, n_words, dimensions
):
    beta = word_prior(dimensions) if dimensions else 0.1
    model = GibbsLDA(
        4,
        sampler=sampler,
        decay=decay,
        topic_word_prior=beta,
        max_iter=20,
        random_state=0,
    )
    model.fit(planted.data[:100])
    X = 1 + planted.data[100:150].toarray()
    X[:, n_words:] = 0
    X = sp.csr_array(X)
    plain, counts = copy.deepcopy(model), model._counts()
    weights = plain._sample(X, counts, counts * np.float32(decay))
    model.partial_fit(X)
    assert_allclose(model.topic_counts_, weights.sum(axis=0), rtol=1e-5)
    expected = to_topics(weights.T.astype(float), model.topic_word_prior_)
    assert_allclose(model.components_, expected, rtol=1e-4)
    assert_allclose(model.components_.sum(axis=1), 1)


def test_of_a_batch_only_its_words_are_sampled(planted, monkeypatch):
    model = GibbsLDA(4, max_iter=20, random_state=0).fit(planted.data)
    sizes, start = [], _gibbs_lda.start_chain

    def started(tokens, *arguments, **parameters):
        sizes.append(tokens.n_words)
        return start(tokens, *arguments, **parameters)

    monkeypatch.setattr(_gibbs_lda, "start_chain", started)
    model.partial_fit(np.eye(60, dtype=int)[[7, 9]])
    assert sizes == [3]  # and one for all others


def test_a_batch_without_known_words_changes_nothing(planted):
    model = GibbsLDA(4, decay=0.5, max_iter=20, random_state=0).fit(planted.data[:100])
    other = copy.deepcopy(model)
    before = vars(model).copy()
    assert model.partial_fit(np.zeros((3, 60), int)) is model
    assert all(vars(model)[name] is value for name, value in before.items())
    for continued in (model, other):
        continued.partial_fit(planted.data[100:])
    assert_array_equal(model.components_, other.components_)
    with pytest.raises(ValueError, match="59 features"):
        model.partial_fit(np.zeros((3, 59), int))


# a continued fit continues its random stream ------------------------------------------------


def test_a_chain_that_is_continued_sweep_by_sweep_does_not_cycle():
    ambiguous = np.ones((6, 4), int)
    model = GibbsLDA(2, max_iter=1, warm_start=True, random_state=0)
    states = {model.fit(ambiguous).components_.tobytes() for _ in range(200)}
    assert len(states) > 195


@pytest.mark.parametrize("sampler", ["exact", "blocked"])
def test_batches_of_one_ambiguous_word_go_to_both_topics(sampler):
    """The third word is as common in one topic as in the other."""
    known = np.repeat([[3, 0, 1], [0, 3, 1]], 200, axis=0)
    model = GibbsLDA(2, max_iter=20, sampler=sampler, random_state=0).fit(known)
    n_first, before = 0, model.topic_counts_
    for _ in range(150):
        model.partial_fit([[0, 0, 8]])
        n_first += (model.topic_counts_ - before).argmax() == 0
        before = model.topic_counts_
    assert 30 < n_first < 120
