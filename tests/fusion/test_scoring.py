"""Scores of held-out texts, and the choice of the fusion weight."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from llmtopics import EmbeddingTopics, GibbsLDA, TransformerEmbedder
from llmtopics.fusion import _fitting
from llmtopics.fusion._co_training import explained
from llmtopics.fusion._fitting import ALPHAS
from llmtopics.fusion._scoring import cut_in_half
from llmtopics.metrics import topic_scorer
from llmtopics.topics import _embedding


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
    assert cut_in_half(text) == halves


def test_the_score_is_the_likelihood_of_second_halves_given_the_first(fusion, planted):
    texts, _, _ = planted
    model = fusion(4, alpha=0).fit(texts[:100])
    first, second = zip(*map(cut_in_half, texts[100:]), strict=True)
    X = model.vectorizer_.transform(second).toarray()
    p = model.transform(first) @ model.components_
    assert_allclose(model.score(texts[100:]), (X * np.log(p)).sum() / X.sum())
    with pytest.raises(ValueError, match="Nothing to score"):
        model.score(["unknown words"])


def test_parameters_that_change_no_result_reach_the_parts_at_once(fusion, news):
    texts = news[0][:20]
    model = fusion(
        2, embedder=TransformerEmbedder(), topic_model=GibbsLDA(n_jobs=1), max_iter=2
    )
    model.fit(texts).set_params(n_jobs=2, embedder__batch_size=64).transform(texts)
    assert model.topic_model_.n_jobs == 2
    assert model.embedder_.batch_size == 64
    model.set_params(n_jobs=None).transform(texts)
    assert model.topic_model_.n_jobs == 1


def test_auto_takes_the_weight_with_the_best_score(fusion, news):
    texts = news[0]
    model = fusion(alpha="auto", max_iter=10).fit(texts)
    assert list(model.alpha_scores_) == list(ALPHAS)
    assert model.alpha_scores_[model.alpha_] == max(model.alpha_scores_.values())
    assert model.alpha_at_edge_ == (model.alpha_ in (0.1, 0.9))
    alone = clone(model).set_params(alpha=model.alpha_).fit(texts)
    assert_array_equal(model.transform(texts[:9]), alone.transform(texts[:9]))
    assert_array_equal(model.components_, alone.components_)
    with pytest.raises(ValueError, match="at least 20 texts, got 5"):
        fusion(alpha="auto").fit(texts[:5])


@pytest.mark.parametrize("pooling", ["linear", "geometric"])
def test_auto_also_chooses_for_separate_sides(fusion, planted, pooling):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, alpha="auto", pooling=pooling, max_iter=5)
    model.fit(texts)
    alone = clone(model).set_params(alpha=model.alpha_).fit(texts)
    assert_array_equal(model.transform(texts[:9]), alone.transform(texts[:9]))


def test_auto_chooses_for_given_topics_of_texts(fusion, planted):
    texts, embedder, _ = planted
    side = make_pipeline(embedder, EmbeddingTopics(4, random_state=0))
    model = fusion(4, language_topics=side, alpha="auto", max_iter=5).fit(texts)
    assert set(model.alpha_scores_) == set(ALPHAS)
    assert not hasattr(model, "co_training_")


def test_views_explain_topics_that_follow_them(rng):
    topics = rng.integers(3, size=300)
    mixtures = np.eye(3)[topics]
    follows = np.eye(3)[topics] + 0.01 * rng.normal(size=(300, 3))
    noise = rng.normal(size=(300, 3))
    both, one, none = (
        explained(mixtures, views)
        for views in [(follows, follows), (follows, noise), (noise, noise)]
    )
    assert both > 0.8
    assert_allclose(one, (both + none) / 2)
    assert none < 0.05
    nothing = explained(np.eye(3)[np.zeros(300, int)], (follows,))
    assert nothing == -np.inf  # worse than topics that nothing explains
    assert explained(np.eye(3)[[0] * 299 + [1]], (follows,)) == -np.inf


def test_rows_without_a_view_are_not_explained(rng):
    mixtures = np.eye(3)[rng.integers(3, size=300)]
    noise = rng.normal(size=(300, 3))
    noise[::2] = 0
    rows = sp.csr_array(np.abs(noise))
    for view in (noise, rows):
        assert explained(mixtures, (view,)) < 0.05
        assert_allclose(
            explained(mixtures, (view,)), explained(mixtures[1::2], (view[1::2],))
        )


def test_of_equal_scores_auto_takes_the_weight_nearest_to_the_default(
    fusion, planted, caplog
):
    texts, embedder, _ = planted
    model = fusion(1, embedder=embedder, alpha="auto", max_iter=2).fit(texts)
    assert set(model.alpha_scores_.values()) == {-np.inf}  # one topic
    assert (model.alpha_, model.alpha_at_edge_) == (0.5, False)
    assert "all weights explain the topics equally well, so 0.5" in caplog.text


def test_memory_fits_embedding_topics_once_per_fold_and_number(
    fusion, planted, tmp_path, monkeypatch
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


def test_memory_of_another_version_is_not_used(fusion, planted, tmp_path, monkeypatch):
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, memory=str(tmp_path), max_iter=3)

    def kept():
        clone(model).fit(texts)
        return len(list(tmp_path.rglob("output.pkl")))

    assert kept() == kept() == 1
    monkeypatch.setattr("llmtopics.fusion._sides.__version__", "0.0.1")
    assert kept() == 2


@pytest.mark.parametrize(("best", "at_edge"), [(0.1, True), (0.5, False), (0.9, True)])
def test_alpha_at_edge_says_if_a_better_weight_may_lie_outside(
    fusion, planted, monkeypatch, best, at_edge
):
    asked = iter(ALPHAS)
    monkeypatch.setattr(_fitting, "explained", lambda *_: -abs(next(asked) - best))
    texts, embedder, _ = planted
    model = fusion(4, embedder=embedder, alpha="auto", max_iter=2).fit(texts)
    assert (model.alpha_, model.alpha_at_edge_) == (best, at_edge)
    assert not hasattr(model.set_params(alpha=0.1).fit(texts), "alpha_at_edge_")


def test_scoring_without_vectors_of_halves_says_what_to_do(fusion, planted):
    texts, embedder, _ = planted
    message = r"no vectors of halves.*scoring=topic_scorer\(\).*TransformerEmbedder"
    model = fusion(4, embedder=embedder, max_iter=3)
    with pytest.raises(ValueError, match=message):
        model.fit(texts).score(texts)
    with pytest.raises(ValueError, match=message):
        topic_scorer("completion")(model, texts)
    assert clone(model).set_params(alpha="auto").fit(texts).alpha_ in ALPHAS
    side = make_pipeline(embedder, EmbeddingTopics(4, random_state=0))
    with pytest.raises(ValueError, match=message):
        fusion(4, language_topics=side, max_iter=3).fit(texts).score(texts)
    search = GridSearchCV(model, {"n_components": [2, 4]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match=message):
        search.fit(texts)
    search.set_params(scoring=topic_scorer(n_words=3)).fit(texts)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_memory_changes_no_bit(fusion, planted, tmp_path):
    texts, embedder, _ = planted
    plain = fusion(4, embedder=embedder).fit(texts).transform(texts)
    for _ in range(2):
        kept = fusion(4, embedder=embedder, memory=str(tmp_path)).fit(texts)
        assert_array_equal(kept.transform(texts), plain)


@pytest.mark.parametrize(
    "measure", ["quality", "npmi", "c_v", "diversity", "completion"]
)
def test_scorers_read_the_fused_model(fusion, news, measure):
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


def test_mixtures_are_features_for_a_classifier(fusion, news):
    pipeline = make_pipeline(fusion(max_iter=20), LogisticRegression(C=10))
    assert cross_val_score(pipeline, *news, cv=3).mean() > 0.8
