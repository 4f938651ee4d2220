"""Servers of several makers. Their answers are fakes in the shapes that were recorded.

Each shape follows the documentation of its maker. Values are shortened or invented.
"""

import logging
import pickle
import time
from email.utils import formatdate

import pytest
from sklearn.base import clone

from llmtopics import LLMError, RemoteEmbedder, RemoteLLM
from llmtopics._language import LLMLimitError, connection, pace
from llmtopics._language.request import Request

pytest.importorskip("openai")
KEY = "sk-very-secret-1234"
FRUITS = ["apples", "pears", "plums", "figs", "limes"]


def chat(content="Fine.", reason="stop", usage=(9, 3), **message):
    """A chat's answer in the shape of OpenAI."""
    message = {"role": "assistant", "content": content, "refusal": None, **message}
    read, new = usage
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": new,
            "total_tokens": read + new,
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "system_fingerprint": "fp_fc9f1d7035",
    }


def vectors(body, model="text-embedding-3-small"):
    data = [
        {"object": "embedding", "index": i, "embedding": [float(len(text)), 1.0]}
        for i, text in enumerate(body["input"])
    ]
    usage = {"prompt_tokens": 5 * len(data), "total_tokens": 5 * len(data)}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def answer(handler, body):
    return handler.reply(200, vectors(body) if "input" in body else chat())


