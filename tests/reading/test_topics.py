"""Tables, documents, groups and times of planted topics."""

import io
import json
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TransformerEmbedder,
    explain,
    load,
    read_topics,
    save,
)
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import coherence, exclusivity

NEWS = load_bbc_news()
ROWS = np.random.default_rng(0).permutation(len(NEWS.data))[:150]
TEXTS = [NEWS.data[i] for i in ROWS]
LABELS = [NEWS.target_names[NEWS.target[i]] for i in ROWS]
YEARS = [2001 + i % 3 for i in range(len(TEXTS))]
K = 5


@pytest.fixture(scope="module")
def model():
    return FusionTopicModel(K, random_state=0).fit(TEXTS)


@pytest.fixture(scope="module")
def topics(model):
    return read_topics(model, TEXTS, labels=LABELS, times=YEARS)


def numbers(frame):
    return frame.select_dtypes("number").to_numpy()


def test_numbers_and_words_are_those_of_the_model(model, topics):
    theta = model.transform(TEXTS)
    assert_allclose(topics.mixtures, theta)
    table = topics.topic_table()
    assert [row.split() for row in table.words] == model.top_words()
    assert_allclose(table.share, theta.mean(axis=0))
    assert_array_equal(
        table.n_documents, np.bincount(theta.argmax(axis=1), minlength=K)
    )
    counts = model.vectorizer_.transform(TEXTS)
    assert_allclose(
        table.coherence,
        coherence(model.top_words(), counts, model.vocabulary_, window_size=None),
    )
    assert_allclose(table.exclusivity, exclusivity(model.components_))
    assert "(0.0" in topics.topic_table(weights=True).words[0]


def test_document_table(topics):
    table = topics.document_table(n_characters=20)
    theta = topics.mixtures
    assert_array_equal(table.topic, theta.argmax(axis=1))
    assert_allclose(table.share, theta.max(axis=1))
    assert (table.second_share <= table.share).all()
    assert (table.second_topic != table.topic).all()
    assert table.entropy.between(0, 1).all()
    assert list(table.label) == LABELS
    assert table.text.str.len().max() <= 20
    assert [topics.names[k] for k in table.topic] == list(table.name)
    assert list(topics.document_table(n_characters=None).text) == TEXTS


@pytest.mark.parametrize("kind", ["timestamps", "periods", "a series", "none"])
def test_topics_with_times_of_pandas_are_saved(topics, tmp_path, kind):
    times = list(pd.to_datetime([f"{year}-05-01" for year in YEARS]))
    times[0] = pd.NaT
    if kind == "periods":
        times = [each if each is pd.NaT else each.to_period("Q") for each in times]
    if kind == "a series":
        times = pd.Series(times)
    if kind == "none":
        times = [pd.NA] * len(times)
    dated = read_topics(topics.model, TEXTS, times=times)
    save(dated, tmp_path / "topics")
    again = load(tmp_path / "topics")
    assert list(again.times) == list(dated.times)
    if kind != "none":
        pd.testing.assert_frame_equal(
            again.over(missing="drop"), dated.over(missing="drop")
        )
        assert again.times[0] is None


def test_tables_survive_csv(topics):
    for table in (topics.topic_table(), topics.document_table(), topics.by()):
        again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
        assert list(again.columns) == list(table.columns)
        assert_allclose(numbers(again), numbers(table))
        assert not again.isna().to_numpy().any()


def test_words_and_representative_documents(topics, model):
    words = topics.words(2, 7)
    assert list(words.word) == model.top_words(7)[2]
    column = {word: w for w, word in enumerate(model.vocabulary_)}
    assert_allclose(words.weight, [model.components_[2, column[w]] for w in words.word])
    found = topics.representative(2, 4)
    theta = topics.mixtures
    assert (theta[found.document].argmax(axis=1) == 2).all()
    assert found.share.is_monotonic_decreasing
    assert_allclose(found.share, theta[found.document, 2])
    assert [TEXTS[d] for d in found.document] == list(found.text)
    assert topics.representative(topics.names[2], 4).equals(found)


def test_diversity_avoids_copies():
    texts = [f"cat dog cat dog{i * '!'}" for i in range(5)]  # alike, not equal
    texts += ["cat bird bird"] * 2 + ["bank loan"] * 5
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(model, texts)
    pets = topics.find("cat").topic[0]
    assert all("dog" in text for text in topics.representative(pets, 2).text)
    varied = topics.representative(pets, 2, diversity=0.5).text
    assert sum("dog" in text for text in varied) == 1


