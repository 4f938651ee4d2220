"""Fusion of both sides, on real articles, the real MiniLM, and planted corpora."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    NextWordCounts,
    PrecomputedEmbeddings,
    TextAnalyzer,
    TransformerEmbedder,
    top_words,
)
from llmtopics.datasets import load_bbc_news, make_topics
from llmtopics.fusion import _halves, _recounted
from llmtopics.metrics import topic_scorer
from llmtopics.topics import _embedding

POOLINGS = ["prior", "linear", "geometric"]


def first_sentences(every):
    """The first sentences of every n-th article, and their sections."""
    corpus = load_bbc_news()
    texts = [" ".join(text.split()[:60]) for text in corpus.data[::every]]
    return texts, corpus.target[::every]


@pytest.fixture(scope="module")
def news():
    return first_sentences(every=8)


@pytest.fixture(scope="module")
def planted():
    """120 texts of made-up words over 4 topics, and vectors that show the topics dimly."""
    rng = np.random.default_rng(0)
    corpus = make_topics(
        120, 60, 4, doc_length=30, topic_word_prior=0.1, random_state=0
    )
    X = corpus.data
    rows = [np.repeat(X.indices[i:j], X.data[i:j]) for i, j in pairwise(X.indptr)]
    texts = [" ".join(f"w{w}" for w in row) for row in rows]
    vectors = np.column_stack([corpus.doc_topic, np.zeros((120, 4))])
    vectors = vectors + rng.normal(size=vectors.shape) * 0.15
    return texts, PrecomputedEmbeddings(texts, vectors), corpus


def fusion(n_components=5, **parameters):
    parameters = {"random_state": 0, **parameters}
    vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
    return FusionTopicModel(n_components, **{"vectorizer": vectorizer, **parameters})


def agreement(model, news):
    return normalized_mutual_info_score(news[1], model.labels_)


# quality -----------------------------------------------------------------------------


@pytest.mark.slow
def test_both_sides_together_agree_more_with_the_editors_than_either():
    news = first_sentences(every=5)
    both = agreement(fusion().fit(news[0]), news)
    counts, vectors = (agreement(fusion(alpha=a).fit(news[0]), news) for a in (0, 1))
    assert both > 0.75
    assert both > counts + 0.1
    assert both > vectors - 0.02


@pytest.mark.parametrize(
    "pooling", ["linear", pytest.param("geometric", marks=pytest.mark.slow)]
)
def test_mixtures_fitted_apart_are_matched_before_they_are_joined(news, pooling):
    """Averaged unmatched, they are worse than either."""
    matched, unmatched = [], []
    for seed in range(2):
        model = fusion(pooling=pooling, random_state=seed).fit(news[0])
        matched.append(agreement(model, news))
        for _ in range(4):
            model.topic_order_ = np.roll(model.topic_order_, 1)
            labels = model.transform(news[0]).argmax(axis=1)
            unmatched.append(normalized_mutual_info_score(news[1], labels))
    assert np.mean(matched) > 0.5
    assert np.mean(matched) > np.mean(unmatched) + 0.15


def test_threads_and_progress_set_after_fit_act_at_once(news, capfd):
    texts = news[0][:40]
    model = fusion(2, embedder=None, max_iter=2).fit(texts)
    expected = model.transform(texts)
    model.set_params(n_jobs=2, verbose=True)
    assert_array_equal(model.transform(texts), expected)
    assert model.topic_model_.n_jobs == 2
    assert model.embedder_.verbose
    new = [f"{text} once more" for text in texts[:2]]
    model.embedder_.set_params(cache_dir=False)
    model.transform(new)
    assert "TransformerEmbedder" in capfd.readouterr().err


def test_the_sampler_inside_can_go_on_alone(news):
    model = fusion().fit(news[0])
    counts = model.vectorizer_.transform(news[0][:20])
    before = model.topic_model_.topic_counts_.sum()
    model.topic_model_.partial_fit(counts)
    assert_allclose(
        model.topic_model_.topic_counts_.sum(), before + counts.sum(), rtol=1e-3
    )


def test_topics_have_words_that_people_would_choose(news):
    words = fusion().fit(news[0]).top_words(5)
    everything = {word for topic in words for word in topic}
    assert len(everything) == 25  # no word twice
    assert {"game", "film", "election"} & everything


def test_words_teach_which_directions_of_the_vectors_matter(planted):
    """Vectors alone are misled by loud directions that have nothing to do with topics."""
    texts, _, corpus = planted
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(120, 8)) * [0.3, 0.3, 0.3, 0.3, 4, 4, 4, 4]
    vectors = np.column_stack([corpus.doc_topic, np.zeros((120, 4))]) + noise
    truth = corpus.doc_topic.argmax(axis=1)

    def agreement(alpha):
        embedder = PrecomputedEmbeddings(texts, vectors)
        model = fusion(4, alpha=alpha, embedder=embedder).fit(texts)
        labels = model.language_topics_.transform(vectors).argmax(axis=1)
        return normalized_mutual_info_score(truth, labels)

    assert agreement(0.3) > agreement(1) + 0.2


# the ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_zero_is_the_topic_model_alone_and_encodes_nothing(planted, pooling):
    texts, _, _ = planted
    nothing_known = PrecomputedEmbeddings(["x"], [[1.0]])
    model = fusion(4, alpha=0, pooling=pooling, embedder=nothing_known).fit(texts)
    pipeline = make_pipeline(
        model.vectorizer, GibbsLDA(4, max_iter=100, random_state=0)
    )
    assert_array_equal(model.transform(texts), pipeline.fit(texts).transform(texts))
    assert_array_equal(model.components_, pipeline[-1].components_)
    assert not hasattr(model, "topic_directions_")
    assert_array_equal(model.document_alpha_, 0)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_one_is_the_language_side_alone(planted, pooling):
    texts, embedder, _ = planted
    model = fusion(4, alpha=1, pooling=pooling, embedder=embedder).fit(texts)
    counts = model.vectorizer_.transform(texts)
    vectors = embedder.transform(texts)
    alone = EmbeddingTopics(4, random_state=0).fit(vectors, counts=counts)
    assert_array_equal(model.transform(texts), alone.transform(vectors))
    assert_array_equal(model.topic_directions_, alone.cluster_centers_)
    assert not hasattr(model, "topic_model_")
    weights = (counts.T @ alone.transform(vectors)).T + 0.1
    assert_allclose(model.components_, weights / weights.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("end", "beside"), [(0, 0.01), (1, 0.99)])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_beside_an_end_results_lie_within_the_spread_of_its_seeds(
    planted, pooling, end, beside
):
    texts, embedder, corpus = planted
    truth = corpus.doc_topic.argmax(axis=1)

    def scores(alpha):
        models = [
            fusion(
                4, alpha=alpha, pooling=pooling, embedder=embedder, random_state=seed
            ).fit(texts)
            for seed in range(6)
        ]
        return np.array(
            [normalized_mutual_info_score(truth, m.labels_) for m in models]
        )

    at_end, near = scores(end), scores(beside)
    spread = max(at_end.std(), 0.02)
    assert abs(near.mean() - at_end.mean()) < 2 * spread


# the mathematics -----------------------------------------------------------------------------


def test_a_documents_mixture_is_the_weighted_sum_of_both_sides(planted):
    """θ = (n + s f + ε) / (N + s + Kε), with n the expected counts in the topics."""
    texts, embedder, _ = planted
    model = fusion(4, alpha=0.3, embedder=embedder).fit(texts)
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
    # n is where the words put it: a fixed point given φ and θ
    shares = theta[:, :, None] * model.components_[None]
    shares /= shares.sum(axis=1, keepdims=True)
    assert np.abs(np.einsum("dw,dkw->dk", X.toarray(), shares) - n).max() < 0.6


def test_linear_and_geometric_are_their_formulas(planted):
    texts, embedder, _ = planted
    for pooling in ["linear", "geometric"]:
        model = fusion(4, alpha=0.3, pooling=pooling, embedder=embedder).fit(texts)
        f = model.language_topics_.transform(embedder.transform(texts))
        g = model.topic_model_.transform(model.vectorizer_.transform(texts))
        # matched: no other order of g's topics agrees more with f's
        order = model.topic_order_
        assert (f * g[:, order]).sum() >= (f * g[:, np.roll(order, 1)]).sum()
        joined = {
            "linear": 0.3 * f + 0.7 * g[:, order],
            "geometric": f**0.3 * g[:, order] ** 0.7,
        }[pooling]
        joined /= joined.sum(axis=1, keepdims=True)
        assert_allclose(model.transform(texts), joined)
        assert_array_equal(model.document_alpha_, 0.3)


def test_short_texts_lean_on_meaning_and_long_ones_on_words(news):
    texts, _ = news
    model = fusion().fit([*texts, "football"])
    assert model.document_alpha_[-1] == model.document_alpha_.max() > 0.9
    assert_allclose(np.median(model.document_alpha_), 0.5, atol=0.02)
    # a word that no text had: meaning alone decides
    (mixture,) = model.transform(["goalkeepers"])
    sports = model.transform(["the football cup match"]).argmax()
    assert mixture.argmax() == sports


def test_the_language_side_has_labels_and_words_of_where_it_ends(planted):
    texts, embedder, _ = planted
    model = fusion(4, alpha=0.1, embedder=embedder).fit(texts)
    side, vectors = model.language_topics_, embedder.transform(texts)
    f = side.transform(vectors)
    assert_array_equal(side.labels_, f.argmax(axis=1))
    counts = model.vectorizer_.transform(texts)
    assert_allclose(side.components_, _embedding.class_tfidf(f, counts))
    start = EmbeddingTopics(4, random_state=0).fit(vectors, counts=counts)
    assert (start.labels_ != side.labels_).any()  # it has moved


def test_words_that_have_nothing_to_do_with_the_vectors_leave_mixtures_vague():
    """The concentration is judged on other documents than those that give topics words."""
    rng = np.random.default_rng(0)
    texts = [
        " ".join(f"w{w}" for w in rng.integers(20000, size=40)) for _ in range(200)
    ]
    vectors = rng.normal(size=(200, 8)) + 3 * np.eye(4, 8)[rng.integers(4, size=200)]
    embedder = PrecomputedEmbeddings(texts, vectors)
    model = fusion(4, vectorizer=None, embedder=embedder).fit(texts)
    assert model.language_topics_.concentration_ < 2


# parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["linear", "geometric"])
@pytest.mark.parametrize(
    "topic_model", [NMF(max_iter=500), LatentDirichletAllocation(), GibbsLDA()]
)
@pytest.mark.parametrize("alpha", [0, 0.5])
def test_any_topic_model_can_be_the_count_side(planted, pooling, topic_model, alpha):
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


def test_tfidf_suits_models_that_take_it_and_is_refused_by_the_others(planted):
    texts, embedder, _ = planted
    parts = {"vectorizer": TfidfVectorizer(), "embedder": embedder}
    fusion(4, pooling="linear", topic_model=NMF(max_iter=500), **parts).fit(texts)
    with pytest.raises(ValueError, match="whole-number counts"):
        fusion(4, **parts).fit(texts)


def test_the_outer_parameters_win_and_the_inner_ones_reach_the_sampler(planted):
    texts, embedder, _ = planted
    inner = GibbsLDA(9, max_iter=7, random_state=5, doc_topic_prior=0.7)
    model = fusion(4, embedder=embedder, topic_model=inner, max_iter=30).fit(texts)
    assert model.topic_model_.get_params()["random_state"] == 0
    assert model.topic_model_.n_iter_ == 30
    assert_array_equal(model.topic_model_.doc_topic_prior_, np.full(4, 0.7))
    blank = model.transform([""])
    assert_allclose(blank, 0.25)


class Given(BaseEstimator):
    """A language side that says of every text whether it holds the word w0 or w1."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        held = np.array([[f"w{k}" in text.split() for k in (0, 1)] for text in X])
        return np.column_stack([held, ~held.any(axis=1)]).astype(float)


