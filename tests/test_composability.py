"""Every topic model of counts in every place where one can be used.

A new model is one line in MODELS, a new place one in PLACES; a pair that cannot work stands in
INVALID with the error that says so.
"""

import pickle
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import (
    NMF,
    LatentDirichletAllocation,
    MiniBatchNMF,
    TruncatedSVD,
)
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    PrivateLDA,
    TextAnalyzer,
    TopicLabeler,
    explain,
    metrics,
    read_topics,
    top_words,
)
from llmtopics._language import LanguageModel, LLMUnsupportedError
from llmtopics._words import METHODS
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics._scorer_measures import MEASURES
from llmtopics.naming import name_topics
from llmtopics.plots import plot_correlations

# sixty texts are too few for some models to settle
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

K = 4
COUNTS = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
TFIDF = TfidfVectorizer(analyzer=TextAnalyzer(), min_df=2)
SEEDED = {"n_components": K, "random_state": 0}
KL = {"beta_loss": "kullback-leibler", "tol": 1e-2}

MODELS = {
    "GibbsLDA": (COUNTS, GibbsLDA(max_iter=30, **SEEDED)),
    "PachinkoAllocation": (
        COUNTS,
        PachinkoAllocation(n_super_components=2, max_iter=30, **SEEDED),
    ),
    "PrivateLDA": (COUNTS, PrivateLDA(epsilon=np.inf, **SEEDED)),
    "NMF, tf-idf": (TFIDF, NMF(**SEEDED)),
    "NMF, KL": (COUNTS, NMF(solver="mu", **KL, **SEEDED)),
    "MiniBatchNMF, tf-idf": (TFIDF, MiniBatchNMF(batch_size=20, tol=1e-2, **SEEDED)),
    "MiniBatchNMF, KL": (
        COUNTS,
        MiniBatchNMF(batch_size=20, max_iter=20, **KL, **SEEDED),
    ),
    "LDA, batch": (COUNTS, LatentDirichletAllocation(max_iter=5, **SEEDED)),
    "LDA, online": (
        COUNTS,
        LatentDirichletAllocation(
            max_iter=5, batch_size=20, learning_method="online", **SEEDED
        ),
    ),
}
EMBEDDER = make_pipeline(
    HashingVectorizer(n_features=2**10), TruncatedSVD(8, random_state=0)
)


# the places -----------------------------------------------------------------------------------


def check_mixtures(theta, n_documents, n_components=K):
    assert theta.shape == (n_documents, n_components)
    assert np.isfinite(theta).all()
    assert (theta >= 0).all()
    assert_allclose(theta.sum(axis=1), 1)


def pipeline(case):
    theta = case.pipeline.transform(case.texts)
    assert theta.shape == (len(case.texts), K)
    assert_allclose(theta, case.theta)
    assert_array_equal(
        clone(case.pipeline).fit(case.texts).transform(case.texts), theta
    )


def pandas_output(case):
    model = clone(case.pipeline)
    model[-1].set_output(transform="pandas")
    frame = model.fit(case.texts).transform(case.texts)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(case.pipeline[-1].get_feature_names_out())
    assert_allclose(frame.to_numpy(), case.theta)
    assert np.isfinite(metrics.topic_correlations(frame).to_numpy()).all()
    assert np.isfinite(metrics.topic_scorer("distance")(model, case.texts))


def fused(case, **parameters):
    return FusionTopicModel(
        K,
        topic_model=case.model,
        vectorizer=case.vectorizer,
        embedder=EMBEDDER,
        max_iter=30,
        random_state=0,
        **parameters,
    )


