"""Notebooks show the topics of fitted models below scikit-learn's diagram."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import FusionTopicModel, GibbsLDA, PachinkoAllocation, read_topics
from llmtopics.datasets import load_bbc_news

TEXTS = load_bbc_news().data[::30]


@pytest.fixture(scope="module")
def fusion():
    return FusionTopicModel(3, random_state=0).fit(TEXTS)


def counted(**columns):
    vectorizer = CountVectorizer(min_df=5, stop_words="english")
    X = vectorizer.fit_transform(TEXTS).toarray()
    names = vectorizer.get_feature_names_out()
    return pd.DataFrame(X, columns=[columns.get(name, name) for name in names])


def test_names_shares_and_words_below_the_diagram(fusion):
    plain, shown = clone(fusion)._repr_html_(), fusion._repr_html_()
    assert "<table><thead>" not in plain
    topics = read_topics(fusion, TEXTS)
    for k, words in enumerate(fusion.top_words(8)):
        assert f"<b>{topics.names[k]}</b>" in shown
        assert " ".join(words) in shown
        assert f"{topics.mixtures.mean(axis=0)[k]:.1%}" in shown
    assert fusion._repr_mimebundle_()["text/html"].count("<table><thead>") == 1
    with config_context(display="text"):
        assert not hasattr(fusion, "_repr_html_")


def test_merged_and_named_topics(fusion):
    named = read_topics(fusion, TEXTS).rename({0: "<i>A & B</i>"}).merge([[1, 2]])
    shown = named.model.estimator._repr_html_()
    assert "<b>&lt;i&gt;A &amp; B&lt;/i&gt;</b>" in shown
    assert "2 topics" in shown


@pytest.mark.parametrize(
    "model",
    [
        GibbsLDA(3, max_iter=10, random_state=0),
        PachinkoAllocation(3, n_super_components=2, max_iter=10, random_state=0),
    ],
)
def test_models_of_counts_show_topics_if_their_columns_have_names(model):
    table = counted(film="<film>")
    shown = clone(model).fit(table)._repr_html_()
    assert "3 topics" in shown
    assert "<film>" not in shown
    assert "<table><thead>" not in clone(model).fit(table.to_numpy())._repr_html_()
    twins = table.rename(columns={"year": "said"})
    odd = clone(model).fit(table)
    odd.feature_names_in_ = np.array(twins.columns)
    assert "<table><thead>" not in odd._repr_html_()  # two columns have one name