def test_the_seed_reaches_parts_that_have_none(planted):
    texts, embedder, _ = planted
    side = make_pipeline(embedder, EmbeddingTopics(4))
    fits = [fusion(language_topics=side).fit(texts).transform(texts) for _ in range(2)]
    assert_array_equal(*fits)
    assert side[-1].random_state is None


def test_memory_keeps_nothing_without_a_seed(planted, tmp_path):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, memory=str(tmp_path), random_state=None)
    model.fit(texts)
    assert not list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_given_language_topics_are_the_topics(planted, pooling):
    texts, _, _ = planted
    model = fusion(99, alpha=0.9, pooling=pooling, language_topics=Given()).fit(texts)
    assert model.transform(texts).shape == (120, 3)
    given = Given().transform(texts).argmax(axis=1)
    sure = Given().transform(texts).sum(axis=1) == 1
    assert (model.labels_ == given)[sure].mean() > 0.8
    with pytest.raises(AttributeError):
        _ = model.topic_directions_


def test_sides_of_unequal_numbers_cannot_be_matched(planted):
    class Three(Given):
        def transform(self, X):
            return np.ones((X.shape[0], 3))

    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, topic_model=Three(), pooling="linear")
    with pytest.raises(ValueError, match=r"topic_model makes 3 topics.*side 4"):
        model.fit(texts)


