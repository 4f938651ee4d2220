"""Words that a language model added are separate from the text's own."""

import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import FusionTopicModel, GibbsLDA, NextWordCounts, TextAnalyzer, explain
from llmtopics.datasets import load_bbc_news


def lower(texts):
    return [text.lower() for text in texts]


TITLES = load_bbc_news().titles[::80]


def parts_of(why):
    words = why.word_contributions.sum(axis=0) + why.added_contributions.sum(axis=0)
    return words + why.language_contribution + why.prior_contribution


@pytest.mark.parametrize(
    "model",
    [
        FusionTopicModel(3, expander=NextWordCounts(), max_iter=10, random_state=0),
        FusionTopicModel(
            3, alpha=0, expander=NextWordCounts(), max_iter=10, random_state=0
        ),
        make_pipeline(NextWordCounts(), GibbsLDA(3, max_iter=10, random_state=0)),
        make_pipeline(
            NextWordCounts(include_counts=False),
            GibbsLDA(3, max_iter=10, random_state=0),
        ),
        make_pipeline(
            make_pipeline(FunctionTransformer(lower), NextWordCounts()),
            GibbsLDA(3, max_iter=10, random_state=0),
        ),
    ],
    ids=["fusion", "alpha=0", "pipeline", "without the text's own", "after a step"],
)
def test_added_words_are_separate_from_the_texts_own(model):
    model = clone(model).fit(TITLES)
    text = TITLES[0] + ". A second sentence, on football."
    why = explain(model, text)
    assert_allclose(parts_of(why), model.transform([text])[0], atol=1e-12)
    own = set(TextAnalyzer()(text))
    assert set(why.words.tolist()) <= own
    assert len(why.added_words)
    assert set(why.added_words.tolist()) - own
    assert (why.added_contributions >= 0).all()
    carried = why.sentence_contributions.sum(axis=0)
    assert_allclose(carried, why.mixture - why.prior_contribution, atol=1e-12)
    assert "added words" in why._repr_html_()
    assert "added words" in repr(why)
    if isinstance(
        model, FusionTopicModel
    ):  # only the words of the text are found there
        assert len(why.words) == len(own & set(model.vocabulary_))


def test_added_words_are_not_mentioned_if_there_are_none():
    model = FusionTopicModel(3, max_iter=5, random_state=0).fit(TITLES)
    why = explain(model, TITLES[0])
    assert not len(why.added_words)
    assert "added" not in repr(why) + why._repr_html_()
