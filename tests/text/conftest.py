import pytest

from llmtopics.text import _segment


@pytest.fixture(autouse=True)
def _each_test_may_warn_of_scripts():
    _segment._warned.clear()