def test_words_by_any_score(planted):
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


# choosing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("a b c d e", ("a b c", "d e")),
        ("one two", ("one", "two")),
        ("word", ("wo", "rd")),
        ("中文文本", ("中文", "文本")),
        ("", ("", "")),
    ],
)
def test_texts_are_cut_in_two(text, halves):
    assert _halves(text) == halves


def test_the_score_is_the_likelihood_of_second_halves_given_the_first(planted):
    texts, _, _ = planted
    model = fusion(4, alpha=0).fit(texts[:100])
    first, second = zip(*map(_halves, texts[100:]), strict=True)
    X = model.vectorizer_.transform(second).toarray()
    p = model.transform(first) @ model.components_
    assert_allclose(model.score(texts[100:]), (X * np.log(p)).sum() / X.sum())
    with pytest.raises(ValueError, match="Nothing to score"):
        model.score(["unknown words"])


def test_what_changes_no_result_reaches_the_parts_at_once(news):
    texts = news[0][:20]
    model = fusion(
        2, embedder=TransformerEmbedder(), topic_model=GibbsLDA(n_jobs=1), max_iter=2
    )
    model.fit(texts).set_params(n_jobs=2, embedder__batch_size=64).transform(texts)
    assert model.topic_model_.n_jobs == 2
    assert model.embedder_.batch_size == 64
    model.set_params(n_jobs=None).transform(texts)
    assert model.topic_model_.n_jobs == 1


