import logging

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    LanguageModelTuner,
    LLMTopics,
    PrecomputedEmbeddings,
    TransformerEmbedder,
    tune_embedder,
)
from llmtopics._language import tune
from llmtopics._topic_tuning import _confident
from llmtopics.datasets import load_bbc_news

_WORDS = {
    "money": ["bank", "share", "market", "profit", "price", "trade", "stock", "tax"],
    "sport": ["goal", "match", "team", "player", "coach", "cup", "win", "league"],
}
_RNG = np.random.default_rng(0)
SUBJECTS = np.arange(60) % 2
TEXTS = [
    " ".join(["the", *_RNG.choice(_WORDS[["money", "sport"][subject]], 8)])
    for subject in SUBJECTS
]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    """An embedder of random weights."""
    tuner = LanguageModelTuner(
        init="random",
        objective="contrastive",
        hidden_size=16,
        n_layers=1,
        vocab_size=300,
        max_length=32,
        max_steps=1,
        output_dir=tmp_path_factory.mktemp("encoder"),
    ).fit(TEXTS)
    return TransformerEmbedder(tuner.model_path_, dtype="float32", max_length=32)


@pytest.fixture(scope="module")
def model(embedder):
    model = FusionTopicModel(2, embedder=embedder, max_iter=10, random_state=0)
    return model.fit(TEXTS)


@pytest.fixture
def tuner(tmp_path):
    return LanguageModelTuner(
        objective="topics",
        adapter=None,
        n_epochs=4,
        learning_rate=0.01,
        batch_size=4,
        dtype="float32",
        output_dir=tmp_path / "tuned",
    )


def closeness(embedder, topics):
    """Return the mean cosine within topics, less that between them."""
    vectors = embedder.transform(TEXTS)
    cosines, same = vectors @ vectors.T, topics[:, None] == topics
    return cosines[same].mean() - cosines[~same].mean()


def test_texts_of_one_topic_come_closer_and_rounds_continue(model, embedder, tuner):
    before = model.transform(TEXTS)
    tuned = tune_embedder(model, TEXTS, n_rounds=2, tuner=tuner)
    folder = tuner.output_dir
    assert tuned.embedder.model == str(folder / "round 2" / "model")
    assert_array_equal(tuned.transform(TEXTS).argmax(axis=1), tuned.labels_)
    first = tune_embedder(model, TEXTS, tuner=tuner)  # it is there already
    assert first.embedder.model == str(folder / "round 1" / "model")
    gain = closeness(first.embedder, model.labels_) - closeness(embedder, model.labels_)
    assert gain > 0.2
    card = (folder / "round 2" / "model" / "README.md").read_text("utf-8")
    assert f"Base model: {first.embedder.model}" in card
    # the model that was passed and its parameters are as before
    assert model.embedder is embedder
    assert_array_equal(model.transform(TEXTS), before)
    others = set(model.get_params(deep=False)) - {"embedder"}
    assert all(getattr(tuned, name) == getattr(model, name) for name in others)
    assert tuned.embedder.max_length == 32


def test_a_repeated_call_loads_finished_rounds(model, tuner, monkeypatch):
    tuned = tune_embedder(model, TEXTS, tuner=tuner)
    monkeypatch.setattr(tune, "train", None)
    again = tune_embedder(model, TEXTS, tuner=tuner)
    assert_array_equal(again.transform(TEXTS), tuned.transform(TEXTS))


def test_two_runs_give_the_same_topics(model, tuner, tmp_path):
    other = clone(tuner).set_params(output_dir=tmp_path / "other")
    found = [tune_embedder(model, TEXTS, tuner=each) for each in (tuner, other)]
    assert_array_equal(found[0].transform(TEXTS), found[1].transform(TEXTS))


def test_a_pipeline_with_an_embedder_is_tuned(embedder, tuner):
    topics = EmbeddingTopics(2, random_state=0)
    pipeline = Pipeline([("embedder", embedder), ("topics", topics)])
    pipeline.set_output(transform="pandas").fit(TEXTS)
    tuned = tune_embedder(pipeline, TEXTS, tuner=tuner.set_params(max_steps=2))
    assert isinstance(tuned, Pipeline)
    assert tuned["embedder"].model.startswith(str(tuner.output_dir))
    assert tuned.transform(TEXTS).shape == (60, 2)


def test_the_prompt_of_the_embedder_is_trained_on(embedder, tuner, monkeypatch):
    seen = []
    monkeypatch.setattr(
        LanguageModelTuner, "fit", lambda self, X, y: seen.extend(X) or 1 / 0
    )
    query = clone(embedder).set_params(prompt="query: ")
    model = FusionTopicModel(2, embedder=query, max_iter=2, random_state=0).fit(TEXTS)
    with pytest.raises(ZeroDivisionError):
        tune_embedder(model, TEXTS, share=1, tuner=tuner)
    assert sorted(seen) == sorted("query: " + text for text in TEXTS)


