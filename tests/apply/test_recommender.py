import pickle
import sys
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.decomposition import NMF, TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    TopicMerger,
    TopicRecommender,
    TransformerEmbedder,
)
from llmtopics._compiled.blas import one_thread
from llmtopics.apply import _recommender_collaborative as collaborative
from llmtopics.apply._recommender_inputs import read_interactions
from llmtopics.apply._recommender_scores import choose_weights

ANIMALS = ["cat dog cat", "dog puppy cat", "puppy kitten dog", "kitten cat puppy"]
MONEY = ["bank stock bond", "stock share bank", "share bond stock", "bond bank share"]
TEXTS = [*ANIMALS, *MONEY]
LDA = make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=20, random_state=0))
LIKES = np.zeros((6, 8))
LIKES[:3, :2] = LIKES[3:5, 4:6] = 1  # the last user likes nothing
CONTENT = TopicRecommender(LDA, collaborative=None, random_state=0)
with one_thread():  # implicit warns of more when it makes a model
    ALS = AlternatingLeastSquares(factors=4, regularization=0.1, random_state=0)
BOTH = TopicRecommender(LDA, collaborative=ALS, weight=0.5, random_state=0)


def table(**columns):
    return pd.DataFrame({"user": ["a", "a", "b"], "item": [0, 1, 4], **columns})


def fit_small(y, **settings):
    return clone(CONTENT).set_params(**settings).fit(TEXTS, y)


@pytest.fixture(scope="module")
def news(planted_tastes):
    texts, _, likes = planted_tastes
    return TopicRecommender(random_state=0).fit(texts, likes)


# what is found ------------------------------------------------------------------------


def share_of_section(frame, sections):
    return np.mean(
        [
            sections[item] == int(user.split()[1]) % 5
            for user, item in zip(frame["user"], frame["item"], strict=True)
        ]
    )


def test_planted_tastes_are_found(news, planted_tastes):
    _, sections, likes = planted_tastes
    found = news.recommend(n_items=5)
    assert share_of_section(found, sections) > 0.85
    assert list(found.columns) == ["user", "rank", "item", "score"]
    assert (found.groupby("user")["score"].diff().dropna() <= 0).all()
    assert found["rank"].tolist() == [1, 2, 3, 4, 5] * 60
    both = found.merge(likes, on=["user", "item"])
    assert both.empty  # seen items are left out
    seen = news.recommend(n_items=5, exclude_seen=False)
    assert len(seen.merge(likes, on=["user", "item"])) > 100


def test_new_items_are_recommended_by_their_texts(news, planted_tastes):
    texts, sections, _ = planted_tastes
    twin = pickle.loads(pickle.dumps(news))
    before = twin.recommend(["user 0"], 300, exclude_seen=False)
    articles = [texts[np.flatnonzero(sections == section)[-1]] for section in range(5)]
    n = len(texts)
    assert twin.add_items([f"{text} New." for text in articles]) is twin
    assert twin.item_ids_[-5:] == list(range(n, n + 5))
    first = twin.recommend([f"user {i}" for i in range(20)], 1, items=range(n, n + 5))
    right = [
        item - n == int(user.split()[1]) % 5
        for user, item in zip(first["user"], first["item"], strict=True)
    ]
    assert np.mean(right) > 0.85
    old = twin.recommend(["user 0"], 300, exclude_seen=False, items=news.item_ids_)
    before, old = (each.set_index("item")["score"] for each in (before, old))
    assert_allclose(old[before.index], before)  # of old items nothing changes


def test_new_users_get_what_known_users_of_equal_likes_get(news, planted_tastes):
    _, _, likes = planted_tastes
    items = likes[likes["user"] == "user 3"]["item"].tolist()
    known = news.recommend(["user 3"], 10)
    new = news.recommend(likes={"somebody": items}, n_items=10)
    assert new["item"].tolist() == known["item"].tolist()
    assert_allclose(new["score"], known["score"])
    assert (new["user"] == "somebody").all()
    assert (news.recommend(likes=items, n_items=2)["user"] == "new").all()


