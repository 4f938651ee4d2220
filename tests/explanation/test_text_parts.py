"""Planted words, sentences and places of words in the text."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PrecomputedEmbeddings,
    TextAnalyzer,
    explain,
)


def planted():
    """Texts in which each word belongs to one of three topics only."""
    rng = np.random.default_rng(0)
    topics = [[f"{kind}{i}" for i in range(6)] for kind in ("red", "green", "blue")]
    texts = [" ".join(rng.choice(topics[i % 3], 12)) for i in range(60)]
    vectors = np.eye(3)[np.arange(60) % 3] + 0.05 * rng.normal(size=(60, 3))
    return texts, vectors


@pytest.mark.parametrize(
    "topic_model",
    [
        GibbsLDA(3, random_state=0),
        NMF(3, init="nndsvda"),
        LatentDirichletAllocation(3, random_state=0),
    ],
)
def test_a_planted_word_adds_to_its_own_topic(topic_model):
    texts, _ = planted()
    model = make_pipeline(CountVectorizer(), topic_model).fit(texts)
    red, green, blue = model.transform(texts[:3]).argmax(axis=1)
    text = "Red1 and red2. Green3 green4 green5! Blue0?"
    why = explain(model, text)
    home = dict(zip(why.words, why.word_contributions.argmax(axis=1), strict=True))
    assert home == {
        "red1": red,
        "red2": red,
        "green3": green,
        "green4": green,
        "green5": green,
        "blue0": blue,
    }
    assert_array_equal(why.top_sentences[[red, green, blue]], [0, 1, 2])
    assert why.sentences == ("Red1 and red2.", "Green3 green4 green5!", "Blue0?")
    places = [text[start:end] for start, end in why.spans]
    assert places == ["Red1", "red2", "Green3", "green4", "green5", "Blue0"]
    assert_array_equal(
        why.span_contributions.argmax(axis=1)[[0, 2, 5]], [red, green, blue]
    )


def test_sentences_without_vectors_are_weighted_by_length():
    texts, vectors = planted()
    texts[0] = "red1 red2 red3. Green1 red4."
    model = FusionTopicModel(
        3,
        vectorizer=CountVectorizer(),
        embedder=PrecomputedEmbeddings(texts, vectors),
        random_state=0,
        co_training=0,
    ).fit(texts)
    why = explain(model, texts[0], texts=texts)
    assert "length" in why.notes[-1]
    assert_allclose(
        why.sentence_contributions.sum(axis=0), why.mixture - why.prior_contribution
    )
    assert not explain(model, texts[1]).notes  # one sentence is the text itself
    with pytest.raises(ValueError, match="no vector"):
        explain(model, "never seen")


def test_pieces_of_any_script_are_found():
    text = "हिन्दी की किताबें, (naïve) Blair's “об'єкт”"
    model = make_pipeline(CountVectorizer(analyzer=TextAnalyzer()), GibbsLDA(2))
    why = explain(model.fit([text, text]), text)
    assert [text[i:j] for i, j in why.spans] == [
        "हिन्दी",
        "की",
        "किताबें",
        "naïve",
        "Blair's",
        "об'єкт",
    ]


def test_subclasses_are_divided_like_their_parent():
    class Own(NMF):
        """As ``NMF``."""

    texts, _ = planted()
    parts = []
    for kind in (NMF, Own):
        model = make_pipeline(
            CountVectorizer(), kind(3, init="nndsvda", random_state=0)
        )
        parts.append(explain(model.fit(texts), texts[0]).word_contributions)
    assert_allclose(*parts)
