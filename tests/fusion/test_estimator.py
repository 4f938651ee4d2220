"""Fusion of both sides, on real articles, the real MiniLM, and planted corpora."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import normalized_mutual_info_score
from sklearn.pipeline import make_pipeline

from llmtopics import EmbeddingTopics, GibbsLDA, PrecomputedEmbeddings

POOLINGS = ["prior", "linear", "geometric"]


def agreement(model, news):
    return normalized_mutual_info_score(news[1], model.labels_)


# quality -----------------------------------------------------------------------------


@pytest.mark.slow
def test_both_sides_together_agree_more_with_the_editors_than_either(
    fusion, first_sentences
):
    news = first_sentences(every=5)
    both = agreement(fusion().fit(news[0]), news)
    counts, vectors = (agreement(fusion(alpha=a).fit(news[0]), news) for a in (0, 1))
    assert both > 0.75
    assert both > counts + 0.1
    assert both > vectors - 0.02


@pytest.mark.parametrize(
    "pooling", ["linear", pytest.param("geometric", marks=pytest.mark.slow)]
)
def test_topics_of_both_sides_are_matched_before_averaging(fusion, news, pooling):
    """With topics matched wrongly, labels agree less with the sections."""
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


def test_n_jobs_and_verbose_take_effect_at_once(fusion, news, no_delay, capfd):
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
    assert ", vectors " in capfd.readouterr().err


def test_the_inner_topic_model_can_continue_alone(fusion, news):
    model = fusion().fit(news[0])
    counts = model.vectorizer_.transform(news[0][:20])
    before = model.topic_model_.topic_counts_.sum()
    model.topic_model_.partial_fit(counts)
    assert_allclose(
        model.topic_model_.topic_counts_.sum(), before + counts.sum(), rtol=1e-3
    )


def test_topics_have_words_that_people_would_choose(fusion, news):
    words = fusion().fit(news[0]).top_words(5)
    everything = {word for topic in words for word in topic}
    assert len(everything) == 25  # no word twice
    assert {"game", "film", "election"} & everything


def test_words_show_which_directions_of_the_vectors_matter(fusion, planted):
    """Vectors alone follow directions of high variance that are unrelated to topics."""
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


# alpha = 0 and 1 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_alpha_zero_is_the_topic_model_alone_and_encodes_nothing(
    fusion, planted, pooling
):
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
def test_alpha_one_is_the_embedding_side_alone(fusion, planted, pooling):
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
def test_alpha_near_zero_or_one_is_within_the_spread_of_seeds(
    fusion, planted, pooling, end, beside
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