def test_diverse_lists_have_more_topics(news):
    def first_topics(diversity):
        found = news.recommend(n_items=8, diversity=diversity)
        topics = news.mixtures_[found["item"]].argmax(axis=1)
        return pd.Series(topics).groupby(found["user"].to_numpy()).nunique().mean()

    assert first_topics(0.7) > first_topics(0) + 1
    plain, diverse = (news.recommend(n_items=8, diversity=d) for d in (0, 0.5))
    best = plain[plain["rank"] == 1]["item"].tolist()
    assert diverse[diverse["rank"] == 1]["item"].tolist() == best


def test_similar_items_are_of_one_section(news, planted_tastes):
    _, sections, _ = planted_tastes
    found = news.similar_items(range(100), 3)
    same = sections[found["item"]] == sections[found["similar"]]
    assert same.mean() > 0.85
    assert (found["item"] != found["similar"]).all()
    assert found["score"].between(-1, 1 + 1e-9).all()


def test_score_on_held_out_likes_is_better_than_chance(planted_tastes):
    texts, _, likes = planted_tastes
    held = likes["time"] >= 11
    model = TopicRecommender(weight=0.2, random_state=0).fit(texts, likes[~held])
    shuffled = likes[held].assign(
        item=np.random.default_rng(0).permutation(likes[held]["item"])
    )
    assert model.score(texts, likes[held]) > 1.5 * model.score(texts, shuffled)
    with pytest.raises(ValueError, match="no like to evaluate"):
        model.score(texts, np.zeros((60, len(texts))))


# parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "collaborative",
    [
        ALS,
        CosineRecommender(K=5),
        BayesianPersonalizedRanking(factors=4, random_state=0, num_threads=1),
        None,
    ],
    ids=["ALS", "item-kNN", "BPR", "None"],
)
def test_parts_of_an_explanation_add_up(collaborative):
    model = clone(BOTH).set_params(
        collaborative=collaborative, threshold=3, negative_weight=0.5
    )
    y = pd.DataFrame(
        {
            "user": [0, 0, 0, 1, 1, 2, 2],
            "item": [0, 1, 4, 4, 5, 0, 2],
            "rating": [5, 4, 1, 5, 5, 4, 5],
        }
    )
    model.fit(TEXTS, y).add_items(["kitten stock"])
    scores = model.recommend([0], 9, exclude_seen=False).set_index("item")["score"]
    for item in (2, 6, 8):
        why = model.explain(0, item)
        assert_allclose(why.score, scores[item])
        assert_allclose(sum(why.sources.values()), why.score)
        assert_allclose(why.topic_contributions.sum(), why.sources["topics"])
        missing = 0.0
        if hasattr(collaborative, "learning_rate"):  # BPR
            missing = why.sources["collaborative"]
        assert_allclose(why.history_contributions.sum() + missing, why.score)
        assert_allclose(why.item_mixture.sum(), 1)
        assert_allclose(why.user_mixture.sum(), 1)
        assert why.history_weights.tolist() == [1, 1, -0.5]
        for part in ("topics", "items", "sources"):
            frame = why.to_frame(part)
            assert frame["contribution"].is_monotonic_decreasing
        assert f"Item {item} for user 0" in repr(why)
    with pytest.raises(ValueError, match="part must be one of"):
        why.to_frame("words")


def test_collaboration_recommends_what_similar_users_like():
    likes = np.zeros((20, 8))
    likes[:10, [0, 4]] = 1  # an animal and a money text: no content tells this
    likes[10:, [2, 6]] = 1
    likes[0, 4] = 0
    model = clone(BOTH).set_params(weight=1.0).fit(TEXTS, likes)
    assert model.recommend([0], 1, items=[2, 4, 6])["item"].tolist() == [4]


def test_weights_are_chosen_on_held_out_likes(news):
    assert news.weight_scores_.keys() == {step / 10 for step in range(11)}
    assert max(news.weight_scores_.values()) == news.weight_scores_[news.weight_]
    best = news.new_item_weight_scores_[news.new_item_weight_]
    assert max(news.new_item_weight_scores_.values()) == best
    given = clone(BOTH).fit(TEXTS, LIKES)
    assert (given.weight_, given.new_item_weight_) == (0.5, 0.5)
    assert given.weight_scores_ == {}


