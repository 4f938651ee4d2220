"""Texts that several files explain."""

import pytest

from llmtopics.datasets import load_bbc_news


@pytest.fixture(scope="session")
def news():
    """The first words of 56 articles."""
    return [" ".join(text.split()[:80]) for text in load_bbc_news().data[::40]]
