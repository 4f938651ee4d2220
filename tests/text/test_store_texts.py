from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from tqdm import tqdm

from llmtopics import TextAnalyzer, _progress
from llmtopics.datasets import load_bbc_news
from llmtopics.text import store_texts


class Lines:
    """Texts that are made again each time they are read."""

    def __init__(self, texts):
        self.texts, self.n_times = texts, 0

    def __iter__(self):
        self.n_times += 1
        yield from self.texts


@pytest.fixture(scope="module")
def news():
    return load_bbc_news().data[::8]


def dense(counts):
    return np.vstack([block.toarray() for block in counts])


@pytest.mark.parametrize(
    "settings",
    [
        {"min_df": 3, "max_df": 0.5},
        {"max_features": 100},
        {"binary": True, "max_features": 100, "min_df": 0.01},
        {"ngram_range": (1, 2), "min_df": 2},
    ],
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_same_as_the_vectorizer_alone(news, tmp_path, settings, n_jobs):
    ours = CountVectorizer(analyzer=TextAnalyzer(), **settings)
    if "ngram_range" in settings:
        ours.set_params(analyzer="word")
    alone = CountVectorizer(**ours.get_params(deep=False))
    X = alone.fit_transform(news)
    lines = Lines(news)
    counts = store_texts(lines, tmp_path, vectorizer=ours, batch_size=50, n_jobs=n_jobs)
    assert lines.n_times == 2
    assert_array_equal(counts.feature_names, alone.get_feature_names_out())
    assert_array_equal(dense(counts), X.toarray())
    assert_array_equal(ours.transform(news).toarray(), X.toarray())


def test_fitted_vectorizer_reads_a_generator_once(news, tmp_path):
    vectorizer = CountVectorizer(vocabulary=["film", "market"])
    counts = store_texts((text for text in news), tmp_path, vectorizer=vectorizer)
    assert_array_equal(dense(counts), vectorizer.transform(news).toarray())


def test_rare_words_are_forgotten(news, tmp_path):
    """With memory for 1,500 words, those of 5 documents and more are nearly all found."""
    settings = {"analyzer": TextAnalyzer(), "min_df": 20}
    alone = CountVectorizer(**settings).fit(news)
    ours = CountVectorizer(**settings)
    with pytest.warns(UserWarning, match="words in fewer than 2[1-9] texts may be"):
        counts = store_texts(
            news, tmp_path, vectorizer=ours, batch_size=20, max_words=4000
        )
    found = set(counts.feature_names)
    assert found <= set(alone.get_feature_names_out())
    assert len(found) > 0.9 * len(alone.vocabulary_)


def test_a_warning_says_that_words_may_be_missing(news, tmp_path):
    vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
    with pytest.warns(UserWarning, match="may be missing: raise max_words"):
        store_texts(
            news, tmp_path, vectorizer=vectorizer, batch_size=20, max_words=4000
        )


def test_a_word_that_was_counted_too_rarely_is_told_of(tmp_path):
    """A word is in three texts, and was forgotten after the first."""
    texts = ["late a1 a2 a3", "kept a4 a5", "kept late", "kept late"]
    vectorizer = CountVectorizer(min_df=3)
    with pytest.warns(UserWarning, match="words in fewer than 5 texts may be missing"):
        counts = store_texts(
            texts, tmp_path, vectorizer=vectorizer, batch_size=1, max_words=3
        )
    assert list(counts.feature_names) == ["kept"]


@pytest.mark.parametrize("sized", [True, False])
def test_one_bar_shows_both_passes(news, tmp_path, no_delay, monkeypatch, capfd, sized):
    monkeypatch.setattr(_progress, "tqdm", partial(tqdm, mininterval=0))
    texts = news if sized else Lines(news)
    store_texts(
        texts, tmp_path, vectorizer=CountVectorizer(), batch_size=50, verbose=True
    )
    first, *_, last = capfd.readouterr().err.strip().split("store_texts: ")[1:]
    drawn = last.rstrip()
    assert first.startswith("vocabulary: ")
    assert ("%" in first) == sized
    assert drawn.startswith("100%")
    assert "vocabulary 0 s" in drawn
    assert "counts 0 s" in drawn


def test_bad_texts_are_named(tmp_path):
    texts = ["a text"] * 25 + [None]
    with pytest.raises(ValueError, match="row 25 holds None"):
        store_texts(texts, tmp_path, vectorizer=CountVectorizer(), batch_size=10)
    for texts, message in [
        ("a text", "single text into a list"),
        ([], "There are no texts"),
        (iter(["a text"]), "only once"),
        (["", "a"], "No word is left"),
    ]:
        with pytest.raises(ValueError, match=message):
            store_texts(texts, tmp_path, vectorizer=CountVectorizer())
    for wrong in (TfidfVectorizer(), CountVectorizer, None):
        with pytest.raises(ValueError, match="needs a CountVectorizer"):
            store_texts(["a text"], tmp_path, vectorizer=wrong)
    vectorizer = CountVectorizer(min_df=2, max_df=1)
    with pytest.raises(ValueError, match="max_df corresponds to fewer texts"):
        store_texts(["aa bb", "aa"], tmp_path, vectorizer=vectorizer)
    assert not list(tmp_path.iterdir())
