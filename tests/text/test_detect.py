"""Detect texts that are clearly not in a language."""

import pytest

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
        ("", "english", False),
        ("42", "russian", False),
    ],
)
def test_a_foreign_text_is_detected_by_script_and_stop_words(text, language, foreign):
    assert is_foreign(text, language) is foreign
