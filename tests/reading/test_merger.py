"""Merged topics: sums of shares, in every place where a topic model can be used."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import is_valid_linkage
from sklearn.base import clone
from sklearn.decomposition import NMF
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    TopicMerger,
    explain,
    read_topics,
    top_words,
)
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import label_agreement, topic_scorer

NEWS = load_bbc_news()
ROWS = np.random.default_rng(1).permutation(len(NEWS.data))[:120]
TEXTS = [NEWS.data[i] for i in ROWS]
LABELS = NEWS.target[ROWS]


def lda(n_components=6):
    return make_pipeline(
        CountVectorizer(min_df=2, stop_words="english"),
        GibbsLDA(n_components, max_iter=30, random_state=0),
    )


def nmf():
    return make_pipeline(
        TfidfVectorizer(min_df=2), NMF(6, init="nndsvda", random_state=0)
    )


@pytest.fixture(scope="module")
def fusion():
    return FusionTopicModel(6, random_state=0).fit(TEXTS)


@pytest.fixture(scope="module", params=["fusion", "lda", "nmf"])
def model(request, fusion):
    if request.param == "fusion":
        return fusion
    return {"lda": lda, "nmf": nmf}[request.param]().fit(TEXTS)


def normalized(theta):
    return theta / theta.sum(axis=1, keepdims=True)


def test_shares_are_summed(model):
    merger = TopicMerger(FrozenEstimator(model), groups=[[0, 3], [5, 1]]).fit(TEXTS)
    assert_array_equal(merger.mapping_, [0, 1, 2, 0, 3, 1])
    theta = normalized(model.transform(TEXTS))
    merged = merger.transform(TEXTS)
    assert_allclose(merged.sum(axis=1), 1)
    assert_allclose(merged[:, 0], theta[:, 0] + theta[:, 3])
    assert_allclose(merged[:, 1], theta[:, 1] + theta[:, 5])
    assert_allclose(merged[:, 3], theta[:, 4])
    assert_allclose(merger.components_.sum(axis=1), 1)
    assert len(merger.top_words(7)[0]) == 7
    assert merger.transform(["", "zzyzx"]).shape == (2, 4)  # new documents
    assert_array_equal(merger.fit_transform(TEXTS), merged)


def test_dropped_topics(model):
    merger = TopicMerger(FrozenEstimator(model), groups=[[0, 3]], drop=[1, 2]).fit(
        TEXTS
    )
    assert_array_equal(merger.mapping_, [0, -1, -1, 0, 1, 2])
    theta = model.transform(TEXTS)[:, [0, 3, 4, 5]]
    some = theta.sum(axis=1) > 0  # NMF may leave nothing
    assert some.sum() > 100
    merged = merger.transform(TEXTS)
    assert_allclose(merged[some, 1:], normalized(theta[some])[:, 2:])
    assert_allclose(
        merged[~some], np.broadcast_to([0.5, 0.25, 0.25], merged[~some].shape)
    )


def test_a_document_with_nothing_left_gets_the_prior():
    model = make_pipeline(CountVectorizer(), NMF(2, init="nndsvda", random_state=0))
    texts = ["cat dog", "dog cat cat"] * 5 + ["bank loan", "loan bank bank"] * 5
    model.fit(texts)
    pets = model.transform(["cat"]).argmax()
    merger = TopicMerger(FrozenEstimator(model), drop=[pets]).fit(texts)
    assert_array_equal(merger.transform(["cat dog", "bank", ""]), [[1], [1], [1]])


def test_order_by_size(model):
    merger = TopicMerger(FrozenEstimator(model), order="size").fit(TEXTS)
    shares = merger.transform(TEXTS).mean(axis=0)
    assert (np.diff(shares) <= 0).all()
    assert sorted(merger.mapping_) == list(range(6))


def test_planted_topics_are_merged():
    words = {
        "pets": "cat dog bird",
        "food": "bread soup rice",
        "cars": "wheel motor road",
    }
    rng = np.random.default_rng(0)
    texts, truth = [], []
    for k, line in enumerate(words.values()):
        for _ in range(60):
            texts.append(" ".join(rng.choice(line.split(), size=20)))
            truth.append(k)
    model = make_pipeline(
        CountVectorizer(), GibbsLDA(9, doc_topic_prior=0.1, random_state=0)
    )
    merger = TopicMerger(model, 3).fit(texts)
    first = merger.transform(texts).argmax(axis=1)
    assert label_agreement(truth, first)["nmi"] > 0.95
    assert merger.merge_tree_.shape == (8, 4)
    assert is_valid_linkage(merger.merge_tree_)


def test_every_number_of_topics_is_met(fusion):
    for n_components in range(1, 7):
        merger = TopicMerger(FrozenEstimator(fusion), n_components).fit(TEXTS)
        assert merger.components_.shape[0] == n_components
        assert merger.transform(TEXTS[:2]).shape == (2, n_components)


def test_without_merging_nothing_changes(fusion):
    merger = TopicMerger(FrozenEstimator(fusion)).fit(TEXTS)
    assert_allclose(merger.transform(TEXTS), fusion.transform(TEXTS))
    assert merger.top_words() == fusion.top_words()
    assert merger.names_ is None
    assert list(merger.get_feature_names_out()) == [f"topicmerger{k}" for k in range(6)]


def test_fit_clones_the_model_unless_it_is_frozen(fusion):
    model = lda()
    merger = TopicMerger(model, 3).fit(TEXTS)
    with pytest.raises(NotFittedError):
        model.transform(TEXTS)
    again = clone(merger).fit(TEXTS)
    assert_array_equal(again.transform(TEXTS), merger.transform(TEXTS))
    frozen = TopicMerger(FrozenEstimator(fusion), 3).fit(TEXTS[:60])
    assert frozen.estimator_ is fusion


def test_explanations_of_merged_topics(model):
    merger = TopicMerger(FrozenEstimator(model), groups=[[0, 3]], drop=[1]).fit(TEXTS)
    why = explain(merger, TEXTS[0], texts=TEXTS)
    assert_allclose(why.mixture, merger.transform(TEXTS[:1])[0], atol=1e-9)
    total = (
        why.word_contributions.sum(axis=0)
        + why.language_contribution
        + why.prior_contribution
    )
    assert_allclose(total, why.mixture, atol=1e-9)
    assert why.topic_words == merger.top_words(10)
    assert len(why.neighbors) == 3
    blank = explain(merger, "zzyzx")
    assert_allclose(
        blank.prior_contribution + blank.language_contribution, blank.mixture, atol=1e-9
    )


def test_searches_reach_both_models():
    search = GridSearchCV(
        TopicMerger(lda()),
        {"n_components": [2, 4], "estimator__gibbslda__n_components": [6, 8]},
        scoring=topic_scorer(),
        cv=2,
    ).fit(TEXTS)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) == 4
    best = search.best_estimator_
    assert best.transform(TEXTS).shape[1] == search.best_params_["n_components"]


def test_a_search_with_memory_fits_the_model_once_per_fold(tmp_path):
    grid = {"n_components": [2, 3, 4]}
    found = [
        GridSearchCV(
            TopicMerger(lda(), memory=memory), grid, scoring=topic_scorer(), cv=2
        ).fit(TEXTS)
        for memory in (None, str(tmp_path))
    ]
    assert_array_equal(*[each.cv_results_["mean_test_score"] for each in found])
    assert len(list(tmp_path.rglob("output.pkl"))) == 3  # two folds, and all texts


def test_in_a_pipeline_and_pickled(model):
    merger = TopicMerger(FrozenEstimator(model), 4)
    pipeline = make_pipeline(merger, LogisticRegression(C=100)).fit(TEXTS, LABELS)
    assert pipeline.score(TEXTS, LABELS) > 0.5
    twin = pickle.loads(pickle.dumps(pipeline))
    assert_array_equal(twin.predict_proba(TEXTS), pipeline.predict_proba(TEXTS))


def test_merged_again_and_renamed(fusion):
    topics = read_topics(fusion, TEXTS)
    once = topics.merge([[0, 3]]).rename({0: "Both"})
    assert once.mixtures.shape[1] == 5
    twice = once.merge([["Both", 1]])
    assert_allclose(twice.mixtures[:, 0], topics.mixtures[:, [0, 1, 3]].sum(axis=1))
    assert twice.names[0] == f"Both + {once.names[1]}"
    assert_allclose(twice.model.transform(TEXTS), twice.mixtures)
    assert explain(twice.model, TEXTS[0]).topic_names == twice.names
    assert once.merge(drop=["Both"]).mixtures.shape[1] == 4


def test_several_steps_are_one_merger_around_the_first_model(fusion):
    topics = read_topics(fusion, TEXTS)
    steps = topics.rename({0: "A"}).merge([[0, 3]]).rename({1: "B"})
    steps = steps.merge([[1, 2]], drop=[3])
    merger = steps.model.estimator
    assert merger.estimator_ is fusion
    assert_array_equal(merger.mapping_, [0, 1, 1, 0, -1, 2])
    at_once = topics.merge([[0, 3], [1, 2]], drop=[4])
    assert_array_equal(steps.mixtures, at_once.mixtures)
    assert_array_equal(steps.components, at_once.components)
    assert steps.words(0).equals(at_once.words(0))
    assert_array_equal(steps.model.transform(TEXTS), steps.mixtures)
    assert_array_equal(clone(merger).fit(TEXTS).mapping_, merger.mapping_)
    assert merger.merge_tree_.shape == (5, 4)
    again = read_topics(steps.model, TEXTS).merge(n_components=2)
    assert again.model.estimator.estimator_ is fusion
    assert_allclose(again.model.transform(TEXTS), again.mixtures)


def test_merged_topics_are_merged_in_their_own_order(fusion):
    sized = read_topics(fusion, TEXTS).merge([[0, 1]], order="size")
    twice = sized.merge([[0, 4]])
    assert_allclose(twice.mixtures[:, 0], sized.mixtures[:, [0, 4]].sum(axis=1))
    assert_allclose(twice.mixtures[:, 1:], sized.mixtures[:, 1:4])


def test_methods_of_words(fusion):
    merger = TopicMerger(FrozenEstimator(fusion), 3).fit(TEXTS)
    assert merger.top_words(5, "term_score") == top_words(
        merger.components_, merger.vocabulary_, 5
    )
    assert merger.top_words(5, "keyness") == merger.top_words(5)
    with pytest.raises(ValueError, match="method must be None or one of"):
        merger.top_words(5, "best")
    with pytest.raises(ValueError, match="n_words must be a whole number"):
        merger.top_words(0)
    with pytest.raises(ValueError, match="got 'keyness'"):
        TopicMerger(lda(), 3).fit(TEXTS).top_words(5, "keyness")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"groups": [[0, 1], [1, 2]]}, "Topic 1 is in groups 0 and 1"),
        ({"groups": [[0, 1]], "drop": [1]}, "Topic 1 is in group 0 and in drop"),
        ({"groups": [[0, 6]]}, "There is no topic 6"),
        ({"groups": [["Sport"]]}, "No topic has the name 'Sport'"),
        ({"drop": [-1]}, "There is no topic -1"),
        ({"drop": range(6)}, "drop leaves no topic"),
        ({"n_components": 7}, "n_components=7 and only 6 topics are left"),
        ({"n_components": 5, "drop": [0, 1]}, "only 4 topics are left"),
        ({"n_components": 2, "groups": [[0, 1]]}, "both given"),
        ({"n_components": 0}, "'n_components' parameter"),
        ({"order": "random"}, "'order' parameter"),
    ],
)
def test_bad_parameters(fusion, parameters, message):
    with pytest.raises(ValueError, match=message):
        TopicMerger(FrozenEstimator(fusion), **parameters).fit(TEXTS)
    parameters = {"n_components": None} | parameters
    with pytest.raises(ValueError, match=message):
        read_topics(fusion, TEXTS).merge(**parameters)


def test_bad_models():
    with pytest.raises(TypeError, match="TopicMerger needs a model that reads texts"):
        TopicMerger(GibbsLDA(2)).fit(TEXTS)
