"""Texts are cut into sentences, and nothing is lost."""

import pytest

from llmtopics.datasets import load_bbc_news
from llmtopics.text import split_sentences


@pytest.mark.parametrize(
    ("text", "n_sentences"),
    [
        ("Mr. Smith of the U.S. Army ran. He won!", 2),
        ('He said "no." Then "yes!" Done.', 3),
        ("A title\n\nA first line, e.g. this one", 2),
        ("wrapped\nby a mail program", 1),
        ("天气很好。我们走吧！", 2),
        ("これは本です。それはペンです。", 2),
        ("هل هذا صحيح؟ نعم.", 2),
        ("no end", 1),
        ("An unclosed (bracket. One more. And one.", 3),
        ('An unclosed "quote. One more. And one.', 3),
        ("word " * 10_000, 1),
        ("Broken \ud800. One more.", 2),
        (" \n\n ", 0),
        ("", 0),
    ],
)
def test_sentences(text, n_sentences):
    found = split_sentences(text)
    assert len(found) == n_sentences, found
    assert "".join("".join(found).split()) == "".join(text.split())


def test_a_quotation_mark_without_a_partner_spoils_nothing():
    text = 'He said: "It is new. "We like it," she said. "It is old," he said. Done.'
    assert split_sentences(text) == [
        'He said: "It is new.',
        '"We like it," she said.',
        '"It is old," he said.',
        "Done.",
    ]
    texts = load_bbc_news().data[::50]
    found = [sentence for text in texts for sentence in split_sentences(text)]
    assert sum(sentence.endswith(' "') for sentence in found) < len(found) / 500
    assert not any(sentence.startswith('" ') for sentence in found)


@pytest.mark.parametrize("language", ["german", "de", "de-AT"])
def test_abbreviations_are_those_of_the_language(language):
    text = "Am 3. Mai kam z. B. Dr. Meyer. Er ging."
    assert len(split_sentences(text, language)) == 2
    assert len(split_sentences(text)) > 2


def test_bad_input():
    with pytest.raises(TypeError, match="once per text"):
        split_sentences(["One. Two."])
    with pytest.raises(ValueError, match="language 'klingon' is not known"):
        split_sentences("One.", "klingon")
