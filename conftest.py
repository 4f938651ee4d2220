"""Fixtures of the tests and of the examples in docstrings."""

import os
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import numpy as np
import pytest

from llmtopics import LocalLLM
from llmtopics.datasets import make_topics


@pytest.fixture(scope="session", autouse=True)
def _vectors_are_kept_between_runs(request):
    """Keep what models computed apart from the user's own; tests of it say cache_dir."""
    folder = request.config.cache.mkdir("llmtopics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMTOPICS_CACHE", str(folder))
        yield


@pytest.fixture(scope="session")
def planted():
    """A corpus of 200 documents over 4 known topics (and the topics)."""
    corpus = make_topics(
        200, 60, 4, doc_length=40, topic_word_prior=0.2, random_state=0
    )
    for array in (corpus.data.data, corpus.doc_topic, corpus.components):
        array.flags.writeable = False  # all tests share it
    return corpus


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def smollm2():
    """The folder of the real language model, unpacked once for all tests."""
    return LocalLLM()._folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory, smollm2):
    """The folder of a model of random weights that computes in no time.

    It reads 256 tokens, with the tokenizer of the real model. Its weights are large, so that
    every token of a text changes what it answers.
    """
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("small")
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    tokenizer.save_pretrained(place)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        initializer_range=0.5,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(place)
    return place


@pytest.fixture
def small_llm(small_model):
    """The model of random weights, nothing of it cached."""
    return LocalLLM(str(small_model), dtype="float32", cache_dir=False)


@pytest.fixture(scope="session")
def real_server(tmp_path_factory):
    """The port of ``transformers serve``, an OpenAI-compatible server.

    It loads the model that a request names.
    """
    pytest.importorskip("uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    try:
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            try:
                with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait()
