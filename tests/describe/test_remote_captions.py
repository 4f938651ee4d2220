"""Captions by a real server on loopback, with a model of random weights."""

import base64
from io import BytesIO

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
    assert kept.report_ == {"described": 2, "empty": 0, "failed": 1}
    assert len(sent) <= 3


def test_limits_and_failures_of_the_server(llm, two, real_server):
    llm.set_params(max_requests=1, n_jobs=1)
    with pytest.raises(LLMLimitError, match="max_requests=1"):
        describer(llm, on_error="keep").transform(two)
    unknown = RemoteLLM(
        f"http://127.0.0.1:{real_server}/v1", "no/such", api_key_env=None, max_retries=0
    )
    with pytest.raises(LLMError):
        describer(unknown).transform(two)