def test_auto_takes_the_weight_that_completes_texts_best(news):
    texts = news[0][::3]
    model = fusion(alpha="auto", max_iter=10).fit(texts)
    assert len(model.alpha_scores_) == 9
    assert model.alpha_ == max(model.alpha_scores_, key=model.alpha_scores_.get)
    assert len(set(model.alpha_scores_.values())) == 9
    assert_array_equal(
        model.transform(texts[:9]),
        clone(model).set_params(alpha=model.alpha_).fit(texts).transform(texts[:9]),
    )
    with pytest.raises(ValueError, match="at least 20, got 5"):
        fusion(alpha="auto").fit(texts[:5])


def test_with_memory_the_start_is_computed_once_a_fold_and_number(
    planted, tmp_path, monkeypatch
):
    texts, embedder, _ = planted
    starts = []
    plain = _embedding.sphere.start

    def counting(points, n_components, seed):
        starts.append(n_components)
        return plain(points, n_components, seed)

    monkeypatch.setattr(_embedding.sphere, "start", counting)
    model = fusion(embedder=embedder, memory=str(tmp_path), max_iter=3)
    grid = {"alpha": [0.1, 0.3, 0.5, 0.7, 1], "n_components": [2, 3, 4]}
    GridSearchCV(model, grid, cv=3, refit=False, scoring=topic_scorer(n_words=3)).fit(
        texts
    )
    assert sorted(starts) == [2, 2, 2, 3, 3, 3, 4, 4, 4]


