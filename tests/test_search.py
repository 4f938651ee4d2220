"""Searches over fusion, on real articles: nothing is encoded, loaded or fitted twice."""

import json
import os
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

from llmtopics import FusionTopicModel, TextAnalyzer, TransformerEmbedder
from llmtopics._compiled.threads import workers
from llmtopics._language import encode, load
from llmtopics.datasets import load_bbc_news
from llmtopics.fusion._scoring import cut_in_half


class WatchedEmbedder(TransformerEmbedder):
    """Writes down in a folder what the model does, in whatever process."""

    def __init__(self, folder):
        super().__init__(cache_dir=Path(folder, "vectors"), dtype="float32")
        self.folder = folder

    def transform(self, X):
        plain, texts, busy, most = encode._encode_block, [], [], [0]
        n_loads = load._models.cache_info().misses

        def watched(some, *rest):
            texts.extend(some)
            busy.append(torch.get_num_threads())
            most.append(sum(busy))
            try:
                return plain(some, *rest)
            finally:
                busy.pop()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encode, "_encode_block", watched)
            vectors = super().transform(X)
        with workers(-1) as own:
            call = {
                "process": os.getpid(),
                "texts": texts,
                "n_loads": load._models.cache_info().misses - n_loads,
                "threads": [
                    own.n,
                    torch.get_num_threads(),
                    max(most),
                    *(pool["num_threads"] for pool in threadpool_info()),
                ],
            }
        with Path(self.folder, f"{os.getpid()}.jsonl").open(
            "a", encoding="utf-8"
        ) as log:
            log.write(json.dumps(call) + "\n")
        return vectors


def calls(folder):
    """Return what every call of the embedder wrote down."""
    logs = sorted(Path(folder).glob("*.jsonl"))
    lines = [line for log in logs for line in log.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def news():
    """The first words of every 40th article, five of them twice, and their sections."""
    corpus = load_bbc_news()
    texts = [" ".join(text.split()[:20]) for text in corpus.data[::40]]
    y = corpus.target[::40]
    return [*texts, *texts[:5]], np.concatenate([y, y[:5]])


def fusion(folder, **parameters):
    return FusionTopicModel(
        vectorizer=CountVectorizer(analyzer=TextAnalyzer(), min_df=2),
        embedder=WatchedEmbedder(str(folder)),
        **{"max_iter": 3, "random_state": 0, **parameters},
    )


def grid(prefix=""):
    return {f"{prefix}alpha": [0.2, 1], f"{prefix}n_components": [2, 3]}


def alone(model, texts, y, n_jobs):
    return GridSearchCV(model, grid(), cv=3, n_jobs=n_jobs).fit(texts)


def halving(model, texts, y, n_jobs):
    search = HalvingGridSearchCV(
        model, grid(), cv=3, factor=1.5, min_resources=40, random_state=0, n_jobs=n_jobs
    )
    return search.fit(texts)


def with_classifier(model, texts, y, n_jobs):
    pipeline = make_pipeline(model, LogisticRegression())
    return GridSearchCV(pipeline, grid("fusiontopicmodel__"), cv=3, n_jobs=n_jobs).fit(
        texts, y
    )


def in_column(frame):
    def search(model, texts, y, n_jobs):
        X = frame({"text": texts, "length": [len(text) / 100 for text in texts]})
        columns = make_column_transformer((model, "text"), ("passthrough", ["length"]))
        pipeline = make_pipeline(columns, LogisticRegression())
        names = grid("columntransformer__fusiontopicmodel__")
        return GridSearchCV(pipeline, names, cv=3, n_jobs=n_jobs).fit(X, y)

    return search


SEARCHES = {
    "alone": alone,
    "halving": halving,
    "with a classifier": with_classifier,
    "pandas column": in_column(pd.DataFrame),
    "polars column": in_column(pl.DataFrame),
}
FEW = {"alone", "pandas column"}


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name",
    [
        name if name in FEW else pytest.param(name, marks=pytest.mark.slow)
        for name in SEARCHES
    ],
)
def test_a_search_encodes_every_text_once(news, tmp_path, name, n_jobs):
    """And loads weights once per process, on no more threads than there are cores."""
    texts, y = news
    search = SEARCHES[name](fusion(tmp_path), texts, y, n_jobs)
    assert len(set(search.cv_results_["mean_test_score"])) > 2
    found = calls(tmp_path)
    encoded = Counter(text for call in found for text in call["texts"])
    assert set(encoded.values()) == {1}
    halves = {
        cut_in_half(text)[0] for text in texts
    }  # which the model's own score reads
    if name == "halving":  # scores some of the texts only
        assert {*texts} < {*encoded} <= {*texts} | halves
    else:
        assert {*encoded} == {*texts} | (halves if name == "alone" else set())
    n_loads = Counter()
    for call in found:
        n_loads[call["process"]] += call["n_loads"]
    assert max(n_loads.values()) <= 1
    in_workers = [call for call in found if call["process"] != os.getpid()]
    assert bool(in_workers) == (n_jobs == 2)
    share = max(1, joblib.cpu_count() // 2)
    assert all(max(call["threads"]) <= share for call in in_workers)


@pytest.mark.slow  # starts processes, which import PyTorch each
def test_two_jobs_find_the_same_as_one_and_encode_nothing_again(news, tmp_path):
    texts, y = news
    one = alone(fusion(tmp_path), texts, y, None)
    n_encoded = sum(len(call["texts"]) for call in calls(tmp_path))
    two = alone(fusion(tmp_path), texts, y, 2)
    assert sum(len(call["texts"]) for call in calls(tmp_path)) == n_encoded
    for name in ["split0_test_score", "split1_test_score", "split2_test_score"]:
        assert_array_equal(one.cv_results_[name], two.cv_results_[name])
    assert_array_equal(one.transform(texts), two.transform(texts))


def test_with_memory_in_the_pipeline_classifiers_share_their_topics(news, tmp_path):
    """One fit per fold and α, however many classifiers follow."""
    texts, y = news
    names = {"fusiontopicmodel__alpha": [0.3, 0.7], "logisticregression__C": [0.1, 10]}
    n_scored, found = 2 * 2 * 3, []
    for memory, n_fitted in [(None, n_scored), (str(tmp_path / "memory"), 2 * 3)]:
        folder = tmp_path / str(n_fitted)
        folder.mkdir()
        pipeline = make_pipeline(fusion(folder), LogisticRegression(), memory=memory)
        search = GridSearchCV(pipeline, names, cv=3, refit=False).fit(texts, y)
        found.append(search.cv_results_["mean_test_score"])
        assert len(calls(folder)) == n_fitted + n_scored
    assert_array_equal(*found)
