"""Fixtures of the tests and of the examples in docstrings."""

import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import mkstemp
from urllib.request import urlopen

import numpy as np
import pytest

from llmtopics import LocalLLM
from llmtopics.datasets import make_topics

_NO_NETWORK = Path(__file__).parent / "tests" / "no_network"
collect_ignore = [str(_NO_NETWORK)]


def pytest_configure():
    """Refuse connections to other machines, here and in child processes."""
    handle, os.environ["LLMTOPICS_TEST_CONNECTIONS"] = mkstemp(prefix="connections-")
    os.close(handle)
    paths = [str(_NO_NETWORK), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    runpy.run_path(str(_NO_NETWORK / "sitecustomize.py"))


def pytest_unconfigure():
    Path(os.environ["LLMTOPICS_TEST_CONNECTIONS"]).unlink(missing_ok=True)


@pytest.fixture
def connections():
    """A function that returns the hosts that were tried so far in this test, and refused.

    A test that asks for it may try. All others fail if they do.
    """
    path = Path(os.environ["LLMTOPICS_TEST_CONNECTIONS"])
    n_before = path.stat().st_size
    return lambda: path.read_bytes()[n_before:].decode().split()


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine(request):
    """Fail a test that tries to connect to another machine, even if it handles the refusal."""
    may_try = "connections" in request.fixturenames
    tried = request.getfixturevalue("connections")
    yield
    if not may_try and (hosts := tried()):
        pytest.fail(f"This test tried to connect to {', '.join(sorted(set(hosts)))}.")


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
def no_delay(monkeypatch):
    """Show bars at once, also of work that is over in a moment."""
    monkeypatch.setattr("llmtopics._progress._DELAY", 0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def smollm2():
    """The folder of the real language model, unpacked once for all tests."""
    return LocalLLM()._folder()


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


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory):
    """The folder with a GGUF file, ``tiny.gguf``, of a model of random weights."""
    gguf = pytest.importorskip("gguf")
    place = tmp_path_factory.mktemp("gguf")
    tokens = ["<end>", *map(chr, range(33, 127)), "ab", "cd"]
    writer = gguf.GGUFWriter(place / "tiny.gguf", "llama")
    for add, value in [
        (writer.add_context_length, 64),
        (writer.add_embedding_length, 32),
        (writer.add_block_count, 1),
        (writer.add_feed_forward_length, 32),
        (writer.add_head_count, 2),
        (writer.add_head_count_kv, 2),
        (writer.add_layer_norm_rms_eps, 1e-5),
        (writer.add_rope_dimension_count, 16),
        (writer.add_vocab_size, len(tokens)),
        (writer.add_tokenizer_model, "gpt2"),
        (writer.add_token_list, tokens),
        (writer.add_token_types, [3] + [1] * (len(tokens) - 1)),
        (writer.add_token_merges, ["a b", "c d"]),
        (writer.add_bos_token_id, 0),
        (writer.add_eos_token_id, 0),
    ]:
        add(value)
    names = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up"]
    shapes = {f"blk.0.{name}": (32, 32) for name in [*names, "ffn_down"]}
    shapes |= {"blk.0.attn_norm": (32,), "blk.0.ffn_norm": (32,), "output_norm": (32,)}
    shapes |= {"token_embd": (len(tokens), 32), "output": (len(tokens), 32)}
    rng = np.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
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


class _Handler(BaseHTTPRequestHandler):
    """Notes each request, and answers it by ``server.fault`` or else ``server.answer``.

    ``fault(handler, n, body)`` gets the number of the request, from 1, and returns whether it
    has answered. ``answer(handler, body)`` answers.
    """

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.data = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(self.data)
        with self.server.lock:
            self.server.requests.append((self.path, body, self.headers))
            n = len(self.server.requests)
            self.server.n_open += 1
        try:
            if not self.server.fault(self, n, body):
                self.server.answer(self, body)
                with self.server.lock:
                    self.server.n_answered += 1
        except ConnectionError:
            pass  # the client has gone
        finally:
            with self.server.lock:
                self.server.n_open -= 1

    def reply(self, status, content, cut=0, kind="application/json", **headers):
        """Send an answer without its last ``cut`` bytes."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data[: len(data) - cut])
        return True


@contextmanager
def _serving(answer, **state):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    vars(server).update(
        url=f"http://127.0.0.1:{server.server_port}/v1",
        answer=answer,
        fault=lambda handler, n, body: False,
        lock=threading.Lock(),
        requests=[],
        n_open=0,
        n_answered=0,
    )
    vars(server).update(state)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def serving():
    """A context manager: a server on loopback, with ``state`` as its attributes.

    See ``_Handler`` for ``answer`` and ``fault``.
    """
    return _serving
