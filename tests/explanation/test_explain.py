"""Explanations of real articles with the real MiniLM, and of planted corpora."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.decomposition import (
    NMF,
    LatentDirichletAllocation,
    MiniBatchNMF,
    TruncatedSVD,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TextAnalyzer,
    TransformerEmbedder,
    explain,
)

POOLINGS = ["prior", "linear", "geometric"]
STRANGE = ["", "  \n ", "Zzyzx?", "Blair.", "the of and. Is it?"]


def words(**parameters):
    return CountVectorizer(analyzer=TextAnalyzer(), **{"min_df": 2} | parameters)


def fusion(**parameters):
    return FusionTopicModel(
        5, vectorizer=words(), max_iter=20, random_state=0, **parameters
    )


def lda(**parameters):
    return GibbsLDA(5, max_iter=20, random_state=0, **parameters)


def lower(texts):
    return [text.lower() for text in texts]


FUSIONS = {
    f"{pooling} {alpha}": fusion(pooling=pooling, alpha=alpha)
    for pooling in POOLINGS
    for alpha in (0, 0.4, 1)
} | {
    "prior, not corrected": fusion(alpha=0.4, co_training=0),
    "language_topics": fusion(
        language_topics=make_pipeline(TransformerEmbedder(), EmbeddingTopics(5))
    ),
    "linear, NMF": fusion(
        pooling="linear", topic_model=NMF(init="nndsvda", max_iter=1000)
    ),
    "geometric, NMF": fusion(
        pooling="geometric", topic_model=NMF(init="nndsvda", max_iter=1000)
    ),
    "NMF alone": fusion(
        pooling="linear", topic_model=NMF(init="nndsvda", max_iter=1000), alpha=0
    ),
    "own prior": fusion(topic_model=GibbsLDA(doc_topic_prior=[1, 2, 3, 4, 5])),
    "tf-idf": FusionTopicModel(
        5,
        pooling="linear",
        vectorizer=TfidfVectorizer(min_df=2),
        topic_model=NMF(init="nndsvda", max_iter=1000),
    ),
    "in a pipeline": make_pipeline(FunctionTransformer(lower), fusion()),
    "steps in the vectorizer": FusionTopicModel(
        5,
        vectorizer=make_pipeline(FunctionTransformer(lower), words()),
        max_iter=20,
        random_state=0,
    ),
}
PIPELINES = {
    "GibbsLDA": make_pipeline(words(), lda()),
    "learned prior": make_pipeline(words(), lda(doc_topic_prior="auto")),
    "n-grams": make_pipeline(CountVectorizer(ngram_range=(1, 2), min_df=2), lda()),
    "steps before": make_pipeline(
        FunctionTransformer(lower), "passthrough", words(), lda()
    ),
    "steps in the vectorizer alone": make_pipeline(
        make_pipeline(FunctionTransformer(lower), words()), lda()
    ),
    "Pachinko": make_pipeline(
        words(), PachinkoAllocation(5, max_iter=20, random_state=0)
    ),
    "NMF": make_pipeline(words(), TfidfTransformer(), NMF(5, init="nndsvda")),
    "MiniBatchNMF": make_pipeline(
        TfidfVectorizer(), MiniBatchNMF(5, max_iter=5, tol=0, max_no_improvement=None)
    ),
    "variational LDA": make_pipeline(
        words(), LatentDirichletAllocation(5, max_iter=5, random_state=0)
    ),
    "pandas": make_pipeline(words(), lda().set_output(transform="pandas")),
}
MODELS = FUSIONS | PIPELINES


@pytest.fixture(scope="module")
def fitted(news):
    """Return the model of a name, fitted once."""
    done = {}

    def get(name):
        if name not in done:
            done[name] = MODELS[name].fit(news)
        return done[name]

    return get


def sum_of_parts(why):
    return (
        why.word_contributions.sum(axis=0)
        + why.language_contribution
        + why.prior_contribution
    )


# the parts sum to the whole ------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_parts_sum_to_the_mixture_that_transform_gives(fitted, news, name):
    model = fitted(name)
    for text in [*news[:3], *STRANGE]:
        with np.errstate(invalid="ignore"):  # MiniBatchNMF, of a text without words
            why = explain(model, text)
            theta = np.asarray(model.transform([text]))[0]
        assert_array_equal(why.mixture, theta)
        assert_allclose(sum_of_parts(why), theta, rtol=0, atol=1e-12)
        assert_allclose(
            why.sentence_contributions.sum(axis=0),
            theta - why.prior_contribution,
            rtol=0,
            atol=1e-12,
        )
        for part in (
            why.word_contributions,
            why.language_contribution,
            why.prior_contribution,
            why.sentence_contributions,
            why.span_contributions,
        ):
            assert part.min(initial=0) > -1e-15
            assert np.isfinite(part).all()
        assert len(why.words) == len(why.counts) == len(why.word_contributions)
        assert why._repr_html_()
        assert repr(why)


@pytest.mark.parametrize("name", MODELS)
def test_places_of_words_sum_to_the_words(fitted, news, name):
    why = explain(fitted(name), news[0])
    if name == "n-grams":
        assert (why.span_contributions.sum(axis=0) < why.mixture).all()
        assert any(" " in word for word in why.words)  # they are listed
        return
    assert_allclose(
        why.span_contributions.sum(axis=0), why.word_contributions.sum(axis=0)
    )
    assert (len(why.spans) > 20) or why.alpha == 1


def test_gibbs_lda_divides_words_as_its_fixed_point(fitted, news):
    """γ_wk ∝ φ_kw (E[n_dk] without one token + α_k)."""
    model = fitted("GibbsLDA")
    why = explain(model, news[0])
    alpha, phi = model[-1].doc_topic_prior_, model[-1].components_
    total = why.counts.sum() + alpha.sum()
    gamma = why.word_contributions * total / why.counts[:, None]
    assert_allclose(gamma.sum(axis=1), 1)
    columns = [model[0].vocabulary_[word] for word in why.words]
    expected = phi[:, columns].T * (why.mixture * total - gamma)
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(gamma, expected, atol=2e-3)
    assert_allclose(why.prior_contribution, alpha / total)


def test_alpha_is_the_weight_of_the_embedding_side_in_the_text(fitted, news):
    model = fitted("prior, not corrected")
    long, short = explain(model, news[0]), explain(model, news[0][:60])
    for why in (long, short):
        s, n = model.strength_, why.counts.sum()
        assert why.alpha == s / (s + n)
        assert_allclose(why.language_contribution.sum(), s / (s + n + 1))  # Kε = 1
    assert long.alpha < short.alpha


@pytest.mark.parametrize("name", ["linear 0.4", "linear, NMF"])
def test_linear_parts_are_those_of_the_two_sides(fitted, news, name):
    model = fitted(name)
    why = explain(model, news[0])
    f = model.language_topics_.transform(model.embedder_.transform(news[:1]))[0]
    assert_allclose(why.language_contribution, why.alpha * f)
    g = model.topic_model_.transform(model.vectorizer_.transform(news[:1]))[0]
    words = why.mixture - why.language_contribution
    assert_allclose(
        words, (1 - why.alpha) * (g / g.sum())[model.topic_order_], atol=1e-12
    )


def test_notes_say_what_was_divided_by_convention(fitted, news):
    def notes(name):
        return " ".join(explain(fitted(name), news[0]).notes)

    assert "Co-training" in notes("prior 0.4")
    for exact in (
        "prior, not corrected",
        "linear 0.4",
        "prior 0",
        "prior 1",
        "GibbsLDA",
    ):
        assert notes(exact) == ""
    assert "geometric" in notes("geometric 0.4")
    assert "NMF" in notes("linear, NMF")
    assert "LatentDirichletAllocation" in notes("variational LDA")
    assert "steps before" in notes("steps before")


@pytest.mark.parametrize("name", ["NMF", "MiniBatchNMF"])
def test_nmf_has_no_prior(fitted, news, name):
    assert_array_equal(explain(fitted(name), news[0]).prior_contribution, 0)


def test_a_text_without_known_words_has_prior_and_embedding_alone(fitted):
    why = explain(fitted("prior 0.4"), "Zzyzx?")
    assert len(why.words) == len(why.spans) == 0
    assert why.alpha == 1  # no words
    assert_allclose(
        why.language_contribution + why.prior_contribution, why.mixture, atol=1e-15
    )
    assert "Zzyzx?" in why._repr_html_()


def test_sentences_are_weighted_by_their_embeddings(fitted):
    sentences = [
        "The striker scored twice and the team won the cup final.",
        "Shares fell after the bank raised its interest rates.",
    ]
    model = fitted("prior 1")
    topics = model.transform(sentences).argmax(axis=1)
    assert_array_equal(
        explain(model, " ".join(sentences)).top_sentences[topics], [0, 1]
    )


# neighbors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("prior 0.4", "embedding"),
        ("linear 1", "embedding"),
        ("in a pipeline", "embedding"),
        ("prior 0", "mixtures"),
        ("language_topics", "mixtures"),
        ("GibbsLDA", "mixtures"),
        ("NMF", "mixtures"),
    ],
)
def test_a_copy_with_another_space_is_nearest(fitted, news, name, by):
    for i in (0, 50):
        why = explain(fitted(name), f"{news[i]} ", texts=news)
        assert why.neighbors_by == by
        assert why.neighbors[0] == i
        assert why.neighbor_distances[0] < 1e-3
        assert (np.diff(why.neighbor_distances) >= 0).all()
        assert why.neighbor_texts == tuple(news[j] for j in why.neighbors)
        assert len(why.neighbors) == 3
        assert f"row {i}" in why._repr_html_()
        assert f"nearest texts by {by}: {i} (" in repr(why)


def test_number_of_neighbors(fitted, news):
    model = fitted("prior 0.4")
    assert explain(model, news[0]).neighbors_by is None
    assert len(explain(model, news[2], texts=news[:2]).neighbors) == 2
    assert len(explain(model, news[0], texts=news, n_neighbors=7).neighbors) == 7
    copies = [news[0], news[1], news[0], news[2]]
    assert sorted(explain(model, news[0], texts=copies).neighbors) == [1, 3]
    assert len(explain(model, news[0], texts=news[:1]).neighbor_texts) == 0
    blank = explain(model, " ", texts=[*news[:2], ""])
    assert np.isfinite(blank.neighbor_distances).all()


# what cannot be explained --------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a list"]])
def test_anything_but_one_text_is_refused(fitted, text):
    with pytest.raises(TypeError, match="one text"):
        explain(fitted("GibbsLDA"), text)


class Blind(BaseEstimator):
    """Estimator without topics."""


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda news: "a model", "str: it is not a model of texts"),
        (lambda news: Blind(), "Blind: it is not a model of texts"),
        (
            lambda news: GibbsLDA(2).fit([[1, 2]]),
            "GibbsLDA: it is not a model of texts",
        ),
        (
            lambda news: make_pipeline(words(), TruncatedSVD(2)).fit(news),
            "TruncatedSVD: it is of an unknown kind",
        ),
        (
            lambda news: make_pipeline(TransformerEmbedder(), EmbeddingTopics(2)).fit(
                news
            ),
            "EmbeddingTopics: it is of an unknown kind",
        ),
        (
            lambda news: make_pipeline(GibbsLDA(2)).fit([[1, 2]]),
            "GibbsLDA: it has no vectorizer before it",
        ),
    ],
)
def test_other_models_are_refused(news, make, fault):
    with pytest.raises(TypeError, match=f"explain {fault}.* FusionTopicModel, or"):
        explain(make(news), "A text.")


def classifier(*steps):
    return make_pipeline(*steps, LogisticRegression())


@pytest.mark.parametrize(
    ("model", "remedy"),
    [
        (classifier(words()), "Pass a fitted FusionTopicModel"),
        (classifier(words(), lda()), r"up to its GibbsLDA: pipeline\[:-1\]"),
        (
            classifier(words(), lda(), FunctionTransformer()),
            r"up to its GibbsLDA: pipeline\[:-2\]",
        ),
        (
            classifier(fusion(alpha=0)),
            r"its FusionTopicModel: pipeline\[0\]",
        ),
        (
            classifier(FunctionTransformer(lower), fusion(alpha=0)),
            r"up to its FusionTopicModel: pipeline\[:-1\]",
        ),
    ],
)
def test_a_classifier_after_the_topic_model_is_left_out(news, model, remedy):
    model.fit(news, np.arange(len(news)) % 2)
    fault = "LogisticRegression: it is of an unknown kind. "
    with pytest.raises(TypeError, match=fault + ".*" + remedy) as error:
        explain(model, news[0])
    if "pipeline" in remedy:
        passed = str(error.value).rpartition(" ")[2].rstrip(".")
        assert explain(eval(passed, {"pipeline": model}), news[0]).mixture.shape == (5,)


def test_the_topic_model_of_a_fusion_must_be_of_a_known_kind(news):
    inner = make_pipeline(TfidfTransformer(), NMF(5, init="nndsvda", max_iter=1000))
    model = fusion(pooling="linear", topic_model=inner, alpha=0).fit(news)
    with pytest.raises(TypeError, match="Pipeline: it is of an unknown kind") as error:
        explain(model, "A text.")
    assert "pipeline[" not in str(error.value)


@pytest.mark.parametrize("model", [fusion(), make_pipeline(words(), lda())])
def test_a_model_must_be_fitted(model):
    with pytest.raises(NotFittedError):
        explain(model, "A text.")


def test_texts_and_their_number_are_checked(fitted):
    model = fitted("GibbsLDA")
    with pytest.raises(ValueError, match=r"explain \(texts\).*row 1"):
        explain(model, "A text.", texts=["a", 1])
    with pytest.raises(ValueError, match="n_neighbors"):
        explain(model, "A text.", texts=["a"], n_neighbors=0)
    with pytest.raises(ValueError, match="n_neighbors=5 and no texts to search: pass"):
        explain(model, "A text.", n_neighbors=5)
