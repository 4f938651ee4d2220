"""The parts of both sides, and errors."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import EmbeddingTopics, GibbsLDA, TextAnalyzer, top_words

POOLINGS = ["prior", "linear", "geometric"]


# parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["linear", "geometric"])
@pytest.mark.parametrize(
    "topic_model", [NMF(max_iter=500), LatentDirichletAllocation(), GibbsLDA()]
)
@pytest.mark.parametrize("alpha", [0, 0.5])
def test_any_topic_model_can_be_the_count_side(
    fusion, planted, pooling, topic_model, alpha
):
    texts, embedder, corpus = planted
    model = fusion(
        4, alpha=alpha, pooling=pooling, embedder=embedder, topic_model=topic_model
    )
    theta = model.fit(texts).transform(texts)
    assert theta.shape == (120, 4)
    assert_allclose(theta.sum(axis=1), 1)
    assert_allclose(model.components_.sum(axis=1), 1)
    assert topic_model.get_params()["n_components"] != 4  # the given one is not touched
    if alpha:
        truth = corpus.doc_topic.argmax(axis=1)
        assert normalized_mutual_info_score(truth, model.labels_) > 0.5


def test_tfidf_works_with_nmf_and_is_refused_by_gibbs_lda(fusion, planted):
    texts, embedder, _ = planted
    parts = {"vectorizer": TfidfVectorizer(), "embedder": embedder}
    fusion(4, pooling="linear", topic_model=NMF(max_iter=500), **parts).fit(texts)
    with pytest.raises(ValueError, match="whole-number counts"):
        fusion(4, **parts).fit(texts)


def test_outer_parameters_replace_inner_ones_that_are_shared(fusion, planted):
    texts, embedder, _ = planted
    inner = GibbsLDA(9, max_iter=7, random_state=5, doc_topic_prior=0.7)
    model = fusion(4, embedder=embedder, topic_model=inner, max_iter=30).fit(texts)
    assert model.topic_model_.get_params()["random_state"] == 0
    assert model.topic_model_.n_iter_ == 30
    assert_array_equal(model.topic_model_.doc_topic_prior_, np.full(4, 0.7))
    blank = model.transform([""])
    assert_allclose(blank, 0.25)


class Given(BaseEstimator):
    """An embedding side that returns whether each text has the word w0 or w1."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        held = np.array([[f"w{k}" in text.split() for k in (0, 1)] for text in X])
        return np.column_stack([held, ~held.any(axis=1)]).astype(float)


def test_parts_without_a_seed_get_the_outer_seed(fusion, planted):
    texts, embedder, _ = planted
    side = make_pipeline(embedder, EmbeddingTopics(4))
    fits = [fusion(language_topics=side).fit(texts).transform(texts) for _ in range(2)]
    assert_array_equal(*fits)
    assert side[-1].random_state is None


def test_memory_is_unused_without_a_seed(fusion, planted, tmp_path):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, memory=str(tmp_path), random_state=None)
    model.fit(texts)
    assert not list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_given_language_topics_are_the_topics(fusion, planted, pooling):
    texts, _, _ = planted
    model = fusion(None, alpha=0.9, pooling=pooling, language_topics=Given()).fit(texts)
    assert model.transform(texts).shape == (120, 3)
    given = Given().transform(texts).argmax(axis=1)
    sure = Given().transform(texts).sum(axis=1) == 1
    assert (model.labels_ == given)[sure].mean() > 0.8
    with pytest.raises(AttributeError):
        _ = model.topic_directions_


@pytest.mark.parametrize("alpha", [0.5, 1])
def test_the_number_of_topics_may_not_contradict_language_topics(
    fusion, planted, alpha
):
    texts, embedder, _ = planted
    for n_components in [3, None]:
        model = fusion(n_components, alpha=alpha, language_topics=Given()).fit(texts)
        assert model.components_.shape[0] == 3
    with pytest.raises(
        ValueError, match=r"n_components=4, and .* makes 3 topics: leave"
    ):
        fusion(4, alpha=alpha, language_topics=Given()).fit(texts)
    side = make_pipeline(embedder, EmbeddingTopics(7))
    for n_components, n_topics in [(4, 4), (None, 7)]:  # the outer one wins
        model = fusion(n_components, alpha=alpha, language_topics=side).fit(texts)
        assert model.transform(texts).shape == (120, n_topics)


