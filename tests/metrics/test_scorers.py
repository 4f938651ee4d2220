import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.feature_selection import VarianceThreshold
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
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PrecomputedEmbeddings,
    TextAnalyzer,
    top_words,
)
from llmtopics.datasets import load_bbc_news, make_topics
from llmtopics.metrics import (
    coherence,
    exclusivity,
    inverted_rbo,
    topic_distances,
    topic_diversity,
    topic_scorer,
)

MEASURES = [
    "quality", "npmi", "c_v", "uci", "u_mass", "diversity", "inverted_rbo",
    "exclusivity", "distance", "completion",
]  # fmt: skip


@pytest.fixture(scope="module")
def bbc():
    return load_bbc_news().data[::4]


@pytest.fixture(scope="module")
def news_pipeline():
    return Pipeline(
        [
            ("counts", CountVectorizer(analyzer=TextAnalyzer(), min_df=5)),
            ("topics", GibbsLDA(5, max_iter=20, random_state=0)),
        ]
    )


@pytest.mark.slow
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


def chosen(model, X, test_size):
    """Return the number of topics that the recommended scorer chooses."""
    search = GridSearchCV(
        model,
        {"n_components": [2, 4, 6, 8, 12, 16]},
        scoring=topic_scorer(),
        cv=ShuffleSplit(1, test_size=test_size, random_state=0),
        refit=False,
    )
    return search.fit(X).best_params_["n_components"]


