"""Two classifiers of the topics, of vectors and of words, correct θ."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import entr
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from llmtopics import EmbeddingTopics, TransformerEmbedder, explain
from llmtopics.fusion._co_training import co_train
from llmtopics.metrics import label_agreement


def documents(rng, D=60, K=3):
    """θ, vectors and counts of texts; the first topic of each is in all three."""
    topics = np.arange(D) % K
    mixtures = 0.5 * np.eye(K)[topics] + 0.5 * rng.dirichlet(np.ones(K), D)
    vectors = np.eye(K)[topics] + 0.3 * rng.normal(size=(D, K))
    X = rng.poisson(0.2 + 2 * np.eye(K)[topics].repeat(4, axis=1))
    return mixtures, 5 * vectors, sp.csr_array(X)


@pytest.mark.parametrize("K", [2, 3])
def test_the_correction_is_the_root_of_the_product(rng, K):
    mixtures, vectors, X = documents(rng, K=K)
    rows = np.concatenate(
        [
            sorted(
                np.flatnonzero(np.arange(60) % K == k), key=lambda d: -mixtures[d, k]
            )[: round(0.6 * 60 / K)]
            for k in range(K)
        ]
    )
    rows.sort()
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    tfidf = TfidfTransformer().fit_transform(X)
    weights = mixtures.copy()
    for inputs in (units, tfidf):
        model = LogisticRegression(C=10, max_iter=1000)
        model.fit(inputs[rows], mixtures[rows].argmax(axis=1))
        weights *= np.sqrt(model.predict_proba(inputs))
    trained = co_train(mixtures, vectors, X, 0.6)
    weights **= trained.power
    found = trained.correct(mixtures, vectors, X)
    assert_allclose(found, weights / weights.sum(axis=1, keepdims=True), rtol=1e-6)


def test_topics_stay_as_even_as_they_were(rng):
    mixtures, vectors, X = documents(rng)
    trained = co_train(mixtures, vectors, X, 0.6)
    found = trained.correct(mixtures, vectors, X)
    assert_allclose(entr(found).sum(), entr(mixtures).sum(), rtol=1e-3)
    sharper = trained._replace(power=1.0).correct(mixtures, vectors, X)
    assert entr(sharper).sum() < 0.7 * entr(mixtures).sum()
    assert_array_equal(found.argmax(axis=1), sharper.argmax(axis=1))


@pytest.mark.parametrize("theta", [np.eye(3), np.full((3, 3), 1 / 3)])
def test_topics_without_entropy_or_with_all_of_it(rng, theta):
    """θ of zeros and ones stays; θ that is the same for all topics stays as even."""
    mixtures, vectors, X = documents(rng)
    trained = co_train(mixtures, vectors, X, 0.6)
    given = theta[np.arange(60) % 3]
    found = trained.as_even(given, vectors, X).correct(given, vectors, X)
    assert np.isfinite(found).all()
    assert_allclose(found, given, atol=0.1)


def test_what_a_text_lacks_says_nothing(rng):
    mixtures, vectors, X = documents(rng)
    trained = co_train(mixtures, vectors, X, 0.6)
    assert not 0.9 < trained.power < 1.1
    none, no_words = np.zeros((1, 3)), sp.csr_array((1, X.shape[1]), dtype=X.dtype)
    prior = np.array([[0.6, 0.3, 0.1]])
    assert_array_equal(trained.correct(prior, none, no_words), prior)
    even = np.full((1, 3), 1 / 3)
    words = X[:1]
    by_words = np.exp(
        trained.power
        * trained.by_words.log_probabilities(trained.idf.transform(words), 3)
        / 2
    )
    assert_allclose(trained.correct(even, none, words), by_words / by_words.sum())


def test_a_topic_that_is_no_texts_first_gets_the_smallest_probability(rng):
    mixtures, vectors, X = documents(rng)
    mixtures = np.column_stack([mixtures * 0.9, np.full(60, 0.1)])
    trained = co_train(mixtures, vectors, X, 0.6)
    for classifier, view in [
        (trained.by_vectors, vectors),
        (trained.by_words, trained.idf.transform(X)),
    ]:
        logs = classifier.log_probabilities(view, 4)
        assert_array_equal(logs[:, 3], logs[:, :3].min(axis=1))
    found = trained.correct(mixtures, vectors, X)
    assert found.min() > 0
    assert (found.argmax(axis=1) < 3).all()


def test_texts_that_lack_a_view_teach_nothing(rng):
    mixtures, vectors, X = documents(rng)
    some = vectors.copy()
    some[:20] = 0  # without vectors
    X = X.tolil()
    X[40:] = 0  # without words
    X = sp.csr_array(X)
    found = co_train(mixtures, some, X, 1)
    alone = co_train(mixtures[20:40], vectors[20:40], X[20:40], 1)
    assert_allclose(found.by_vectors.coef, alone.by_vectors.coef, atol=1e-4)


def test_zeros_of_a_topic_stay_zeros(rng):
    mixtures, vectors, X = documents(rng)
    mixtures[0] = [1, 0, 0]
    found = co_train(mixtures, vectors, X, 0.6).correct(mixtures, vectors, X)
    assert_array_equal(found[0], [1, 0, 0])


def test_one_first_topic_teaches_nothing(rng):
    _, vectors, X = documents(rng)
    assert co_train(np.tile([0.7, 0.3], (60, 1)), vectors, X, 0.6) is None


def test_topics_agree_better_with_sections_and_keep_their_words(
    fusion, first_sentences
):
    texts, sections = first_sentences(every=2)
    plain = fusion(embedder=TransformerEmbedder(), co_training=0).fit(texts)
    model = clone(plain).set_params(co_training=0.6).fit(texts)
    before, after = (label_agreement(sections, each.labels_) for each in (plain, model))
    assert after["nmi"] > before["nmi"]
    assert after["matched_accuracy"] > before["matched_accuracy"]
    assert not hasattr(plain, "co_training_")
    assert_array_equal(model.components_, plain.components_)
    assert model.top_words() == plain.top_words()


def test_a_text_does_not_depend_on_its_neighbors(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, max_iter=5)
    every = model.fit_transform(texts)
    assert_array_equal(model.labels_, every.argmax(axis=1))
    for i in (0, 7, 119):
        assert_array_equal(model.transform(texts[i : i + 1])[0], every[i])


def test_parts_of_an_explanation_sum_to_the_corrected_mixture(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, max_iter=5).fit(texts)
    why = explain(model, texts[3])
    assert_allclose(why.mixture, model.transform(texts[3:4])[0])
    parts = why.language_contribution + why.prior_contribution
    parts = parts + why.word_contributions.sum(axis=0)
    assert_allclose(parts, why.mixture)
    assert any("Co-training" in note and "convention" in note for note in why.notes)


def test_only_prior_with_both_views_is_corrected(fusion, planted):
    texts, embedder, _ = planted
    side = make_pipeline(embedder, EmbeddingTopics(4, random_state=0))
    for parameters in (
        {"alpha": 0, "embedder": embedder},
        {"alpha": 1, "embedder": embedder},
        {"language_topics": side},
        {"embedder": embedder, "pooling": "linear"},  # stays the weighted mean
        {"n_components": 1, "embedder": embedder},
    ):
        model = fusion(**{"n_components": 4, "max_iter": 3, **parameters}).fit(texts)
        assert not hasattr(model, "co_training_"), parameters


@pytest.mark.parametrize("share", [-0.1, 1.1, "all"])
def test_a_bad_share_is_named(fusion, planted, share):
    with pytest.raises(ValueError, match="'co_training' parameter"):
        fusion(4, co_training=share).fit(planted[0])
