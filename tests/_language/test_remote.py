"""Remote language models: a real server, behind a proxy that injects faults."""

import json
import logging
import pickle
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from llmtopics import LLMError, LocalLLM, RemoteLLM
from llmtopics._language import LLMLimitError, LLMUnsupportedError
from llmtopics._language.load import load_model, load_tokenizer
from llmtopics.naming import name_topics

pytest.importorskip("openai")
KEY = "sk-very-secret-1234"
FRUITS = ["apples", "pears", "plums", "figs", "limes", "kiwis", "dates", "melons"]


@pytest.fixture(scope="session")
def model(smollm2):
    return str(smollm2)


KNOWN = {}  # answers of the real server are reused, so that the tests take less time


def pass_on(handler):
    """Return the status and the answer of the real server."""
    key = handler.path, handler.data
    if key not in KNOWN:
        upstream = HTTPConnection("127.0.0.1", handler.server.upstream, timeout=60)
        try:
            upstream.request("POST", *key, {"Content-Type": "application/json"})
            answer = upstream.getresponse()
            KNOWN[key] = answer.status, answer.read()
        finally:
            upstream.close()
    return KNOWN[key]


def change(handler, **changes):
    """Send the real answer with some fields changed."""
    status, answer = pass_on(handler)
    return handler.reply(status, json.loads(answer) | changes)


def no_fault(*_):
    return False


def slow(*_):
    time.sleep(0.1)
    return False