def test_memory_of_another_version_is_not_taken(planted, tmp_path, monkeypatch):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, memory=str(tmp_path), max_iter=3)

    def kept():
        clone(model).fit(texts)
        return len(list(tmp_path.rglob("output.pkl")))

    assert kept() == kept() == 1
    monkeypatch.setattr("llmtopics.fusion.__version__", "0.0.1")
    assert kept() == 2


def test_where_halves_have_no_vectors_it_says_what_to_do(planted):
    texts, embedder, _ = planted
    message = r"no vectors of halves.*scoring=topic_scorer\(\).*TransformerEmbedder"
    model = fusion(4, embedder=embedder, max_iter=3)
    with pytest.raises(ValueError, match=message):
        model.fit(texts).score(texts)
    with pytest.raises(ValueError, match=message):
        topic_scorer("completion")(model, texts)
    with pytest.raises(ValueError, match=message):
        clone(model).set_params(alpha="auto").fit(texts)
    side = make_pipeline(embedder, EmbeddingTopics(4, random_state=0))
    with pytest.raises(ValueError, match=message):
        fusion(4, language_topics=side, max_iter=3).fit(texts).score(texts)
    search = GridSearchCV(model, {"n_components": [2, 4]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match=message):
        search.fit(texts)
    search.set_params(scoring=topic_scorer(n_words=3)).fit(texts)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_memory_changes_no_bit(planted, tmp_path):
    texts, embedder, _ = planted
    plain = fusion(4, embedder=embedder).fit(texts).transform(texts)
    for _ in range(2):
        kept = fusion(4, embedder=embedder, memory=str(tmp_path)).fit(texts)
        assert_array_equal(kept.transform(texts), plain)


@pytest.mark.parametrize(
    "measure", ["quality", "npmi", "c_v", "diversity", "completion"]
)
def test_scorers_read_the_fused_model(news, measure):
    texts, _ = news
    window = 10 if measure == "c_v" else None
    model = fusion(max_iter=20).fit(texts[:180])
    score = topic_scorer(measure, window_size=window)(model, texts[180:])
    assert np.isfinite(score)
    piped = make_pipeline("passthrough", model)
    assert topic_scorer(measure, window_size=window)(piped, texts[180:]) == score
    if measure == "diversity":
        words = {word for topic in model.top_words() for word in topic}
        assert score == len(words) / 50
    if measure == "completion":
        assert score == model.score(texts[180:])


def test_mixtures_are_features_for_a_classifier(news):
    pipeline = make_pipeline(fusion(max_iter=20), LogisticRegression(C=10))
    assert cross_val_score(pipeline, *news, cv=3).mean() > 0.8


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
        ({"embedder": "minilm"}, "embedder"),
        ({"vectorizer": CountVectorizer(min_df=200)}, "max_df"),
        ({"vectorizer": CountVectorizer(vocabulary=["x"])}, "No text has a word"),
    ],
)
def test_contradictions_are_refused(planted, parameters, message):
    texts, embedder, _ = planted
    model = fusion(**{"n_components": 4, "embedder": embedder, **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(texts)
    with pytest.raises(NotFittedError):
        model.transform(texts)


class Wrong(BaseEstimator):
    """Makes vectors that are of no use."""

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


@pytest.mark.parametrize(
    ("fault", "message"), [("rows", "119 vectors of 120 texts"), ("NaN", "NaN")]
)
def test_useless_vectors_are_refused(planted, fault, message):
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
def test_more_words_than_can_be_counted_are_refused(planted, pooling, times, message):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, pooling=pooling, vectorizer=Loud(times))
    with pytest.raises(ValueError, match=message):
        model.fit(texts)


def test_an_embedder_needs_no_more_than_fit_and_transform(planted):
    class Duck(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return planted[1].transform(X)

    mixtures = fusion(4, embedder=planted[1]).fit_transform(planted[0])
    assert_array_equal(fusion(4, embedder=Duck()).fit_transform(planted[0]), mixtures)


def test_an_end_forgets_what_the_other_side_had_set(planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit(texts)
    assert hasattr(model, "strength_")
    model.set_params(alpha=0).fit(texts)
    for name in ["strength_", "language_topics_", "embedder_", "topic_directions_"]:
        assert not hasattr(model, name)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_another_pooling_waits_for_the_next_fit_and_leaves_nothing_behind(
    planted, pooling
):
    texts, embedder, _ = planted
    model = fusion(4, pooling=pooling, embedder=embedder).fit(texts)
    before = model.transform(texts)
    for other in POOLINGS:
        model.set_params(pooling=other)
        assert_array_equal(model.transform(texts), before)
    fresh = clone(model).fit(texts)
    assert vars(model.fit(texts)).keys() == vars(fresh).keys()
    assert_array_equal(model.transform(texts), fresh.transform(texts))


def test_a_failed_refit_leaves_the_old_fit_whole(planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit(texts)
    before = model.transform(texts)
    with pytest.raises(ValueError, match="no vector for the text in row 120"):
        model.fit([*texts, "w1 unknown"])
    assert_array_equal(model.transform(texts), before)


def test_counts_side_reads_sparse_rows_without_words(planted):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder).fit([*texts, ""])
    assert model.labels_.shape == (121,)
    assert sp.issparse(model.vectorizer_.transform(texts))


# new words by a language model ---------------------------------------------------------------


@pytest.fixture(scope="module")
def titles():
    corpus = load_bbc_news()
    return corpus.titles[::10], corpus.target[::10]


def expanded(alpha=0.5, expander=None, **parameters):
    expander = NextWordCounts() if expander is None else expander
    return FusionTopicModel(
        5, alpha=alpha, expander=expander, random_state=0, **parameters
    )


@pytest.mark.slow
def test_new_words_help_to_find_the_topics_of_titles(titles):
    texts, labels = titles
    found = [
        normalized_mutual_info_score(labels, model.fit(texts).labels_)
        for model in (expanded(0.0), FusionTopicModel(5, alpha=0, random_state=0))
    ]
    assert found[0] > found[1] + 0.1


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_words_of_topics_are_counted_on_the_texts_own(alpha):
    """A word that the model adds everywhere, and no text has, is no topic's word."""
    texts = ["goal cup match"] * 5 + ["bank rate shares"] * 5 + ["sports"]
    model = expanded(alpha).set_params(n_components=2).fit(texts)
    column = model.vocabulary_.tolist().index("sports")
    assert model.expander_.transform(texts)[:, [column]].sum() >= 5
    assert_allclose(model.components_.sum(axis=1), 1)
    sampled = model.topic_model_.components_[:, column]
    assert (model.components_[:, column] < sampled.max() / 2).all()


def test_expanded_at_zero_is_the_topic_model_fed_with_the_same_counts(titles):
    texts, _ = titles
    model = expanded(0.0, max_iter=20)
    fed = make_pipeline(NextWordCounts(), GibbsLDA(5, max_iter=20, random_state=0)).fit(
        texts
    )
    assert_array_equal(model.fit(texts).transform(texts), fed.transform(texts))
    assert_array_equal(model.topic_model_.components_, fed[-1].components_)
    assert not np.allclose(model.components_, fed[-1].components_)


def test_own_words_are_recounted_by_the_topics_of_all():
    X = sp.csr_array([[2, 0, 1], [0, 3, 0]])
    mixtures = np.array([[0.9, 0.1], [0.2, 0.8]])
    phi = np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]])
    joint = mixtures[:, :, None] * phi  # (D, K, V)
    counts = (X.toarray()[:, None] * joint / joint.sum(axis=1, keepdims=True)).sum(0)
    expected = (counts + 0.1) / (counts + 0.1).sum(axis=1, keepdims=True)
    assert_allclose(_recounted(X, mixtures, phi, 0.1), expected)