def test_without_language_topics_there_are_ten_topics_by_default(fusion, planted):
    texts, embedder, _ = planted
    for alpha in [0, 0.5, 1]:
        model = fusion(None, alpha=alpha, embedder=embedder, max_iter=2).fit(texts)
        assert model.transform(texts).shape == (120, 10)


def test_columns_have_the_names_that_language_topics_gives(fusion, planted):
    class Named(Given):
        def fit(self, X, y=None):
            self.fitted_ = True  # so that it may end a Pipeline
            return self

        def get_feature_names_out(self, input_features=None):
            return ["w0", "w1", "else"]

    texts, embedder, _ = planted
    for side in [Named(), make_pipeline(FunctionTransformer(), Named())]:
        model = fusion(None, language_topics=side).set_output(transform="pandas")
        assert list(model.fit_transform(texts)) == ["w0", "w1", "else"]
    numbered = [f"fusiontopicmodel{k}" for k in range(3)]
    model.set_params(alpha=0, n_components=3)
    assert list(model.fit_transform(texts)) == numbered
    for side in [Given(), make_pipeline(embedder, EmbeddingTopics(3))]:
        model = fusion(None, language_topics=side).fit(texts)
        assert list(model.get_feature_names_out()) == numbered


def test_sides_with_different_numbers_of_topics_are_refused(fusion, planted):
    class Three(Given):
        def transform(self, X):
            return np.ones((X.shape[0], 3))

    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, topic_model=Three(), pooling="linear")
    with pytest.raises(ValueError, match=r"topic_model makes 3 topics.*side 4"):
        model.fit(texts)