def test_few_likes_leave_equal_weights():
    model = clone(BOTH).set_params(weight="auto").fit(TEXTS, np.eye(2, 8))
    assert (model.weight_, model.new_item_weight_) == (0.5, 0.5)


def test_vectors_of_the_topic_model_are_used():
    vectors = make_pipeline(TransformerEmbedder(), EmbeddingTopics(2, random_state=0))
    model = clone(CONTENT).set_params(model=vectors, n_word_features=0)
    why = model.fit(TEXTS, LIKES).explain(0, 2)
    assert list(why.sources) == ["topics", "vectors"]
    assert list(fit_small(LIKES, n_word_features=0).explain(0, 2).sources) == ["topics"]


def test_a_model_with_names_or_merged_topics_is_read():
    lsa = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0))
    fusion = FusionTopicModel(3, embedder=lsa, max_iter=5, random_state=0)
    merged = TopicMerger(fusion, groups=[[0, 1]])
    why = clone(CONTENT).set_params(model=merged).fit(TEXTS, LIKES).explain(0, 2)
    assert len(why.item_mixture) == 2
    assert "vectors" in why.sources
    assert all(len(words) for words in why.topic_words)


def test_a_fitted_model_is_kept_by_frozen_estimator():
    fusion = FusionTopicModel(
        2, embedder=make_pipeline(TfidfVectorizer(), TruncatedSVD(3)), max_iter=5
    )
    for inner in (clone(LDA), fusion):
        inner.fit(TEXTS)
        model = (
            clone(CONTENT).set_params(model=FrozenEstimator(inner)).fit(TEXTS, LIKES)
        )
        assert_array_equal(model.mixtures_, inner.transform(TEXTS))
        why = model.explain(0, 2)
        assert all(len(words) for words in why.topic_words)
        assert ("vectors" in why.sources) == (inner is fusion)


@pytest.mark.parametrize("known", [True, False])
def test_models_whose_first_steps_have_no_names_are_explained(known):
    hashing = HashingVectorizer(n_features=32, alternate_sign=False, norm=None)
    vectorizer = CountVectorizer() if known else hashing
    inner = make_pipeline(FunctionTransformer(), vectorizer, GibbsLDA(2, max_iter=5))
    words = clone(CONTENT).set_params(model=inner).fit(TEXTS, LIKES).explain(0, 2)
    assert [len(each) > 0 for each in words.topic_words] == [known] * 2
    first = [
        " ".join(each[:3]) or f"topic {k}" for k, each in enumerate(words.topic_words)
    ]
    assert words.topic_names == first
    assert set(words.to_frame("topics").name) == set(first)
    assert any(f"  {name}: " in repr(words) for name in first)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN"), (-1.0, "egative")])
def test_topic_models_that_give_no_proportions_are_refused(value, message):
    wrong = FunctionTransformer(lambda X: np.full((X.shape[0], 2), value))
    model = clone(CONTENT).set_params(model=make_pipeline(CountVectorizer(), wrong))
    with pytest.raises(ValueError, match=message):
        model.fit(TEXTS, LIKES)


@pytest.mark.parametrize("case", ["new user", "likes of new items", "dislikes"])
def test_users_unknown_to_the_collaborative_side_get_content_alone(case):
    content = clone(CONTENT).set_params(threshold=3, negative_weight=1.0)
    bpr = BayesianPersonalizedRanking(factors=4, random_state=0, num_threads=1)
    model = clone(content).set_params(weight=1.0)
    collaborative = {
        "new user": bpr,
        "likes of new items": CosineRecommender(K=5),
        "dislikes": ALS,
    }
    model.set_params(collaborative=collaborative[case])
    y = pd.DataFrame(
        {"user": [0, 0, 1, 2], "item": [0, 1, 4, 4], "rating": [5, 5, 1, 5]}
    )
    likes = {"new user": [4], "likes of new items": [8], "dislikes": None}[case]
    users = [1] if case == "dislikes" else None
    found, expected = (
        each.fit(TEXTS, y).add_items(["share bank"]).recommend(users, 9, likes=likes)
        for each in (model, content)
    )
    assert_frame_equal(found, expected)
    if case == "dislikes":
        why = model.explain(1, 0)
        score = found.set_index("item")["score"][0]
        assert_allclose([why.score, why.history_contributions.sum()], score)


