"""Planted aspects with known polarity; labels, seed words and bad input."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PrecomputedEmbeddings,
    TextAnalyzer,
    TopicSentiment,
    TransformerClassifier,
)
from llmtopics.apply._sentiment_classifier import Calibration, calibrate, values_of
from llmtopics.apply._sentiment_sentences import in_context
from llmtopics.apply._sentiment_table import mean_and_interval

PRAISE = ["great", "excellent", "wonderful", "lovely", "perfect"]
BLAME = ["terrible", "awful", "horrible", "bad", "dreadful"]
SUBJECTS = {
    "food": ["soup", "bread", "coffee", "dessert", "pasta"],
    "staff": ["waiter", "porter", "manager", "receptionist", "concierge"],
    "room": ["bed", "shower", "carpet", "pillow", "mattress"],
}
LIKED = {"food": 0.85, "staff": 0.5, "room": 0.15}


def reviews(n, seed=0, liked=LIKED):
    """Reviews of one to three subjects, and what each says of each subject."""
    rng = np.random.default_rng(seed)
    texts, said = [], []
    for _ in range(n):
        signs = {}
        for subject in rng.permutation(list(liked))[: rng.integers(1, 4)]:
            signs[str(subject)] = 1 if rng.random() < liked[subject] else -1
        parts = []
        for subject, sign in signs.items():
            a, b = rng.choice(SUBJECTS[subject], 2, replace=False)
            word = rng.choice(PRAISE if sign > 0 else BLAME)
            parts.append(f"The {a} and the {b} were {word}.")
        texts.append(" ".join(parts))
        said.append(signs)
    return texts, said


TEXTS, SAID = reviews(300)
LABELS = np.array([int(np.mean(list(signs.values())) > 0) for signs in SAID])
ANALYZER = TextAnalyzer(extra_stop_words=[*PRAISE, *BLAME])


def topics(n_components=3):
    counts = CountVectorizer(analyzer=ANALYZER)
    return make_pipeline(counts, GibbsLDA(n_components, random_state=0))


def words_classifier():
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=1000)
    )


def quick(**parameters):
    """A model that needs no vectors."""
    defaults = {"classifier": words_classifier(), "random_state": 0}
    return TopicSentiment(topics(), **(defaults | parameters))


def subjects_of(model):
    """Return the topic of each subject."""
    found = {}
    for k, words in enumerate(model.topic_words_):
        best = max(
            SUBJECTS, key=lambda subject: len({*SUBJECTS[subject]} & {*words[:5]})
        )
        found[best] = k
    assert len(found) == len(SUBJECTS)
    return found


@pytest.fixture(scope="module")
def model():
    return quick().fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def default():
    """The default classifier and topic model."""
    fusion = FusionTopicModel(3, vectorizer=CountVectorizer(analyzer=ANALYZER))
    return TopicSentiment(fusion, random_state=0).fit(TEXTS, LABELS)


# planted polarity -------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["model", "default"])
def test_planted_polarity_of_topics_is_found(which, request):
    model = request.getfixturevalue(which)
    of = subjects_of(model)
    for table in (model.table_, model.table(TEXTS)):
        means = table["mean"]
        assert means[of["food"]] > means[of["staff"]] > means[of["room"]]
        assert table["low"][of["food"]] > 0 > table["high"][of["room"]]
        assert ((table["low"] <= means) & (means <= table["high"])).all()
        assert_allclose(table["share"].sum(), 1)


@pytest.mark.parametrize("which", ["model", "default"])
def test_both_sides_of_a_mixed_review_are_found(which, request):
    model = request.getfixturevalue(which)
    of = subjects_of(model)
    good_food, good_room = model.transform(
        [
            "The soup and the pasta were perfect. The bed and the carpet were awful.",
            "The bed and the carpet were perfect. The soup and the pasta were awful.",
        ]
    )
    assert good_food[of["food"]] > 0 > good_food[of["room"]]
    assert good_room[of["room"]] > 0 > good_room[of["food"]]


def test_polarity_of_topics_in_new_documents(model):
    texts, said = reviews(200, seed=1)
    of, polarity, right = subjects_of(model), model.transform(texts), []
    for row, signs in zip(polarity, said, strict=True):
        right += [row[of[subject]] * sign > 0 for subject, sign in signs.items()]
    assert np.mean(right) > 0.9


def test_a_sentence_without_evidence_is_neutral_even_if_most_texts_are_positive():
    some = np.flatnonzero((LABELS == 1) | (np.arange(300) % 5 == 0))
    plain = [f"{TEXTS[i]} We stayed {i % 7} nights." for i in some]
    model = quick().fit(plain, LABELS[some])
    assert LABELS[some].mean() > 0.7
    sentences = model._sentences(["We stayed 3 nights.", "An awful bed."])
    neutral, bad = model._measure(sentences, 2).of_sentences
    assert abs(neutral) < 0.15
    assert bad < -0.3


def test_typical_sentences_are_of_their_topic_and_sign(model):
    table, of = model.table_, subjects_of(model)
    for subject, k in of.items():
        assert table["positive"][k]
        for column, words in (("positive", PRAISE), ("negative", BLAME)):
            for sentence in table[column][k]:
                assert any(word in sentence for word in words)
                assert any(word in sentence for word in SUBJECTS[subject])


def test_groups_have_a_row_per_topic(model):
    texts, _ = reviews(80, 2, LIKED)
    later, _ = reviews(80, 3, LIKED | {"room": 0.95})
    years = [2025] * 80 + [2026] * 80
    table = model.table(texts + later, groups=years)
    assert table["group"].tolist() == [2025] * 3 + [2026] * 3
    room = table[table["topic"] == table["topic"][subjects_of(model)["room"]]]
    before, after = room["mean"]
    assert before < 0 < after
    alone = model.table(later)
    assert_allclose(table["mean"][3:], alone["mean"])
    assert table["positive"][3:].tolist() == alone["positive"].tolist()


def test_seed_words_find_the_order():
    model = TopicSentiment(
        topics(),
        positive=["great", "excellent", "lovely", "wonderful"],
        negative=["terrible", "awful", "horrible", "bad"],
        random_state=0,
    ).fit(TEXTS)
    of, means = subjects_of(model), model.table_["mean"]
    assert means[of["food"]] > means[of["room"]]
    assert model.classes_.tolist() == ["negative", "positive"]
    assert np.mean((model.predict(TEXTS) == "positive") == LABELS) > 0.7


# labels -----------------------------------------------------------------------------------


def test_order_decides_what_is_positive(model):
    named = np.where(LABELS, "fine", "sad")
    up, down = (
        quick(order=order).fit(TEXTS, named).transform(TEXTS)
        for order in (["sad", "fine"], ["fine", "sad"])
    )
    assert_allclose(up, -down, atol=1e-6)
    assert_allclose(up, model.transform(TEXTS), atol=1e-6)


def test_ratings_have_an_order(model):
    stars = np.array([3 + 2 * int(np.sign(sum(s.values()))) for s in SAID])
    rated = quick().fit(TEXTS, stars)
    assert rated.classes_.tolist() == [1, 3, 5]
    assert rated.class_polarity_.tolist() == [-1, 0, 1]
    means, of = rated.table_["mean"], subjects_of(rated)
    assert means[of["food"]] > means[of["staff"]] > means[of["room"]]
    assert_allclose(rated.predict_proba(TEXTS[:5]).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("classes", "order", "expected"),
    [
        ([1, 2, 5], None, [-1, -0.5, 1]),
        ([False, True], None, [-1, 1]),
        (["negative", "positive"], None, [-1, 1]),
        (["neg", "neu", "pos"], None, [-1, 0, 1]),
        (["1", "10", "2.5"], None, [-1, 1, -2 / 3]),
        (["a", "b"], ["b", "c", "a"], [1, -1]),
    ],
)
def test_values_of_classes(classes, order, expected):
    assert_allclose(values_of(classes, order), expected)


@pytest.mark.parametrize("classes", [["happy", "unhappy"], ["1", "nan", "x"]])
def test_the_order_of_other_classes_must_be_given(classes):
    """In the order of the alphabet, "happy" would be negative."""
    with pytest.raises(
        ValueError, match="pass order=, the classes from the most negative"
    ):
        values_of(classes, None)
    with pytest.raises(ValueError, match="pass order="):
        quick().fit(TEXTS, [classes[label] for label in LABELS])


def test_the_class_of_a_whole_text_is_the_classifiers(model):
    alone = words_classifier().fit(TEXTS, LABELS)
    assert_array_equal(model.predict(TEXTS), alone.predict(TEXTS))
    assert_array_equal(model.predict_proba(TEXTS), alone.predict_proba(TEXTS))
    assert model.score(TEXTS, LABELS) > 0.9


def test_frozen_parts_are_not_fitted_and_need_no_labels(model):
    fitted, classifier = topics().fit(TEXTS), words_classifier().fit(TEXTS, LABELS)
    before = fitted[-1].components_.copy()
    frozen = TopicSentiment(
        FrozenEstimator(fitted), classifier=FrozenEstimator(classifier)
    ).fit(TEXTS[:50])
    assert_array_equal(fitted[-1].components_, before)
    assert frozen.topic_words_ == model.topic_words_ or len(frozen.topic_words_) == 3
    assert frozen.calibration_ == (1, 0)
    assert_array_equal(frozen.predict(TEXTS), classifier.predict(TEXTS))
    calibrated = frozen.set_params(topic_model=FrozenEstimator(fitted))
    calibrated.fit(TEXTS, LABELS)
    assert calibrated.calibration_ != (1, 0)


def test_labels_that_a_frozen_classifier_lacks_are_named():
    frozen = FrozenEstimator(words_classifier().fit(TEXTS, LABELS))
    with pytest.raises(ValueError, match="class 'bad' in row 0, and the frozen"):
        quick(classifier=frozen, order=["bad", "good"]).fit(
            TEXTS, ["bad", "good"] * 150
        )


def test_a_rare_rating_does_not_switch_the_calibration_off():
    stars = [1 + 4 * label for label in LABELS]
    stars[7] = 3
    rated = quick().fit(TEXTS, stars)
    assert rated.classes_.tolist() == [1, 3, 5]
    assert rated.calibration_ != (1, 0)
    plain = quick().fit(TEXTS, LABELS)
    assert_allclose(rated.table_["mean"], plain.table_["mean"], atol=0.1)


def test_a_transformer_classifier_is_taken():
    model = quick(classifier=TransformerClassifier(), cv=2).fit(TEXTS[:60], LABELS[:60])
    assert model.transform(TEXTS[:3]).shape == (3, 3)


def test_a_grid_search_changes_the_classifier():
    grid = {"classifier__logisticregression__C": [1e-4, 10]}
    search = GridSearchCV(quick(cv=0), grid, cv=2).fit(TEXTS, LABELS)
    low, high = search.cv_results_["mean_test_score"]
    assert low < high


# rules ------------------------------------------------------------------------------------


def test_a_sentence_that_tells_nothing_gets_the_topics_of_its_document():
    prior = np.array([0.2, 0.3, 0.5])
    whole = np.array([[0.7, 0.2, 0.1]] * 2)
    own = np.array([prior, [0.98, 0.01, 0.01]])
    silent, clear = in_context(own, whole, prior)
    assert_allclose(silent, whole[0])
    assert clear[0] > 0.98
    disjoint = in_context(np.array([[1.0, 0, 0]]), np.array([[0, 0.5, 0.5]]), prior)
    assert_allclose(disjoint, [[0, 0.5, 0.5]])


def test_calibration_finds_the_scale_and_ignores_the_share_of_positive_documents():
    rng = np.random.default_rng(0)
    evidence = rng.normal(size=20_000)
    target = np.where(rng.random(20_000) < 1 / (1 + np.exp(-evidence)), 1.0, -1.0)
    rows = np.arange(20_000)
    assert_allclose(calibrate(2 * evidence, target, rows), [0.5, 0], atol=0.05)
    kept = np.flatnonzero((target > 0) | (rng.random(20_000) < 0.1))
    some = calibrate(2 * evidence[kept], target[kept], np.arange(len(kept)))
    assert_allclose(some, [0.5, 0], atol=0.1)
    useless = calibrate(-evidence, target, rows)
    assert useless.slope == 0
    assert_allclose(useless(evidence), 0, atol=0.05)
    assert_allclose(Calibration()(np.array([0.0, 100])), [0, 1])


def test_intervals_cover_the_mean_of_the_population():
    rng, covered = np.random.default_rng(0), 0
    for seed in range(200):
        polarity, shares = rng.uniform(-1, 0.4, 60), rng.uniform(0.2, 1, 60)
        _, low, high = mean_and_interval(polarity, shares, seed, 0.9)
        covered += low <= -0.3 <= high
    assert 165 <= covered <= 195
    assert mean_and_interval(np.empty(0), np.empty(0), 0, 0.9) == (0, -1, 1)
    assert mean_and_interval(np.array([0.5]), np.ones(1), 0, 0.9) == (0.5, -1, 1)


# odd input --------------------------------------------------------------------------------


def test_odd_documents_get_numbers(model):
    texts = [
        "",
        "  \n ",
        "!!!",
        "The bed was awful.",
        "awful bed " * 5000,
        "Кровать ужасная. Das Bett war schlecht. The soup was great.",
    ]
    polarity, shares = model.transform(texts), model.shares(texts)
    assert np.isfinite(polarity).all()
    assert (np.abs(polarity) <= 1).all()
    assert_array_equal(polarity[:2], 0)
    assert_array_equal(shares[:2], 0)
    assert_array_equal(shares[2], 0)
    assert_allclose(shares[3:5].sum(axis=1), 1)
    room, food = (subjects_of(model)[name] for name in ("room", "food"))
    assert polarity[3, room] < 0
    assert polarity[4, room] < 0
    assert polarity[5, food] > 0
    assert_array_equal(polarity[3], model.transform(texts[3:4])[0])


def test_a_topic_without_documents_is_neutral_and_unknown(model):
    table = model.table(["The soup was great.", "The bread was great.", ""])
    of = subjects_of(model)
    room = table.iloc[of["room"]]
    assert room["n_documents"] == 0
    assert (room["mean"], room["low"], room["high"]) == (0, -1, 1)
    assert room["positive"] == room["negative"] == []
    assert table["n_documents"][of["food"]] == 2
    assert_allclose(table["share"].sum(), 1)
    blank = model.table(["", " "])
    assert_array_equal(blank["n_documents"], 0)
    assert (
        not blank.drop(columns=["words", "positive", "negative"]).isna().any(axis=None)
    )


def test_blank_documents_do_not_disturb_the_fit(model):
    texts, labels = ["", *TEXTS, " "], [0, *LABELS, 1]
    again = quick().fit(texts, labels)
    assert_array_equal(again.transform(TEXTS), model.transform(TEXTS))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1] * 300, "y has one class, 1"),
        ([*LABELS[:-1], np.nan], "no label in row 299"),
        ([*LABELS[:-1], None], "no label in row 299"),
        (LABELS[:-1], "y has 299 rows, and there are 300 texts"),
        (None, "needs to know what is positive"),
    ],
)
def test_bad_labels_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(TEXTS, y)


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"positive": ["good"]}, None, "belong together"),
        ({"positive": ["good"], "negative": ["bad"]}, LABELS, "y are both given"),
        ({"order": [0]}, LABELS, "at least two different classes"),
        ({"order": [0, 2]}, LABELS, r"class 1 in row \d+ that order=\[0, 2\] lacks"),
        ({"fit_topics_on": "words"}, LABELS, "fit_topics_on"),
        ({"cv": 1}, LABELS, "cv"),
        ({"language": "klingon"}, LABELS, "klingon"),
        ({"classifier": TfidfVectorizer()}, LABELS, "predict_proba"),
    ],
)
def test_parameters_that_contradict_each_other_are_named(parameters, y, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(TEXTS, y)


def test_distances_from_clusters_are_refused():
    clusters = make_pipeline(TfidfVectorizer(), KMeans(3))
    with pytest.raises(TypeError, match="gives distances from clusters"):
        quick().set_params(topic_model=clusters).fit(TEXTS, LABELS)


def test_texts_with_words_of_one_class_are_refused():
    with pytest.raises(ValueError, match="one class, 1, for texts with words"):
        quick().fit([*TEXTS[:5], ""], [1] * 5 + [0])
    with pytest.raises(ValueError, match="all 2 are blank"):
        quick().fit(["", " "], [0, 1])


class Alike:
    """An embedder that gives all texts the same vector."""

    def encode(self, texts):
        return np.ones((len(texts), 4))


@pytest.mark.parametrize(
    ("positive", "negative", "embedder", "message"),
    [
        (["good"], ["bad"], Alike(), "cannot tell the seed words apart: only 0 of 2"),
        (["good", "bad"], ["bad"], None, "'bad' is in positive and in negative"),
        (["good", " "], ["bad"], None, "positive has a blank seed word in row 1"),
        (["good"], [3], None, "negative reads texts .*row 0 holds 3"),
        ([], ["bad"], None, "positive needs at least one text"),
        (["soup", "bed"], ["bed.", "soup."], None, "cannot tell the seed words apart"),
    ],
)
def test_bad_seed_words_are_refused(positive, negative, embedder, message):
    model = TopicSentiment(
        topics(), positive=positive, negative=negative, embedder=embedder
    )
    with pytest.raises(ValueError, match=message):
        model.fit(TEXTS)


def test_seed_words_and_texts_that_do_not_differ_are_refused():
    model = TopicSentiment(topics(), positive=["good"], negative=["bad"])
    with pytest.raises(ValueError, match="sees no difference"):
        model.fit(["The soup was hot."] * 4)


def test_vectors_of_whole_texts_alone_are_refused():
    texts, kept = np.unique(TEXTS, return_index=True)
    vectors = np.random.default_rng(0).normal(size=(len(texts), 8))
    embedder = PrecomputedEmbeddings(texts.tolist(), vectors)
    with pytest.raises(ValueError, match=r"no vector .* row \d+"):
        TopicSentiment(topics(), embedder=embedder).fit(texts, LABELS[kept])


def test_bad_arguments_of_the_table_are_named(model):
    with pytest.raises(ValueError, match=r"groups has shape \(1,\).*2 texts"):
        model.table(TEXTS[:2], groups=["a"])
    with pytest.raises(ValueError, match="no group in row 1"):
        model.table(TEXTS[:2], groups=["a", None])
    with pytest.raises(ValueError, match="no group in row 0"):
        model.table(TEXTS[:2], groups=pd.Series([np.nan, 1]))
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        model.table(TEXTS[:2], confidence=95)
    with pytest.raises(ValueError, match="n_sentences"):
        model.table(TEXTS[:2], n_sentences=0)
    with pytest.raises(ValueError, match="row 1"):
        model.table(["a text", None])


def test_a_failed_fit_leaves_no_half_fitted_model():
    model = quick()
    with pytest.raises(ValueError, match="one class"):
        model.fit(TEXTS, [1] * 300)
    with pytest.raises(NotFittedError):
        model.transform(TEXTS)
    with pytest.raises(NotFittedError):
        _ = model.table_


def test_names_are_those_of_the_topics(model):
    names = model.get_feature_names_out()
    assert names.tolist() == model.table_["topic"].tolist()
    assert names[0] == " ".join(model.topic_words_[0][:3])
    lower = FunctionTransformer(lambda X: [text.lower() for text in X])
    piped = quick().set_params(topic_model=make_pipeline(lower, topics()))
    assert piped.fit(TEXTS[:50], LABELS[:50]).get_feature_names_out().shape == (3,)
    framed = quick().set_output(transform="pandas").fit(TEXTS, LABELS)
    assert framed.transform(TEXTS).columns.tolist() == names.tolist()


def test_progress_is_shown_on_demand(model, no_delay, capfd):
    loud = quick(verbose=True).fit(TEXTS[:60], LABELS[:60])
    assert "TopicSentiment" in capfd.readouterr().err
    loud.set_params(verbose=False).transform(TEXTS[:5])
    assert capfd.readouterr() == ("", "")
