"""What a naming costs is bounded, said beforehand and shown in one bar."""

import logging
from functools import partial

import pytest
from tqdm import tqdm

from llmtopics import LocalLLM, _progress
from llmtopics._language.load import load_tokenizer
from llmtopics.naming import name_topics
from llmtopics.naming._inputs import beginning
from llmtopics.naming._prompts import TopicPrompts
from tests.naming.test_name_topics import TEXTS, THETA, WORDS, FakeLLM


class Recorder(FakeLLM):
    """Remembers its prompts, and how many calls were announced before the first one."""

    def _compute(self, prompts, request, on_error):
        self.asked.extend(prompts)
        return super()._compute(prompts, request, on_error)


@pytest.fixture
def recorder():
    llm = Recorder({"rugby": "Rugby", "bank": "Bank shares"})
    llm.asked = []
    return llm


@pytest.mark.parametrize(
    "text",
    [
        "rugby " * 100_000,
        "r" * 100_000,  # no space to cut at
        "新闻报道葡萄酒" * 10_000,
        "🏉" * 10_000,
        "\ud800" * 10_000,
    ],
)
def test_no_prompt_grows_with_the_documents_or_words(text, recorder):
    words = [["rugby", text, *WORDS[0]], WORDS[1]]
    name_topics(words, THETA, [text, TEXTS[1]], llm=recorder, describe=True)
    fixed = TopicPrompts(["x"], [["x"]], None, None, True)
    longest = max(map(len, [*fixed.naming()[0], *fixed.describing(["x" * 60])[0]]))
    most = longest + 200 + 8 * (60 + 2)  # a document, eight words
    assert max(len(prompt.encode()) for prompt in recorder.asked) <= most


@pytest.mark.parametrize(
    "text", ["rugby " * 99, "xq" * 999, "新闻报道" * 99, "🏉" * 99]
)
def test_a_document_has_at_most_as_many_tokens_as_its_length(text):
    tokenizer = load_tokenizer(LocalLLM()._folder())
    start = beginning(text, 50)
    assert 0 < len(tokenizer(start)["input_ids"]) <= 50
    assert text.startswith(start)


def test_the_cost_is_said_before_the_first_call(recorder, caplog):
    with caplog.at_level(logging.INFO, "llmtopics"):
        named = name_topics(WORDS, THETA, TEXTS, llm=recorder, describe=True)
    (record,) = [r for r in caplog.records if r.name.startswith("llmtopics.naming")]
    assert (
        "up to 12 calls, about" in record.getMessage()
    )  # 4 names, 6 scores, 2 sentences
    assert named.usage["n_calls"] <= 12


def test_the_expected_tokens_are_about_right(caplog):
    llm = LocalLLM(cache_dir=False)
    with caplog.at_level(logging.INFO, "llmtopics"):
        used = name_topics(WORDS, llm=llm, describe=True).usage
    said = caplog.messages[0].split("about ")[1].split()[0].replace(",", "")
    assert 0.5 < int(said) / (used["prompt_tokens"] + used["new_tokens"]) < 2


def test_one_bar_shows_all_calls(recorder, capsys, no_delay):
    recorder.scores = {"Something": -40.0, "Rugby": -20.0}
    name_topics(WORDS, THETA, TEXTS, llm=recorder, verbose=True, describe=True)
    shown = capsys.readouterr().err
    assert "names (up to 12 calls" in shown
    assert "generate" not in shown
    assert "score" not in shown
    assert shown.count("\n") == 1  # one bar
    assert "100%" in shown.rsplit("\r", 1)[-1]
    name_topics(WORDS, THETA, TEXTS, llm=recorder)
    assert capsys.readouterr().err == ""


def test_refused_names_are_not_scored(recorder):
    recorder.answers = {"rugby": "Quantum cooking", "bank": "Bank shares"}
    recorder.scores = {"Bank shares": -20.0, "Something": -40.0}
    name_topics(WORDS, THETA, TEXTS, llm=recorder)
    scored = [
        prompt
        for prompt in recorder.asked
        if prompt in ("Something", "Quantum cooking", "Bank shares")
    ]
    assert scored == ["Bank shares", "Something"]


def test_long_naming_is_sent_in_portions_with_the_same_names():
    llm = FakeLLM({f"word{k}": f"Word{k}" for k in range(70)})
    words = [[f"word{k}x", "other"] for k in range(70)]
    assert len(set(name_topics(words, llm=llm).names)) == 70


def test_the_bar_moves_soon_and_ends_with_the_number_of_calls(
    recorder, no_delay, monkeypatch, capfd
):
    monkeypatch.setattr(_progress, "tqdm", partial(tqdm, mininterval=0))
    recorder.answers = {"": "Quantum cooking"}
    words = [[f"word{k}", "other"] for k in range(20)]
    name_topics(words, llm=recorder, verbose=True)
    drawn = capfd.readouterr().err
    assert " 16/60 calls" in drawn
    assert "(20 calls)" in drawn.split("\r")[-1]