@pytest.fixture
def server(serving, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    client = pytest.importorskip("openai._base_client")
    monkeypatch.setattr(client, "INITIAL_RETRY_DELAY", 0.01)
    with serving(answer) as found:
        yield found


@pytest.fixture
def llm(server, tmp_path):
    return RemoteLLM(server.url, "gpt-4o", n_jobs=1, cache_dir=tmp_path)


@pytest.fixture
def embedder(server, tmp_path):
    return RemoteEmbedder(
        server.url, "text-embedding-3-small", n_jobs=1, cache_dir=tmp_path
    )


def ask(model, texts=FRUITS[:1], **options):
    """Ask for answers or for vectors."""
    if isinstance(model, RemoteEmbedder):
        return model.transform(texts)
    return model.generate(texts, **options)


@pytest.fixture(params=["llm", "embedder"])
def either(request):
    return request.getfixturevalue(request.param)


def always(status, content, **options):
    return lambda handler, *_: handler.reply(status, content, **options)


# fields, headers and query of the user -------------------------------------------------


def test_extra_fields_headers_and_query_are_sent(either, server, monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "team-secret-99\n")
    either.set_params(
        extra_body={"user": "u1", "dimensions": 2, "temperature": None},
        extra_headers={"X-Team": "$$5", "X-Team-Key": "Bearer $TEAM_KEY"},
        query={"api-version": "2024-10-21"},
    )
    ask(clone(either))
    ((path, body, headers),) = server.requests
    assert path.endswith("?api-version=2024-10-21")
    assert (body["user"], body["dimensions"]) == ("u1", 2)
    assert "temperature" not in body
    assert headers["X-Team"] == "$5"
    assert headers["X-Team-Key"] == "Bearer team-secret-99"
    assert headers["Authorization"] == f"Bearer {KEY}"
    ask(clone(either))
    assert len(server.requests) == 1  # from the cache
    ask(clone(either).set_params(extra_body={"user": "u2"}))
    ask(clone(either).set_params(query={"api-version": "2025-01-01"}))
    assert len(server.requests) == 3  # other answers are asked for


def test_secrets_of_headers_are_not_stored_or_shown(
    either, server, monkeypatch, caplog
):
    caplog.set_level(logging.DEBUG)
    secret = "team-secret-99"
    monkeypatch.setenv("TEAM_KEY", secret)
    either.set_params(extra_headers={"X-Team-Key": "$TEAM_KEY"}, api_key_env=None)
    refusal = {"error": {"message": f"wrong key {secret}"}}
    said = {1: (503, b""), 3: (401, refusal)}
    server.fault = lambda handler, n, _: n in said and handler.reply(*said[n])
    ask(either)
    with pytest.raises(LLMError, match=r"refuses the key in extra_headers.*\*\*\*"):
        ask(either, ["other"])
    assert secret not in caplog.text
    assert secret not in repr(either)
    assert secret.encode() not in pickle.dumps(either)
    for path in either.cache_dir.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()
    assert all("Authorization" not in headers for *_, headers in server.requests)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extra_headers": {"api-key": KEY}}, r"is a secret.*'\$MY_KEY'"),
        ({"extra_headers": {"Authorization": f"Bearer {KEY}"}}, "is a secret"),
        ({"extra_headers": {"X-Auth-Token": None}}, "is a secret"),
        ({"extra_headers": {"X Team": "a"}}, "wrong name of a header"),
        ({"extra_headers": {"X-Team": "a\r\nX-Other: b"}}, "text of one line"),
        ({"extra_headers": {"X-Team": "é"}}, "text of one line, in ASCII"),
        ({"extra_headers": {"X-Note": "cost $5"}}, r"Write \$\$ for a dollar"),
        ({"extra_headers": {"Content-Length": "5"}}, "cannot set 'Content-Length'"),
        ({"extra_headers": {"host": "a"}}, "cannot set 'host'"),
        ({"extra_headers": ["X-Team"]}, "extra_headers"),
        ({"query": {"api-version": 3}}, "query must be a dict from texts to texts"),
        (
            {"api_key_env": KEY},
            "must be the name of an environment variable.*not the key",
        ),
        ({"extra_body": {"api_key": KEY}}, "'api_key', which looks like a secret"),
        ({"extra_body": {"a": [{"password": KEY}]}}, "'password', which looks like"),
        ({"query": {"api-key": KEY}}, r"query\['api-key'\] is a secret"),
        ({"query": "api-version=1"}, "query"),
        ({"extra_body": {"messages": []}}, "cannot set 'messages'"),
        ({"extra_body": {"n": 3}}, "cannot set 'n'"),
        ({"extra_body": {"a": float("nan")}}, "values of JSON"),
        ({"extra_body": {"a": {1, 2}}}, "values of JSON"),
        ({"extra_body": {1: 2}}, "names of fields"),
        ({"extra_body": {"max_tokens": None}}, "must be a whole number"),
        ({"extra_body": {"max_completion_tokens": True}}, "must be a whole number"),
    ],
)
def test_wrong_extras_are_errors_and_nothing_is_sent(either, server, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        ask(either.set_params(**changes))
    assert KEY not in str(caught.value)
    assert not server.requests


@pytest.mark.parametrize("bad", ["", " \n", "sk-a\nsk-b", "sk-é", "sk-\x7f"])
@pytest.mark.parametrize("place", ["key", "header"])
def test_a_key_that_is_missing_or_broken_is_named_and_not_shown(
    either, server, monkeypatch, bad, place
):
    monkeypatch.setenv("MY_KEY", bad)
    if place == "key":
        either.set_params(api_key_env="MY_KEY")
    else:
        either.set_params(extra_headers={"X-Key": "$MY_KEY"})
    with pytest.raises(LLMError, match=r"variable MY_KEY (is not set|has a)") as caught:
        ask(either)
    assert "sk-" not in str(caught.value)
    assert not server.requests


def test_a_variable_may_have_the_whole_header(either, server, monkeypatch):
    monkeypatch.setenv("MY_HEADER", "Bearer team-secret-99")
    either.set_params(extra_headers={"Authorization": "$MY_HEADER"}, api_key_env=None)
    server.fault = always(401, {"error": {"message": "wrong team-secret-99: 错误"}})
    with pytest.raises(LLMError, match=r"wrong \*\*\*: 错误") as caught:
        ask(either)
    assert "secret" not in str(caught.value)
    assert server.requests[0][2]["Authorization"] == "Bearer team-secret-99"


def test_a_line_break_after_a_key_is_left_out(either, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    ask(either)
    assert server.requests[0][2]["Authorization"] == f"Bearer {KEY}"


# parameters that a server accepts ------------------------------------------------------


def refused(name, why="Unsupported parameter", then=""):
    said = f"{why}: '{name}' is not supported with this model.{then}"
    return {"error": {"message": said, "type": "invalid_request_error", "param": name}}


def reasoning_model(handler, _, body):
    """OpenAI's reasoning models: no max_tokens, temperature 1 alone, no seed or stop."""
    if "max_tokens" in body:
        then = " Use 'max_completion_tokens' instead."
        return handler.reply(400, refused("max_tokens", then=then))
    if body.get("temperature", 1) != 1:
        said = (
            "Unsupported value: 'temperature' does not support 0 with this model. Only the "
            "default (1) value is supported."
        )
        error = {"message": said, "param": "temperature", "code": "unsupported_value"}
        return handler.reply(400, {"error": error})
    for name in ("top_p", "stop", "seed"):
        if name in body:
            return handler.reply(400, refused(name))


def test_what_a_server_refuses_is_learned_once_and_logged(llm, server, caplog):
    server.fault = reasoning_model
    assert ask(llm, FRUITS[:2], max_new_tokens=7) == ["Fine."] * 2
    assert len(server.requests) == 2 + 2
    assert server.requests[-1][1]["max_completion_tokens"] == 7
    assert not {"max_tokens", "temperature"} & server.requests[-1][1].keys()
    messages = [record.message for record in caplog.records]
    assert len(messages) == 2
    assert "refuses max_tokens. It is sent as max_completion_tokens" in messages[0]
    assert "refuses temperature. It is left out" in messages[1]
    other = RemoteLLM(server.url, "gpt-4o", cache_dir=False)  # all know it
    assert ask(other, FRUITS[2:], temperature=0.7, stop=["ne"]) == ["Fi"] * 3
    assert other.usage_["n_requests"] <= 3 + 4 * 3  # seed, stop, top_p are new


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (  # Mistral
            422,
            {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "seed"],
                        "msg": "Extra inputs are not permitted",
                    }
                ]
            },
        ),
        (400, [{"error": {"code": 400, "message": "Unknown field: seed"}}]),  # Gemini
        (400, {"object": "error", "message": "parameter seed is not supported"}),
    ],
)
def test_other_words_for_a_refused_field(llm, server, status, content):
    server.fault = lambda handler, _, body: (
        "seed" in body and handler.reply(status, content)
    )
    assert ask(llm, temperature=0.5) == ["Fine."]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("'max_tokens' is too large: 9. This model supports at most 5.", "at most 5"),
        ("context length exceeded: 'max_tokens' is not supported", "too long"),
        ("Unsupported parameter: 'verbosity'", "verbosity"),
        ("Unsupported value: 'temperature' for all", "temperature"),
    ],
)
def test_other_refusals_stay_errors_and_are_not_learned(llm, server, said, message):
    error = {"error": {"message": said}}
    server.fault = always(400, error)
    with pytest.raises(LLMError, match=f"^Row 0: .*{message}"):
        ask(llm)
    server.fault = lambda *_: False
    ask(llm)
    assert {"max_tokens", "temperature"} <= server.requests[-1][1].keys()


