"""The suggested number of topics is the planted one, for every kind of model."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PrecomputedEmbeddings,
    TopicMerger,
    suggest_n_components,
)
from llmtopics.datasets import make_topics
from llmtopics.metrics import _suggest
from llmtopics.metrics._k_indices import (
    arun,
    cao_juan,
    deveaud,
    griffiths_steyvers,
)

K = 4
CORPUS = make_topics(300, 400, K, doc_length=40, random_state=0)
TEXTS = [
    " ".join(np.repeat([f"w{w}" for w in row.indices], row.data))
    for row in (CORPUS.data[[d]] for d in range(300))
]
NUMBERS = [2, 4, 8]


def vectors():
    """Vectors of the texts: their topics' directions, and noise."""
    rng = np.random.default_rng(0)
    return CORPUS.doc_topic @ rng.normal(size=(K, 20)) + rng.normal(
        scale=0.1, size=(300, 20)
    )


MODELS = {
    "GibbsLDA": (GibbsLDA(max_iter=50), CORPUS.data),
    "Pipeline": (make_pipeline(CountVectorizer(), GibbsLDA(max_iter=50)), TEXTS),
    "NMF": (
        make_pipeline(TfidfTransformer(), NMF(init="nndsvda", tol=1e-2)),
        CORPUS.data,
    ),
    "fusion": (
        FusionTopicModel(
            embedder=PrecomputedEmbeddings(TEXTS, vectors()),
            vectorizer=CountVectorizer(),
            max_iter=30,
        ),
        TEXTS,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_planted_number_is_suggested(name):
    model, X = MODELS[name]
    before = model.get_params()
    found = suggest_n_components(model, X, n_components=NUMBERS, n_runs=3)
    assert found.n_components == K
    assert K in found.plateau
    assert list(found.table.n_components) == NUMBERS
    has_likelihood = name != "fusion" and "NMF" not in name
    assert ("likelihood" in found.table) >= has_likelihood
    assert not found.table.isna().to_numpy().any()
    assert found.table.stability.between(0, 1).all()
    assert f"n_components={K}" in repr(found)
    assert repr(model.get_params()) == repr(before)


def test_the_same_seed_gives_the_same_table_and_runs_are_kept(tmp_path):
    model, X = MODELS["GibbsLDA"]
    plain = suggest_n_components(model, X, n_components=[2, 3], n_runs=2)
    kept = suggest_n_components(
        model, X, n_components=[2, 3], n_runs=2, memory=str(tmp_path), n_jobs=2
    )
    pd.testing.assert_frame_equal(kept.table, plain.table)
    files = len(list(tmp_path.rglob("output.pkl")))
    assert files == 4
    more = suggest_n_components(
        model, X, n_components=[2, 3, 4], n_runs=2, memory=str(tmp_path)
    )
    assert len(list(tmp_path.rglob("output.pkl"))) == files + 2  # only the new number
    pd.testing.assert_frame_equal(more.table[:2], plain.table)


def test_merged_topics_can_be_searched():
    model = TopicMerger(make_pipeline(CountVectorizer(), GibbsLDA(8, max_iter=50)))
    found = suggest_n_components(model, TEXTS, n_components=[2, 4], n_runs=2)
    assert "likelihood" not in found.table
    assert found.n_components == K


def row(number, quality, error, stability):
    return {
        "n_components": number,
        "quality": quality,
        "quality_error": error,
        "stability": stability,
    }


@pytest.mark.parametrize(
    ("qualities", "similarity", "chosen", "reason"),
    [
        ([[0.1, 0.1], [0.5, 0.52], [0.2, 0.2]], [0.9, 0.6, 0.8], 5, "5 has the best"),
        (
            [[0.1, 0.1], [0.4, 0.5], [0.44, 0.46]],
            [0.9, 0.6, 0.8],
            7,
            "5 and 7 cannot be told apart",
        ),
        ([[0.4, 0.5], [0.4, 0.5], [0.1, 0.1]], [0.7, 0.7, 0.7], 3, "3 and 5"),
    ],
)
def test_the_rule(monkeypatch, qualities, similarity, chosen, reason):
    """Stability decides on the plateau, and only there; ties go to fewer topics."""
    fits = [[({"quality": q}, k) for q in runs] for k, runs in enumerate(qualities)]
    monkeypatch.setattr(
        _suggest, "match_weights", lambda a, b: (np.array([similarity[a]]), None)
    )
    found = _suggest._suggest([3, 5, 7], fits)
    assert found.n_components == chosen
    assert reason in found.reason
    assert ("end of the range" in found.reason) == (chosen != 5)
    more_stable = "is more stable: stability 0." in found.reason
    assert more_stable == (chosen != 3)


def test_indices():
    same, apart = np.ones((3, 9)), np.kron(np.eye(3), np.ones(3))
    assert cao_juan(same) == pytest.approx(1)
    assert cao_juan(apart) == 0
    assert deveaud(same) == pytest.approx(0, abs=1e-9)
    assert deveaud(apart) == pytest.approx(1)
    theta, lengths = np.eye(3), np.ones(3)
    assert arun(apart, theta, lengths) == pytest.approx(0, abs=1e-9)
    assert arun(apart, theta[[0, 0, 1]], lengths) > 0.1
    for index in (cao_juan, deveaud):
        assert index(np.ones((1, 9))) == 0
    model, X = MODELS["GibbsLDA"]
    table = suggest_n_components(
        model, X, n_components=[2, 4], n_runs=2, indices=True
    ).table
    names = {"griffiths_steyvers", "cao_juan", "arun", "deveaud", "arun_error"}
    assert names <= set(table)
    few, enough = table.griffiths_steyvers
    assert few < enough < 0
    assert_allclose(table.deveaud.between(0, 1), True)
    assert table.stability_error.isna().all()  # of one pair of runs
    nmf = NMF(init="nndsvd", random_state=0)
    table = suggest_n_components(
        nmf, X, n_components=[2], n_runs=2, test_size=0.4, indices=True
    ).table
    assert "deveaud" in table
    assert "griffiths_steyvers" not in table  # no chain


def test_harmonic_mean_of_the_second_half_of_a_chain():
    trace = np.array([-9.0, -9.0, -2.0, -3.0])
    likelihoods = np.exp(trace[2:] * 10)
    by_hand = np.log(2 / (1 / likelihoods).sum()) / 10
    assert griffiths_steyvers(trace, 10) == pytest.approx(by_hand)
    assert griffiths_steyvers(np.full(7, -5.0), 1e6) == pytest.approx(-5)
    worst = griffiths_steyvers(trace, 1e6)  # products of so many tokens underflow
    assert worst == pytest.approx(-3, abs=1e-5)


def test_one_number_is_not_called_the_best():
    model, X = MODELS["GibbsLDA"]
    found = suggest_n_components(model, X, n_components=[3], n_runs=2)
    assert found.n_components == 3
    assert found.reason == "3 is the only number: pass others to compare."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_components": []}, "n_components is empty"),
        ({"n_components": 3}, "n_components must be a list of numbers"),
        ({"n_components": "23"}, "n_components must be a list of numbers"),
        ({"n_components": [2, "a"]}, "n_components must be a whole number"),
        ({"n_components": [3, 0]}, "n_components must be a whole number"),
        ({"n_runs": 1}, "n_runs must be at least 2"),
        ({"n_runs": 0}, "n_runs must be a whole number"),
        ({"test_size": 2.0}, "test_size must be between 0 and 1"),
        ({"test_size": float("nan")}, "test_size must be between 0 and 1"),
        ({"test_size": "x"}, "test_size must be between 0 and 1"),
    ],
)
def test_bad_input(given, message):
    with pytest.raises(ValueError, match=message):
        suggest_n_components(*MODELS["GibbsLDA"], **given)


def test_models_without_a_number_of_topics():
    for model in (KMeans(2), make_pipeline(TfidfTransformer(), KMeans(2)), "model"):
        with pytest.raises(ValueError, match="has no parameter n_components"):
            suggest_n_components(model, CORPUS.data)
