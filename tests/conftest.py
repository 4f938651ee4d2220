import numpy as np
import pytest

from llmtopics.datasets import make_topics


@pytest.fixture(scope="session")
def planted():
    """A corpus of 200 documents over 4 known topics (and the topics)."""
    return make_topics(200, 60, 4, doc_length=40, topic_word_prior=0.2, random_state=0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
