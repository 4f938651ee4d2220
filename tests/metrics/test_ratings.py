import numpy as np
import pytest
from numpy.testing import assert_array_equal

from llmtopics.metrics import rate_topics


def test_ratings_are_those_of_the_callable():
    assert_array_equal(rate_topics([["a", "b"], ["c"]], len), [2, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: rate_topics([["a"]], lambda words: "good"),
            "Topic 0: .* got 'good'",
        ),
        (lambda: rate_topics([["a"]], lambda words: np.nan), "Topic 0"),
        (lambda: rate_topics(["cat", "dog"], len), "Topic 0 is 'cat'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
