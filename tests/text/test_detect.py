"""Detect texts that are clearly not in a language."""

import sys

import pandas as pd
import pytest

from llmtopics import TextAnalyzer
from llmtopics.datasets import load_bbc_news
from llmtopics.text import detect_language
from llmtopics.text._detect import is_foreign


@pytest.mark.parametrize(
    ("text", "language", "foreign"),
    [
        ("How do I fill a table with a query?", "english", False),
        ("How do I fill a table with a query?", "french", True),
        ("Comment puis-je remplir un tableau avec une requête ?", "french", False),
        ("Comment puis-je remplir un tableau avec une requête ?", "english", True),
        ("tableau, requête, base, colonne", "english", False),  # cannot be seen
        ("Katten sover på soffan medan vi lagar middag.", "swedish", False),
        ("猫在沙发上睡觉", "english", True),
        ("猫在沙发上睡觉", "chinese", False),
        ("猫がソファで眠っている", "japanese", False),
        ("東京大学合格発表", "japanese", False),
        ("Katten sover på soffan", "japanese", True),
        ("", "english", False),
        ("42", "russian", False),
    ],
)
def test_a_foreign_text_is_detected_by_script_and_stop_words(text, language, foreign):
    assert is_foreign(text, language) is foreign


def test_the_language_may_be_a_code():
    assert is_foreign("How do I fill a table with a query?", "de")
    assert not is_foreign("Der Hund schläft in dem Garten.", "German")


def test_the_language_of_most_texts():
    german = ["Der Hund schläft im Garten.", "Die Katze trinkt ihre Milch.", "42", ""]
    assert detect_language([*german, "The dog sleeps in the garden."]) == "german"
    assert detect_language(pd.Series(["臺灣總統選舉將於明年舉行"])) == "chinese"
    assert detect_language(["wo\ud83drd of the year"]) == "english"
    news = load_bbc_news().data
    assert detect_language(news[::20]) == "english"


def test_languages_that_cannot_be_detected_say_why(monkeypatch):
    with pytest.raises(ValueError, match="no text has a letter"):
        detect_language(["42", "😀", ""])
    with pytest.raises(ValueError, match="detect_language"):
        detect_language("one text")
    with pytest.raises(ValueError, match=r"'auto' is not known.*detect_language"):
        TextAnalyzer("auto")("word")
    monkeypatch.setitem(sys.modules, "py3langid", None)  # importing it now fails
    with pytest.raises(ImportError, match=r"llmtopics\[detect\]"):
        detect_language(["word"])
