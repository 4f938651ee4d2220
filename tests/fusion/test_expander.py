"""Words that a language model adds, and steps around the vectorizer."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.metrics import normalized_mutual_info_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    NextWordCounts,
    PrecomputedEmbeddings,
    TextAnalyzer,
)
from llmtopics.datasets import load_bbc_news
from llmtopics.fusion._topic_words import recount_words
from llmtopics.metrics import topic_scorer


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
    """The mean of five seeds: one seed moves by 0.06 with rounding errors of other batches."""
    texts, labels = titles

    def mean_agreement(model):
        models = [clone(model).set_params(random_state=seed) for seed in range(5)]
        topics = [each.fit(texts).labels_ for each in models]
        return np.mean([normalized_mutual_info_score(labels, each) for each in topics])

    plain = mean_agreement(FusionTopicModel(5, alpha=0))
    assert mean_agreement(expanded(0.0)) > plain + 0.03


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_topic_words_come_from_the_texts_own_words(alpha):
    """A word that the model adds to all texts, and no text has, is no topic word."""
    texts = ["goal cup match"] * 5 + ["bank rate shares"] * 5 + ["sports"]
    model = expanded(alpha).set_params(n_components=2).fit(texts)
    column = model.vocabulary_.tolist().index("sports")
    assert model.expander_.transform(texts)[:, [column]].sum() >= 5
    assert_allclose(model.components_.sum(axis=1), 1)
    sampled = model.topic_model_.components_[:, column]
    assert (model.components_[:, column] < sampled.max() / 2).all()


def test_alpha_zero_is_the_topic_model_on_the_expanded_counts(titles):
    texts, _ = titles
    model = expanded(0.0, max_iter=20)
    fed = make_pipeline(NextWordCounts(), GibbsLDA(5, max_iter=20, random_state=0)).fit(
        texts
    )
    assert_array_equal(model.fit(texts).transform(texts), fed.transform(texts))
    assert_array_equal(model.topic_model_.components_, fed[-1].components_)
    assert not np.allclose(model.components_, fed[-1].components_)


def test_own_words_are_recounted_with_the_topics_of_all_words():
    X = sp.csr_array([[2, 0, 1], [0, 3, 0]])
    mixtures = np.array([[0.9, 0.1], [0.2, 0.8]])
    phi = np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]])
    joint = mixtures[:, :, None] * phi  # (D, K, V)
    counts = (X.toarray()[:, None] * joint / joint.sum(axis=1, keepdims=True)).sum(0)
    expected = (counts + 0.1) / (counts + 0.1).sum(axis=1, keepdims=True)
    assert_allclose(recount_words(X, mixtures, phi, 0.1), expected)


def test_alpha_is_the_weight_at_median_length_with_added_words(titles):
    texts, _ = titles
    model = expanded(0.2, max_iter=5).fit(texts)
    n_tokens = model.vectorizer_.transform(texts).sum(axis=1).A1 + 10
    assert model.strength_ == pytest.approx(0.25 * np.median(n_tokens))
    assert np.median(model.document_alpha_) == pytest.approx(0.2)


def test_the_outer_vectorizer_replaces_the_expanders(titles):
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
def test_steps_before_the_vectorizer_may_change_the_texts(fusion, planted, alpha):
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


def test_columns_without_words_are_refused(fusion, planted):
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


def test_alpha_one_asks_no_language_model_for_words(planted):
    texts, embedder, _ = planted
    model = expanded(1.0, NextWordCounts(llm="no/such-model"), embedder=embedder)
    assert not hasattr(model.fit(texts), "expander_")