def test_neighbors_of_new_items_are_as_few_as_those_of_others(planted_tastes):
    texts, _, likes = planted_tastes
    model = TopicRecommender(
        LDA, collaborative=CosineRecommender(K=5), weight=0.5, random_state=0
    )
    items = model.fit(texts, likes)._scorer.collaborative.items
    n = np.diff(items[np.flatnonzero(~model._scorer.known)].indptr)
    assert 0 < n.max() <= 5


def test_nested_parameters_are_reached():
    model = clone(CONTENT).set_params(model__gibbslda__n_components=3)
    assert model.fit(TEXTS, LIKES).mixtures_.shape == (8, 3)
    with pytest.raises(ValueError, match="model__n_components cannot be set"):
        TopicRecommender().set_params(model__n_components=3)


def test_recent_likes_count_more():
    y = pd.DataFrame({"user": [0, 0], "item": [0, 4], "time": [0.0, 10.0]})
    even = fit_small(y)
    recent = fit_small(y, half_life=1.0)
    assert_allclose(even.explain(0, 2).history_weights, [1, 1])
    assert_allclose(recent.explain(0, 2).history_weights, [2.0**-10, 1])
    assert recent.recommend(n_items=1)["item"][0] in (5, 6, 7)
    days = y.assign(time=pd.to_datetime(["2024-01-01", "2024-01-11"]))
    assert_frame_equal(fit_small(days, half_life=1.0).recommend(), recent.recommend())


@pytest.mark.parametrize("kind", ["zone", "date", "polars"])
def test_every_kind_of_time_is_read(kind):
    days = pd.to_datetime(pd.Series(["2024-01-01", "2024-01-11"]), utc=kind == "zone")
    y = pd.DataFrame({"user": [0, 0], "item": [0, 4], "time": days})
    if kind == "date":
        y["time"] = [date(2024, 1, 1), date(2024, 1, 11)]
    if kind == "polars":
        y = pl.DataFrame(y).with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    found = fit_small(y, half_life=10.0).explain(0, 2)
    assert_allclose(found.history_weights, [0.5, 1])


def test_held_out_ratings_are_compared_with_the_mean_of_fit():
    y = pd.DataFrame(
        {"user": [0, 0, 1, 1], "item": [0, 4, 1, 5], "rating": [5, 1, 5, 1]}
    )
    model = fit_small(y, threshold="mean")
    low = pd.DataFrame({"user": [0], "item": [1], "rating": [2]})
    with pytest.raises(ValueError, match="no like to evaluate"):
        model.score(TEXTS, low)
    assert model.score(TEXTS, low.assign(rating=4)) == 1


def test_held_out_likes_of_seen_items_do_not_count():
    model = fit_small(np.eye(1, 8))
    held = np.zeros((1, 8))
    held[0, :2] = 1
    both = model.score(TEXTS, held)
    held[0, 0] = 0
    assert both == model.score(TEXTS, held) > 0
    with pytest.raises(ValueError, match="not seen in fit"):
        model.score(TEXTS, np.eye(1, 8))
    assert model.score(TEXTS, held, k=10**12) == both


def test_weights_are_not_chosen_on_items_that_the_user_has_seen():
    """What was kept is not recommended, so it cannot count as missed."""
    y = pd.DataFrame({"user": [0] * 5 + [1] * 5, "item": [0, 1, 2, 3, 0] * 2})
    y["time"] = range(10)  # the last is a repetition of the first
    given = clone(CONTENT).get_params(deep=False)
    found = read_interactions(y, range(8), SimpleNamespace(**given))
    warm, _ = choose_weights(found, np.eye(8), 1.0, lambda weights: None, 0)
    assert warm == {}


def test_negatives_push_away():
    y = pd.DataFrame({"user": [0, 0], "item": [0, 4], "rating": [5, 1]})

    def money(**settings):
        scores = fit_small(y, threshold="mean", **settings).recommend(
            exclude_seen=False
        )
        return scores.set_index("item")["score"][[5, 6, 7]].mean()

    assert money(negative_weight=1.0) < money() - 0.1