def test_a_field_that_the_user_sets_is_not_left_out(llm, server):
    server.fault = reasoning_model
    llm.set_params(extra_body={"temperature": 0.3})
    with pytest.raises(LLMError, match="temperature"):
        ask(llm)


def test_a_limit_on_tokens_by_the_user_replaces_that_of_each_call(llm, server):
    server.fault = lambda handler, *_: handler.reply(200, chat(usage=(9, 900)))
    llm.set_params(
        extra_body={"max_completion_tokens": 1000, "reasoning_effort": "low"},
        price=(0, 1e6),
        max_cost=999,
    )
    with pytest.raises(LLMLimitError, match="max_cost=999"):
        ask(llm, max_new_tokens=5)
    llm.set_params(max_cost=1001)
    assert ask(llm, max_new_tokens=5) == ["Fine."]
    ((_, body, _),) = server.requests
    assert body["max_completion_tokens"] == 1000
    assert body["reasoning_effort"] == "low"
    assert "max_tokens" not in body
    assert llm.usage_["cost"] == pytest.approx(900)


# thinking ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        chat("Fine.", reasoning_content="The user asks."),  # vLLM, DeepSeek
        chat("Fine.", reasoning="The user asks."),  # Ollama, OpenRouter
        chat("<think>\nThe user asks.\n</think>\n\nFine."),
        chat("<reasoning>\nThe user asks.\n</reasoning>\n\nFine."),
        chat(  # gpt-oss
            "<|channel|>analysis<|message|>The user asks.<|end|><|start|>assistant"
            "<|channel|>final<|message|>Fine."
        ),
        chat("The user asks.\n</think>\n\nFine."),  # the template wrote <think>
        chat(  # Mistral
            [
                {
                    "type": "thinking",
                    "thinking": [{"type": "text", "text": "The user asks."}],
                },
                {"type": "text", "text": "Fine."},
            ]
        ),
    ],
)
def test_thinking_is_not_the_answer(llm, server, shape):
    server.fault = always(200, shape)
    assert ask(llm) == ["Fine."]


