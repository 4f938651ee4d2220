"""Names are refused whose words the topic's documents lack, or other topics' documents have."""

import numpy as np
import pytest

from llmtopics.naming import name_topics
from llmtopics.naming._document_words import DocumentWords, is_form, words_of
from tests.naming.test_name_topics import FakeLLM

GUNS = [f"The gun law of {year} controls guns and the police." for year in range(20)]
SECTS = [f"The police watch the compound of the sect, day {day}." for day in range(20)]
WORDS = [["gun", "guns", "law", "controls"], ["compound", "sect", "police", "watch"]]
TEXTS = GUNS + SECTS
THETA = np.repeat([[0.9, 0.1], [0.1, 0.9]], 20, axis=0)


def named(answers, texts=TEXTS, **parameters):
    return name_topics(WORDS, THETA, texts, llm=FakeLLM(answers), **parameters)


@pytest.mark.parametrize(
    "name",
    [
        "Killing his followers",  # offensive: no document says so
        "The War on Terror",  # false
        "Gun violence",  # a word of the topic does not excuse another one
        "Gun laws of 1994",  # a number that no document has
        "Police",  # as frequent in the other topic
        "Police and the sect",  # fits the other topic better
        "The of and",  # function words only
    ],
)
def test_a_name_without_support_is_refused(name):
    found = named({"gun": name, "sect": "The sect's compound"})
    assert found.names == ["gun guns law", "The sect's compound"]
    assert found.sources == ["words", "model"]
    assert found.refused[0] == [name[0].upper() + name[1:]]
    assert found.report["names"]["rejected"] == 1
    assert named({"": name}, check_documents=False).refused == [[], []]


@pytest.mark.parametrize("name", ["Gun control", "Gun laws", "Gun police"])
def test_a_name_of_the_documents_words_passes(name):
    assert named({"gun": name, "sect": "Sects"}).names == [name, "Sects"]


def test_a_word_of_a_few_documents_is_no_support():
    some = [text.replace("police", "Yukos") for text in GUNS[:3]]
    found = named({"gun": "Gun law of Yukos", "sect": "Sects"}, some + TEXTS[3:])
    assert found.sources == ["words", "model"]
    some = [text.replace("police", "Yukos") for text in GUNS[:4]]
    found = named({"gun": "Gun law of Yukos", "sect": "Sects"}, some + TEXTS[4:])
    assert found.sources == ["model", "model"]


def test_a_description_without_support_is_replaced_by_words():
    said = {"About:": "How a gun law controls guns.", "": "Gun control"}
    offensive = {"About:": "What owners of a gun do to children.", "": "Gun control"}
    assert named(said, describe=True).descriptions[0] == "How a gun law controls guns."
    found = named(offensive, describe=True)
    assert found.descriptions[0].startswith("Texts with words such as gun")


def test_no_name_passes_that_fits_two_equal_topics():
    theta = np.full((40, 2), 0.5) + np.tile([[0.01, -0.01], [-0.01, 0.01]], (20, 1))
    found = name_topics(WORDS, theta, TEXTS, llm=FakeLLM({"": "Gun"}))
    assert found.sources == ["words", "words"]


@pytest.mark.parametrize(
    ("word", "other", "same"),
    [
        ("gun", "guns", True),
        ("economy", "economic", True),
        ("company", "companies", True),
        ("print", "printing", True),
        ("police", "politics", False),
        ("inflation", "information", False),
        ("qt", "qt4", False),
        ("2004", "2005", True),  # as long words with another ending
        ("in", "inn", False),
    ],
)
def test_forms_of_a_word(word, other, same):
    assert is_form(word, other) == is_form(other, word) == same


def test_scripts_without_spaces_are_compared_by_pairs():
    assert words_of("葡萄酒 R2D2!") == ["葡萄", "萄酒", "r2d2"]
    known = DocumentWords([["今天的葡萄酒很好"], ["体育新闻"]])
    assert known.support("葡萄酒", 0)
    assert not known.support("葡萄酒", 1)
    assert not known.support("新闻", 0)


def test_shares_are_those_of_documents():
    known = DocumentWords([["a gun and guns", "gun", "law"], ["law"]])
    assert known.shares("gun").tolist() == [2 / 3, 0]
    assert known.shares("law").tolist() == [1 / 3, 1]
    assert known.shares("sect").tolist() == [0, 0]
