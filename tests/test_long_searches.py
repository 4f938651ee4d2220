"""Texts that are made to keep a pattern searching: time grows with their length, no faster."""

import signal
from contextlib import contextmanager
from itertools import product

import pytest

from llmtopics import TextAnalyzer
from llmtopics._language.clean_answer import (
    clean_answer,
    is_refusal,
    without_thinking,
)
from llmtopics._redact import redacted, restored
from llmtopics.apply._summarizer_writing import not_in_source
from llmtopics.naming._candidates import as_name, as_sentence
from llmtopics.text._cleaning import join_lines, without_html
from llmtopics.text._sentences import split_sentences

LENGTH = 20_000  # characters: twice as many take twice as long, where nothing is wrong
MOST = 4  # seconds of CPU; a search whose time grows with the square needs tens
analyze = TextAnalyzer()
pytestmark = pytest.mark.filterwarnings("ignore:TextAnalyzer. a text is")
READERS = {
    "clean_answer": lambda text: clean_answer(text, "Keywords", "Topic"),
    "without_thinking": without_thinking,
    "is_refusal": is_refusal,
    "as_name": as_name,
    "as_sentence": lambda text: as_sentence(text, ["word"]),
    "redacted": lambda text: restored(*redacted(text, "pii")),
    "analyzer": analyze,
    "html": without_html,
    "lines": join_lines,
    "sentences": lambda text: split_sentences(text, "en"),
    "sources": lambda text: not_in_source(text, [text], "en"),
}
# (beginning, what is repeated): each keeps one pattern busy, or did so once
BUSY = [
    ("", " "),
    ("", "\n"),
    ("", "\n "),
    ("", "\n\n*"),
    ("x", "\n \n"),
    ("", "**a "),
    ("", "__a"),
    ("Keywords", " "),
    ("Topic", " *"),
    ("the", " "),
    ("<answer>", " x"),
    ("<answer>x", " "),
    ("", "<think></think>"),
    ("", "<think>"),
    ("", "<thinking"),
    ("", "[/think"),
    ("<", "think"),
    ("analysis", "A "),
    ("", "<|channel|>analysis"),
    ("", "<|"),
    ("", "```\n"),
    ("", "~~~"),
    ("", '"'),
    ("", '\\"'),
    ("{", '"a": '),
    ("[", "'a'"),
    ("sorry", " "),
    ("I am", " sorry"),
    ("Here is", " my"),
    ("so ", "the user "),
    ("", "- "),
    ("", "1. "),
    ("", "#"),
]
TEXTS = [
    ("", "a"),
    ("", "1"),
    ("", "1 "),
    ("", "11 "),
    ("", "4111 "),
    ("", "+1-"),
    ("", "DE00"),
    ("", "1.1."),
    ("", "a:"),
    ("", "::"),
    ("", "a@"),
    ("", "@a"),
    ("", "a@a."),
    ("", "a."),
    ("", "A. "),
    ("", "a-\n"),
    ("", "a'"),
    ("", "#a"),
    ("", "http://"),
    ("www.", "."),
    ("", "("),
    ("", "<"),
    ("", "<a "),
    ("", "<a b="),
    ("", "<!--"),
    ("", "<script>"),
    ("", "</"),
    ("", "&"),
    ("", "&#"),
    ("", "&amp;"),
    ("", "中"),
    ("", "中a"),
    ("", "ก"),
    ("", "ひ"),
    ("a", "\u0301"),
    ("", "👨\u200d"),
    ("", "\u200b"),
    ("", "<EMAIL_1>"),
]


class TookTooLong(AssertionError):
    pass


@contextmanager
def limited(seconds, about):
    """Stop what takes more CPU time: regular expressions look at signals, too."""

    def stop(*_):
        raise TookTooLong(f"more than {seconds} seconds for {about}")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def assert_quick(name, beginning, unit, length, end=""):
    text = beginning + unit * (length // len(unit)) + end
    with limited(MOST, f"{name} of {beginning + unit * 3!r}... {end!r}"):
        READERS[name](text)


@pytest.mark.parametrize("name", READERS)
def test_time_does_not_grow_with_the_square_of_the_length(name):
    texts = name in ("redacted", "analyzer", "html", "lines", "sentences", "sources")
    for beginning, unit in TEXTS if texts else BUSY:
        assert_quick(name, beginning, unit, LENGTH, "!")


@pytest.mark.soak
@pytest.mark.parametrize("name", READERS)
def test_any_beginning_before_any_repetition(name):
    for (beginning, _), (_, unit), end in product(
        BUSY, [*BUSY, *TEXTS], ["", "!", "\n"]
    ):
        assert_quick(name, beginning, unit, LENGTH, end)