def fusion(**parameters):
    def place(case):
        model = fused(case, **parameters)
        theta = model.fit_transform(case.texts)
        check_mixtures(theta, len(case.texts))
        assert_allclose(model.transform(case.texts), theta)
        check_mixtures(model.transform(["", "zzyzx qqxz", case.texts[0]]), 3)
        check_mixtures(model.components_, K, len(case.words))
        for method in ["keyness", *METHODS]:
            words = model.top_words(5, method=method)
            assert [len(topic) for topic in words] == [5] * K
        assert np.log(1e-12) < model.score(case.texts) < 0
        twin = pickle.loads(pickle.dumps(model))
        assert_array_equal(twin.transform(case.texts), model.transform(case.texts))

    return place


def fusion_in_pandas(case):
    with config_context(transform_output="pandas"):
        frame = fused(case, pooling="linear").fit_transform(case.texts)
    assert isinstance(frame, pd.DataFrame)
    plain = fused(case, pooling="linear").fit_transform(case.texts)
    assert_allclose(frame.to_numpy(), plain)


def fusion_of_more_topics(case):
    """The outer number of topics and seed rule, whatever the model's own are."""
    model = fused(case, pooling="linear", n_jobs=2, verbose=False)
    model.set_params(n_components=K + 2, random_state=1).fit(case.texts[:40])
    inner = model.topic_model_.get_params()
    assert (inner["n_components"], inner["random_state"]) == (K + 2, 1)
    assert inner.get("n_jobs", 2) == 2
    check_mixtures(model.transform(case.texts), len(case.texts), K + 2)


def fusion_of_a_pipeline(case):
    model = fused(case, pooling="linear").set_params(n_components=K + 1)
    theta = model.fit_transform(case.texts)
    wrapped = make_pipeline("passthrough", case.model)
    inner = clone(model).set_params(topic_model=wrapped)
    assert_allclose(inner.fit_transform(case.texts), theta)
    with pytest.raises(TypeError, match="explain Pipeline: it is of an unknown kind"):
        explain(inner, case.texts[0])


def fusion_searched(case):
    """A single fit for each number of topics, scored by every measure."""
    search = GridSearchCV(
        fused(case, pooling="linear"),
        {"n_components": [2, 8]},
        cv=ShuffleSplit(1, random_state=0),
        scoring={
            measure: metrics.topic_scorer(measure, n_words=20, method="probability")
            for measure in MEASURES
        },
        refit="quality",
        error_score="raise",
    ).fit(case.texts)
    for measure in MEASURES:
        scores = search.cv_results_[f"mean_test_{measure}"]
        assert np.isfinite(scores).all()
        assert scores[0] != scores[1]


def words_by(method):
    def place(case):
        words = top_words(case.phi, case.words, 5, method)
        assert [len(topic) for topic in words] == [5] * K
        assert len({word for topic in words for word in topic}) > 10

    return place


def coherence(case):
    topics = top_words(case.phi, case.words)
    for measure in ["npmi", "c_v", "uci", "u_mass"]:
        of_counts = metrics.coherence(
            topics, case.X, case.words, measure=measure, window_size=None
        )
        analyze = case.vectorizer.build_analyzer()
        of_windows = metrics.coherence(
            topics, [analyze(text) for text in case.texts], measure=measure
        )
        assert of_counts.shape == of_windows.shape == (K,)
        assert np.isfinite([of_counts, of_windows]).all()


def distinctness(case):
    topics = top_words(case.phi, case.words)
    assert 0.5 < metrics.topic_diversity(topics) <= 1
    assert 0.5 < metrics.inverted_rbo(topics) <= 1
    exclusivity = metrics.exclusivity(case.phi)
    assert ((exclusivity > 1 / K) & (exclusivity <= 1)).all()
    distances = metrics.topic_distances(case.phi)
    assert (distances[~np.eye(K, dtype=bool)] > 0.1).all()


def agreement(case):
    found = metrics.label_agreement(case.labels, case.theta)
    assert len(found) == 7
    assert np.isfinite(list(found.values())).all()
    assert found["purity"] > 0.25


