"""Keys of servers are in no log, output, error, repr, page or file, whatever is fitted."""

import inspect
import logging
import pickle
import traceback

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

import llmtopics
from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    ImageDescriber,
    LLMAugmenter,
    LLMError,
    LLMResampler,
    LLMTopics,
    NextWordCounts,
    RemoteEmbedder,
    RemoteLLM,
    TopicLabeler,
    TopicSentiment,
    TopicSummarizer,
    read_topics,
)
from llmtopics.report import topic_report

KEY, TEAM_KEY = "sk-planted-7f3a9c", "team-planted-51d0e8"
TEXTS = ["Cats chase mice. Mice run.", "Banks lend money. Money earns."] * 4
# what takes an embedder or a language model, and sends nothing to the one that it is given
LOCAL = {"TransformerClassifier", "TopicRecommender"}


def counted():
    return make_pipeline(CountVectorizer(), GibbsLDA(2, max_iter=5, random_state=0))


def estimators(llm, embedder):
    """Return an estimator of each kind that sends something to a server."""
    found = [
        llm,
        embedder,
        FusionTopicModel(2, embedder=embedder, max_iter=3, random_state=0),
        LLMAugmenter(llm=llm),
        LLMResampler(llm=llm, max_rounds=1, random_state=0),
        LLMTopics(["pets", "money"], llm=llm),
        NextWordCounts(CountVectorizer(), llm=llm),
        TopicLabeler(counted(), llm=llm),
        TopicSummarizer(counted(), llm=llm),
        TopicSentiment(
            counted(),
            embedder=embedder,
            positive=["run"],
            negative=["lend"],
            random_state=0,
        ),
        ImageDescriber("caption", llm=llm),
    ]
    return {type(each).__name__: each for each in found}


NAMES = sorted(
    estimators(
        RemoteLLM("http://localhost/v1", "m"),
        RemoteEmbedder("http://localhost/v1", "m"),
    )
)


def answer(handler, body):
    if "input" in body:
        data = [
            {"index": i, "embedding": [float(len(text)), 1.0, text.count("a")]}
            for i, text in enumerate(body["input"])
        ]
        return handler.reply(200, {"data": data, "model": body["model"]})
    message = {"role": "assistant", "content": "Cats and money."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    return handler.reply(200, {"choices": [choice], "usage": usage})


def refuse(handler, n, body):
    """A server that says the keys that it got."""
    said = f"wrong keys: {dict(handler.headers)}"
    return handler.reply(401, {"error": {"message": said}})


def used(estimator, folder):
    """Return what a user gets of an estimator that is fitted and used, as texts and bytes."""
    name = type(estimator).__name__
    if isinstance(estimator, RemoteLLM):
        made = estimator.generate(TEXTS)
    elif isinstance(estimator, LLMResampler):
        made = estimator.fit_resample(TEXTS, ["a"] * 5 + ["b"] * 3)
    elif isinstance(estimator, ImageDescriber):
        path = folder / "picture.png"
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
        made = estimator.fit_transform([str(path)])
    else:
        estimator.fit(TEXTS)
        made = estimator.transform(TEXTS)
    if name in ("FusionTopicModel", "TopicLabeler", "LLMTopics"):
        topics = read_topics(estimator, TEXTS)
        topic_report(topics, folder / "page.html")
        topics.to_json(folder / "topics.json")
    return repr(made)


@pytest.mark.parametrize("fails", [False, True], ids=["answers", "refuses"])
@pytest.mark.parametrize("name", NAMES)
def test_keys_are_nowhere(name, fails, serving, monkeypatch, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("TEAM_KEY", TEAM_KEY)
    monkeypatch.setenv("LLMTOPICS_CACHE", str(tmp_path / "default"))
    fault = refuse if fails else lambda *_: False
    with serving(answer, fault=fault) as server:
        settings = {
            "extra_headers": {"X-Team": "Bearer $TEAM_KEY"},
            "cache_dir": tmp_path / "cache",
            "max_retries": 0,
            "n_jobs": 1,
        }
        llm = RemoteLLM(server.url, "m", **settings)
        embedder = RemoteEmbedder(server.url, "m", **settings)
        estimator = estimators(llm, embedder)[name]
        seen = []
        try:
            seen.append(used(estimator, tmp_path))
        except LLMError as error:
            seen += [repr(error), *traceback.format_exception(error)]
            seen.append(repr(pickle.dumps(error)))
        else:
            assert not fails
        assert server.requests
        headers = server.requests[0][2]
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["X-Team"] == f"Bearer {TEAM_KEY}"
    joblib.dump(estimator, tmp_path / "estimator.joblib", compress=0)
    seen += [
        repr(estimator),
        str(estimator.get_params()),
        caplog.text,
        *capfd.readouterr(),
    ]
    if hasattr(estimator, "_repr_html_"):
        seen.append(estimator._repr_html_())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (KEY, TEAM_KEY):
        assert not [text for text in seen if secret in text]
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_every_estimator_that_may_ask_a_server_is_tested():
    public = (getattr(llmtopics, name) for name in llmtopics.__all__)
    asks = {
        each.__name__
        for each in public
        if inspect.isclass(each)
        and issubclass(each, BaseEstimator)
        and {"llm", "embedder", "base_url"} & inspect.signature(each).parameters.keys()
    }
    assert asks - LOCAL == set(NAMES)
