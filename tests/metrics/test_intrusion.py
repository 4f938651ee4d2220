import numpy as np
import pytest
from numpy.testing import assert_array_equal

from llmtopics.metrics import topic_intrusion, word_intrusion

WORDS = [f"{topic}{i}" for topic in "abc" for i in range(8)]
PHI = np.kron(np.eye(3), np.arange(8, 0, -1)) + 0.01
AXES = np.repeat(np.eye(3), 8, axis=0)


@pytest.fixture
def planted_vectors(rng):
    """Words of one topic have similar directions."""
    return AXES + 0.2 * rng.normal(size=AXES.shape)


def test_word_intruders_are_found_in_planted_topics(planted_vectors, rng):
    assert_array_equal(word_intrusion(PHI, WORDS, vectors=planted_vectors), 1)
    chance = word_intrusion(
        PHI, WORDS, vectors=rng.normal(size=(24, 50)), n_trials=200
    ).mean()
    assert 0.05 < chance < 0.35  # 1 / 6 by chance


def test_an_annotator_sees_the_topics_words_and_one_intruder():
    def annotator(shown):
        assert len(shown) == len(set(shown)) == 6
        first = [word[0] for word in shown]
        odd = [word for word in shown if first.count(word[0]) == 1]
        assert len(odd) == 1
        return odd[0]

    assert_array_equal(word_intrusion(PHI, WORDS, annotator=annotator), 1)
    assert_array_equal(
        word_intrusion(PHI, WORDS, annotator=lambda shown: shown[0]) < 0.7, True
    )


def test_words_without_weight_are_not_shown():
    sparse = np.kron(np.eye(3), [3, 2, 1])
    words = [f"{topic}{i}" for topic in "abc" for i in range(3)]
    vectors = np.repeat(np.eye(3), 3, axis=0)
    assert_array_equal(word_intrusion(sparse, words, vectors=vectors), 1)
    lonely = np.vstack([sparse, np.eye(9)[:1]])  # a topic of one word
    assert word_intrusion(lonely, words, vectors=vectors)[3] == 0


def test_intruders_are_improbable_in_the_topic():
    """b0 is first in another topic and probable here, so it must not be an intruder."""
    phi = PHI.copy()
    phi[0, 8] = 3.5  # after the five words shown, far above the median
    shown = []

    def annotator(words):
        shown.append(words)
        return words[0]

    word_intrusion(phi, WORDS, annotator=annotator, n_trials=200)
    assert all("b0" not in words for words in shown[:200])  # the first topic's trials
    assert any("b1" in words for words in shown[:200])


def test_topic_intruders_come_from_the_least_probable_half(rng):
    """Half of the topics have the opposite direction of all documents."""
    mixtures = np.tile([0.3, 0.25, 0.2, 0.12, 0.08, 0.05], (300, 1))
    document, away = np.tile([1.0, 0.0], (300, 1)), [-1.0, 0.0]
    near = [1.0, 0.1]
    topics = np.array([near] * 3 + [away] * 3)
    assert topic_intrusion(mixtures, document, topics, n_topics=2).all()
    only_last = np.array([near] * 5 + [away])
    found = topic_intrusion(mixtures, document, only_last, n_topics=3).mean()
    assert 0.2 < found < 0.5  # one in three draws the last


def test_copies_of_a_topic_have_no_intruders():
    assert_array_equal(
        word_intrusion(PHI[[0, 0]], WORDS, annotator=lambda shown: shown[0]), 0
    )


def test_topic_intruders_are_found_if_topics_fit_documents(rng):
    mixtures = rng.dirichlet(np.full(6, 0.3), 100)
    topics = np.eye(6)
    found = topic_intrusion(mixtures, mixtures @ topics, topics, n_topics=2)
    assert found.mean() > 0.9
    shuffled = topic_intrusion(mixtures, mixtures[::-1] @ topics, topics, n_topics=2)
    assert shuffled.mean() < 0.6


def test_intruders_depend_on_the_seed(planted_vectors, rng):
    noise = rng.normal(size=(24, 3))
    first, again, other = (
        word_intrusion(PHI, WORDS, vectors=noise, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: word_intrusion(PHI, WORDS), "either vectors or annotator"),
        (lambda: word_intrusion(PHI, WORDS, annotator=min, n_words=24), "too few"),
        (lambda: word_intrusion(PHI[:1], WORDS, annotator=min), "two topics"),
        (lambda: word_intrusion(PHI, WORDS[1:], annotator=min), "vocabulary has 23"),
        (lambda: word_intrusion(PHI, WORDS, annotator=lambda shown: "?"), "one of"),
        (lambda: topic_intrusion(np.eye(3), np.eye(3), np.eye(3)), "6 topics"),
        (lambda: topic_intrusion(np.eye(3), np.eye(2), np.eye(3)), "2 documents"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
