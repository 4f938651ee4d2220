"""Random input for recommendation, sentiment and summaries, as in ``tests/test_fuzz.py``."""

from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from llmtopics import (
    GibbsLDA,
    TextAnalyzer,
    TopicRecommender,
    TopicSentiment,
    TopicSummarizer,
)
from llmtopics.text import split_sentences
from tests.fuzzing import (
    answer_or_refusal,
    as_tests,
    assert_shares,
    drawn,
    labels,
    odd,
    rarely,
    texts,
    words,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # advice, as of n_words

SENTENCES = [
    "The apple was great. The pear was great, too.",
    "The bank was awful. Its loan was awful.",
    "A great apple and an awful bank.",
    "A pear. A plum! An apple?",
]


@cache
def topic_model():
    counter = CountVectorizer(analyzer=TextAnalyzer(min_length=1, stop_words=None))
    model = make_pipeline(counter, GibbsLDA(2, max_iter=5, random_state=0))
    return FrozenEstimator(model.fit(SENTENCES * 2))


def embedder():
    counter = TfidfVectorizer(token_pattern=r"\S+")
    return make_pipeline(counter, TruncatedSVD(2, random_state=0))


corpora = st.lists(texts | st.sampled_from(SENTENCES), min_size=1, max_size=6)


def strange_groups(n):
    return st.sampled_from(
        [3, "a" * n, {}, [[1]] * n, [[1], 2], [{}] * n, [(1, [2])] * n]
    )


# recommendation ------------------------------------------------------------------------------

ids = st.sampled_from([0, 1, 2, 3, 4, 5, "a", "", None, np.nan, (1, 2), [1], 1.5, True])
times = st.sampled_from(
    [0, 1, 5.5, np.nan, 1e308, -1e308, "2024-01-01", "x", None, pd.Timestamp("2020")]
)
ratings = st.sampled_from([0, 1, 2, 5, 3.5]) | odd | st.sampled_from([1e308, "x", None])


@st.composite
def interactions(draw, n_items):
    """A matrix or a table, most often one that can be read."""
    n = draw(st.integers(1, 8))
    if draw(st.booleans()):
        n_columns = draw(st.sampled_from([n_items] * 9 + [0, n_items + 1]))
        value = draw(st.sampled_from([st.sampled_from([1, 3, 0, 0])] * 4 + [ratings]))
        cells = draw(st.lists(value, min_size=n * n_columns, max_size=n * n_columns))
        y = np.array(cells, object).reshape(n, n_columns)
        y = answer_or_none(lambda: y.astype(float), y)
        how = [lambda y: y, np.ndarray.tolist, sp.csr_matrix, sp.coo_array]
        return draw(st.sampled_from(how))(y) if y.dtype != object else y
    plain = {
        "user": st.integers(0, 3),
        "item": st.integers(0, n_items - 1),
        "rating": st.integers(0, 5),
        "time": st.integers(0, 9),
    }
    wild = {"user": ids, "item": ids, "rating": ratings, "time": times}
    strange = draw(st.sampled_from([()] * 4 + [(name,) for name in wild]))
    left_out = draw(st.sampled_from([(), ("rating",), ("time",)] * 3 + [("item",)]))
    table = {
        name: [draw((wild if name in strange else plain)[name]) for _ in range(n)]
        for name in plain
        if name not in left_out
    }
    y = pd.DataFrame(table)
    kind = draw(st.sampled_from(["pandas", "polars"] * 4 + ["twice", "dict"]))
    if kind == "polars":
        return answer_or_none(lambda: pl.DataFrame(table), y)
    if kind == "twice":
        return pd.concat([y, y[[draw(st.sampled_from([*y.columns]))]]], axis=1)
    return table if kind == "dict" else y


def answer_or_none(call, otherwise):
    try:
        return call()
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return otherwise


RECOMMENDER = {
    "collaborative": ["als", "ease", None],
    "weight": [0, 0.5, 1, "auto"],
    "threshold": [None, "mean", 2, -1e308],
    "negative_weight": [0, 1, 1e308],
    "half_life": [None, 1, 1e-308, 1e308],
    "n_word_features": [2, 300],
    "regularization": [1, 1e-6, 1e100, 1e-308],
    "random_state": [1, 2**32 - 1],
}


def assert_recommended(found, recommender, n_items, seen):
    """Each user has the best items that they have not seen, and as many as there are."""
    n_all = len(recommender.item_ids_)
    for user, some in found.groupby("user", sort=False):
        banned = seen.get(user, set())
        assert len(some) == min(n_items, n_all - len(banned))
        assert some["rank"].tolist() == [*range(1, len(some) + 1)]
        assert some["item"].is_unique
        assert not {*some["item"]} & banned
    assert np.isfinite(found["score"]).all()


def check_recommender(data):
    X = data.draw(corpora)
    given = {"collaborative": None, "n_word_features": 2, "weight": 0.5}
    recommender = TopicRecommender(
        topic_model(), **{"random_state": 0, **given, **drawn(data, RECOMMENDER)}
    )
    y, item_ids = data.draw(interactions(len(X))), None
    if rarely(data):
        item_ids = data.draw(st.lists(ids, max_size=6) | st.sampled_from([5, "abc"]))
    if answer_or_refusal(lambda: recommender.fit(X, y, item_ids)) is None:
        return
    assert_shares(recommender.mixtures_, len(X))
    assert_shares(recommender.user_mixtures_, len(recommender.user_ids_))
    at = recommender.item_ids_
    seen = {
        user: {at[i] for i in np.flatnonzero(row)}
        for user, row in zip(
            recommender.user_ids_, recommender._seen.toarray(), strict=True
        )
    }
    found = recommender.recommend(n_items=3)
    assert_recommended(found, recommender, 3, seen)
    for _, some in found.groupby("user", sort=False):
        assert some["score"].is_monotonic_decreasing
    assert np.isfinite(recommender.similar_items(at, 2)["score"]).all()
    check_questions(data, recommender, at)
    user = data.draw(st.sampled_from(recommender.user_ids_) | ids)
    item = data.draw(st.sampled_from(at) | ids)
    explained = answer_or_refusal(lambda: recommender.explain(user, item))
    if explained is not None:
        assert np.isfinite(explained.history_contributions).all()
    score = answer_or_refusal(
        lambda: recommender.score(X, data.draw(interactions(len(at))))
    )
    assert score is None or 0 <= score <= 1


def check_questions(data, recommender, at):
    """Any argument of ``recommend``, and items that are added."""
    known = st.sampled_from(at)
    listed = st.lists(known, max_size=3) | known | ids | st.lists(ids, max_size=3)
    likes = listed | st.dictionaries(st.sampled_from(["a", ""]), listed, max_size=2)
    options = {
        "n_items": [1, 3, 10**9],
        "diversity": [0.5, 1, 1e-308],
        "exclude_seen": [False],
        "users": [[*recommender.user_ids_], recommender.user_ids_[0], data.draw(ids)],
        "likes": [data.draw(likes)],
        "items": [data.draw(listed), at],
    }
    asked = drawn(data, options)
    found = answer_or_refusal(lambda: recommender.recommend(**asked))
    if found is not None:
        assert np.isfinite(found["score"]).all()
        assert {*found["item"]} <= {*at}
    n = len(at)
    more = data.draw(st.lists(texts, min_size=not rarely(data), max_size=2))
    new_ids = data.draw(st.lists(ids, max_size=2)) if rarely(data) else None
    if answer_or_refusal(lambda: recommender.add_items(more, new_ids)) is not None:
        assert_shares(recommender.mixtures_, n + len(more))
        assert np.isfinite(recommender.recommend(n_items=9)["score"]).all()


# sentiment -----------------------------------------------------------------------------------

SEEDS = [["great"], ["awful"], ["great", ""], "great", [], [1], [None], None]
ORDERS = [[], [0, 0], "ab", 5, [[0], [1]], ["a", 1], [np.nan, 1], [0, 1, np.nan]]
SENTIMENT = {
    "classifier": [None],
    "order": [[0, 1], [1, 0, 2], ["neg", "pos"]],
    "fit_topics_on": ["documents"],
    "language": ["german", "chinese"],
    "cv": [2, 5, 1000],
    "random_state": [1, 2**32 - 1],
}


def assert_polarity(table, n_topics):
    assert len(table) == n_topics
    for name in ("mean", "low", "high"):
        assert table[name].between(-1, 1).all()
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()
    assert table["share"].between(0, 1 + 1e-9).all()
    assert table["share"].sum() <= 1 + 1e-9


def check_sentiment(data):
    X = [*SENTENCES, *data.draw(corpora)]
    two = st.sampled_from([(0, 1), ("neg", "pos"), (1, 5), (False, True)])
    y = [*data.draw(two)] * 5
    y = data.draw(st.permutations(y[: len(X)]))
    if rarely(data):
        y = data.draw(labels | st.sampled_from(["x", 3, {}, {1: 2}, [0, [1]], None]))
    words = make_pipeline(TfidfVectorizer(token_pattern=r"\S+"), LogisticRegression())
    given = {"classifier": words, "embedder": embedder(), "cv": 0, "random_state": 0}
    given |= drawn(data, SENTIMENT)
    if rarely(data):
        given |= {
            name: data.draw(st.sampled_from(SEEDS)) for name in ("positive", "negative")
        }
        y = None
    elif rarely(data):
        given["order"] = data.draw(st.sampled_from(ORDERS))
    model = TopicSentiment(topic_model(), **given)
    if answer_or_refusal(lambda: model.fit(X, y)) is None:
        return
    assert_polarity(model.table_, 2)
    asked = data.draw(corpora)
    polarity, shares = model.transform(asked), model.shares(asked)
    assert polarity.shape == shares.shape == (len(asked), 2)
    assert (np.abs(polarity) <= 1).all()
    assert (shares >= 0).all()
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()
    assert_shares(model.predict_proba(asked), len(asked))
    assert {*model.predict(asked)} <= {*model.classes_}
    groups = ["a", "b", 3, 1.5] * 2
    groups = data.draw(st.permutations(groups[: len(asked)]))
    if rarely(data):
        groups = data.draw(labels | strange_groups(len(asked)))
    options = drawn(data, {"n_sentences": [1, 10**9], "confidence": [0.5, 1 - 1e-16]})
    found = answer_or_refusal(lambda: model.table(asked, groups, **options))
    if found is not None:
        assert {*found["group"]} == {*groups}
        for _, some in found.groupby("group", sort=False):
            assert_polarity(some, 2)
        whole = model.table(asked)["n_documents"].sum()
        assert found["n_documents"].sum() == whole


# summaries -----------------------------------------------------------------------------------

SUMMARIZER = {
    "n_sentences": [1, 2, None],
    "n_words": [1, 5, 10**9],
    "topic_weight": [0, 1e-308, 1e308],
    "word_weight": [0, 1e-308, 1e308],
    "vector_weight": [0, 1, 1e-308, 1e308],
    "position_weight": [0, 2, 1e-308, 1e308],
    "language": ["german", "chinese"],
    "max_new_tokens": [1],
}


def check_summarizer(data):
    given = {"vector_weight": 0, "embedder": embedder(), **drawn(data, SUMMARIZER)}
    model = TopicSummarizer(topic_model(), **given)
    if answer_or_refusal(lambda: model.fit(SENTENCES)) is None:
        return
    X = data.draw(corpora)
    summaries = model.transform(X)
    assert len(summaries) == len(model.outcomes_) == len(X)
    of_texts = [split_sentences(text, model.language) for text in X]
    for summary, sentences, outcome in zip(
        summaries, of_texts, model.outcomes_, strict=True
    ):
        assert outcome in ("extracted", "blank", "too long")
        assert (outcome == "blank") == (not sentences)
        assert (outcome == "extracted") == bool(summary)
        kept = [sentence for sentence in sentences if sentence in summary]
        assert bool(kept) == bool(summary)
    groups = data.draw(st.none() | st.lists(words, min_size=len(X), max_size=len(X)))
    if rarely(data):
        groups = data.draw(labels | strange_groups(len(X)))
    topic = data.draw(
        st.sampled_from([None, None, None, 0, 1, 2, "0", "x", [], 0.0, True])
    )
    asked = {"groups": groups, "topic": topic}
    table = answer_or_refusal(lambda: model.summarize(X, **asked))
    if table is not None:
        expected = range(len(X)) if groups is None else dict.fromkeys(groups)
        assert table["group"].tolist() == [*expected]
        assert table["coverage"].between(0, 1 + 1e-9).all()
        assert (table["n_words"] <= (model.n_words or np.inf)).all()
    chosen = answer_or_refusal(lambda: model.select_sentences(X, **asked))
    assert (chosen is None) == (table is None)
    if chosen is not None:
        assert np.isfinite(chosen["score"]).all()
        for row, position, sentence in chosen[["row", "position", "sentence"]].values:
            assert of_texts[row][position] == sentence


CHECKS = {check_recommender: 80, check_sentiment: 60, check_summarizer: 60}
(
    test_any_input_is_answered_or_refused,
    test_much_more_input_is_answered_or_refused,
) = as_tests(CHECKS)
