"""Servers that answer without end, elsewhere, or with more than memory holds."""

import gzip
import json
import subprocess
import sys
import time
import zlib
from contextlib import suppress

import pytest

from llmtopics import LLMError, RemoteEmbedder, RemoteLLM
from llmtopics._language import connection

pytest.importorskip("openai")
RIGHT = {
    "choices": [{"index": 0, "message": {"content": "Fine."}, "finish_reason": "stop"}]
}


@pytest.fixture
def server(serving, monkeypatch):
    client = pytest.importorskip("openai._base_client")
    monkeypatch.setattr(client, "INITIAL_RETRY_DELAY", 0.01)
    with serving(lambda handler, body: handler.reply(200, RIGHT)) as found:
        yield found


@pytest.fixture(params=["llm", "embedder"])
def ask(request, server):
    settings = {
        "api_key_env": None,
        "cache_dir": False,
        "max_retries": 0,
        "timeout": 20,
    }
    if request.param == "llm":
        llm = RemoteLLM(server.url, "m", **settings)
        return lambda: llm.generate(["a text"])
    embedder = RemoteEmbedder(server.url, "m", **settings)
    return lambda: embedder.fit_transform(["a text"])


def packed(n_bytes, times=1):
    """Return a file of zeros in gzip, packed so many times."""
    made = zlib.compressobj(9, wbits=31)
    data = (
        b"".join(made.compress(bytes(2**20)) for _ in range(n_bytes >> 20))
        + made.flush()
    )
    for _ in range(times - 1):
        data = gzip.compress(data, 9)
    return data


def test_an_answer_in_gzip_is_read(server):
    server.fault = lambda handler, *_: handler.reply(
        200, gzip.compress(json.dumps(RIGHT).encode()), Content_Encoding="gzip"
    )
    llm = RemoteLLM(server.url, "m", api_key_env=None, cache_dir=False)
    assert llm.generate(["a text"]) == ["Fine."]


def test_a_compressed_bomb_is_cut_off(ask, server, monkeypatch):
    monkeypatch.setattr(connection, "MOST_BYTES", 2**22)
    monkeypatch.setattr(connection, "MOST_BYTES_WRITTEN", 2**22)
    bomb = packed(2**28)
    server.fault = lambda handler, *_: handler.reply(200, bomb, Content_Encoding="gzip")
    with pytest.raises(LLMError, match="sends more than 4 MiB in one answer"):
        ask()


@pytest.mark.parametrize("coding", ["gzip, gzip", "zstd", "br", "Gzip,deflate", "x"])
def test_encodings_without_a_limit_are_refused(ask, server, coding):
    bomb = packed(2**24, 2)
    server.fault = lambda handler, *_: handler.reply(200, bomb, Content_Encoding=coding)
    with pytest.raises(LLMError, match=r"encoding .*only gzip and deflate"):
        ask()


def test_servers_are_not_asked_for_other_encodings(ask, server, monkeypatch):
    """The client would ask for those of all packages that are installed."""
    import openai

    library = openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]
    monkeypatch.setattr(f"{library}._client.ACCEPT_ENCODING", "gzip, br, zstd")
    with suppress(LLMError):  # the answer is not one for an embedder
        ask()
    assert server.requests[0][2]["Accept-Encoding"] == "gzip, deflate"


def test_a_huge_error_is_cut_off(ask, server, monkeypatch):
    monkeypatch.setattr(connection, "MOST_BYTES", 2**20)
    monkeypatch.setattr(connection, "MOST_BYTES_WRITTEN", 2**20)
    server.fault = lambda handler, *_: handler.reply(500, b"x" * 2**22)
    with pytest.raises(LLMError, match="sends more than 1 MiB") as error:
        ask()
    assert len(str(error.value)) < 500


def endless(handler, *_):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 2**16)


def test_an_answer_without_end_is_cut_off(ask, server, monkeypatch):
    monkeypatch.setattr(connection, "MOST_BYTES", 2**22)
    monkeypatch.setattr(connection, "MOST_BYTES_WRITTEN", 2**22)
    server.fault = endless
    start = time.monotonic()
    with pytest.raises(LLMError, match="sends more than 4 MiB"):
        ask()
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_texts_go_to_no_other_server(ask, server, serving, status):
    with serving(lambda handler, body: handler.reply(200, RIGHT)) as other:
        server.fault = lambda handler, *_: handler.reply(
            status, b"", Location=f"{other.url}/chat/completions"
        )
        with pytest.raises(LLMError, match="redirects to"):
            ask()
        assert other.requests == []


_MEASURE = """
import resource, sys
from llmtopics import LLMError, RemoteLLM
import openai
llm = RemoteLLM(sys.argv[1], "m", api_key_env=None, cache_dir=False, max_retries=0)
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
try: llm.generate(["warm up"])
except LLMError: pass
before = peak()
try: llm.generate(["a text"])
except LLMError as error: print(error)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gzip", "lists"])
def test_memory_stays_bounded(server, kind):
    """10 GB of zeros in 10 MB, and the most expensive JSON that fits into the limit."""
    n = connection.MOST_BYTES_WRITTEN
    data = {
        "gzip": packed(10 * 2**30),
        "lists": b"[" + b"[]," * (n // 3 - 9) + b"[]]",
    }[kind]
    coding = {"Content_Encoding": "gzip"} if kind == "gzip" else {}
    server.fault = lambda handler, number, _: (
        number > 1 and handler.reply(200, data, **coding)
    )
    found = subprocess.run(
        [sys.executable, "-c", _MEASURE, server.url],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout.split("\n")
    assert "MiB in one answer" in found[0] or "expected format" in found[0]
    assert float(found[-2]) < 1500  # MiB
