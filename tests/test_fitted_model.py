"""One reader of fitted models, of any kind."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import LatentDirichletAllocation, TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from llmtopics import EmbeddingTopics, GibbsLDA, explain, top_words
from llmtopics._fitted_model import FittedModel
from llmtopics._mixtures import as_mixtures, check_mixtures
from llmtopics._words import topic_labels
from llmtopics.datasets import load_bbc_news

TEXTS = load_bbc_news().data[::40]


def lower(texts):
    return [text.lower() for text in texts]


@pytest.fixture(scope="module")
def parts():
    vectorizer = CountVectorizer(min_df=3).fit(TEXTS)
    model = GibbsLDA(4, max_iter=20, random_state=0).fit(vectorizer.transform(TEXTS))
    return vectorizer, model


@pytest.mark.parametrize("kind", ["flat", "nested", "frozen", "passthrough", "changed"])
def test_the_same_model_in_any_pipeline(parts, kind):
    vectorizer, model = parts
    made = {
        "flat": make_pipeline(vectorizer, model),
        "nested": make_pipeline(make_pipeline(vectorizer), model),
        "frozen": FrozenEstimator(make_pipeline(FrozenEstimator(vectorizer), model)),
        "passthrough": Pipeline(
            [("none", "passthrough"), ("count", vectorizer), ("model", model)]
        ),
        "changed": make_pipeline(FunctionTransformer(lower), vectorizer, model),
    }[kind]
    fitted, X = FittedModel.of_texts(made, "test"), vectorizer.transform(TEXTS)
    assert fitted.last is model
    assert_array_equal(fitted.mixtures(TEXTS), model.transform(X))
    assert_array_equal(fitted.counts(TEXTS).toarray(), X.toarray())
    words = vectorizer.get_feature_names_out()
    assert_array_equal(fitted.vocabulary, words)
    assert fitted.top_words(5) == top_words(model.components_, words, 5)
    assert fitted.names is None
    assert fitted.embedder is None
    assert fitted.vectors(TEXTS) is None
    changed = fitted.changed(TEXTS)
    assert changed.n_steps == (kind == "changed")
    assert changed.texts == (lower(TEXTS) if kind == "changed" else TEXTS)


def test_a_model_of_counts_alone(parts):
    vectorizer, model = parts
    X, fitted = vectorizer.transform(TEXTS), FittedModel(model)
    assert fitted.counts(X) is X
    assert fitted.vocabulary is None
    assert fitted.top_words() is None
    with pytest.raises(TypeError, match="reads numbers"):
        FittedModel.of_texts(model, "test")


def test_columns_that_are_no_words():
    svd = make_pipeline(TfidfVectorizer(), TruncatedSVD(10), EmbeddingTopics(3))
    fitted = FittedModel.of_texts(svd.fit(TEXTS), "test")
    assert fitted.top_words() is None
    vectors = fitted.vectors(TEXTS)
    assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    hashed = make_pipeline(
        HashingVectorizer(n_features=64, alternate_sign=False),
        LatentDirichletAllocation(2, max_iter=2),
    )
    fitted = FittedModel.of_texts(hashed.fit(TEXTS), "test")
    assert fitted.top_words() is None
    assert fitted.vectors(TEXTS) is None


def test_steps_that_rescale_proportions_are_seen_through(parts):
    vectorizer, model = parts
    scaled = make_pipeline(vectorizer, model, Normalizer("l2").fit(np.eye(4)))
    plain = FittedModel(make_pipeline(vectorizer, model))
    fitted = FittedModel.of_texts(scaled, "test")
    assert fitted.last is model
    assert fitted.top_words() == plain.top_words()
    assert_allclose(fitted.mixtures(TEXTS), plain.mixtures(TEXTS))
    with pytest.raises(TypeError, match="pipeline\\[:-1\\]"):
        explain(scaled, TEXTS[0])


def test_rows_that_sum_to_one_keep_their_bits():
    theta = np.random.default_rng(0).dirichlet([1, 1, 1], 50)
    assert_array_equal(as_mixtures(theta), theta)
    assert_allclose(check_mixtures([[2, 6], [0, 0]]), [[0.25, 0.75], [0.5, 0.5]])
    for wrong in ([[1, -1]], [[np.nan, 1]]):
        with pytest.raises(ValueError, match="theta"):
            check_mixtures(wrong, "theta")


def test_labels_are_distinct():
    assert topic_labels([["a", "b", "c", "d"], ["b"]]) == ["a b c", "b"]
    alike = [["a", "b", "c", "d"], ["a", "b", "c", "e"]]
    assert topic_labels(alike) == ["a b c d", "a b c e"]
    assert topic_labels([["a"], ["a"]]) == ["0 a", "1 a"]
    assert topic_labels([["a"], ["b"], ["a"]]) == ["0 a", "b", "2 a"]
    clash = [["a"], ["a"], ["0 a"]]
    assert topic_labels(clash) == ["0 a", "1 a", "2 0 a"]
    assert topic_labels([[], ["a"]]) == ["topic 0", "a"]
