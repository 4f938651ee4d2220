"""The default vectorizer leaves out rare words of large corpora only."""

import pytest

from llmtopics import FusionTopicModel
from llmtopics.datasets import load_bbc_news
from llmtopics.text._vectorizer import default_vectorizer


@pytest.mark.parametrize(
    ("n_texts", "min_df"), [(1, 1), (99, 1), (100, 2), (399, 4), (400, 5), (10**6, 5)]
)
def test_rare_words_are_left_out_of_large_corpora(n_texts, min_df):
    assert default_vectorizer(n_texts).min_df == min_df


def test_the_default_model_counts_words_with_it():
    texts = load_bbc_news().data[::11]
    model = FusionTopicModel(5, alpha=0, max_iter=5, random_state=0).fit(texts)
    assert model.vectorizer_.min_df == 3
    assert len(model.vocabulary_) == len(
        default_vectorizer(len(texts)).fit(texts).vocabulary_
    )