def test_parameters_set_after_the_fit_are_not_read(embedder, tuner):
    model = FusionTopicModel(2, embedder=embedder, max_iter=2, random_state=0)
    model.fit(TEXTS).set_params(n_components=3, embedder=None)
    tuned = tune_embedder(model, TEXTS, tuner=tuner.set_params(max_steps=1))
    assert tuned.n_components == 2
    assert tuned.embedder.max_length == 32


def test_the_most_confident_texts_of_each_topic_are_chosen():
    first = [0.9, 0.5, 0.6, 0.8, 0.7, 0.1, 0.2, 1.0]
    mixtures = np.column_stack([first, 1 - np.array(first), np.zeros(8)])
    texts = [*"abcdefg", " "]  # the surest is blank
    rows, topics = _confident(mixtures, texts, 0.4)
    assert rows.tolist() == [0, 3, 5]
    assert topics.tolist() == [0, 0, 1]
    rows, topics = _confident(mixtures, texts, 1e-9)  # one per topic at least
    assert rows.tolist() == [0, 5]
    assert _confident(mixtures, texts, 1)[0].tolist() == [*range(7)]


def test_what_cannot_be_tuned_is_named(model, embedder, tuner):
    def refused(model, message, **parameters):
        with pytest.raises(ValueError, match=message):
            tune_embedder(model, TEXTS, **{"tuner": tuner} | parameters)

    def fitted(**parameters):
        return clone(model).set_params(**parameters).fit(TEXTS)

    vectors = PrecomputedEmbeddings(TEXTS, embedder.transform(TEXTS))
    refused(fitted(embedder=vectors), "is a PrecomputedEmbeddings: fit the model with")
    refused(fitted(alpha=0), "alpha=0 and uses no embeddings")
    topics = Pipeline([("e", embedder), ("t", EmbeddingTopics(2, random_state=0))])
    named = fitted(embedder=None, language_topics=topics)
    refused(named, "uses language_topics instead of an embedder")
    last = clone(embedder).set_params(pooling="last")
    refused(fitted(embedder=last), "has pooling='last'")
    for other in [
        GibbsLDA(2),
        "minilm",
        FusionTopicModel,
        LLMTopics(["a", "b"]),
        PCA(),
    ]:
        refused(other, "needs a model with a parameter embedder")
    with pytest.raises(NotFittedError):
        tune_embedder(clone(model), TEXTS)
    search = GridSearchCV(model, {"alpha": [0.5]}, scoring=lambda *_: 0.0, cv=2)
    refused(search.fit(TEXTS), "pass its best_estimator_")
    for n_rounds in [0, -1, 1.5, True]:
        refused(model, "n_rounds must be a whole number", n_rounds=n_rounds)
    for share in [0, 1.1, -0.5, np.nan, "all"]:
        refused(model, "share must be above 0", share=share)
    refused(model, "must be a LanguageModelTuner or None", tuner="minilm")
    masked = clone(tuner).set_params(objective="masked")
    refused(model, "objective='masked': set it to 'topics'", tuner=masked)
    random = clone(tuner).set_params(init="random")
    refused(model, "init='random': set it to 'pretrained'", tuner=random)
    assert not tuner.output_dir.exists()  # nothing was trained


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a bank", " ", ""], "1 of 3 texts are not blank, and the model has 2 topics"),
        (["a bank"] * 5, "All texts have the same first topic"),
        (["a bank", 3], "row 1"),
        ("a bank", "put a single text into a list"),
    ],
)
def test_bad_texts_are_named(model, tuner, texts, message):
    with pytest.raises(ValueError, match=message):
        tune_embedder(model, texts, tuner=tuner)


def test_vectors_that_are_all_alike_are_refused(model, tuner, monkeypatch):
    """Training is stopped from moving vectors apart: they are compared to a lower limit."""
    monkeypatch.setattr("llmtopics._language.objectives._COLLAPSED", -1.0)
    with pytest.raises(ValueError, match="nearly the same vector"):
        tune_embedder(model, TEXTS, tuner=tuner.set_params(max_steps=1))


def test_rounds_are_logged(model, tuner, caplog):
    with caplog.at_level(logging.INFO, "llmtopics._topic_tuning"):
        tune_embedder(model, TEXTS, tuner=tuner.set_params(max_steps=1))
    assert "round 1: tuning on 36 texts" in caplog.text


@pytest.mark.slow
def test_topics_of_news_agree_with_the_sections_after_tuning():
    """The real embedder, on the first words of every fourth article."""
    corpus = load_bbc_news()
    texts = [" ".join(text.split()[:25]) for text in corpus.data[::4]]
    labels = corpus.target[::4]
    model = FusionTopicModel(5, random_state=0).fit(texts)
    tuner = LanguageModelTuner(objective="topics", adapter=None, max_length=48)
    tuned = tune_embedder(model, texts, tuner=tuner)

    def agreement(found):
        return normalized_mutual_info_score(labels, found.labels_)

    def separation(found):
        vectors = (found.embedder or TransformerEmbedder()).transform(texts)
        cosines, same = vectors @ vectors.T, labels[:, None] == labels
        return cosines[same].mean() - cosines[~same].mean()

    assert separation(tuned) > separation(model) + 0.02  # 0.107 → 0.145
    assert agreement(tuned) > agreement(model) - 0.03