def intrusion(case):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(case.words), 5))
    topics = top_words(case.phi, case.words)
    found = metrics.word_intrusion(case.phi, case.words, vectors=vectors)
    assert ((found >= 0) & (found <= 1)).all()
    assert metrics.embedding_coherence(topics, vectors, case.words).shape == (K,)
    assert_array_equal(metrics.rate_topics(topics, len), 10)
    seen = metrics.topic_intrusion(case.theta, case.theta + 1e-9, np.eye(K), n_topics=1)
    assert seen.mean() > 0.9


def perplexity(case):
    observed, held_out = metrics.completion_split(case.X)
    found = metrics.perplexity(held_out, case.model_.transform(observed), case.phi)
    assert 1 < found < 2 * len(case.words)


def left_to_right(case):
    prior = getattr(case.model_, "doc_topic_prior_", 1 / K)
    found = metrics.left_to_right(case.X[:5], case.phi, prior, n_particles=2)
    assert (found < 0).all()


def reading(case):
    model = case.pipeline
    topics = read_topics(
        model, case.texts, labels=[str(i % 2) for i in range(len(case.texts))]
    )
    for table in (topics.topic_table(), topics.document_table(), topics.by()):
        assert table.notna().all(axis=None)
    theta = case.theta / case.theta.sum(axis=1, keepdims=True)
    assert_allclose(topics.mixtures, theta)
    assert [words.split() for words in topics.topic_table().words] == top_words(
        case.model_.components_, case.words
    )
    assert_allclose(topics.over([2000] * len(case.texts)).share.sum(), 1)
    merged = topics.merge([[0, 2]]).rename({0: "Two"})
    assert_allclose(merged.model.transform(case.texts), merged.mixtures)
    assert_allclose(merged.mixtures[:, 0], theta[:, [0, 2]].sum(axis=1))
    assert explain(merged.model, case.texts[0]).topic_names[0] == "Two"
    assert np.isfinite(metrics.topic_scorer("distance")(merged.model, case.texts))


def stability(case):
    found = metrics.topic_stability(case.pipeline, case.texts, n_runs=2, subsample=0.8)
    assert ((found.per_topic > 0) & (found.per_topic <= 1)).all()


def search_by(*measures):
    """A single fit for each number of topics, scored by every measure."""

    def place(case):
        name = f"{case.pipeline.steps[-1][0]}__n_components"
        search = GridSearchCV(
            case.pipeline,
            {name: [2, 8]},
            cv=ShuffleSplit(1, random_state=0),
            scoring={m: metrics.topic_scorer(m, n_words=20) for m in measures},
            refit=measures[0],
            error_score="raise",
        ).fit(case.texts)
        for measure in measures:
            scores = search.cv_results_[f"mean_test_{measure}"]
            assert np.isfinite(scores).all()
            assert scores[0] != scores[1]
        best = next(iter(search.best_params_.values()))
        assert search.transform(case.texts).shape[1] == best

    return place


class Echo(LanguageModel):
    """Names a topic by its first word; knows no scores."""

    cache_dir = False

    def _identity(self):
        return "echo"

    def _compute(self, prompts, request, on_error):
        if request.kind == "score":
            raise LLMUnsupportedError("no scores here")
        for i, prompt in enumerate(prompts):
            yield [i], [prompt.rpartition("Words: ")[2].partition(",")[0]]


def labeler(case):
    topics = top_words(case.phi, case.words)
    frozen = FrozenEstimator(case.pipeline)
    labeler = TopicLabeler(frozen, Echo(), check_documents=False).fit(case.texts)
    assert len({*labeler.names_}) == len(topics)  # a word in brackets tells two apart
    for name, topic in zip(labeler.names_, topics, strict=True):
        assert name.startswith(topic[0].capitalize())
    assert set(labeler.sources_) == {"model"}
    assert explain(labeler, case.texts[0]).topic_names == labeler.names_
    frame = labeler.set_output(transform="pandas").transform(case.texts)
    assert list(frame.columns) == labeler.names_