def test_equal_ratings_are_all_likes_by_their_mean():
    y = table(rating=[3.3, 3.3, 3.3])
    assert fit_small(y, threshold="mean").explain("a", 3).history == [0, 1]


# inputs ------------------------------------------------------------------------------------


def as_table(kind):
    users, items = LIKES.nonzero()
    return kind({"user": users.tolist(), "item": items.tolist()})


@pytest.mark.parametrize(
    "y",
    [
        LIKES.tolist(),
        LIKES.astype(bool),
        sp.csr_matrix(LIKES),
        sp.csc_array(LIKES),
        sp.coo_array(LIKES),
        pd.DataFrame(LIKES.astype(int)).to_numpy(),
        as_table(pd.DataFrame),
        as_table(pl.DataFrame),
    ],
)
def test_every_kind_of_interactions_gives_the_same(y):
    expected = fit_small(LIKES).recommend(range(5), 3)
    assert_frame_equal(fit_small(y).recommend(range(5), 3), expected)


def test_items_are_named_by_the_index_of_a_series_or_by_ids():
    names = list("abcdefgh")
    y = pd.DataFrame({"user": ["x", "x"], "item": ["a", "b"]})
    by_index = clone(CONTENT).fit(pd.Series(TEXTS, index=names), y)
    by_ids = clone(CONTENT).fit(TEXTS, y, item_ids=np.array(names))
    assert_frame_equal(by_index.recommend(), by_ids.recommend())
    assert by_index.recommend("x", 1)["item"][0] in {"c", "d"}
    with pytest.raises(ValueError, match="add_items needs item_ids"):
        by_ids.add_items(["cat"])
    by_ids.add_items(pd.Series(["cat puppy"], index=["new"]))
    assert by_ids.recommend("x", 1, items=["new", "h"])["item"][0] == "new"
    with pytest.raises(ValueError, match=r"'new' in row 1.*already"):
        by_ids.add_items(["cat", "dog"], item_ids=["newer", "new"])


def test_tuples_are_ids():
    ids = pd.MultiIndex.from_product([["a", "b"], range(4)])
    model = clone(CONTENT).fit(pd.Series(TEXTS, index=ids), LIKES)
    one, same = (model.similar_items(each, 3) for each in (("a", 1), [("a", 1)]))
    assert_frame_equal(one, same)
    assert one["similar"].tolist()[0][0] == "a"


def test_repeated_interactions_are_summed():
    twice = pd.DataFrame({"user": [0, 0, 0], "item": [0, 0, 4]})
    assert fit_small(twice).explain(0, 2).history_weights.tolist() == [2, 1]


def test_zeros_of_a_matrix_are_no_interaction():
    stored = sp.csr_array(LIKES + 1)
    stored.data -= 1
    given = stored.copy()
    found = fit_small(stored, threshold=1.0).recommend([0], 8)
    assert len(found) == 6
    assert_array_equal(stored.toarray(), given.toarray())
    assert stored.nnz == 48  # the input is as it was


def test_repeated_entries_of_a_sparse_matrix_are_one_rating():
    y = sp.coo_array(([3, 2, 1], ([0, 0, 0], [0, 0, 4])), shape=(1, 8))
    model = fit_small(y, threshold=4)
    assert model.explain(0, 2).history == [0]
    assert y.nnz == 3  # the input is as it was


def test_users_without_likes_get_what_is_popular():
    likes = LIKES.copy()
    likes[0, 7] = likes[1, 7] = likes[3, 7] = likes[4, 7] = 1
    model = fit_small(likes)
    found = model.recommend([5], 2)
    assert found["item"].tolist()[0] == 7
    assert found["score"].tolist() == [4, 3]
    assert_allclose(model.user_mixtures_[5], 0.5)
    with pytest.raises(ValueError, match="user 5 has no likes"):
        model.explain(5, 0)


def test_fewer_rows_where_there_are_fewer_items():
    found = fit_small(LIKES).recommend([0, 5], 100)
    assert found["user"].value_counts().to_dict() == {0: 6, 5: 8}
    assert len(fit_small(LIKES).similar_items(0, 100)) == 7


