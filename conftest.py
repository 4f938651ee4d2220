"""Fixtures of the tests and of the examples in docstrings."""

import numpy as np
import pytest

from llmtopics.datasets import make_topics


@pytest.fixture(scope="session", autouse=True)
def _vectors_are_kept_between_runs(request):
    """Keep what models computed apart from the user's own; tests of it say cache_dir."""
    folder = request.config.cache.mkdir("llmtopics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMTOPICS_CACHE", str(folder))
        yield


@pytest.fixture(scope="session")
def planted():
    """A corpus of 200 documents over 4 known topics (and the topics)."""
    return make_topics(200, 60, 4, doc_length=40, topic_word_prior=0.2, random_state=0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
