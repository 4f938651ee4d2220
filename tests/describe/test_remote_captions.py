"""Captions by a real server on loopback, with a model of random weights."""

import base64
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread

import pytest

pytest.importorskip("openai")

from PIL import Image

from llmtopics import ImageDescriber, LLMError, RemoteLLM
from llmtopics._language import LLMLimitError
from llmtopics._language.providers.openai_compatible import OpenAICompatible


@pytest.fixture
def sent(monkeypatch):
    """The pictures that are sent."""
    found = []
    real = OpenAICompatible.send

    def noted(self, client, model, text, request, options, image=None):
        found.append((text, image))
        return real(self, client, model, text, request, options, image)

    monkeypatch.setattr(OpenAICompatible, "send", noted)
    return found


@pytest.fixture
def llm(real_server, folder_of, tmp_path):
    return RemoteLLM(
        f"http://127.0.0.1:{real_server}/v1",
        folder_of("smolvlm"),
        api_key_env=None,
        cache_dir=tmp_path,
        max_retries=0,
    )


def describer(llm, **parameters):
    return ImageDescriber("caption", llm=llm, max_new_tokens=6, **parameters)


def test_each_picture_is_sent_once(llm, two, sent):
    texts = describer(llm, prompt="What is {here}?").transform([*two, two[0]])
    assert all(texts)
    assert texts[0] == texts[2]
    assert len(sent) == 2
    for text, image in sent:
        assert text == "What is {here}?"
        head, _, data = image.partition(",")
        assert head == "data:image/jpeg;base64"
        shown = Image.open(BytesIO(base64.b64decode(data)))
        assert shown.size == two[0].size
    again = describer(llm, prompt="What is {here}?", verbose=True)
    assert again.transform(two[::-1]) == texts[1::-1]
    assert len(sent) == 2
    assert llm.usage_["n_requests"] == 2


def test_large_pictures_are_sent_small(llm, sent):
    describer(llm).transform([Image.new("RGB", (4000, 1000), "green")])
    data = base64.b64decode(sent[0][1].partition(",")[2])
    assert Image.open(BytesIO(data)).size == (1024, 256)


def test_a_bad_picture_is_named_and_others_are_kept(llm, two, sent, tmp_path):
    path = tmp_path / "bad.png"
    path.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"row 1 \(.*bad\.png\): its bytes are not"):
        describer(llm).transform([two[0], path, two[1]])
    kept = describer(llm, on_error="keep")
    texts = kept.transform([two[0], path, two[1]])
    assert texts[0]
    assert not texts[1]
    assert texts[2]
    assert "not a known picture format" in kept.errors_[1]
    assert kept.report_ == {"described": 2, "empty": 0, "missing": 0, "failed": 1}
    images = {image for _, image in sent}
    assert len(images) == 2  # the first call may stop before it sends the last picture


def test_limits_and_failures_of_the_server(llm, two, real_server):
    llm.set_params(max_requests=1, n_jobs=1)
    with pytest.raises(LLMLimitError, match="max_requests=1"):
        describer(llm, on_error="keep").transform(two)
    unknown = RemoteLLM(
        f"http://127.0.0.1:{real_server}/v1", "no/such", api_key_env=None, max_retries=0
    )
    with pytest.raises(LLMError, match="no/such"):
        describer(unknown).transform(two)


class Answers(BaseHTTPRequestHandler):
    """Stands in for servers that fail, because a real one does not fail on demand."""

    how = ""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        status, body = FAILING[self.how][:2]
        if status == "late":
            time.sleep(1)
            return
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


SILENT = b'{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}'
FAILING = {
    "HTML": (200, b"<html>Gateway</html>", "in the expected format.*Gateway"),
    "no choices": (200, b'{"choices": []}', "in the expected format"),
    "nothing written": (200, SILENT, "wrote nothing.*'length'"),
    "late": ("late", b"", "timed out"),
    **{str(n): (n, b"{}", f"gave no answer.*{n}") for n in (400, 413, 429, 500)},
}


@pytest.mark.parametrize("how", FAILING)
def test_a_failure_of_the_server_is_named_and_other_parts_are_kept(
    how, strip, tmp_path, monkeypatch
):
    pytest.importorskip("rapidocr")
    monkeypatch.setattr(Answers, "how", how)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        llm = RemoteLLM(
            url, "m", api_key_env=None, max_retries=0, timeout=0.5, cache_dir=tmp_path
        )
        both = ImageDescriber(
            ["ocr", "caption"], llm=llm, on_error="keep", cache_dir=tmp_path
        )
        assert both.transform([strip, b"no picture"]) == ["Shares fell sharply", ""]
        server.shutdown()
    assert re.match(f"row 0: .*{FAILING[how][2]}", both.errors_[0])
    assert both.errors_[1].count("not a known picture format") == 1
    assert both.report_ == {"described": 0, "empty": 0, "missing": 0, "failed": 2}