@pytest.mark.parametrize(
    "said", ["Use <think>aloud</think> or <b>bold</b>.", "The tag is </think> in HTML"]
)
def test_tags_inside_an_answer_stay(llm, server, said):
    server.fault = always(200, chat(said))
    assert ask(llm) == [said]


@pytest.mark.parametrize(
    "shape",
    [
        chat("", "length", (9, 64), reasoning_content="The user asks, and I"),
        chat(None, "length", (9, 64)),
        chat("<think>The user asks, and I", "length", (9, 64)),
    ],
)
@pytest.mark.parametrize("stop", [[], ["\n"]])
def test_thinking_that_fills_the_limit_says_what_to_do(llm, server, shape, stop):
    server.fault = always(200, shape)
    message = (
        r"^Row 0: .*'length'.*64 tokens may be too few.*max_completion_tokens': 2000"
    )
    with pytest.raises(LLMError, match=message):
        ask(llm, stop=stop)
    server.fault = lambda *_: False
    assert ask(llm, stop=stop) == ["Fine."]  # no empty answer is in the cache


@pytest.mark.parametrize(
    "shape", [chat("<think>\n"), chat("", reasoning_content="The user asks")]
)
def test_a_stop_string_in_the_thinking_is_an_error(llm, server, shape):
    server.fault = always(200, shape)
    with pytest.raises(LLMError, match=r"'stop'.*A stop string may have ended it"):
        ask(llm, stop=["\n"])
    server.fault = always(200, chat(""))
    assert ask(llm, stop=["\n"]) == [""]  # the answer begins with the stop string


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (chat(None, refusal="I can't help."), r"refuses, .*I can't help"),
        (chat(None, "tool_calls", tool_calls=[CALL]), "calls a tool. Remove tools"),
        (chat(None, "tool_calls"), "calls a tool"),
        ({"choices": [{"message": None}]}, "has no message"),
        ({"choices": [{}]}, "has no message"),
    ],
)
def test_an_answer_without_text_says_what_happened(llm, server, shape, message):
    server.fault = always(200, shape)
    with pytest.raises(LLMError, match=f"^Row 0: .*wrote nothing: .*{message}"):
        ask(llm)


# personal data -------------------------------------------------------------------------

WITH_DATA = [
    "Jane (jane@example.com) called +1 212 555 0123.",
    "Bob (bob@example.com) called +1 212 555 0199.",
    "Nobody called in 1984.",
]
REPLACED = ["Jane (<EMAIL_3>) called <PHONE_1>.", "Bob (<EMAIL_3>) called <PHONE_1>."]


def echo(handler, _, body):
    said = body["messages"][-1]["content"]
    return handler.reply(200, chat(said))


def test_personal_data_is_replaced_before_it_is_sent(llm, server):
    server.fault = echo
    llm.set_params(redact="pii")
    options = {"system": "Ask me@example.com.", "template": "{{1}} by a@b.org: {text}"}
    found = ask(llm, WITH_DATA, **options)
    expected = ["{1} by <EMAIL_2>: " + t for t in [*REPLACED, WITH_DATA[2]]]
    assert found == expected
    sent = [body["messages"] for _, body, _ in server.requests]
    assert [messages[1]["content"] for messages in sent] == expected
    assert sent[0][0]["content"] == "Ask <EMAIL_1>."
    restored = ask(clone(llm).set_params(restore=True), WITH_DATA, **options)
    assert restored == ["{1} by a@b.org: " + t for t in WITH_DATA]
    assert len(server.requests) == 3  # from the cache, whose keys are of what was sent


def test_each_placeholder_in_an_answer_is_restored_to_its_own_person(llm, server):
    server.fault = echo
    llm.set_params(redact="pii", restore=True)
    texts = ["<EMAIL_1> is bob@y.org", "me@x.org asks", "<EMAIL_2> asks bob@y.org"]
    options = {"system": "You help me@x.org.", "template": "{text} Reply to jane@x.org"}
    found = ask(llm, texts, **options)
    assert found == [f"{text} Reply to jane@x.org" for text in texts]
    for _, body, _ in server.requests:
        assert not [m for m in body["messages"] if "@" in m["content"]]


