"""Each pooling against its formula."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils._param_validation import StrOptions

from llmtopics import EmbeddingTopics, FusionTopicModel, PrecomputedEmbeddings
from llmtopics.fusion._poolings import POOLINGS, pooling_for
from llmtopics.fusion._poolings._geometric import GeometricPooling
from llmtopics.topics import _embedding


def test_a_documents_mixture_is_the_weighted_sum_of_both_sides(fusion, planted):
    """θ = (n + s f + ε) / (N + s + Kε), with n the expected counts in the topics."""
    texts, embedder, _ = planted
    model = fusion(4, alpha=0.3, embedder=embedder, co_training=0).fit(texts)
    X = model.vectorizer_.transform(texts)
    N = np.asarray(X.sum(axis=1)).ravel()
    s = 0.3 / 0.7 * np.median(N)
    assert_allclose(model.strength_, s)
    assert_allclose(model.document_alpha_, s / (s + N))
    f = model.language_topics_.transform(embedder.transform(texts))
    theta = model.transform(texts)
    n = theta * (N + s + 1)[:, None] - s * f - 1 / 4
    assert_allclose(n.sum(axis=1), N)
    assert n.min() > -0.01
    # n is the fixed point of expected counts given φ and θ
    shares = theta[:, :, None] * model.components_[None]
    shares /= shares.sum(axis=1, keepdims=True)
    assert np.abs(np.einsum("dw,dkw->dk", X.toarray(), shares) - n).max() < 0.6


def test_linear_and_geometric_are_their_formulas(fusion, planted):
    texts, embedder, _ = planted
    for pooling in ["linear", "geometric"]:
        model = fusion(4, alpha=0.3, pooling=pooling, embedder=embedder).fit(texts)
        f = model.language_topics_.transform(embedder.transform(texts))
        g = model.topic_model_.transform(model.vectorizer_.transform(texts))
        # no other order of g's topics agrees better with f's
        order = model.topic_order_
        assert (f * g[:, order]).sum() >= (f * g[:, np.roll(order, 1)]).sum()
        joined = {
            "linear": 0.3 * f + 0.7 * g[:, order],
            "geometric": f**0.3 * g[:, order] ** 0.7,
        }[pooling]
        joined /= joined.sum(axis=1, keepdims=True)
        assert_allclose(model.transform(texts), joined)
        assert_array_equal(model.document_alpha_, 0.3)


def test_short_texts_depend_on_embeddings_and_long_ones_on_words(fusion, news):
    texts, _ = news
    model = fusion().fit([*texts, "football"])
    assert model.document_alpha_[-1] == model.document_alpha_.max() > 0.9
    assert_allclose(np.median(model.document_alpha_), 0.5, atol=0.02)
    # an unknown word: the embedding alone decides
    (mixture,) = model.transform(["goalkeepers"])
    sports = model.transform(["the football cup match"]).argmax()
    assert mixture.argmax() == sports


def test_the_embedding_side_keeps_the_labels_of_its_last_refit(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, alpha=0.1, embedder=embedder).fit(texts)
    side, vectors = model.language_topics_, embedder.transform(texts)
    f = side.transform(vectors)
    assert_array_equal(side.labels_, f.argmax(axis=1))
    counts = model.vectorizer_.transform(texts)
    assert_allclose(side.components_, _embedding.class_tfidf(f, counts))
    start = EmbeddingTopics(4, random_state=0).fit(vectors, counts=counts)
    assert (start.labels_ != side.labels_).any()  # refits changed it


def test_words_unrelated_to_the_vectors_give_flat_mixtures(fusion):
    """The concentration is chosen on other documents than those that count topic words."""
    rng = np.random.default_rng(0)
    texts = [
        " ".join(f"w{w}" for w in rng.integers(20000, size=40)) for _ in range(200)
    ]
    vectors = rng.normal(size=(200, 8)) + 3 * np.eye(4, 8)[rng.integers(4, size=200)]
    embedder = PrecomputedEmbeddings(texts, vectors)
    model = fusion(4, vectorizer=None, embedder=embedder).fit(texts)
    assert model.language_topics_.concentration_ < 2


def test_a_new_pooling_is_one_entry(planted, fusion, monkeypatch):
    class Product(GeometricPooling):
        """Both sides, multiplied."""

        def mix(self, X, f):
            product = f * self.matched(X)
            return product / product.sum(axis=1, keepdims=True)

    texts, embedder, _ = planted
    monkeypatch.setitem(POOLINGS, "product", Product)
    monkeypatch.setitem(
        FusionTopicModel._parameter_constraints, "pooling", [StrOptions(set(POOLINGS))]
    )
    model = fusion(4, pooling="product", embedder=embedder).fit(texts)
    f = model.language_topics_.transform(embedder.transform(texts))
    g = model.topic_model_.transform(model.vectorizer_.transform(texts))
    product = f * g[:, model.topic_order_]
    product /= product.sum(axis=1, keepdims=True)
    assert_allclose(model.transform(texts), product)


@pytest.mark.parametrize("alpha", [0, 0.5, 1])
def test_an_unknown_pooling_is_an_error_at_every_weight(planted, fusion, alpha):
    texts, embedder, _ = planted
    with pytest.raises(KeyError, match="mean"):
        pooling_for("mean", alpha)
    with pytest.raises(ValueError, match="pooling"):
        fusion(4, alpha=alpha, pooling="mean", embedder=embedder).fit(texts)
