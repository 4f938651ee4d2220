"""Topics as features of scikit-learn's classifiers: the recipes of the guide."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, Normalizer

from llmtopics import (
    FusionTopicModel,
    TransformerClassifier,
    TransformerEmbedder,
    log_ratios,
)
from llmtopics.datasets import load_bbc_news

N_LABELED, K = 25, 10
SPORTS = 3  # the number of this label


def classifier_with(topics):
    """Return a classifier of texts that reads topics and tf-idf."""
    ratios = FunctionTransformer(log_ratios, feature_names_out="one-to-one")
    features = make_union(
        make_pipeline(topics, ratios, Normalizer()),
        TfidfVectorizer(stop_words="english", sublinear_tf=True),
    )
    return make_pipeline(features, LogisticRegression(C=10))


@pytest.fixture(scope="module")
def news():
    """Titles and first words of BBC articles: labels of few, other texts, test texts."""
    corpus = load_bbc_news()
    texts = [" ".join(text.split()[:40]) for text in corpus.data[::4]]
    y = corpus.target[::4]
    order = np.random.default_rng(0).permutation(len(texts))
    train, test = order[:300], order[300:]
    of_class = [train[y[train] == label][: N_LABELED // 5] for label in range(5)]

    class News:
        unlabeled = [texts[i] for i in train]
        texts_ = [texts[i] for i in np.concatenate(of_class)]
        labels = y[np.concatenate(of_class)]
        test = [texts[i] for i in order[300:]]
        test_labels = y[order[300:]]

    assert len(News.labels) == N_LABELED
    assert len(test) == len(News.test)
    return News


@pytest.fixture(scope="module")
def topics(news):
    """Topics of all training texts, without labels."""
    return FusionTopicModel(K, max_iter=50, random_state=0).fit(news.unlabeled)


@pytest.fixture(scope="module")
def fitted(news, topics):
    return classifier_with(FrozenEstimator(topics)).fit(news.texts_, news.labels)


def test_topics_of_unlabeled_texts_help_when_labels_are_few(news, fitted):
    words = make_pipeline(
        TfidfVectorizer(stop_words="english", sublinear_tf=True),
        LogisticRegression(C=10),
    ).fit(news.texts_, news.labels)
    ours, theirs = (
        model.score(news.test, news.test_labels) for model in (fitted, words)
    )
    assert ours > theirs + 0.05
    assert ours > 0.8


def test_frozen_topics_are_not_fitted_again(news, topics):
    before = pickle.dumps(topics.components_)
    model = classifier_with(FrozenEstimator(topics))
    for each in (model, clone(model)):
        each.fit(news.texts_, news.labels)
        used = each[0].transformer_list[0][1][0].estimator
        assert used is topics
    assert pickle.dumps(topics.components_) == before


def test_topics_inside_the_pipeline_are_fitted_to_its_training_texts_only(news, topics):
    model = classifier_with(FusionTopicModel(5, max_iter=5, random_state=0))
    model.fit(news.texts_, news.labels)
    inside = model[0].transformer_list[0][1][0]
    assert len(inside.labels_) == N_LABELED
    assert len(topics.labels_) == len(news.unlabeled)


def test_features_have_names_and_rows_of_length_one(news, fitted):
    features = fitted[0].transform(news.test[:20])
    names = fitted[0].get_feature_names_out()
    assert features.shape == (20, len(names)) == (20, fitted[-1].coef_.shape[1])
    assert [name.rpartition("__")[2] for name in names[:2]] == [
        "fusiontopicmodel0",
        "fusiontopicmodel1",
    ]
    assert_allclose(np.linalg.norm(features[:, :K].toarray(), axis=1), 1)


def test_coefficients_say_which_topics_speak_for_a_class(news, topics, fitted):
    """The topic with the largest coefficient for sports has mostly articles of sports."""
    topic = fitted[-1].coef_[SPORTS, :K].argmax()
    of_topic = topics.transform(news.test).argmax(axis=1) == topic
    assert of_topic.any()
    assert (news.test_labels[of_topic] == SPORTS).mean() > 0.7


def test_series_and_lists_are_classified_alike(news, fitted):
    some = news.test[:30]
    found = fitted.predict(some)
    for texts in (pd.Series(some, index=range(5, 35)), pl.Series(some), np.array(some)):
        assert_array_equal(fitted.predict(texts), found)


def test_a_series_can_be_fitted_to(news, topics, fitted):
    table = pd.DataFrame({"text": news.texts_, "label": news.labels}).sample(
        frac=1, random_state=0
    )
    again = classifier_with(FrozenEstimator(topics)).fit(table["text"], table["label"])
    assert_allclose(
        again.predict_proba(news.test), fitted.predict_proba(news.test), atol=1e-3
    )


def test_a_pickled_classifier_gives_the_same_probabilities(news, fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(
        again.predict_proba(news.test[:10]), fitted.predict_proba(news.test[:10])
    )


@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_calibrated_probabilities_sum_to_one(news, topics, method):
    model = CalibratedClassifierCV(
        classifier_with(FrozenEstimator(topics)), method=method, cv=3, ensemble=False
    ).fit(news.texts_, news.labels)
    chances = model.predict_proba(news.test)
    assert_allclose(chances.sum(axis=1), 1)
    assert chances.min() >= 0


def test_temperature_scaling_lowers_the_log_loss(news, topics, fitted):
    """With few labels, a logistic regression is too careful."""
    model = CalibratedClassifierCV(
        classifier_with(FrozenEstimator(topics)),
        method="temperature",
        cv=5,
        ensemble=False,
    ).fit(news.texts_, news.labels)
    before, after = (
        log_loss(news.test_labels, each.predict_proba(news.test))
        for each in (fitted, model)
    )
    assert after < before
    assert_array_equal(model.predict(news.test), fitted.predict(news.test))


def test_a_search_over_k_alpha_and_c_changes_the_topics(news, tmp_path):
    pipeline = Pipeline(
        [
            ("topics", FusionTopicModel(max_iter=5, random_state=0)),
            ("ratios", FunctionTransformer(log_ratios)),
            ("classifier", LogisticRegression()),
        ],
        memory=str(tmp_path),
    )
    grid = {
        "topics__n_components": [2, 6],
        "topics__alpha": [0, 0.5],
        "classifier__C": [0.01, 10],
    }
    search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss")
    search.fit(news.unlabeled[:80], np.arange(80) % 2)
    scores = search.cv_results_["mean_test_score"]
    assert len(np.unique(scores.round(8))) == 8
    topics = search.best_estimator_["topics"]
    assert len(topics.components_) == search.best_params_["topics__n_components"]
    assert topics.alpha_ == search.best_params_["topics__alpha"]


def test_weights_of_the_features_can_be_searched(news, topics):
    model = classifier_with(FrozenEstimator(topics))
    weights = [{"pipeline": weight} for weight in (0, 0.5, 2)]
    grid = {"featureunion__transformer_weights": weights}
    search = GridSearchCV(model, grid, cv=5, scoring="neg_log_loss")
    search.fit(news.texts_, news.labels)
    scores = search.cv_results_["mean_test_score"]
    assert len(np.unique(scores)) == 3
    assert scores[0] == scores.min()  # without topics


def test_groups_keep_copies_of_a_text_in_one_fold(news, topics):
    """A classifier that knows texts by heart is good at copies, if folds divide them."""
    texts = news.texts_ * 2
    labels = np.random.default_rng(0).integers(2, size=N_LABELED)
    labels = np.tile(labels, 2)
    groups = np.unique(texts, return_inverse=True)[1]
    model = classifier_with(FrozenEstimator(topics)).set_params(
        logisticregression__C=1000
    )
    apart = cross_val_score(model, texts, labels, groups=groups, cv=GroupKFold(5))
    divided = cross_val_score(
        model, texts, labels, groups=np.arange(50) // N_LABELED, cv=GroupKFold(2)
    )
    assert divided.mean() == 1
    assert apart.mean() < 0.8


def test_labels_of_one_class_are_an_error(news, topics):
    model = classifier_with(FrozenEstimator(topics))
    with pytest.raises(ValueError, match="at least 2 classes"):
        model.fit(news.texts_, np.zeros(N_LABELED, int))


def test_a_missing_text_is_an_error_that_names_its_row(news, fitted):
    with pytest.raises(ValueError, match="row 1"):
        fitted.predict([news.test[0], None])


def test_a_blank_text_gets_probabilities(fitted):
    chances = fitted.predict_proba(["", "the"])
    assert_allclose(chances.sum(axis=1), 1)


def test_the_classifier_with_a_head_is_logistic_regression_on_vectors(news):
    ours = TransformerClassifier().fit(news.texts_, news.labels)
    pipeline = make_pipeline(TransformerEmbedder(), LogisticRegression(C=10))
    pipeline.fit(news.texts_, news.labels)
    assert_allclose(
        ours.predict_proba(news.test[:50]),
        pipeline.predict_proba(news.test[:50]),
        atol=1e-4,
    )