def test_find_topics_and_documents(topics):
    sport = topics.find("football match").topic[0]
    documents = topics.find_documents("football match", 3)
    assert {LABELS[d] for d in documents.document} == {"sports"}
    assert LABELS[topics.representative(sport, 1).document[0]] == "sports"
    assert topics.find("zzyzx").score.is_monotonic_decreasing  # by its vector
    assert_allclose(topics.find("film", K).score.sum(), 1)
    for query in ["", "  ", None, 3]:
        with pytest.raises(ValueError, match="query must be a text"):
            topics.find(query)
        with pytest.raises(ValueError, match="query must be a text"):
            topics.find_documents(query)


def test_find_without_an_embedder():
    model = make_pipeline(CountVectorizer(min_df=2), GibbsLDA(K, random_state=0))
    topics = read_topics(model.fit(TEXTS), TEXTS)
    assert LABELS[topics.find_documents("film actor", 1).document[0]] == "entertainment"
    assert topics.find("election").score[0] > 0.5
    with pytest.raises(ValueError, match="No word of the query 'zzyzx'"):
        topics.find("zzyzx")
    with pytest.raises(ValueError, match="No word of the query 'zzyzx'"):
        topics.find_documents("zzyzx")


def test_nearest_topics(topics):
    near = topics.nearest(0, 3)
    assert 0 not in set(near.topic)
    assert near.distance.is_monotonic_increasing
    assert near.distance.between(0, 1).all()


def test_groups(topics):
    table = topics.by()
    assert_allclose(table.groupby("group").share.sum(), 1)
    assert (table.low <= table.share).all()
    assert (table.share <= table.high).all()
    labels = np.array(LABELS)
    sport = table[table.group == "sports"]
    assert_allclose(sport.share, topics.mixtures[labels == "sports"].mean(axis=0))
    assert (sport.n_documents == (labels == "sports").sum()).all()
    assert topics.by().equals(table)  # the same seed
    wide, narrow = (topics.by(confidence=c) for c in (0.99, 0.5))
    assert ((wide.high - wide.low) > (narrow.high - narrow.low)).all()
    for column in (pd.Series(LABELS, index=range(9, 159)), pl.Series(LABELS)):
        assert topics.by(column).equals(table)


def test_intervals_cover_the_true_mean():
    rng = np.random.default_rng(0)
    from llmtopics.reading._groups import intervals

    covered = [
        low[0] <= 0.25 <= high[0]
        for low, high in (
            intervals(rng.dirichlet([1, 1, 1, 1], size=60), 300, 0.9, rng)
            for _ in range(200)
        )
    ]
    assert 0.82 < np.mean(covered) < 0.96


