import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    ShuffleSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline

from llmtopics import GibbsLDA, TextAnalyzer, top_words
from llmtopics.datasets import load_bbc_news, make_topics
from llmtopics.metrics import coherence, topic_diversity, topic_scorer

MEASURES = [
    "quality", "npmi", "c_v", "uci", "u_mass", "diversity", "inverted_rbo",
    "exclusivity", "distance", "completion",
]  # fmt: skip


@pytest.fixture(scope="module")
def bbc():
    return load_bbc_news().data


@pytest.fixture(scope="module")
def news_pipeline():
    return Pipeline(
        [
            ("counts", CountVectorizer(analyzer=TextAnalyzer(), min_df=5)),
            ("topics", GibbsLDA(5, max_iter=20, random_state=0)),
        ]
    )


def test_a_grid_search_over_k_on_real_news(bbc, news_pipeline):
    search = GridSearchCV(
        news_pipeline,
        {"topics__n_components": [2, 5, 10, 20]},
        scoring=topic_scorer("npmi"),
        cv=ShuffleSplit(1, random_state=0),
        n_jobs=2,
    ).fit(bbc)
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("seed", range(10))
def test_the_recommended_scorer_finds_the_planted_number_of_topics(seed):
    """Nine of ten would do; these ten seeds all agree."""
    X = make_topics(500, 1000, 8, random_state=seed).data
    search = GridSearchCV(
        GibbsLDA(max_iter=100, random_state=seed),
        {"n_components": [2, 4, 6, 8, 12, 16]},
        scoring=topic_scorer(),
        cv=ShuffleSplit(1, test_size=0.3, random_state=0),
        refit=False,
    ).fit(X)
    assert search.best_params_ == {"n_components": 8}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "model",
    [
        GibbsLDA(4, max_iter=20, random_state=0),
        LatentDirichletAllocation(4, random_state=0),
        NMF(4, init="nndsvda", max_iter=1000),
    ],
    ids=lambda model: type(model).__name__,
)
def test_every_measure_scores_every_model(planted, measure, model):
    scorer = topic_scorer(measure)
    score = scorer(clone(model).fit(planted.data), planted.data)
    assert isinstance(score, float)
    assert np.isfinite(score)
    assert pickle.loads(pickle.dumps(scorer)) == scorer


def test_scores_are_those_of_the_functions(bbc, news_pipeline):
    fit, held_out = bbc[::2], bbc[1::2]
    model = clone(news_pipeline).fit(fit)
    names, lda = model[0].get_feature_names_out(), model[1]
    topics = top_words(lda.components_, names)
    counts = model[0].transform(held_out)
    npmi = coherence(topics, counts, names, window_size=None).mean()
    diversity = topic_diversity(topics)
    assert_allclose(topic_scorer("npmi")(model, held_out), npmi)
    assert_allclose(topic_scorer("diversity")(model, held_out), diversity)
    quality = npmi - abs(npmi) * (1 - diversity)
    assert_allclose(topic_scorer("quality")(model, held_out), quality)
    assert_allclose(topic_scorer("completion")(model, held_out), lda.score(counts))
    tokens = [TextAnalyzer()(text) for text in held_out]
    expected = coherence(topics, tokens, measure="c_v").mean()
    windows = topic_scorer("c_v", window_size="auto")
    assert_allclose(windows(model, held_out), expected)
    five = [
        words[:5] for words in top_words(lda.components_, names, method="probability")
    ]
    expected = coherence(five, counts, names, window_size=None).mean()
    scorer = topic_scorer("npmi", n_words=5, method="probability")
    assert_allclose(scorer(model, held_out), expected)


def test_neither_side_of_quality_can_be_gamed(planted):
    X, model = planted.data, GibbsLDA(4, random_state=0).fit(planted.data)
    options = {"n_words": 5, "method": "probability"}
    quality, npmi = topic_scorer(**options), topic_scorer("npmi", **options)
    diversity = topic_scorer("diversity", **options)

    names = np.arange(60).astype(str)
    words = top_words(model.components_, names, 5, "probability")
    best = coherence(words, X, names, window_size=None).argmax()
    repeated = clone(model).fit(X)
    repeated.components_ = model.components_[[best] * 4]
    assert npmi(repeated, X) > npmi(model, X)
    assert quality(repeated, X) < quality(model, X)

    scattered = clone(model).fit(X)
    order = np.arange(60).reshape(4, 15)  # every topic has words of its own, at random
    scattered.components_ = np.full((4, 60), 1e-9)
    np.put_along_axis(scattered.components_, order, 1 / 15, axis=1)
    assert diversity(scattered, X) >= diversity(model, X)
    assert quality(scattered, X) < quality(model, X)


def test_several_measures_at_once_and_nested(planted):
    scoring = {measure: topic_scorer(measure) for measure in ["npmi", "completion"]}
    model = GibbsLDA(4, max_iter=20, random_state=0)
    results = cross_validate(model, planted.data, scoring=scoring, cv=3)
    assert np.isfinite(results["test_npmi"]).all()
    assert np.isfinite(results["test_completion"]).all()
    search = GridSearchCV(
        model, {"n_components": [2, 4]}, scoring=scoring, refit="completion", cv=2
    )
    nested = cross_val_score(search, planted.data, cv=KFold(2))
    assert np.isfinite(nested).all()
    assert search.fit(planted.data).best_params_ == {"n_components": 4}


def test_halving_search(planted):
    search = HalvingGridSearchCV(
        GibbsLDA(max_iter=20, random_state=0),
        {"n_components": [1, 2, 4]},
        scoring=topic_scorer("completion"),
        random_state=0,
        cv=3,
    ).fit(planted.data)
    assert search.best_params_ == {"n_components": 4}


def test_no_warning_where_folds_lack_words(recwarn):
    X = np.array([[3, 2, 0, 0], [2, 3, 0, 0], [0, 0, 2, 2], [0, 0, 3, 1]])
    model = GibbsLDA(2, max_iter=5, random_state=0).fit(X)
    assert np.isfinite(topic_scorer("npmi", n_words=2)(model, X[:1]))
    assert not recwarn


def test_clear_refusals(planted, bbc):
    X = planted.data
    with pytest.raises(ValueError, match="measure must be one of quality"):
        topic_scorer("accuracy")
    with pytest.raises(TypeError, match="LogisticRegression has no components_"):
        topic_scorer()(LogisticRegression(), X)
    model = GibbsLDA(4, max_iter=5, random_state=0)
    with pytest.raises(TypeError, match="no components_"):
        topic_scorer()(model, X)
    with pytest.raises(ValueError, match="window"):
        topic_scorer("c_v", window_size=10)(model.fit(X), X)
    tfidf = Pipeline(
        [("tfidf", TfidfVectorizer(min_df=5)), ("nmf", NMF(3, max_iter=500))]
    )
    with pytest.raises(ValueError, match="whole-number counts"):
        topic_scorer("completion")(tfidf.fit(bbc[:200]), bbc[200:300])
