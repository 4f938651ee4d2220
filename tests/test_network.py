"""Nothing leaves the machine unless a remote model, or a model of the hub, is named."""

import os
import socket
import subprocess
import sys

import pytest

from llmtopics import (
    AudioTranscriber,
    FusionTopicModel,
    ImageDescriber,
    LanguageModelTuner,
    LLMError,
    LLMTopics,
    LocalLLM,
    RemoteEmbedder,
    RemoteLLM,
    TransformerClassifier,
    TransformerEmbedder,
)

# all that a user does with local models, with nothing in any cache
WORK = """
import llmtopics
from llmtopics import FusionTopicModel, TopicMerger, explain, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.report import topic_report

texts = load_bbc_news().data[::40]
model = FusionTopicModel(3, max_iter=5, random_state=0).fit(texts)
topics = read_topics(model, texts, labels=[len(text) % 2 for text in texts])
topics.topic_table(), topics.by(n_bootstrap=10), topics.find("money"), topics.to_json()
explain(model, texts[0])._repr_html_()
topic_report(topics, "page.html")
"""
ASK = """
from llmtopics import LLMTopics, LocalLLM, NextWordCounts
from llmtopics.naming import name_topics

texts = ["Shares fell in London.", "The striker scored twice."] * 3
LocalLLM().generate(texts, max_new_tokens=3)
LLMTopics(["sport", "business"]).fit(texts).transform(texts)
"""


@pytest.fixture
def run(tmp_path):
    """A function that runs code in a new process, with empty caches and no settings."""

    def run(code):
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "TRANSFORMERS_", "ORT_", "LLMTOPICS_CACHE"))
        }
        env |= {"HF_HOME": str(tmp_path), "LLMTOPICS_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr

    return run


def test_connections_are_refused_and_noted(connections):
    for host in ("192.0.2.1", "example.invalid"):
        with pytest.raises(OSError, match="this machine only"):
            socket.create_connection((host, 80), timeout=1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(OSError, match="this machine only"),
    ):
        datagrams.sendto(b"data", ("192.0.2.1", 53))
    assert connections() == ["192.0.2.1", "example.invalid", "192.0.2.1"]


@pytest.mark.skipif(not hasattr(socket.socket, "sendmsg"), reason="has none")
def test_messages_are_refused_too(connections):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(OSError, match="this machine only"),
    ):
        datagrams.sendmsg([b"data"], [], 0, ("192.0.2.1", 53))
    assert connections() == ["192.0.2.1"]


def test_hosts_are_noted_in_any_script(connections):
    for host in ("bücher.invalid", "192.0.2.2"):
        with pytest.raises(OSError, match="this machine only"):
            socket.getaddrinfo(host, 80)
    assert connections() == ["bücher.invalid", "192.0.2.2"]


def test_hosts_are_noted_after_others_in_any_script(connections):
    with pytest.raises(OSError, match="this machine only"):
        socket.getaddrinfo("192.0.2.3", 80)
    assert connections() == ["192.0.2.3"]


def test_connections_to_this_machine_are_not_refused(connections):
    with socket.create_server(("localhost", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert connections() == []


def test_connections_of_child_processes_are_refused_and_noted(run, connections):
    code, errors = run("import socket; socket.create_connection(('192.0.2.1', 80))")
    assert code == 1
    assert "this machine only" in errors
    assert connections() == ["192.0.2.1"]


def test_local_work_connects_to_nothing(run, connections):
    code, errors = run(WORK)
    assert code == 0, errors
    assert connections() == []


@pytest.mark.slow
def test_a_local_language_model_connects_to_nothing(run, connections):
    code, errors = run(ASK)
    assert code == 0, errors
    assert connections() == []


def test_a_remote_model_connects_to_its_server_only(connections):
    llm = RemoteLLM(
        "http://example.invalid/v1",
        "m",
        api_key_env=None,
        max_retries=0,
        cache_dir=False,
    )
    repr(llm)
    assert connections() == []
    with pytest.raises(LLMError):
        llm.generate(["figs"])
    assert set(connections()) == {"example.invalid"}


def test_a_model_of_the_hub_connects_to_the_hub_only(run, connections):
    code, errors = run(
        "from llmtopics import TransformerEmbedder\n"
        "TransformerEmbedder('no/such-model').fit_transform(['figs'])"
    )
    assert code == 1
    assert "was not found" in errors
    assert set(connections()) == {"huggingface.co"}


URL = "http://example.invalid/v1"


@pytest.mark.parametrize(
    "estimator",
    [
        RemoteEmbedder(URL, "m", api_key_env=None),
        RemoteLLM(URL, "m", api_key_env=None),
        ImageDescriber("caption", llm=RemoteLLM(URL, "m", api_key_env=None)),
        FusionTopicModel(embedder=RemoteEmbedder(URL, "m", api_key_env=None)),
        TransformerEmbedder("no/such-model"),
        LocalLLM("no/such-model"),
        LLMTopics(["sport"], llm=LocalLLM("no/such-model")),
        AudioTranscriber("no/such-model"),
        LanguageModelTuner("no/such-model"),
        TransformerClassifier("no/such-model"),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_to_show_an_estimator_connects_to_nothing(estimator, connections):
    """Notebooks also list its attributes, to complete names."""
    repr(estimator)
    # scikit-learn's diagram of an embedder asks for its number of dimensions
    if not isinstance(estimator, RemoteEmbedder | TransformerEmbedder):
        estimator._repr_html_()
    [getattr(estimator, name) for name in dir(estimator)]
    assert connections() == []


def test_to_show_a_model_unpacks_nothing(tmp_path):
    llm = LocalLLM(cache_dir=tmp_path)
    llm._repr_html_()
    dir(llm)
    assert not list(tmp_path.iterdir())