def nothing_but_numbers(text):
    return "".join(c for c in text if c.isdigit())


def test_texts_of_which_redact_leaves_nothing_get_zeros(embedder, server, caplog):
    embedder.set_params(redact=nothing_but_numbers)
    assert (embedder.transform(["a", " ", "b"]) == 0).all()
    assert [body["input"] for _, body, _ in server.requests] == [["text"]]
    (record,) = caplog.records
    assert "redact leaves nothing of 2 of 3 texts" in record.getMessage()


def test_texts_that_are_sent_alike_are_sent_once(either, server):
    texts = ["Ask jane@example.com", "Ask bob@example.com"]
    ask(either.set_params(redact="pii"), texts)
    ((_, body, _),) = server.requests
    assert "Ask <EMAIL_1>" in (body.get("input") or body["messages"][0]["content"])
    for path in either.cache_dir.rglob("*"):
        assert path.is_dir() or b"jane@" not in path.read_bytes()


def test_answers_to_score_and_prompts_of_vectors_are_replaced(llm, embedder, server):
    server.fault = lambda handler, _, body: (
        "prompt" in body and handler.reply(400, {"error": {"message": "no"}})
    )
    with pytest.raises(LLMError):
        llm.set_params(redact="pii").score(["By a@b.org"], [" of c@d.org"])
    embedder.set_params(redact="pii", prompt="For a@b.org: ").transform(["c@d.org"])
    first, second = (body for _, body, _ in server.requests)
    assert first["prompt"] == "By <EMAIL_2> of <EMAIL_1>"
    assert second["input"] == ["For <EMAIL_1>: <EMAIL_2>"]


def shout(text):
    return text.upper().replace("JANE", "X")


def test_a_callable_redacts(either, server):
    ask(pickle.loads(pickle.dumps(either.set_params(redact=shout))), ["Jane sang"])
    ((_, body, _),) = server.requests
    assert "X SANG" in (body.get("input") or body["messages"][0]["content"])


def nothing(text):
    return None


def test_wrong_redactions_are_errors_and_nothing_is_sent(either, llm, server):
    for value in ["names", 3]:
        with pytest.raises(ValueError, match="redact"):
            ask(either.set_params(redact=value))
    with pytest.raises(ValueError, match="redact must return a text for each text"):
        ask(either.set_params(redact=nothing))
    with pytest.raises(ValueError, match="restore=True needs redact='pii'"):
        ask(llm.set_params(redact=shout, restore=True))
    with pytest.raises(ValueError, match="personal data in pictures"):
        llm.set_params(restore=False)._describe(
            ["a"],
            str,
            ["a"],
            {},
            prompt="",
            max_new_tokens=1,
            on_error="raise",
            verbose=0,
        )
    assert not server.requests


# limits --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_requests_per_minute_are_kept_by_all_threads(
    either, server, monkeypatch, n_jobs
):
    times = []

    def note(*_):
        times.append(time.monotonic())
        return False

    server.fault = note
    monkeypatch.setattr(pace, "MINUTE", 0.5)
    either.set_params(requests_per_minute=2, n_jobs=n_jobs, cache_dir=False)
    if isinstance(either, RemoteEmbedder):
        either.set_params(batch_size=1)
    ask(either, FRUITS)
    times.sort()
    assert len(times) == len(FRUITS)
    for first, third in zip(times, times[2:], strict=False):
        assert third - first > 0.4


def test_tokens_per_minute_are_kept(llm, server, monkeypatch):
    monkeypatch.setattr(pace, "MINUTE", 0.4)
    llm.set_params(tokens_per_minute=1000, n_jobs=4, cache_dir=False)
    start = time.monotonic()
    ask(llm, FRUITS[:4], max_new_tokens=400)  # two at a time
    assert time.monotonic() - start > 0.4
    start = time.monotonic()
    ask(llm, FRUITS[:2], max_new_tokens=5000)  # more than the limit: one at a time
    assert time.monotonic() - start > 0.4


