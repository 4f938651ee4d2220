import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from llmtopics import GibbsLDA, top_words
from llmtopics.datasets import load_reuters395
from llmtopics.metrics import coherence, exclusivity, topic_summary


@pytest.fixture(scope="module")
def fitted():
    corpus = load_reuters395()
    model = GibbsLDA(8, max_iter=30, random_state=0)
    return corpus, model, model.fit_transform(corpus.data)


def test_summary_has_the_values_of_the_functions(fitted):
    corpus, model, mixtures = fitted
    summary = topic_summary(
        model.components_,
        corpus.feature_names,
        mixtures,
        corpus.data,
        titles=corpus.titles,
        stability=np.linspace(0, 1, 8),
        n_words=7,
        n_documents=2,
    )
    assert list(summary.index) == list(range(8))
    words = top_words(model.components_, corpus.feature_names, 7)
    assert summary.words.tolist() == words
    assert_allclose(summary.share, mixtures.mean(axis=0))
    assert_allclose(summary.share.sum(), 1)
    values = coherence(words, corpus.data, corpus.feature_names, window_size=None)
    assert_allclose(summary.coherence, values)
    assert_allclose(summary.exclusivity, exclusivity(model.components_, n_words=7))
    assert_allclose(summary.stability, np.linspace(0, 1, 8))
    for k, documents in enumerate(summary.documents):
        assert len(documents) == 2
        shares = [mixtures[corpus.titles.index(title), k] for title in documents]
        assert_allclose(shares, np.sort(mixtures[:, k])[:-3:-1])  # some titles tie


def test_stability_and_titles_are_optional(fitted):
    corpus, model, mixtures = fitted
    summary = topic_summary(
        model.components_, corpus.feature_names, mixtures, corpus.data
    )
    assert "stability" not in summary
    assert summary.documents[3][0] == mixtures[:, 3].argmax()


def test_titles_are_used_by_position(fitted):
    corpus, model, mixtures = fitted
    order = np.random.default_rng(0).permutation(395)
    arguments = model.components_, corpus.feature_names, mixtures, corpus.data
    series = pd.Series(corpus.titles, index=order)
    plain = topic_summary(*arguments, titles=corpus.titles)
    assert topic_summary(*arguments, titles=series).equals(plain)


def test_documents_without_topics_are_shared_evenly(fitted):
    corpus, model, mixtures = fitted
    mixtures = mixtures.copy()
    mixtures[0] = 0
    summary = topic_summary(
        model.components_, corpus.feature_names, mixtures, corpus.data
    )
    assert_allclose(summary.share.sum(), 1)


def test_a_topic_without_weight_has_no_words_and_no_quality(fitted):
    corpus, model, mixtures = fitted
    components = model.components_.copy()
    components[2] = 0
    components[3, 1:] = 0
    summary = topic_summary(components, corpus.feature_names, mixtures, corpus.data)
    assert [len(words) for words in summary.words[1:5]] == [10, 0, 1, 10]
    assert summary.coherence.isna().tolist() == [k in (2, 3) for k in range(8)]
    assert summary.exclusivity.isna().tolist() == [k == 2 for k in range(8)]
    without = np.delete(components, 2, axis=0)
    assert_allclose(summary.exclusivity.dropna(), exclusivity(without))


def test_a_single_word_has_no_coherence(fitted):
    corpus, model, mixtures = fitted
    arguments = model.components_, corpus.feature_names, mixtures, corpus.data
    assert topic_summary(*arguments, n_words=1).coherence.isna().all()


def test_bad_shapes_are_named(fitted):
    corpus, model, mixtures = fitted
    base = model.components_, corpus.feature_names
    with pytest.raises(ValueError, match="7 topics"):
        topic_summary(*base, mixtures[:, :7], corpus.data)
    with pytest.raises(ValueError, match="n_documents"):
        topic_summary(*base, mixtures, corpus.data, n_documents=-1)
    with pytest.raises(ValueError, match="stability"):
        topic_summary(*base, mixtures, corpus.data, stability=0.5)
    with pytest.raises(ValueError, match="1 titles"):
        topic_summary(*base, mixtures, corpus.data, titles=["one"])


def test_without_pandas_the_extra_is_named(fitted, monkeypatch):
    corpus, model, mixtures = fitted
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"llmtopics\[pandas\]"):
        topic_summary(model.components_, corpus.feature_names, mixtures, corpus.data)
