import numpy as np
import pytest
from numpy.testing import assert_allclose

from llmtopics.metrics import embedding_coherence

WORDS = [f"{topic}{i}" for topic in "abc" for i in range(8)]
PHI = np.kron(np.eye(3), np.arange(8, 0, -1)) + 0.01
AXES = np.repeat(np.eye(3), 8, axis=0)


@pytest.fixture
def planted_vectors(rng):
    """Words of one topic have similar directions."""
    return AXES + 0.2 * rng.normal(size=AXES.shape)


def test_embedding_coherence_is_the_mean_cosine(rng):
    vectors = rng.normal(size=(3, 4))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    by_hand = np.mean([unit[0] @ unit[1], unit[0] @ unit[2], unit[1] @ unit[2]])
    found = embedding_coherence([["x", "y", "z"]], vectors, ["x", "y", "z"])
    assert_allclose(found, by_hand)
    asked = []

    def embed(words):
        asked.append(words)
        return vectors[: len(words)]

    assert_allclose(embedding_coherence([["x", "y", "z"]], embed), by_hand)
    assert asked == [["x", "y", "z"]]


def test_embedding_coherence_orders_planted_topics(planted_vectors):
    own, mixed = WORDS[:5], [WORDS[0], WORDS[8], WORDS[16]]
    good, bad = embedding_coherence([own, mixed], planted_vectors, WORDS)
    assert good > 0.8
    assert bad < 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: embedding_coherence([["a"]], AXES, WORDS), "Topic 0"),
        (
            lambda: embedding_coherence([["a0", "zz"]], AXES, WORDS),
            "'zz' has no vector",
        ),
        (lambda: embedding_coherence([["a0", "a1"]], AXES), "vocabulary"),
        (lambda: embedding_coherence([["a0", "a1"]], 0 * AXES, WORDS), "all zero"),
        (lambda: embedding_coherence([["a0", "a1"]], np.nan * AXES, WORDS), "NaN"),
        (
            lambda: embedding_coherence([["a0", "a1"]], lambda w: [[1.0]]),
            "1 rows for 2",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