def test_a_picture_counts_as_a_fixed_number_of_tokens(llm, server, monkeypatch):
    """The picture is a fake: a megabyte of letters."""
    counted = []
    monkeypatch.setattr(connection, "wait_for_turn", lambda a, n, *_: counted.append(n))
    llm._describe(
        ["a", "b"],
        lambda digest: "data:image/png;base64," + digest * 2**20,
        ["a", "b"],
        {},
        prompt="What is it?",
        max_new_tokens=100,
        on_error="raise",
        verbose=0,
    )
    assert all(1100 < n < 1300 for n in counted)
    assert len(counted) == len(server.requests) == 2


def test_a_slash_after_the_address_changes_no_limit(llm, server):
    addresses = {
        clone(llm).set_params(base_url=url)._connection(REQUEST).address
        for url in (server.url, server.url + "/")
    }
    assert len(addresses) == 1


REQUEST = Request("generate", "{text}", None, True, None)


@pytest.mark.parametrize(("n", "refused"), [(72, False), (73, True), (500, True)])
def test_a_few_tokens_over_the_limit_are_accepted(llm, server, n, refused):
    server.fault = always(200, chat(usage=(9, n)))
    if not refused:
        assert ask(llm, max_new_tokens=64) == ["Fine."]
        return
    with pytest.raises(LLMError, match=f"wrote {n} tokens"):
        ask(llm, max_new_tokens=64)


def test_a_failure_ends_the_waiting(llm, server):
    server.fault = always(401, {"error": {"message": "no"}})
    start = time.monotonic()
    with pytest.raises(LLMError, match="refuses the key"):
        ask(llm.set_params(requests_per_minute=1, n_jobs=4), FRUITS)
    assert time.monotonic() - start < 20  # not minutes


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_pause_that_a_server_asks_for_is_kept(either, server, form):
    pause = "1.5" if form == "seconds" else formatdate(time.time() + 3, usegmt=True)
    error = {"error": {"message": "slow down", "type": "rate_limit_error"}}
    server.fault = lambda handler, n, _: (
        n == 1 and handler.reply(429, error, Retry_After=pause)
    )
    start = time.monotonic()
    ask(either)
    assert 1.4 < time.monotonic() - start < 10


PRICES = {"gpt-4o": (0, 1e6), "text-embedding-3-small": (1e6, 0)}


def test_a_table_of_prices_and_a_limit_reached_in_the_middle(either, server):
    texts = [f"{fruit} {i}" for fruit in FRUITS for i in range(9)]
    each, most = 3, 3 * 2 + 64
    if isinstance(either, RemoteEmbedder):
        either.set_params(batch_size=1)
        each, most = 5, 180  # before it is sent, a request counts as one token per byte
    either.set_params(price=PRICES, max_cost=most)
    with pytest.raises(LLMLimitError, match=rf"max_cost={most} \(.* is spent\)"):
        ask(either, texts)
    n = len(server.requests)
    assert 0 < n < len(texts)
    assert either.usage_["cost"] == pytest.approx(n * each)
    assert either.usage_["cost"] <= most
    assert len(ask(either.set_params(max_cost=None), texts)) == len(texts)
    assert len(server.requests) == len(texts)  # finished rows are kept


@pytest.mark.parametrize(
    "price",
    [
        {"gpt-4": (1, 2)},
        {},
        (1, float("nan")),
        (1, float("inf")),
        ("1", "2"),
        {"gpt-4o": 3, "text-embedding-3-small": 3},
    ],
)
def test_wrong_prices_are_errors(either, server, price):
    with pytest.raises(ValueError, match=r"price (has no entry|must be two numbers)"):
        ask(either.set_params(price=price))
    assert not server.requests


# servers of several makers -------------------------------------------------------------