@pytest.fixture
def proxy(real_server, model, serving, monkeypatch):
    """Passes requests on to the real server, except those that ``proxy.fault`` answers."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def answer(handler, _):
        handler.reply(*pass_on(handler))

    with serving(answer, upstream=real_server) as server:
        if not KNOWN:  # no later test waits for these
            write(RemoteLLM(server.url, model, n_jobs=1, cache_dir=False), FRUITS)
            server.requests.clear()
        yield server


@pytest.fixture
def llm(proxy, model, tmp_path, monkeypatch):
    openai = pytest.importorskip("openai._base_client")
    monkeypatch.setattr(openai, "INITIAL_RETRY_DELAY", 0.01)
    return RemoteLLM(proxy.url, model, n_jobs=1, cache_dir=tmp_path)


def texts_of(requests):
    return [body["messages"][-1]["content"] for _, body, _ in requests]


def write(llm, prompts=FRUITS[:3], **options):
    return llm.generate(prompts, max_new_tokens=3, **options)


# A real server without faults


def test_generate_with_a_real_server(llm, proxy):
    prompts = ["Name one fruit.", "Name one animal.", "Name one fruit."]
    found = llm.generate(
        prompts, template="{text} {{Now}}!", system="Be brief.", max_new_tokens=5
    )
    assert found[0] == found[2] != found[1]
    assert all(found)
    assert len(proxy.requests) == 2
    path, body, headers = proxy.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Name one fruit. {Now}!"},
    ]
    assert body["max_tokens"] == 5
    used = llm.usage_
    assert used["n_calls"] == used["n_requests"] == 2
    assert used["n_cached"] == 0
    if used["prompt_tokens"]:  # the oldest releases of this server report none
        assert used["prompt_tokens"] > 20
        assert 0 < used["new_tokens"] <= 10
    again = clone(llm).generate(
        prompts, template="{text} {{Now}}!", system="Be brief.", max_new_tokens=5
    )
    assert again == found
    assert len(proxy.requests) == 2
    assert llm.usage_["n_cached"] == 2


def test_a_remote_and_a_local_model_write_the_same(llm, model, tmp_path):
    local = LocalLLM(model, dtype="float32", cache_dir=tmp_path)
    prompts = ["The capital of France is"]
    options = {"chat": True, "max_new_tokens": 4, "system": "Answer."}
    assert llm.generate(prompts, **options) == local.generate(prompts, **options)


def test_a_real_server_completes_texts(llm, proxy):
    try:
        found = llm.generate(["One, two, three,"], chat=False, max_new_tokens=6)
    except LLMUnsupportedError:
        pytest.skip("this release of transformers serves chats only")
    assert "four" in found[0]
    assert proxy.requests[0][1]["prompt"] == "One, two, three,"
    options = {"chat": False, "system": "Count.", "stop": ","}
    found = llm.generate(["One, two, three,"], max_new_tokens=6, **options)
    assert proxy.requests[1][1]["prompt"] == "Count.\n\nOne, two, three,"
    assert found
    assert "," not in found[0]


def test_temperature_and_seed_are_sent(llm, proxy):
    answer = {"choices": [{"message": {"content": "red z green"}}]}
    proxy.fault = lambda handler, *_: handler.reply(200, answer)
    options = {"temperature": 0.7, "top_p": 0.9, "seed": 5, "stop": ["z"]}
    assert write(llm, FRUITS[:1], **options) == ["red"]
    body = proxy.requests[0][1]
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.7, 0.9, 5)
    assert body["stop"] == ["z"]


def test_lone_surrogates_are_neither_sent_nor_returned(llm, proxy):
    """Servers that cut an answer inside an emoji send half of it."""
    answer = {"choices": [{"message": {"content": "good \ud83d"}}]}
    proxy.fault = lambda handler, *_: handler.reply(200, answer)
    options = {"template": "\ud83d{text}", "system": "\udc00", "stop": ["\udc00"]}
    assert write(llm, ["figs\ud83d"], **options) == ["good ?"]
    assert write(llm, ["figs?"], **options) == ["good ?"]  # from the cache
    (body,) = [body for _, body, _ in proxy.requests]
    assert [message["content"] for message in body["messages"]] == ["?", "?figs?"]
    assert body["stop"] == ["?"]


def test_a_real_server_without_log_probabilities_is_unsupported(llm, proxy):
    for ask in (
        lambda: llm.next_word_distribution(["A cat is"]),
        lambda: llm.next_word_distribution(["A cat is"], chat=True, on_error="keep"),
        lambda: llm.score(["A cat is"], [" good"]),
    ):
        with pytest.raises(LLMUnsupportedError, match=f"by {proxy.url} .*; use "):
            ask()
    n_requests = len(proxy.requests)
    with pytest.raises(LLMUnsupportedError, match="chat=False"):
        llm.score(["A cat is"], [" good"], chat=True)
    assert len(proxy.requests) == n_requests


def test_requests_run_at_the_same_time(llm, proxy):
    under_way, most = set(), []

    def watch(_, n, __):
        under_way.add(n)
        most.append(len(under_way))
        time.sleep(0.1)
        under_way.discard(n)
        return False

    proxy.fault = watch
    write(llm.set_params(n_jobs=3), FRUITS)
    assert max(most) == 3
    assert sorted(texts_of(proxy.requests)) == sorted(FRUITS)


# Temporary faults


def first(fault):
    """Inject a fault into the first request only."""
    return lambda handler, n, body: n == 1 and fault(handler, body)


def too_many(handler, _):
    return handler.reply(429, {"error": {"message": "slow down"}}, Retry_After="0.5")


def broken(handler, _):
    return handler.reply(503, b"<html>bad gateway</html>")


def late(handler, _):
    time.sleep(1.2)
    return True


def cut_off(handler, _):
    return handler.reply(*pass_on(handler), cut=20)


def gone(handler, _):
    handler.connection.shutdown(socket.SHUT_RDWR)
    return True


@pytest.mark.parametrize("fault", [too_many, broken, late, cut_off, gone])
def test_temporary_faults_are_retried(llm, proxy, fault):
    if fault is late:
        llm.set_params(timeout=0.8)
    proxy.fault = first(fault)
    start = time.perf_counter()
    assert all(write(llm, FRUITS[:2]))
    if fault is too_many:
        assert time.perf_counter() - start > 0.5
    assert texts_of(proxy.requests) == [FRUITS[0], FRUITS[0], FRUITS[1]]
    assert llm.usage_["n_requests"] == 3
    assert llm.usage_["n_calls"] == 2


@pytest.mark.parametrize("fault", [broken, cut_off])
def test_retries_stop_and_the_error_names_the_row(llm, proxy, fault):
    proxy.fault = lambda handler, n, body: n > 1 and fault(handler, body)
    with pytest.raises(LLMError, match=r"^Row 2: .*gave no answer"):
        write(llm.set_params(max_retries=2), ["apples", "apples", "pears"])
    assert texts_of(proxy.requests) == ["apples"] + 3 * ["pears"]


# Permanent faults


def malformed(handler, _):
    return handler.reply(200, b'{"choices": [')


def no_choice(handler, _):
    return handler.reply(200, {"error": {"message": "overloaded"}})


def a_list(handler, _):
    return handler.reply(200, [1, 2])


def empty(handler, body):
    message = {"role": "assistant", "content": ""}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    return change(handler, choices=[choice])


def filtered(handler, body):
    message = {"role": "assistant", "content": "I"}
    choice = {"index": 0, "message": message, "finish_reason": "content_filter"}
    return change(handler, choices=[choice])


def too_long(handler, _):
    said = "This model's maximum context length is 8192 tokens."
    return handler.reply(400, {"error": {"message": said}})


ROW_FAULTS = [
    (malformed, "sent no answer"),
    (no_choice, "sent no answer.*overloaded"),
    (a_list, "sent no answer"),
    (empty, "wrote nothing.*max_new_tokens"),
    (filtered, "content_filter"),
    (too_long, "too long.*8192"),
]


@pytest.mark.parametrize(("fault", "message"), ROW_FAULTS)
def test_a_bad_answer_names_its_row_and_keeps_the_others(llm, proxy, fault, message):
    proxy.fault = lambda handler, n, body: n == 3 and fault(handler, body)
    with pytest.raises(LLMError, match=f"^Row 2: .*{message}"):
        write(llm, FRUITS[:5])
    assert texts_of(proxy.requests) == FRUITS[:3]
    assert all(write(llm, FRUITS[:5]))  # only missing answers are asked for
    assert texts_of(proxy.requests) == FRUITS[:3] + FRUITS[2:5]


@pytest.mark.parametrize(("fault", "_"), ROW_FAULTS)
def test_a_failed_row_can_be_kept_as_none(llm, proxy, fault, _):
    proxy.fault = lambda handler, n, body: n == 2 and fault(handler, body)
    found = write(llm, FRUITS[:3], on_error="keep")
    assert found[1] is None
    assert found[0]
    assert found[2]
    assert llm.usage_["n_calls"] == 2


def bad_request(handler, _):
    return handler.reply(400, {"error": {"message": "unknown field: x"}})


@pytest.mark.parametrize("fault", [bad_request, broken, malformed])
def test_topics_get_no_names_if_no_call_is_answered(llm, proxy, fault):
    proxy.fault = lambda handler, n, body: fault(handler, body)
    llm.set_params(max_retries=0)
    with pytest.raises(LLMError, match=r"^Row 0: .*(gave|sent) no answer"):
        name_topics([["rugby", "match"], ["bank", "shares"]], llm=llm, chat=True)
    assert len(proxy.requests) == 3  # two topics, then the first again


def refused(handler, _):
    return handler.reply(
        401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    )


def forbidden(handler, _):
    return handler.reply(403, {"error": {"message": "not for you"}})


def unpaid(handler, _):
    error = {"message": "no credit", "code": "insufficient_quota"}
    return handler.reply(429, {"error": error}, x_should_retry="false")


def no_model(handler, _):
    return handler.reply(404, {"error": {"message": "The model `x` does not exist"}})


def no_endpoint(handler, _):
    return handler.reply(404, {"detail": "Not Found"})


def other_model(handler, body):
    return change(handler, model="org/other-7b")


def wordy(handler, body):
    usage = {"prompt_tokens": 3, "completion_tokens": 300, "total_tokens": 303}
    return change(handler, usage=usage)


def elsewhere(handler, _):
    return handler.reply(307, b"", Location="http://127.0.0.1:9/v1/chat/completions")


@pytest.mark.parametrize("on_error", ["raise", "keep"])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (refused, "refuses the key in OPENAI_API_KEY"),
        (forbidden, "refuses the key in OPENAI_API_KEY.*not for you"),
        (unpaid, "billing"),
        (no_model, "no such model"),
        (no_endpoint, "no endpoint for chat at this address.*ends in /v1"),
        (other_model, "answers with another model, 'org/other-7b'"),
        (wordy, "wrote 300 tokens"),
    ],
)
def test_failures_that_concern_every_row_stop_the_call(
    llm, proxy, fault, message, on_error
):
    proxy.fault = lambda handler, n, body: n == 2 and fault(handler, body)
    with pytest.raises(LLMError, match=message) as caught:
        write(llm, FRUITS[:5], on_error=on_error)
    assert KEY not in str(caught.value)
    assert caught.value.__context__ is None  # the client's error holds the request
    assert len(proxy.requests) == 2
    proxy.fault = no_fault
    assert all(write(llm, FRUITS[:5]))
    assert len(proxy.requests) == 2 + 4


def test_redirects_are_not_followed(llm, proxy):
    proxy.fault = first(elsewhere)
    there = "http://127.0.0.1:9/v1/chat/completions"
    message = rf"redirects to '{there}'.*{proxy.url}.*Set base_url"
    with pytest.raises(LLMError, match=message):
        write(llm, on_error="keep")


def test_an_unreachable_server_is_an_error(llm):
    llm.set_params(base_url="http://127.0.0.1:9/v1", max_retries=1)
    with pytest.raises(LLMError, match="cannot be reached"):
        write(llm, on_error="keep")
    assert llm.usage_["n_requests"] == 2


def test_a_failure_keeps_the_answers_of_other_prompts(llm, proxy):
    proxy.fault = lambda handler, n, body: n == 5 and malformed(handler, body)
    llm.set_params(n_jobs=3)
    with pytest.raises(LLMError, match="Row"):
        write(llm, FRUITS)
    n_sent, n_answered = len(proxy.requests), proxy.n_answered
    assert n_sent <= 5 + 3  # requests that had been sent
    assert all(write(llm, FRUITS))
    assert len(proxy.requests) - n_sent == len(FRUITS) - n_answered


# Limits


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_requests_stop_at_their_limit(llm, proxy, n_jobs):
    llm.set_params(max_requests=5, n_jobs=n_jobs)
    proxy.fault = first(broken)
    other = clone(llm)
    with pytest.raises(LLMLimitError, match=r"max_requests=5.*Raise the limit"):
        write(llm, FRUITS, on_error="keep")
    assert len(proxy.requests) == 5
    with pytest.raises(LLMLimitError):
        write(other, FRUITS)  # clones share the limit
    assert len(proxy.requests) == 5
    assert llm.usage_["n_requests"] == other.usage_["n_requests"] == 5
    assert all(write(other.set_params(max_requests=9), FRUITS))
    assert len(proxy.requests) == 9


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_cost_stays_below_its_limit(llm, proxy, n_jobs):
    usage = {"prompt_tokens": 33, "completion_tokens": 3}
    proxy.fault = lambda handler, n, data: change(handler, usage=usage)
    llm.set_params(price=(1e4, 1e5), max_cost=6.0, n_jobs=n_jobs)
    with pytest.raises(LLMLimitError, match=r"max_cost=6.0"):
        write(llm, FRUITS)
    used = llm.usage_
    paid = used["prompt_tokens"] * 0.01 + used["new_tokens"] * 0.1
    assert 0 < used["cost"] <= 6
    assert used["cost"] == pytest.approx(paid)
    assert 0 < used["n_requests"] == len(proxy.requests) < len(FRUITS)


def test_a_request_without_an_answer_counts_at_its_highest_cost(llm, proxy):
    llm.set_params(price=(1e4, 1e5), max_cost=100, timeout=0.8, max_retries=0)
    proxy.fault = lambda handler, n, body: (broken if n == 1 else late)(handler, body)
    with pytest.raises(LLMError):
        write(llm, FRUITS[:1])
    assert llm.usage_["cost"] == pytest.approx(0)  # an error is not billed
    with pytest.raises(LLMError, match="timed out"):
        write(llm, FRUITS[:1])
    assert llm.usage_["cost"] > 0.3


# Killed half-way


def test_a_killed_run_continues_where_it_stopped(llm, proxy, model):
    code = (
        "from llmtopics import RemoteLLM\n"
        f"llm = RemoteLLM({proxy.url!r}, {model!r}, n_jobs=1,\n"
        f"                cache_dir={str(llm.cache_dir)!r})\n"
        f"llm.generate({FRUITS!r}, max_new_tokens=3)"
    )
    proxy.fault = slow
    run = subprocess.Popen([sys.executable, "-c", code])
    try:
        while len(proxy.requests) < 4:
            assert run.poll() is None
            time.sleep(0.005)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    while proxy.n_open:
        time.sleep(0.01)
    n_before = len(proxy.requests)
    assert n_before < len(FRUITS)
    assert all(write(llm, FRUITS))
    asked = texts_of(proxy.requests[n_before:])
    n_kept = int(llm.usage_["n_cached"])
    assert n_kept >= n_before - 2  # one unanswered, one perhaps not yet stored
    assert asked == FRUITS[n_kept:]


# Secrets, parameters


def test_the_key_is_not_stored_or_logged(llm, proxy, caplog):
    caplog.set_level(logging.DEBUG)
    proxy.fault = first(broken)
    write(llm)
    assert KEY not in repr(llm)
    assert KEY.encode() not in pickle.dumps(llm)
    assert KEY not in caplog.text
    for path in llm.cache_dir.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


def test_a_pickled_model_works_as_before(llm, proxy):
    found = write(llm)
    other = pickle.loads(pickle.dumps(llm))
    assert write(other) == found
    assert write(other, ["cherries"])
    assert len(proxy.requests) == 4


def test_a_missing_key_is_an_error_and_no_key_is_sent_without_api_key_env(
    llm, proxy, monkeypatch
):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(LLMError, match=r"MY_KEY is not set.*api_key_env"):
        write(llm.set_params(api_key_env="MY_KEY"))
    assert not proxy.requests
    assert write(llm.set_params(api_key_env=None))
    assert KEY not in str([headers.items() for *_, headers in proxy.requests])


def test_a_missing_package_is_named(llm, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ImportError, match=r"pip install 'llmtopics\[remote\]'"):
        write(llm)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_cost": 1.0}, r"max_cost needs the price of tokens. Set price=\("),
        ({"price": (1,)}, "price must be two numbers"),
        ({"price": (1, -1)}, "price must be two numbers"),
        ({"base_url": "localhost:8000"}, "base_url must be an address"),
        ({"base_url": f"http://me:{KEY}@host/v1"}, "without user, password"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_bad_parameters_are_errors_and_nothing_is_sent(llm, proxy, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        write(llm.set_params(**changes))
    assert KEY not in str(caught.value)
    assert not proxy.requests


def test_four_characters_count_as_a_token(llm, proxy):
    write(llm, ["abcdefghijkl"], template="Spell {text}.", max_length=2)
    assert texts_of(proxy.requests) == ["Spell abcdefgh."]


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("openai/gpt-4o", "gpt-4o", True),
        ("gpt-4o", None, True),
        ("claude-latest", "claude-2", True),
        ("/models/Smol", "/models/Smol@main", True),
        ("llama3", "llama3:latest", True),
        ("gpt-4", "gpt-4o", False),
        ("smollm2", "qwen3", False),
    ],
)
def test_aliases_of_a_model(asked, answered, same):
    from llmtopics._language.connection import same_model

    assert same_model(asked, answered) == same


# Log-probabilities, which the real server lacks


def fake_vllm(handler, body):
    """Answer with true log-probabilities of SmolLM2, in the format of vLLM."""
    n_top = body.get("top_logprobs", body["logprobs"])
    if n_top > 20:
        message = f"Requested logprobs of {n_top}, more than max allowed: 20"
        return handler.reply(400, {"error": {"message": message}})
    tokenizer = load_tokenizer(handler.server.folder)
    if chat := "messages" in body:
        text = tokenizer.apply_chat_template(
            body["messages"], add_generation_prompt=True, tokenize=False
        )
    else:
        text = body["prompt"]
    ids, chances, top = read(handler.server.folder, tokenizer, text, n_top)
    if chat:
        tops = [{"token": token, "logprob": p} for token, p in top.items()]
        choice = {"message": {"role": "assistant", "content": "x"}}
        choice["logprobs"] = {"content": [{"top_logprobs": tops}]}
    else:
        tokens = [tokenizer.decode([i]) for i in ids] if body.get("echo") else []
        tokens = [*handler.server.marks, *tokens, *list(top)[:1]]
        chances = [*chances, max(top.values())]
        chances = [None] * (len(tokens) - len(chances)) + chances
        choice = {"text": "x", "logprobs": {"tokens": tokens}}
        choice["logprobs"] |= {"token_logprobs": chances[-len(tokens) :]}
        choice["logprobs"] |= {"top_logprobs": [top]}
    usage = {"prompt_tokens": len(ids), "completion_tokens": 1}
    answer = {"model": "smollm2", "choices": [choice], "usage": usage}
    return handler.reply(200, answer)


def read(folder, tokenizer, text, n_top):
    """Return the tokens of a text, their log-probabilities, and those of the next token."""
    import torch

    ids = tokenizer(text)["input_ids"]
    model = load_model(folder, "cpu", "float32", "AutoModelForCausalLM")
    with torch.inference_mode():
        found = model(torch.tensor([ids])).logits[0].log_softmax(1)
    chances = [float(found[i, ids[i + 1]]) for i in range(len(ids) - 1)]
    best = found[-1].topk(n_top)
    words = [tokenizer.decode([i]) for i in best.indices]
    return ids, chances, dict(zip(words, best.values.tolist(), strict=True))


@pytest.fixture
def vllm(model, serving):
    with serving(fake_vllm, folder=Path(model), marks=[]) as server:
        yield server


@pytest.fixture
def scoring(vllm, tmp_path):
    return RemoteLLM(vllm.url, "smollm2", api_key_env=None, cache_dir=tmp_path)


@pytest.fixture
def local(model, tmp_path):
    return LocalLLM(model, dtype="float32", cache_dir=tmp_path)


TEXTS = ["The striker scored a late goal.", "The bank raised its rates."]
ABOUT = "{text} This text is about"


@pytest.mark.parametrize("marks", [[], ["<s>"]])
def test_scores_equal_those_of_a_local_model(scoring, vllm, local, marks):
    vllm.marks = marks
    answers = [" football", " interest rates"]
    found = scoring.score(TEXTS, answers, template=ABOUT, system="Read.")
    expected = local.score(TEXTS, answers, template=ABOUT, system="Read.")
    assert np.allclose(found, expected, atol=1e-3)
    assert len(vllm.requests) == 4


def test_an_answer_that_shares_a_token_with_the_text_is_unsupported(scoring):
    with pytest.raises(LLMUnsupportedError, match="that fit 'ball'"):
        scoring.score(["They play foot"], ["ball"])


@pytest.mark.parametrize("chat", [False, True])
def test_next_words_equal_those_of_a_local_model(scoring, vllm, local, chat):
    options = {"template": ABOUT, "chat": chat}
    found = scoring.next_word_distribution(TEXTS, **options)
    expected = local.next_word_distribution(TEXTS, **options)
    for row, whole in zip(found, expected, strict=True):
        assert 1 <= len(row) <= 20
        shared = list(row)[:5]
        assert shared == list(whole)[:5]
        assert [row[w] for w in shared] == pytest.approx(
            [whole[w] for w in shared], rel=0.02
        )
    assert sum(b.get("logprobs") == 20 or chat for _, b, _ in vllm.requests) == 2


def test_an_answer_without_beginnings_of_words_names_its_row(scoring):
    with pytest.raises(LLMError, match=r"^Row 0: None of the most likely tokens"):
        scoring.next_word_distribution(["They play foot"], n_words=1)