def test_one_group_and_small_groups(topics):
    one = topics.by(["all"] * len(TEXTS))
    assert_allclose(one.share, topics.mixtures.mean(axis=0))
    alone = topics.by(["a"] + ["b"] * (len(TEXTS) - 1))
    a = alone[alone.group == "a"]
    assert (a.low == 0).all()
    assert (a.high == 1).all()
    mixed = topics.by([1, "b"] * (len(TEXTS) // 2))
    assert set(mixed.group) == {1, "b"}


def test_missing_groups_and_times(topics):
    groups = [None, np.nan, *LABELS[2:]]
    with pytest.raises(ValueError, match=r"labels has no value in row 0 \(2 of 150"):
        topics.by(groups)
    found = topics.by(groups, missing="drop")
    assert found.groupby("group").n_documents.first().sum() == len(TEXTS) - 2
    years = [float("nan"), *map(float, YEARS[1:])]
    assert topics.over(years, freq="Y", missing="drop").period.nunique() == 3
    with pytest.raises(ValueError, match="no value in any row"):
        topics.by([None] * len(TEXTS), missing="drop")
    with pytest.raises(ValueError, match="missing must be"):
        topics.by(missing="ignore")


def test_time(topics):
    table = topics.over(freq="Y", smooth=1)
    assert list(table.period.dt.year.unique()) == [2001, 2002, 2003]
    years = np.array(YEARS)
    assert_allclose(
        table.share[table.period.dt.year == 2002],
        topics.mixtures[years == 2002].mean(axis=0),
    )
    smooth = topics.over(freq="Y", smooth=3)
    middle = smooth.period.dt.year == 2002
    assert_allclose(smooth.share[middle], topics.mixtures.mean(axis=0))
    assert ((smooth.low <= smooth.share) & (smooth.share <= smooth.high)).all()
    widths = [(each.high - each.low).mean() for each in (smooth, table)]
    assert widths[0] < widths[1]
    assert list(smooth.n_documents) == list(table.n_documents)
    assert list(smooth.words) == list(table.words)
    here = {
        word
        for d in np.flatnonzero(years == 2001)
        for word in topics.model.vectorizer_.build_analyzer()(TEXTS[d])
    }
    first = table[table.period.dt.year == 2001]
    assert {word for words in first.words for word in words.split()} <= here


@pytest.mark.parametrize(
    ("times", "same"),
    [
        (["2001-03-05", "2002-07-01"], True),
        ([np.datetime64("2001-03-05"), np.datetime64("2002-07-01")], True),
        (pd.to_datetime(["2001-03-05T00:00Z", "2002-07-01T00:00Z"]), True),
        ([2001, 2002.0], True),
        ([pd.Period("2001-03"), pd.Period("2002-07")], True),
        (["2001-03-05", "2003-07-01"], False),
    ],
)
def test_times_of_any_kind(topics, times, same):
    times = [*times] * (len(TEXTS) // 2)
    table = topics.over(times, freq="Y")
    assert (list(table.period.dt.year.unique()) == [2001, 2002]) == same


@pytest.mark.parametrize(
    "wrong",
    [
        "soon",
        "03.04.2004",
        "3/4/2004",
        True,
        2001.5,
        -3,
        object(),
        "",
        "NaT",
        "now",
        "May",
        "May 5",
    ],
)
def test_times_that_cannot_be_read(topics, wrong):
    times = [*YEARS[:7], wrong, *YEARS[8:]]
    with pytest.raises(ValueError, match="in row 7, which is no date and no year"):
        topics.over(times)


def test_words_of_a_time_are_counted_in_it():
    early = ["phone landline phone call", "phone landline call"] * 10
    late = ["phone mobile phone call", "phone mobile call"] * 10
    other = ["soup bread soup", "bread soup butter"] * 20
    texts = early + late + other
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(
        model, texts, times=[1990] * 20 + [2020] * 20 + [1990, 2020] * 20
    )
    phones = topics.find("phone").topic[0]
    table = topics.over(freq="Y")
    words = table[table.topic == phones].words.str.split().to_list()
    assert "landline" in words[0]
    assert "mobile" not in words[0]
    assert "mobile" in words[1]
    assert "landline" not in words[1]


def test_compare_finds_the_same_topics_in_another_order(model, topics):
    order = [3, 0, 4, 1, 2]
    other = topics.merge(order="size")
    table = topics.compare(other)
    assert_allclose(table.distance, 0, atol=1e-6)
    assert_array_equal(table.other_topic, other.model.mapping_)
    assert_array_equal(table.n_kept, table.n_documents)
    fewer = topics.merge([order[:2]])
    table = topics.compare(fewer)
    assert (table.other_topic < 0).sum() == 1
    assert table.distance.max() == 1
    assert not table.isna().to_numpy().any()
    with pytest.raises(TypeError, match="compare takes Topics"):
        topics.compare(model)


def test_unnamed_topics_have_one_label_everywhere(model, topics):
    assert explain(model, TEXTS[0]).topic_names == topics.names
    merged = topics.merge([[0, 1]])
    assert explain(merged.model, TEXTS[0]).topic_names == merged.names
    numbered = [f"fusiontopicmodel{k}" for k in range(K)]
    assert model.get_feature_names_out().tolist() == numbered


def test_equal_texts_are_shown_once(model):
    texts, n_texts = [*TEXTS, *[TEXTS[3]] * 4], len(TEXTS)
    topics = read_topics(model, texts)
    for diversity in (0.0, 0.5):
        k = topics.first_topics[3]
        found = topics.representative(k, n_texts + 4, diversity=diversity)
        assert sorted(found.document) == list(range(n_texts))
    listed = topics.to_dict(n_documents=n_texts + 4)["topics"][0]["documents"]
    assert len(listed) == n_texts


def test_names_travel(topics):
    named = topics.rename({2: "Number two", topics.names[0]: "First"})
    assert topics.names[2] != "Number two"  # these topics stay as they are
    assert named.names[2] == "Number two"
    assert list(named.topic_table().name) == named.names
    assert named.words("Number two").equals(topics.words(2))
    model = named.model
    assert list(model.get_feature_names_out()) == named.names
    assert explain(model, TEXTS[0]).topic_names == named.names
    assert named.names[model.transform(TEXTS[:1]).argmax()] in repr(
        explain(model, TEXTS[0])
    )
    pipeline = make_pipeline(model, LogisticRegression()).fit(TEXTS, LABELS)
    assert list(pipeline[:-1].get_feature_names_out()) == named.names
    assert (
        list(pickle.loads(pickle.dumps(model)).get_feature_names_out()) == named.names
    )
    frame = model.set_output(transform="pandas").transform(TEXTS[:2])
    assert list(frame.columns) == named.names
    assert_allclose(frame.to_numpy(), topics.mixtures[:2])
    assert read_topics(model, TEXTS).names == named.names
    assert list(clone(model).fit(TEXTS, None).get_feature_names_out()) == named.names
    merger = model.estimator
    assert clone(merger).fit(TEXTS).names_ is None  # a new fit, new topics
    for names in (list("abcde"), pd.Series(list("abcde"), index=range(5, 10))):
        assert topics.rename(names).names == list("abcde")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({9: "x"}, "no topic 9"),
        ({"nobody": "x"}, "No topic has the name 'nobody'"),
        ({0: " "}, "topic 0 must be a text that is not blank"),
        ({0: 3}, "topic 0 must be a text"),
        ({0: "x", 1: "x"}, "Topics 0 and 1 have the same name 'x'"),
        ({1.5: "x"}, "A topic is a number"),
        (["x"], "1 names were given for 5 topics"),
        ("abcde", "names must be a list of str"),
    ],
)
def test_wrong_names(topics, names, message):
    with pytest.raises(ValueError, match=message):
        topics.rename(names)


def test_plain_dict_is_what_the_views_show(topics):
    made = json.loads(topics.to_json(n_words=10))
    table = topics.topic_table()
    assert made["n_documents"] == len(TEXTS)
    assert [topic["name"] for topic in made["topics"]] == list(table.name)
    assert [
        " ".join(word["word"] for word in topic["words"]) for topic in made["topics"]
    ] == list(table.words)
    assert made["topics"][0]["documents"][0]["title"] == table.representative[0]


def test_text_and_html(topics, tmp_path):
    text = repr(topics)
    assert "5 topics of 150 documents" in text
    assert text.count("\n") == K
    html = topics.rename({0: "<script>alert(1)</script>"})._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    topics.to_json(tmp_path / "topics.json")
    assert json.loads((tmp_path / "topics.json").read_text("utf-8"))["topics"]


def test_other_views(topics):
    made = topics.to_pyldavis()
    assert_allclose(made["topic_term_dists"].sum(axis=1), 1)
    assert made["doc_topic_dists"].shape == (len(TEXTS), K)
    assert len(made["vocab"]) == len(made["term_frequency"])
    assert made["doc_lengths"].sum() == made["term_frequency"].sum()
    made = topics.to_topicwizard()
    assert made["document_term_matrix"].shape == (len(TEXTS), len(made["vocab"]))
    assert_allclose(made["transform"](TEXTS[:2]), topics.mixtures[:2])


def test_super_topics():
    texts = TEXTS[:60]
    model = make_pipeline(
        CountVectorizer(min_df=2),
        PachinkoAllocation(6, n_super_components=2, max_iter=30, random_state=0),
    ).fit(texts)
    below, above = (read_topics(model, texts, super_topics=s) for s in (False, True))
    assert (len(below.names), len(above.names)) == (6, 2)
    assert_allclose(above.mixtures.sum(axis=1), 1)
    assert_allclose(above.topic_table().share.sum(), 1)
    assert_array_equal(above.model.transform(texts), above.mixtures)
    assert above.find(above.words(1).word[0], 2).shape == (2, 4)
    why = explain(above.model, texts[0])
    parts = why.word_contributions.sum(axis=0) + why.prior_contribution
    assert_allclose(parts, why.mixture, atol=1e-9)
    assert_allclose(why.mixture, above.mixtures[0], atol=1e-9)
    assert why.notes == ()
    named = above.rename({1: "All"})
    assert explain(named.model, texts[0]).topic_names[1] == "All"
    assert_allclose(named.model.transform(texts), above.mixtures)
    assert_allclose(named.merge([[0, 1]]).mixtures, 1)
    again = pickle.loads(pickle.dumps(named.model))
    assert_array_equal(again.transform(texts), named.model.transform(texts))
    with pytest.raises(ValueError, match="needs a PachinkoAllocation"):
        read_topics(
            make_pipeline(*model[:1], GibbsLDA(2)).fit(texts), texts, super_topics=True
        )


def test_a_model_without_words_gets_those_of_the_texts():
    model = make_pipeline(TransformerEmbedder(), EmbeddingTopics(K, random_state=0))
    topics = read_topics(model.fit(TEXTS), TEXTS)
    best = topics.find("football match").topic[0]
    assert LABELS[topics.representative(best, 1).document[0]] == "sports"
    assert all(len(words.split()) == 10 for words in topics.topic_table().words)
    merged = topics.merge(n_components=2)
    assert merged.mixtures.shape == (len(TEXTS), 2)
    assert_allclose(merged.model.transform(TEXTS), merged.mixtures)


def test_one_topic():
    model = make_pipeline(CountVectorizer(), NMF(1)).fit(TEXTS[:20])
    topics = read_topics(model, TEXTS[:20], labels=["a", "b"] * 10, times=YEARS[:20])
    assert topics.topic_table().share[0] == pytest.approx(1)
    assert list(topics.document_table().entropy) == [0] * 20
    assert len(topics.nearest(0)) == 0
    assert (topics.by().share == 1).all()
    assert (topics.over().share == 1).all()
    assert topics.find("the").score[0] == pytest.approx(1)
    assert topics.merge(n_components=1).names == topics.names
    assert repr(topics)


def test_topics_without_documents_or_words():
    texts = ["cat dog"] * 5 + ["bank loan"] * 5 + ["", "zzz"]
    model = make_pipeline(CountVectorizer(min_df=2), GibbsLDA(6, random_state=0))
    topics = read_topics(model.fit(texts), texts)
    table = topics.topic_table()
    assert table.share.sum() == pytest.approx(1)
    assert not table.share.isna().any()
    assert (table.n_documents == 0).any()
    model = make_pipeline(
        CountVectorizer(min_df=2), NMF(4, init="random", random_state=0)
    )
    topics = read_topics(model.fit(texts), texts)  # some have no weight
    assert_allclose(topics.mixtures.sum(axis=1), 1)
    assert len(topics.topic_table()) == 4
    assert json.loads(topics.to_json())
    assert len(set(topics.names)) == 4
    assert topics.compare(topics).distance.notna().all()
    assert len(topics.merge(n_components=2).names) == 2
    assert len(topics.over([2000] * 12)) == 4


class Weights(TransformerMixin, BaseEstimator):
    """Transforms texts to given weights."""

    def __init__(self, weights):
        self.weights = weights

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return self.weights(X)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_weights_that_are_no_proportions_are_refused(value):
    def weights(X):
        return np.array([[1.0, 1.0]] * 4 + [[1.0, value]])

    pipe = make_pipeline(CountVectorizer(), Weights(weights)).fit(TEXTS[:5])
    with pytest.raises(
        ValueError, match="negative, missing or infinite weights, such as in row 4"
    ):
        read_topics(pipe, TEXTS[:5])
    pipe = make_pipeline(CountVectorizer(), TfidfTransformer()).fit(TEXTS[:5])
    with pytest.raises(ValueError, match="gives a sparse matrix"):
        read_topics(pipe, TEXTS[:5])


def test_texts_with_no_known_word():
    model = make_pipeline(CountVectorizer(), GibbsLDA(3, random_state=0))
    model.fit(["cat dog", "bank loan"] * 5)
    topics = read_topics(model, ["", "zzz"])
    assert topics.topic_table().coherence.isna().all()
    assert "3 topics of 2 documents" in repr(topics)
    assert len(topics.merge([[0, 1]]).names) == 2


def test_merged_topics_that_no_text_has_keep_their_words():
    texts = ["cat dog"] * 5 + ["bank loan"] * 5 + ["tree leaf"] * 5
    model = make_pipeline(CountVectorizer(), NMF(3, init="nndsvd")).fit(texts)
    cats = int(model.transform(["cat dog"])[0].argmax())
    topics = read_topics(model, texts[:5])
    other, unused = (k for k in range(3) if k != cats)
    assert topics.mixtures[:, unused].max() < 1e-12
    merged = topics.merge([[cats, other]])
    new = merged.model.mapping_[unused]
    assert_allclose(merged.components[new], topics.components[unused])
    merged = topics.merge([[other, unused]])
    new = merged.model.mapping_[unused]
    assert_allclose(
        merged.components[new], topics.components[[other, unused]].mean(axis=0)
    )


def test_vectors_are_found_after_a_step_that_gives_an_array_of_texts():
    lower = FunctionTransformer(lambda X: np.array([x.lower() for x in X], object))
    vectors = FunctionTransformer(lambda X: np.array([[x.count("c"), 1.0] for x in X]))
    model = make_pipeline(lower, vectors, EmbeddingTopics(2, random_state=0))
    texts = ["CCC cat", "dog"] * 5
    found = read_topics(model.fit(texts), texts).find_documents("ccc unknown", 1)
    assert_allclose(found.score, (3 * 4 + 1) / np.sqrt((9 + 1) * (16 + 1)))


def test_json_of_lone_surrogates_and_missing_titles(tmp_path):
    texts = [f"\ud800 cat{i * ' '}" for i in range(4)]
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(model, texts, titles=[None, np.nan, "a", pd.NA])
    topics.to_json(tmp_path / "topics.json", n_documents=4)
    made = json.loads((tmp_path / "topics.json").read_text("utf-8"))
    titles = {each["title"] for each in made["topics"][0]["documents"]}
    assert titles == {"? cat", "a"}


def test_long_names_stay_in_line(topics):
    named = read_topics(
        topics.model,
        TEXTS,
        mixtures=topics.mixtures,
        names=["very " * 40 + "long", *"bcde"],
    )
    lines = repr(named).splitlines()[1:]
    assert {line.index("%") for line in lines} == {9}
    assert lines[0].endswith("…")


def test_bad_input(model, topics):
    with pytest.raises(NotFittedError):
        read_topics(FusionTopicModel(3), TEXTS)
    with pytest.raises(NotFittedError):
        read_topics(make_pipeline(CountVectorizer(), GibbsLDA(3)), TEXTS)
    with pytest.raises(TypeError, match="needs a fitted topic model"):
        read_topics("model", TEXTS)
    clusters = make_pipeline(CountVectorizer(), KMeans(2)).fit(TEXTS)
    with pytest.raises(TypeError, match="gives distances from clusters"):
        read_topics(clusters, TEXTS)
    with pytest.raises(TypeError, match="needs a fitted topic model"):
        read_topics(FusionTopicModel, TEXTS)
    counts = CountVectorizer().fit_transform(TEXTS)
    with pytest.raises(TypeError, match="GibbsLDA reads numbers: pass make_pipeline"):
        read_topics(GibbsLDA(2, max_iter=5).fit(counts), TEXTS)
    with pytest.raises(ValueError, match="row 1 holds None"):
        read_topics(model, [TEXTS[0], None])
    with pytest.raises(
        ValueError, match="mixtures has 150 rows, and there are 3 texts"
    ):
        read_topics(model, TEXTS[:3], mixtures=topics.mixtures)
    with pytest.raises(ValueError, match="mixtures has 2 topics, and the model has 5"):
        read_topics(model, TEXTS, mixtures=topics.mixtures[:, :2])
    for name in ("titles", "labels", "times"):
        with pytest.raises(ValueError, match=f"{name} has 1 values, and there are 150"):
            read_topics(model, TEXTS, **{name: [1]})
        with pytest.raises(
            ValueError, match=f"{name} must have one value per document"
        ):
            read_topics(model, TEXTS, **{name: "x"})
    with pytest.raises(ValueError, match=r"labels .* got a table of shape \(150, 1\)"):
        read_topics(model, TEXTS, labels=pd.DataFrame({"a": LABELS}))
    with pytest.raises(ValueError, match=r"groups has \['a'\] in row 0"):
        topics.by([["a"]] * len(TEXTS))
    for wrong in ({"drop": 1}, {"drop": "film"}, {"groups": [0, 1]}):
        with pytest.raises(ValueError, match="must be a list of topics, got"):
            topics.merge(**wrong)
    with pytest.raises(ValueError, match="2 names were given for 5 topics"):
        read_topics(model, TEXTS, names=["a", "b"])
    with pytest.raises(ValueError, match="There is no topic 5"):
        topics.words(5)
    with pytest.raises(ValueError, match="There is no topic -1"):
        topics.representative(-1)
    with pytest.raises(ValueError, match="diversity must be between 0 and 1"):
        topics.representative(0, diversity=2)
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        topics.by(confidence=95)
    with pytest.raises(ValueError, match="n_words must be a whole number"):
        topics.topic_table(0)
    with pytest.raises(ValueError, match="There are no labels"):
        read_topics(model, TEXTS, mixtures=topics.mixtures).by()
    with pytest.raises(ValueError, match="freq must be a frequency of pandas"):
        topics.over(freq="fortnight")


@pytest.mark.parametrize(
    "kind", [tuple, np.array, pd.Series, pl.Series, lambda t: pd.DataFrame({"text": t})]
)
def test_texts_of_any_kind(model, topics, kind):
    texts = kind(TEXTS)
    assert read_topics(model, texts).topic_table().equals(topics.topic_table())


def test_equal_texts_are_found_once(topics):
    twice = read_topics(topics.model, [*TEXTS, *TEXTS])
    word = topics.words(0).word[0]
    assert_array_equal(
        twice.find_documents(word, 20).document,
        topics.find_documents(word, 20).document,
    )


def test_words_of_a_kept_name_are_not_repeated(topics):
    kept = topics.rename({0: "Zero"}).merge([[1, 2]])
    for name, line in zip(kept.names, str(kept).splitlines()[1:], strict=True):
        shown = line.split("%  ")[1]
        assert shown.startswith(name)
        words = shown.replace(":", "").split()
        assert len(set(words)) == len(words)


def test_json_is_not_made_for_a_folder_that_does_not_exist(
    topics, tmp_path, monkeypatch
):
    monkeypatch.setattr(type(topics), "to_dict", lambda self: pytest.fail("made"))
    with pytest.raises(FileNotFoundError, match="make it first"):
        topics.to_json(tmp_path / "none" / "topics.json")


@pytest.mark.parametrize("redact", ["pii", lambda text: re.sub(r"\S+@\S+", "X", text)])
def test_redact_changes_tables_and_exports(redact):
    mail, other = "ann@example.com", "bob@example.com"
    # an address that the end of a title would cut
    texts = [f"{'x' * 68} {mail} {other} likes cats", "banks lend money"] * 4
    words = CountVectorizer(token_pattern=rf"{mail}|{other}|[a-z]+", stop_words=[mail])
    model = make_pipeline(words, GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(
        model,
        texts,
        titles=[None, mail] * 4,
        labels=[mail, 1] * 4,
        times=[2001, 2002] * 4,
        names=[f"mails of {mail}", f"mails of {other}"],
    )
    topics.descriptions = [f"Mails of {mail}.", "Money."]
    made = {
        "dict": lambda **o: str(topics.to_dict(**o)),
        "json": lambda **o: topics.to_json(**o),
        "pyldavis": lambda **o: str(topics.to_pyldavis(**o)["vocab"]),
        "topicwizard": lambda **o: str(list(topics.to_topicwizard(**o).values())),
        "topic_table": lambda **o: topics.topic_table(**o).to_csv(),
        "document_table": lambda **o: topics.document_table(**o).to_csv(),
        "representative": lambda **o: topics.representative(0, 8, **o).to_csv(),
    }
    for name, export in made.items():
        assert "@example" in export(), name
        for part in ("@exam", "ann@", "bob@"):
            assert part not in export(redact=redact), name
        with pytest.raises(
            ValueError, match="redact must be None, 'pii' or a callable"
        ):
            export(redact="names")
    vocabulary = topics.to_pyldavis(redact=redact)["vocab"]
    assert len(set(vocabulary)) == len(topics.vocabulary)
    assert topics.document_table(redact=redact).label[1] == 1
    assert topics.texts[0] == texts[0]