def explained(model, case):
    for text in [case.texts[0], "zzyzx", ""]:
        why = explain(model, text, texts=case.texts)
        parts = (
            why.word_contributions.sum(axis=0)
            + why.language_contribution
            + why.prior_contribution
        )
        assert_allclose(parts, why.mixture, atol=1e-12)
        with np.errstate(invalid="ignore"):  # NMF of scikit-learn divides 0 by 0
            expected = model.transform([text])[0]
        assert_allclose(why.mixture, expected, atol=1e-12)
        assert np.isfinite(why.neighbor_distances).all()
        assert why._repr_html_()


def explained_pipeline(case):
    explained(case.pipeline, case)


def explained_fusion(case):
    for pooling in ["linear", "geometric"]:
        explained(fused(case, pooling=pooling).fit(case.texts), case)


def classifier(case):
    model = make_pipeline(*clone(case.pipeline), LogisticRegression(C=100))
    scores = cross_val_score(model, case.texts, case.labels, cv=2, error_score="raise")
    assert scores.mean() > 0.2  # five sections


def pickled(case):
    twin = pickle.loads(pickle.dumps(case.pipeline))
    assert_array_equal(twin.transform(case.texts), case.pipeline.transform(case.texts))


def plot(case):
    matplotlib.use("Agg")
    names = [" ".join(words) for words in top_words(case.phi, case.words, 3)]
    correlations = metrics.topic_correlations(case.theta, names=names, adjusted=True)
    assert np.isfinite(correlations).all(axis=None)
    ax = plot_correlations(correlations)
    assert {label.get_text() for label in ax.get_yticklabels()} == set(names)
    pyplot.close(ax.figure)


PLACES = {
    "pipeline": pipeline,
    "pandas output": pandas_output,
    "fusion, prior": fusion(pooling="prior"),
    "fusion, linear": fusion(pooling="linear"),
    "fusion, geometric": fusion(pooling="geometric"),
    "fusion, words alone": fusion(pooling="linear", alpha=0),
    "fusion, own weight": fusion(pooling="linear", alpha="auto"),
    "fusion, pandas": fusion_in_pandas,
    "fusion, more topics": fusion_of_more_topics,
    "fusion, Pipeline": fusion_of_a_pipeline,
    "fusion, search": fusion_searched,
    **{f"words by {method}": words_by(method) for method in METHODS},
    "coherence": coherence,
    "distinctness": distinctness,
    "agreement": agreement,
    "intrusion": intrusion,
    "perplexity": perplexity,
    "left to right": left_to_right,
    "reading": reading,
    "stability": stability,
    "search by completion": search_by("completion"),
    "search by topics": search_by(*(m for m in MEASURES if m != "completion")),
    "labeler": labeler,
    "explained pipeline": explained_pipeline,
    "explained fusion": explained_fusion,
    "classifier": classifier,
    "pickled": pickled,
    "plot": plot,
}

INVALID = {  # (model, place): what the error says
    # documents without order can be cut in two only where tokens can be counted
    **{
        (model, place): "needs whole-number counts"
        for model in MODELS
        if "tf-idf" in model
        for place in ["perplexity", "left to right", "search by completion"]
    },
    # a prior for each document goes into Gibbs sampling alone
    **{
        (model, "fusion, prior"): "pooling='prior' needs a GibbsLDA"
        for model in MODELS
        if model != "GibbsLDA"
    },
}


@pytest.fixture(scope="module")
def corpus():
    news = load_bbc_news()
    texts = [" ".join(text.split()[:80]) for text in news.data[::37]]
    return texts, news.target[::37]


def fitted(vectorizer, model, texts, labels):
    """A model fitted once behind its vectorizer, and what can be read off it."""
    whole = make_pipeline(clone(vectorizer), clone(model)).fit(texts)
    return SimpleNamespace(
        vectorizer=vectorizer,
        model=model,
        pipeline=whole,
        texts=texts,
        labels=labels,
        X=whole[0].transform(texts),
        words=whole[0].get_feature_names_out(),
        model_=whole[-1],
        phi=whole[-1].components_,
        theta=whole.transform(texts),
    )