def test_azure_with_its_header_query_and_deployment(llm, server, monkeypatch):
    """Fake in the shape of Azure OpenAI: the address has the deployment."""
    monkeypatch.setenv("AZURE_KEY", "azure-secret-77")
    monkeypatch.delenv("OPENAI_API_KEY")

    def azure(handler, n, body):
        if handler.headers["api-key"] != "azure-secret-77":
            error = {"code": "401", "message": "Access denied due to invalid key."}
            return handler.reply(401, {"error": error})
        if "api-version=2024-10-21" not in handler.path:
            error = {"code": "404", "message": "Resource not found"}
            return handler.reply(404, {"error": error})
        if "bombs" in body["messages"][0]["content"]:
            inner = {"code": "ResponsibleAIPolicyViolation"}
            error = {"message": "The response was filtered", "type": None}
            error |= {"param": "prompt", "code": "content_filter", "innererror": inner}
            return handler.reply(400, {"error": error})
        filters = {"hate": {"filtered": False, "severity": "safe"}}
        shape = chat() | {
            "prompt_filter_results": [{"content_filter_results": filters}]
        }
        return handler.reply(200, shape)

    server.fault = azure
    llm.set_params(
        base_url=server.url.replace("/v1", "/openai/deployments/topics"),
        api_key_env=None,
        extra_headers={"api-key": "$AZURE_KEY"},
    )
    with pytest.raises(LLMError, match="Resource not found"):
        ask(llm)
    llm.set_params(query={"api-version": "2024-10-21"})
    with pytest.raises(LLMError, match=r"^Row 1: .*filtered"):
        ask(llm, ["apples", "bombs"])
    assert ask(llm, ["apples", "bombs"], on_error="keep") == ["Fine.", None]
    monkeypatch.setenv("AZURE_KEY", "wrong")
    with pytest.raises(
        LLMError, match=r"refuses the key in extra_headers.*Access denied"
    ):
        ask(llm, ["pears"])


def test_a_deployment_may_have_another_name_than_its_model(either, server):
    name = "my-deployment"
    right = either.model
    with pytest.raises(LLMError, match=f"set extra_body={{'model': '{name}'}}"):
        ask(either.set_params(model=name))
    ask(either.set_params(model=right, extra_body={"model": name}))
    assert server.requests[-1][1]["model"] == name


def test_a_deployment_that_is_not_there(either, server):
    said = "The API deployment for this resource does not exist."
    server.fault = always(
        404, {"error": {"code": "DeploymentNotFound", "message": said}}
    )
    with pytest.raises(LLMError, match="no such model"):
        ask(either)


def test_anthropic(llm, server):
    """Fake in the shape of Anthropic's OpenAI-compatible endpoint."""
    shape = chat(usage=(14, 5)) | {
        "model": "claude-sonnet-4-5-20250929",
        "id": "msg_01",
    }
    overloaded = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
    }

    def anthropic(handler, n, body):
        if n == 1:
            return handler.reply(529, overloaded)
        if {"temperature", "top_p"} <= body.keys():
            said = "`temperature` and `top_p` cannot both be specified for this model."
            error = {"type": "invalid_request_error", "message": said}
            return handler.reply(400, {"type": "error", "error": error})
        return handler.reply(200, shape)

    server.fault = anthropic
    llm.set_params(model="claude-sonnet-4-5")
    assert ask(llm, temperature=0.5) == ["Fine."]
    assert server.requests[-1][1]["temperature"] == 0.5
    assert "top_p" not in server.requests[-1][1]
    assert llm.usage_["new_tokens"] == 5


def test_gemini(llm, server):
    """Fake in the shape of Gemini's endpoint: thinking counts in the total alone."""
    shape = chat() | {"model": "models/gemini-2.5-flash"}
    shape["usage"] = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 52}
    server.fault = always(200, shape)
    llm.set_params(model="gemini-2.5-flash", price=(0, 1e6), max_cost=100)
    assert ask(llm) == ["Fine."]
    assert llm.usage_["cost"] == pytest.approx(43)
    llm.set_params(max_cost=None)
    shape["usage"]["total_tokens"] = 500  # more than max_new_tokens
    assert ask(llm, ["plums"]) == ["Fine."]
    cut = chat() | {"model": "gemini-2.5-flash"}
    cut["choices"] = [
        {"finish_reason": "length", "index": 0, "message": {"role": "assistant"}}
    ]
    cut["usage"] = {"prompt_tokens": 9, "total_tokens": 29}
    server.fault = always(200, cut)
    with pytest.raises(LLMError, match=r"^Row 0: .*wrote nothing.*'length'"):
        ask(llm, ["pears"])
    said = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}
    server.fault = always(400, [{"error": said}])
    with pytest.raises(LLMError, match="API key not valid"):
        ask(llm, ["figs"])