def test_the_weight_is_that_in_a_text_of_median_length_with_its_new_words(titles):
    texts, _ = titles
    model = expanded(0.2, max_iter=5).fit(texts)
    n_tokens = model.vectorizer_.transform(texts).sum(axis=1).A1 + 10
    assert model.strength_ == pytest.approx(0.25 * np.median(n_tokens))
    assert np.median(model.document_alpha_) == pytest.approx(0.2)


def test_the_outer_vectorizer_wins(titles):
    texts, _ = titles
    inner = NextWordCounts(CountVectorizer(analyzer=TextAnalyzer(min_length=5)))
    assert min(map(len, expanded(0.0, inner, max_iter=1).fit(texts).vocabulary_)) == 5
    outer = CountVectorizer(analyzer=TextAnalyzer(min_length=7))
    model = expanded(0.0, inner, max_iter=1, vectorizer=outer).fit(texts)
    assert min(map(len, model.vocabulary_)) == 7
    assert inner.vectorizer.analyzer.min_length == 5


def shouted(texts):
    return [text.lower().replace("!", "") for text in texts]


@pytest.mark.parametrize("alpha", [0, 0.5])
def test_steps_before_the_vectorizer_may_change_the_texts(planted, alpha):
    texts, embedder, _ = planted
    loud = [text.upper().replace(" ", "! ") for text in texts]
    vectors = PrecomputedEmbeddings(loud, embedder.vectors)
    plain = CountVectorizer(lowercase=False, min_df=2)
    steps = make_pipeline(FunctionTransformer(shouted), plain)
    for cleaned in [steps, make_pipeline("passthrough", steps, VarianceThreshold())]:
        model = fusion(4, alpha=alpha, vectorizer=cleaned, embedder=vectors).fit(loud)
        same = fusion(4, alpha=alpha, vectorizer=plain, embedder=embedder).fit(texts)
        assert list(model.vocabulary_) == list(same.vocabulary_)
        assert model.top_words(3) == same.top_words(3)
        assert_array_equal(model.transform(loud), same.transform(texts))
        scorer = topic_scorer("npmi", n_words=3, window_size=10)
        assert scorer(model, loud) == scorer(same, texts)


