"""Precomputed vectors."""

import numpy as np
import pytest

from llmtopics import PrecomputedEmbeddings

TEXTS = [
    "A cat sat on the mat.",
    "Shares fell in London.",
    "The kitten slept.",
    "Banks lent less money to small firms in the last quarter of the year.",
    "Cats",
]


@pytest.fixture
def looked_up(rng):
    return PrecomputedEmbeddings(TEXTS, rng.normal(size=(5, 3)).astype(np.float32))