def test_top_words_by_every_method(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit(texts)
    plain = top_words(model.components_, model.vocabulary_, 3, "probability")
    assert model.top_words(3, "probability") == plain
    best = model.vocabulary_[model.keyness_.argmax(axis=1)]
    assert [topic[0] for topic in model.top_words(3)] == list(best)
    with pytest.raises(ValueError, match="keyness, term_score"):
        model.top_words(3, "best")
    with pytest.raises(ValueError, match="n_words"):
        model.top_words(0)
    with pytest.raises(NotFittedError):
        fusion().top_words()


# errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": 1.5}, "alpha"),
        ({"alpha": -0.1}, "alpha"),
        ({"alpha": "best"}, "alpha"),
        ({"pooling": "mean"}, "pooling"),
        ({"concentration": -1.0}, "concentration"),
        ({"n_components": 121}, "n_samples=120 .* n_components=121"),
        ({"topic_model": NMF()}, "pooling='linear' or pooling='geometric'"),
        ({"language_topics": Given()}, "leave one of them at None"),
        ({"embedder": 3}, "embedder"),
        ({"vectorizer": CountVectorizer(min_df=200)}, "max_df"),
        ({"vectorizer": TextAnalyzer()}, r"wrap it: CountVectorizer\(analyzer="),
        ({"vectorizer": CountVectorizer(vocabulary=["x"])}, "No text has a word"),
    ],
)
def test_bad_parameters_raise_and_leave_the_model_unfitted(
    fusion, planted, parameters, message
):
    texts, embedder, _ = planted
    model = fusion(**{"n_components": 4, "embedder": embedder, **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(texts)
    with pytest.raises(NotFittedError):
        model.transform(texts)


class Wrong(BaseEstimator):
    """Makes too few vectors, or NaN."""

    def __init__(self, fault):
        self.fault = fault

    def fit(self, X, y=None):
        return self

    def fit_transform(self, X, y=None):
        return self.transform(X)

    def transform(self, X):
        vectors = np.random.default_rng(0).normal(size=(len(X), 4))
        if self.fault == "rows":
            return vectors[1:]
        vectors[3, 1] = np.nan
        return vectors


@pytest.mark.parametrize("alpha", [0.4, 1])
@pytest.mark.parametrize("pooling", ["prior", "linear"])
def test_a_prior_per_word(fusion, planted, pooling, alpha):
    texts, embedder, _ = planted

    def words(prior):
        model = fusion(
            pooling=pooling,
            alpha=alpha,
            embedder=embedder,
            topic_model=GibbsLDA(topic_word_prior=prior),
        )
        return model.fit(texts).components_

    n_words = words(0.1).shape[1]
    np.testing.assert_allclose(words(np.full(n_words, 0.1)), words(0.1), rtol=1e-9)
    rare = np.full(n_words, 0.1)
    rare[0] = 1e6
    assert (words(rare).argmax(axis=1) == 0).all()
    with pytest.raises(ValueError, match="one value per word, or alpha=0"):
        words(np.full((5, n_words), 0.1))
    with pytest.raises(ValueError, match="column 1 holds nan"):
        words(np.r_[0.1, np.nan, rare[2:]])
    with pytest.raises(
        ValueError, match="topic_word_prior must be a number, or of shape"
    ):
        words(np.ones(3))


def test_the_topic_word_prior_of_a_pipeline_is_used(fusion, planted):
    texts, embedder, _ = planted
    n_words = fusion(embedder=embedder, max_iter=1).fit(texts).components_.shape[1]
    rare = np.full(n_words, 0.1)
    rare[0] = 1e6
    inner = make_pipeline(FunctionTransformer(), GibbsLDA(topic_word_prior=rare))
    model = fusion(pooling="linear", embedder=embedder, topic_model=inner).fit(texts)
    assert (model.components_.argmax(axis=1) == 0).all()


@pytest.mark.parametrize(
    ("fault", "message"), [("rows", "119 vectors of 120 texts"), ("NaN", "NaN")]
)
def test_missing_or_nan_vectors_are_refused(fusion, planted, fault, message):
    with pytest.raises(ValueError, match=message):
        fusion(4, embedder=Wrong(fault)).fit(planted[0])


class Loud(CountVectorizer):
    """Counts each word many times."""

    def __init__(self, times=1):
        super().__init__()
        self.times = times

    def fit_transform(self, X, y=None):
        return super().fit_transform(X) * np.int64(self.times)


@pytest.mark.parametrize("pooling", ["prior", "linear"])
@pytest.mark.parametrize(
    ("times", "message"),
    [
        (2**18, r"Column \d+ of X counts .* 2\*\*24 or more.*sampler='exact'"),
        (2**22, r"X holds [0-9,]+ words, 2\*\*31 or more"),
        (2**30, "row .* whole-number counts below|whole-number counts .* row"),
    ],
)
def test_counts_that_are_too_large_are_refused(
    fusion, planted, pooling, times, message
):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, pooling=pooling, vectorizer=Loud(times))
    with pytest.raises(ValueError, match=message):
        model.fit(texts)


def test_an_embedder_needs_only_fit_and_transform(fusion, planted):
    class Duck(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return planted[1].transform(X)

    mixtures = fusion(4, embedder=planted[1]).fit_transform(planted[0])
    assert_array_equal(fusion(4, embedder=Duck()).fit_transform(planted[0]), mixtures)


def test_refit_with_alpha_zero_removes_the_embedding_sides_attributes(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit(texts)
    assert hasattr(model, "strength_")
    model.set_params(alpha=0).fit(texts)
    for name in ["strength_", "language_topics_", "embedder_", "topic_directions_"]:
        assert not hasattr(model, name)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_another_pooling_takes_effect_at_the_next_fit_alone(fusion, planted, pooling):
    texts, embedder, _ = planted
    model = fusion(4, pooling=pooling, embedder=embedder).fit(texts)
    before = model.transform(texts)
    for other in POOLINGS:
        model.set_params(pooling=other)
        assert_array_equal(model.transform(texts), before)
    fresh = clone(model).fit(texts)
    assert vars(model.fit(texts)).keys() == vars(fresh).keys()
    assert_array_equal(model.transform(texts), fresh.transform(texts))


def test_a_failed_refit_keeps_the_old_fit(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit(texts)
    before = model.transform(texts)
    with pytest.raises(ValueError, match="no vector for the text in row 120"):
        model.fit([*texts, "w1 unknown"])
    assert_array_equal(model.transform(texts), before)


def test_texts_without_words_are_kept(fusion, planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit([*texts, ""])
    assert model.labels_.shape == (121,)
    assert sp.issparse(model.vectorizer_.transform(texts))


def test_texts_without_words_to_count_are_told(fusion, planted):
    with pytest.raises(ValueError, match="no word in the texts"):
        fusion(2, embedder=planted[1]).fit(["The and of it", "is was the"] * 5)