BAD = {
    "no like": (np.zeros((2, 8)), {}, "y has no like"),
    "below the threshold": (table(rating=[1, 2, 1]), {"threshold": 3}, "no like"),
    "width": (np.ones((2, 5)), {}, "5 columns, and there are 8 items"),
    "negative": (-np.eye(3, 8), {}, r"-1.0 in row 0, column 0.*set threshold"),
    "negative in a table": (table(rating=[1, -2, 1]), {}, r"-2.0 in row 1, which"),
    "NaN": (np.where(np.eye(3, 8), np.nan, 0), {}, "row 0, column 0, which is not"),
    "NaN rating": (table(rating=[1, np.nan, 1]), {}, "rating 'nan' in row 1"),
    "text rating": (table(rating=["1", "much", "2"]), {}, "rating '1' in row 0"),
    "unknown item": (table().assign(item=[0, 99, 4]), {}, "item 99 in row 1"),
    "no user": (table().assign(user=["a", None, "b"]), {}, "no user in row 1"),
    "NaT for a user": (
        table().assign(user=pd.to_datetime(["2024-01-01", None, "2024-01-02"])),
        {},
        "no user in row 1",
    ),
    "dates as ratings": (
        table(rating=pd.to_datetime(["2024-01-01"] * 3)),
        {},
        "rating .* in row 0, which is not a number:",
    ),
    "no item column": (table().drop(columns="item"), {}, "no column item"),
    "no user column": (table().drop(columns="user"), {}, "columns user and item"),
    "text times": (table(time=["a", "b", "c"]), {}, "time 'a' in row 0"),
    "missing times": (
        table(time=pd.to_datetime(["2024-01-01", None, "2024-01-02"])),
        {},
        "time .*NaT.* in row 1",
    ),
    "no times": (table(), {"half_life": 2.0}, "half_life needs times"),
    "negatives without threshold": (table(), {"negative_weight": 1.0}, "threshold"),
    "one dimension": (np.ones(8), {}, "one row per user"),
    "texts": ([["a"] * 8], {}, "matrix of numbers"),
    "half-life": (table(), {"half_life": 0}, "half_life"),
    "weight": (table(), {"weight": 2}, "weight"),
    "collaborative": (table(), {"collaborative": "svd"}, "collaborative"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_interactions_are_refused_and_the_old_fit_stays(case):
    y, settings, message = BAD[case]
    model = fit_small(LIKES)
    before = model.recommend()
    with pytest.raises(ValueError, match=message):
        model.set_params(**settings).fit(TEXTS, y)
    assert_frame_equal(model.recommend(), before)


def test_bad_requests_are_refused():
    model = fit_small(LIKES)
    with pytest.raises(ValueError, match="users has 'nobody' in place 1"):
        model.recommend([0, "nobody"])
    with pytest.raises(ValueError, match="items has 99 in place 0"):
        model.recommend(items=[99])
    with pytest.raises(ValueError, match="likes has 99 in place 1"):
        model.recommend(likes=[0, 99])
    with pytest.raises(ValueError, match="n_items"):
        model.recommend(n_items=0)
    with pytest.raises(ValueError, match="diversity"):
        model.recommend(diversity=2)
    with pytest.raises(ValueError, match="users and likes"):
        model.recommend([0], likes=[1])
    with pytest.raises(ValueError, match="item has 99"):
        model.explain(0, 99)
    with pytest.raises(ValueError, match=r"likes has \[1\] in place 0"):
        model.recommend(likes=[[1], [2]])
    with pytest.raises(ValueError, match=r"has \[0\] in row 0, which is no id"):
        clone(CONTENT).fit(TEXTS, LIKES, item_ids=[[i] for i in range(8)])
    with pytest.raises(ValueError, match="3 ids for 8 texts"):
        clone(CONTENT).fit(TEXTS, LIKES, item_ids=[1, 2, 3])
    with pytest.raises(ValueError, match="'a' more than once, last in row 3"):
        clone(CONTENT).fit(TEXTS, LIKES, item_ids=list("abcaefgh"))


def test_without_implicit_an_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit.als", None)
    with pytest.raises(
        ImportError, match=r"llmtopics\[recommend\].*collaborative=None"
    ):
        clone(CONTENT).set_params(collaborative="als").fit(TEXTS, LIKES)
    fit_small(LIKES)


# the contract --------------------------------------------------------------------------------


def test_same_seed_same_bits_for_every_n_jobs(planted_tastes):
    texts, _, likes = planted_tastes
    settings = {"weight": 0.5, "random_state": 0}
    first, *others = (
        TopicRecommender(LDA, n_jobs=n_jobs, **settings).fit(texts, likes).recommend()
        for n_jobs in (None, 1, 2)
    )
    for other in others:
        assert_array_equal(other["score"], first["score"])
        assert_array_equal(other["item"], first["item"])


def test_users_do_not_depend_on_the_others_asked(news):
    users = news.user_ids_[:7]
    together = news.recommend(users, 4)
    for user in users:
        alone = news.recommend([user], 4)
        mine = together[together["user"] == user].reset_index(drop=True)
        assert_frame_equal(alone, mine)


def test_a_blank_text_is_an_item():
    model = clone(CONTENT).fit([*TEXTS, ""], np.eye(3, 9))
    found = model.recommend([0], 9)
    assert np.isfinite(found["score"]).all()
    assert 8 in found["item"].tolist()


def test_few_likes_do_not_make_all_factors_zero():
    rng = np.random.default_rng(0)
    likes = sp.lil_array((40, 100))
    for user in range(40):
        likes[user, rng.choice(20, 8, replace=False) + 20 * (user % 5)] = 1
    texts = [f"text {item}" for item in range(100)]
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=5, random_state=0))
    made = TopicRecommender(model, weight=1, random_state=0).fit(texts, likes.tocsr())
    found = made.recommend(n_items=5)
    assert ((found.item // 20) == (found.user % 5)).mean() > 0.9


def test_times_may_be_iso_text():
    texts = ["cat dog", "dog puppy", "bank stock", "stock share"]
    model = make_pipeline(CountVectorizer(), NMF(2, init="nndsvda", random_state=0))
    settings = {"collaborative": None, "half_life": 10, "random_state": 0}
    likes = pd.DataFrame({"user": [0, 0], "item": [0, 2]})
    found = [
        TopicRecommender(model, **settings)
        .fit(texts, likes.assign(time=times))
        .recommend(exclude_seen=False)
        for times in (["2025-01-01", "2025-02-01"], [0, 31])
    ]
    assert_allclose(found[0].score, found[1].score)


def test_ease_is_ridge_regression_of_each_item_on_the_others():
    rng = np.random.default_rng(0)
    likes = (rng.random((30, 8)) < 0.4).astype(float)
    found = collaborative.fit_ease(sp.csr_array(likes)).items
    for item in range(8):
        others = np.delete(np.arange(8), item)
        X = likes[:, others]
        gram = X.T @ X + collaborative._EASE * np.eye(7)
        expected = np.linalg.solve(gram, X.T @ likes[:, item])
        assert_allclose(found[item, others], expected)
        assert found[item, item] == 0


def test_ease_recommends_explains_and_knows_new_users():
    rng = np.random.default_rng(0)
    likes = sp.lil_array((60, 50))
    for user in range(60):
        likes[user, rng.choice(10, 6, replace=False) + 10 * (user % 5)] = 1
    texts = [f"text {item}" for item in range(50)]
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=5, random_state=0))
    made = TopicRecommender(model, collaborative="ease", weight=0.9, random_state=0)
    made.fit(texts, likes.tocsr())
    found = made.recommend(n_items=4)
    assert ((found.item // 10) == (found.user % 5)).all()
    new = made.recommend(likes=[0, 1, 2], n_items=5)
    assert (new.item < 10).all()
    why = made.explain(0, int(found.item[0]))
    assert_allclose(why.to_frame("sources").iloc[:, -1].sum(), found.score[0])
    made.add_items(["text 3", "text 4"])
    assert len(made.recommend([0], n_items=2, items=[50, 51])) == 2


def test_ease_refuses_too_many_items(monkeypatch):
    monkeypatch.setattr(collaborative, "_MOST_ITEMS", 7)
    with pytest.raises(ValueError, match=r"there are 8 items\. Use 'als'"):
        collaborative.fit_ease(sp.csr_array(np.eye(8)))