@pytest.mark.parametrize("n_seeds", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_the_recommended_scorer_finds_the_planted_number_of_topics(n_seeds):
    """At least for nine of ten seeds."""
    found = []
    for seed in range(n_seeds):
        X = make_topics(500, 1000, 8, random_state=seed).data
        model = GibbsLDA(max_iter=100, random_state=seed)
        found.append(chosen(model, X, test_size=0.3))
    assert found.count(8) >= 0.9 * n_seeds, found


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
    for measure in ["uci", "u_mass", "c_v"]:
        expected = coherence(topics, counts, names, measure=measure, window_size=None)
        assert_allclose(topic_scorer(measure)(model, held_out), expected.mean())
    assert_allclose(topic_scorer("inverted_rbo")(model, held_out), inverted_rbo(topics))
    three = topic_scorer("exclusivity", n_words=3)(model, held_out)
    assert_allclose(three, exclusivity(lda.components_, n_words=3).mean())
    distances = topic_distances(lda.components_)[~np.eye(5, dtype=bool)]
    assert_allclose(topic_scorer("distance")(model, held_out), distances.mean())
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


def test_neither_coherence_nor_diversity_alone_raises_quality(planted):
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
    order = np.arange(60).reshape(4, 15)  # every topic has its own words, at random
    scattered.components_ = np.full((4, 60), 1e-9)
    np.put_along_axis(scattered.components_, order, 1 / 15, axis=1)
    assert diversity(scattered, X) >= diversity(model, X)
    assert quality(scattered, X) < quality(model, X)


@pytest.fixture
def half_dead(planted):
    """An NMF with two topics as found, and two without any weight."""
    model = NMF(4, init="nndsvda", max_iter=1000).fit(planted.data.astype(float))
    model.components_[2:] = 0
    return model


@pytest.mark.parametrize("measure", [m for m in MEASURES if m not in ("u_mass", "uci")])
def test_topics_without_weight_do_not_raise_the_score(planted, half_dead, measure):
    scorer = topic_scorer(measure, n_words=5)
    copies = clone(half_dead).fit(planted.data.astype(float))
    copies.components_ = half_dead.components_[[0, 1, 0, 1]]
    dead, doubled = scorer(half_dead, planted.data), scorer(copies, planted.data)
    assert np.isfinite(dead)
    assert dead <= doubled + 1e-9


def test_scored_words_are_those_that_people_see(half_dead, planted):
    """Words without weight in a topic are not used, also if a topic has no weight."""
    names = np.arange(60).astype(str)
    shown = top_words(half_dead.components_, names, 5)
    assert shown[2:] == [[], []]
    npmi = coherence(shown[:2], planted.data, names, window_size=None)
    expected = (npmi.sum() - 2) / 4
    scorer = topic_scorer("npmi", n_words=5)
    assert_allclose(scorer(half_dead, planted.data), expected)
    half_dead.components_[:] = 0
    assert scorer(half_dead, planted.data) == -1


@pytest.mark.parametrize(
    "measure", ["diversity", "inverted_rbo", "exclusivity", "distance"]
)
def test_one_topic_has_a_score_too(planted, measure):
    model = GibbsLDA(1, max_iter=2, random_state=0).fit(planted.data)
    assert np.isfinite(topic_scorer(measure)(model, planted.data))


def test_steps_around_the_vectorizer(bbc):
    """A cleaner without names before it, a selector and a transformer after it."""
    pipeline = Pipeline(
        [
            (
                "clean",
                FunctionTransformer(lambda texts: [text[:500] for text in texts]),
            ),
            ("counts", CountVectorizer(analyzer=TextAnalyzer(), min_df=5)),
            ("select", VarianceThreshold(1e-3)),
            ("topics", GibbsLDA(4, max_iter=10, random_state=0)),
        ]
    ).fit(bbc[:300])
    for measure in ["npmi", "completion", "distance"]:
        assert np.isfinite(topic_scorer(measure)(pipeline, bbc[300:600]))
    hashed = Pipeline(
        [
            ("hash", HashingVectorizer(n_features=50, norm=None, alternate_sign=False)),
            ("topics", GibbsLDA(4, max_iter=10, random_state=0)),
        ]
    ).fit(bbc[:100])
    assert np.isfinite(topic_scorer()(hashed, bbc[100:200]))


def test_frames_are_scored_without_a_warning(planted, recwarn):
    frame = pd.DataFrame(planted.data.toarray()).add_prefix("word")
    for model in [GibbsLDA(4, max_iter=5), LatentDirichletAllocation(4, max_iter=2)]:
        assert np.isfinite(topic_scorer("completion")(model.fit(frame), frame))
    assert not recwarn


def test_windows_over_ngrams_are_refused(bbc):
    for vectorizer in [
        CountVectorizer(ngram_range=(1, 2), min_df=5),
        CountVectorizer(analyzer="char", ngram_range=(1, 1)),
        CountVectorizer(analyzer=TextAnalyzer(ngram_range=(1, 2)), min_df=5),
    ]:
        model = Pipeline([("counts", vectorizer), ("topics", GibbsLDA(2, max_iter=2))])
        model.fit(bbc[:50])
        with pytest.raises(ValueError, match="n-grams"):
            topic_scorer("npmi", window_size="auto")(model, bbc[:50])
        assert np.isfinite(topic_scorer("npmi")(model, bbc[:50]))


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


def test_no_warning_if_folds_lack_words(recwarn):
    X = np.array([[3, 2, 0, 0], [2, 3, 0, 0], [0, 0, 2, 2], [0, 0, 3, 1]])
    model = GibbsLDA(2, max_iter=5, random_state=0).fit(X)
    assert np.isfinite(topic_scorer("npmi", n_words=2)(model, X[:1]))
    assert not recwarn


def flagship(corpus, seed):
    """A fusion of planted words and of vectors with weak signs of the topics."""
    X, K = corpus.data, corpus.doc_topic.shape[1]
    rows = [np.repeat(X.indices[i:j], X.data[i:j]) for i, j in pairwise(X.indptr)]
    texts = [" ".join(f"w{w}" for w in row) for row in rows]
    dim = np.random.default_rng(seed).normal(size=(len(texts), 2 * K)) * 0.15
    dim[:, :K] += corpus.doc_topic
    embedder = PrecomputedEmbeddings(texts, dim)
    return texts, FusionTopicModel(embedder=embedder, random_state=seed, max_iter=40)


@pytest.mark.parametrize("n_seeds", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_the_scorer_finds_the_planted_number_of_topics_of_a_fusion(n_seeds):
    """At least for nine of ten seeds, where the held-out documents lack many words."""
    found = []
    for seed in range(n_seeds):
        corpus = make_topics(500, 1000, 8, random_state=seed)
        texts, model = flagship(corpus, seed)
        found.append(chosen(model, texts, test_size=0.1))
    assert found.count(8) >= 0.9 * n_seeds, found


def test_topics_are_scored_by_words_that_the_held_out_documents_have():
    """They are the first ``n_words`` of each topic that occur there."""
    names = [f"word{i}" for i in range(12)]
    model = LatentDirichletAllocation(2)
    model.components_ = np.zeros((2, 12))
    model.components_[0, :6] = model.components_[1, 6:] = [9, 8, 7, 6, 5, 4]
    model.feature_names_in_ = np.array(names)
    X = np.zeros((20, 12), int)
    X[:10, [1, 3, 4]] = X[10:, [7, 9, 10]] = 1  # each topic's first word is missing
    X[::3, 5] = 1
    X = sp.csr_array(X)
    held = [[names[i] for i in row] for row in ([1, 3, 4], [7, 9, 10])]
    for measure in ["npmi", "c_v", "uci", "u_mass"]:
        scorer = topic_scorer(measure, n_words=3, method="probability")
        expected = coherence(held, X, names, measure=measure, window_size=None)
        assert_allclose(scorer(model, X), expected.mean())


def test_a_warning_counts_topics_that_the_held_out_documents_cannot_score():
    model = LatentDirichletAllocation(2)
    model.components_ = np.eye(2).repeat(3, axis=1)
    with pytest.warns(UserWarning, match="1 of 2 topics cannot be scored"):
        score = topic_scorer("npmi", n_words=3)(model, [[1, 1, 1, 0, 0, 0]])
    assert score == pytest.approx((1 - 1) / 2)


def test_words_by_keyness():
    corpus = make_topics(60, 50, 3, random_state=0)
    texts, model = flagship(corpus, 0)
    model.set_params(n_components=3, max_iter=5).fit(texts)
    expected = topic_scorer()(model, texts)
    assert topic_scorer(method="keyness")(model, texts) == expected
    assert topic_scorer(method="probability")(model, texts) != expected
    with pytest.raises(ValueError, match="GibbsLDA does not rank words by keyness"):
        topic_scorer(method="keyness")(GibbsLDA(2).fit(corpus.data), corpus.data)


def test_bad_input_is_named(planted, bbc):
    X = planted.data
    with pytest.raises(ValueError, match="measure must be one of quality"):
        topic_scorer("accuracy")
    for options in [
        {"n_words": 0},
        {"n_words": 1},
        {"method": "best"},
        {"method": ["frex"]},
        {"measure": ["npmi"]},
        {"window_size": -3},
    ]:
        with pytest.raises(ValueError, match=next(iter(options))):
            topic_scorer(**options)
    signed = NMF(2, init="nndsvda").fit(X.astype(float))
    signed.components_ = -signed.components_
    with pytest.raises(
        ValueError, match="Negative values in data passed to components_"
    ):
        topic_scorer()(signed, X)
    with pytest.raises(TypeError, match="LogisticRegression has no components_"):
        topic_scorer()(LogisticRegression(), X)
    model = GibbsLDA(4, max_iter=5, random_state=0)
    with pytest.raises(TypeError, match="no components_"):
        topic_scorer()(model, X)
    with pytest.raises(ValueError, match=r"reads word counts, .* row 0 holds"):
        topic_scorer()(clone(model).fit(X), ["word " * 10_000])
    with pytest.raises(ValueError, match="window"):
        topic_scorer("c_v", window_size=10)(model.fit(X), X)
    tfidf = Pipeline(
        [("tfidf", TfidfVectorizer(min_df=5)), ("nmf", NMF(3, max_iter=500))]
    )
    with pytest.raises(ValueError, match="whole-number counts"):
        topic_scorer("completion")(tfidf.fit(bbc[:200]), bbc[200:300])