VARIANTS = {*MODELS} - {"GibbsLDA", "PachinkoAllocation", "NMF, tf-idf"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.slow) if name in VARIANTS else name
        for name in MODELS
    ],
)
def named_case(request, corpus):
    return request.param, fitted(*MODELS[request.param], *corpus)


@pytest.mark.parametrize("place", PLACES)
def test_every_model_in_every_place(named_case, place):
    name, case = named_case
    if (name, place) in INVALID:
        with pytest.raises(ValueError, match=INVALID[name, place]):
            PLACES[place](case)
    else:
        PLACES[place](case)


# what NMF may leave ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MODELS if "NMF" in name])
def test_documents_without_known_words_are_borne(name, corpus):
    vectorizer, model = MODELS[name]
    texts = ["", *corpus[0], "zzyzx qqxz"]
    labels = [0, *corpus[1], 0]
    whole = make_pipeline(clone(vectorizer), clone(model))
    theta = whole.fit(texts).transform(texts)
    assert_array_equal(theta[[0, -1]], 0)
    assert np.isfinite(theta).all()
    assert_allclose(read_topics(whole, texts).mixtures[[0, -1]], 1 / K)
    assert metrics.purity(labels, theta) > 0.25
    assert_allclose(
        metrics.topic_correlations(theta), metrics.topic_correlations(theta[1:-1])
    )
    fused = FusionTopicModel(
        K, topic_model=model, vectorizer=vectorizer, pooling="linear", alpha=0
    ).fit(texts)
    assert_allclose(fused.transform(["", texts[1]])[0], 1 / K)
    assert_allclose(fused.transform([""]), 1 / K)  # no word known at all
    assert_allclose(explain(fused, "zzyzx").prior_contribution, 1 / K)


class LosesATopic(NMF):
    """Has a topic 1 without any weight, as strong sparsity leaves them."""

    def fit_transform(self, X, y=None, W=None, H=None):
        super().fit_transform(X)
        self.components_[1] = 0
        return self.transform(X)


@pytest.fixture(scope="module")
def lost(corpus):
    model = LosesATopic(init="nndsvda", max_iter=500, **SEEDED)
    return fitted(COUNTS, model, *corpus)


@pytest.mark.parametrize(
    "place",
    [
        "pandas output",
        "fusion, linear",
        "fusion, geometric",
        "agreement",
        *(place for place in PLACES if place.startswith("search by")),
        "explained pipeline",
        "explained fusion",
        "classifier",
        "plot",
    ],
)
def test_a_topic_without_weight_is_borne(lost, place):
    PLACES[place](lost)


def test_a_topic_without_weight_stands_for_nothing(lost):
    words = top_words(lost.phi, lost.words)
    assert [len(topic) for topic in words] == [10, 0, 10, 10]
    assert name_topics(words, llm=Echo()).names[1] == "topic 1"
    stability = metrics.topic_stability(lost.pipeline, lost.texts, n_runs=1)
    assert (stability.per_topic > 0).tolist() == [True, False, True, True]
    correlations = metrics.topic_correlations(lost.theta, adjusted=True)
    assert correlations[1].tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(
    "measure",
    [
        coherence,
        lambda case: metrics.inverted_rbo(top_words(case.phi, case.words)),
        lambda case: metrics.exclusivity(case.phi),
        lambda case: metrics.topic_distances(case.phi),
        perplexity,
        left_to_right,
        intrusion,
    ],
)
def test_a_topic_without_weight_has_no_value_of_its_own(lost, measure):
    with pytest.raises(
        ValueError, match=r"(?i)(topic|row) 1 (is \[\]|is all zero|has no)"
    ):
        measure(lost)
