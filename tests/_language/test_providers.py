"""Adding another kind of server (provider)."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from llmtopics import LLMError, RemoteEmbedder, RemoteLLM
from llmtopics._language.providers import PROVIDERS, Provider, Reply


class Backwards(Provider):
    """A server without HTTP that writes a text backwards."""

    max_top_tokens = 2

    def errors(self):
        return OSError

    def client(self, *, event_hooks, api_key, **_):
        assert api_key is None
        return nullcontext(event_hooks)

    def unsupported(self, request):
        return ("score", "it cannot", "LocalLLM") if request.kind == "score" else None

    def send(self, client, model, text, request, options):
        sent = SimpleNamespace(content="".join(text).encode())
        for hook in client.enter_result["request"]:
            hook(sent)
        if "fail" in text:
            raise OSError("broken")
        return SimpleNamespace(request=sent, text=text, n_top=options.get("n"))

    def read(self, response):
        if isinstance(response.text, list):
            return Reply({"lengths": [*map(len, response.text)]}, None, 3, 0, True)
        choice = {"text": response.text[::-1], "n": response.n_top}
        return Reply(choice, None, len(response.text), 1, True)

    def writing_options(self, request):
        return {}

    def top_token_options(self, request, n_top):
        return {"n": n_top}

    def scoring_options(self, request):
        raise NotImplementedError

    def embedding_options(self, dimensions):
        return {"n": dimensions}

    def vectors_of(self, choice):
        return [(i, [n, 1]) for i, n in enumerate(choice["lengths"])]

    def text_of(self, choice, chat):
        return choice["text"]

    def end_of(self, choice):
        return "stop"

    def top_tokens_of(self, choice):
        return [(" goal", -1.0), (" cup", -2.0), (" bank", -3.0)]

    def score_of(self, choice, text, answer):
        raise NotImplementedError


@pytest.fixture
def llm(monkeypatch):
    monkeypatch.setitem(PROVIDERS, "openai", Backwards())
    return RemoteLLM(
        "http://nowhere/v1", "m", api_key_env=None, price=(1e6, 0), cache_dir=False
    )


def test_budget_and_answers_work_with_any_provider(llm):
    assert llm.generate(["abc", "de"]) == ["cba", "ed"]
    assert llm.usage_ == {
        "n_calls": 2,
        "n_cached": 0,
        "prompt_tokens": 5,
        "new_tokens": 2,
        "n_requests": 2,
        "cost": 5.0,
    }
    (words,) = llm.next_word_distribution(["abc"], n_words=2)
    assert list(words) == ["goal", "cup"]
    with pytest.raises(LLMError, match=r"score is unsupported by .* it cannot"):
        llm.score(["abc"], [" a"])
    with pytest.raises(LLMError, match=r"Row 1: .* gave no answer: 'broken'"):
        llm.generate(["abc", "fail"])
    llm.set_params(max_requests=4)
    with pytest.raises(LLMError, match="max_requests=4"):
        llm.generate(["abc", "de"])


def test_vectors_work_with_any_provider(llm):
    embedder = RemoteEmbedder(llm.base_url, "m", api_key_env=None, cache_dir=False)
    assert embedder.transform(["abc", "", "de"]).tolist() == [[3, 1], [0, 0], [2, 1]]
    assert embedder.usage_["prompt_tokens"] == 3