def test_ollama(llm, embedder, server):
    """Fake in the shape of Ollama: tags of models, thinking, vectors without a key."""
    shape = chat(reasoning="The user asks.") | {"model": "qwen3:latest"}
    server.fault = lambda handler, _, body: handler.reply(
        200, vectors(body, "bge-m3") if "input" in body else shape
    )
    assert ask(llm.set_params(model="qwen3", api_key_env=None)) == ["Fine."]
    assert ask(embedder.set_params(model="bge-m3", api_key_env=None)).shape == (1, 2)
    said = 'model "qwen9" not found, try pulling it first'
    server.fault = always(404, {"error": {"message": said, "type": "api_error"}})
    with pytest.raises(LLMError, match=r"no such model.*pulling"):
        ask(llm.set_params(model="qwen9"))


def test_vllm(llm, embedder, server):
    """Fake in the shape of vLLM: errors are not inside "error", thinking has a field."""
    said = (
        "This model's maximum context length is 4096 tokens. However, you requested 5000 "
        "tokens. Please reduce the length of the messages or 'max_tokens'."
    )
    shape = {"object": "error", "message": said, "type": "BadRequestError", "code": 400}
    server.fault = lambda handler, n, _: n in (1, 3) and handler.reply(400, shape)
    for model in (llm, embedder):
        with pytest.raises(LLMError, match=r"^Row 0: The text is too long .*4096"):
            ask(model)
        ask(model)


FAULTS = {
    "HTML": (b"<html><body>Sign in</body></html>", "expected format.*Sign in"),
    "no choices": ({"choices": [], "model": "gpt-4o"}, "expected format"),
    "null choices": ({"choices": None}, "expected format"),
    "half JSON": (b'{"choices": [{"index": 0, "mess', "expected format"),
    "200 with an error": ({"error": {"message": "overloaded"}}, "format.*overloaded"),
    "error beside choices": (
        chat() | {"error": {"message": "upstream timed out"}},
        "upstream timed out",
    ),
    "nothing": (b"", "expected format"),
    "not UTF-8": (b'{"choices": "\xff\xfe', "expected format"),
    "a text": ("hello", "expected format"),
    "null": (None, "expected format"),
    "deep": (b"[" * 100_000, "expected format"),
    "tokens as text": (
        chat() | {"usage": {"prompt_tokens": "many"}},
        "expected format",
    ),
    "usage as text": (chat() | {"usage": "none"}, "expected format"),
    "negative tokens": (
        chat() | {"usage": {"prompt_tokens": -5, "completion_tokens": -5}},
        "expected format",
    ),
    "endless tokens": (
        chat() | {"usage": {"prompt_tokens": float("inf")}},
        "expected format",
    ),
    "reason as list": (chat(reason=["stop"]), None),
    "another model": (
        chat() | {"model": "qwen3"},
        "answers with another model, 'qwen3'",
    ),
    "model as number": (chat() | {"model": 3}, "another model, 3"),
    "number for text": (chat(7), "wrote nothing"),
    "null for text": (chat(None), "wrote nothing"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_answer_is_an_error_and_finished_rows_are_kept(llm, server, name):
    content, message = FAULTS[name]
    server.fault = lambda handler, n, _: n == 3 and handler.reply(200, content)
    if message is None:
        assert ask(llm, FRUITS) == ["Fine."] * 5
        return
    with pytest.raises(LLMError, match=f"(?s){message}") as caught:
        ask(llm, FRUITS)
    assert len(f"{caught.value}") < 900
    assert ask(llm, FRUITS) == ["Fine."] * 5
    assert len(server.requests) == 3 + 3  # two rows are kept


@pytest.mark.parametrize("part", [b" ", b'{"choices": '])
def test_a_slow_drip_is_an_error(either, server, part):
    def drip(handler, *_):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(part)
            time.sleep(0.02)
        return True

    server.fault = drip
    start = time.monotonic()
    with pytest.raises(LLMError, match=r"too slowly: after 0.2 seconds"):
        ask(either.set_params(timeout=0.2, max_retries=0))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("name", ["api_key", "code", "sig", "subscription-key"])
def test_secrets_in_the_query_are_refused(either, name):
    """Addresses are logged, and the query is in saved models."""
    with pytest.raises(ValueError, match="is a secret, and addresses are logged"):
        ask(clone(either).set_params(query={name: "Zx9abcd"}))
