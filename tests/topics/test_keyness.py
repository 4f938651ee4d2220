import numpy as np
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import power_divergence

from llmtopics.topics._keyness import Together, keyness, keyness_of, together

X = sp.csr_array(np.array([[3, 1, 0], [1, 0, 0], [0, 1, 2], [0, 1, 5], [0, 0, 0]]))
THETA = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0.5, 0.5]])
PHI = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])


def test_keyness_is_half_the_log_likelihood_ratio_times_the_uniqueness():
    # word 0 is in two documents, both of topic 0, which has two of four
    ratio = power_divergence([2, 0], [1, 1], lambda_="log-likelihood").statistic / 2
    assert_allclose(keyness(THETA, X, PHI)[0, 0], ratio * 0.6 / 0.6)
    # word 1: one of three documents, less than by chance
    assert keyness(THETA, X, PHI)[0, 1] == 0
    ratio = power_divergence([1, 2], [1.5, 1.5], lambda_="log-likelihood").statistic / 2
    assert_allclose(keyness(THETA, X, PHI)[1, 1], ratio * 0.2 / 0.3)


def test_how_often_a_word_is_in_a_document_does_not_matter():
    assert_array_equal(keyness(THETA, X, PHI), keyness(THETA, X.sign(), PHI))


def test_topics_without_documents_and_a_single_topic_have_zeros():
    alone = keyness(np.ones((5, 1)), X, np.full((1, 3), 1 / 3))
    assert_array_equal(alone, np.zeros((1, 3)))
    empty = keyness(np.eye(2)[np.zeros(5, int)], X, PHI)
    assert np.isfinite(empty).all()
    assert_array_equal(empty[1], 0)
    assert np.isfinite(keyness(THETA, X * 0, PHI)).all()


def test_what_parts_of_a_corpus_count_adds_up():
    parts = [together(THETA[part], X[part]) for part in (slice(2), slice(2, 5))]
    both = Together(*(a + b for a, b in zip(*parts, strict=True)))
    assert_allclose(keyness_of(both, PHI), keyness(THETA, X, PHI))