def test_columns_without_words_are_refused(planted):
    texts, embedder, _ = planted
    hashing = HashingVectorizer(norm=None, alternate_sign=False)
    nameless = make_pipeline(CountVectorizer(), FunctionTransformer())
    for vectorizer, message in [
        (hashing, "needs a vectorizer that knows its words .* HashingVectorizer"),
        (nameless, "FunctionTransformer.* does not name its columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            fusion(4, vectorizer=vectorizer, embedder=embedder).fit(texts)


def test_a_part_left_at_none_says_what_to_pass():
    model = FusionTopicModel()
    for name, part in [
        (
            "vectorizer__min_df",
            r"vectorizer=CountVectorizer\(analyzer=TextAnalyzer\(\)\)",
        ),
        ("topic_model__doc_topic_prior", r"topic_model=GibbsLDA\(\)"),
        ("embedder__dtype", r"embedder=TransformerEmbedder\(\)"),
        ("expander__weight", r"expander=NextWordCounts\(\)"),
        ("language_topics__x", "language_topics="),
    ]:
        with pytest.raises(ValueError, match=f"{name} cannot be set .* pass {part}"):
            model.set_params(**{name: 5})
    model.set_params(vectorizer=CountVectorizer(), vectorizer__min_df=5)
    assert model.vectorizer.min_df == 5
    with pytest.raises(ValueError, match="Invalid parameter 'nothing'"):
        model.set_params(nothing__at_all=1)


def test_at_one_no_language_model_is_asked_for_words(planted):
    texts, embedder, _ = planted
    model = expanded(1.0, NextWordCounts(llm="no/such-model"), embedder=embedder)
    assert not hasattr(model.fit(texts), "expander_")
