"""Privacy: what one document adds, what noise costs, and attacks on what is released."""

import pickle
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from scipy.stats import beta, norm
from sklearn.base import clone

from llmtopics import PrivateLDA
from llmtopics.datasets import make_topics
from llmtopics.metrics import label_agreement
from llmtopics.topics import _private_lda, _private_vocabulary, private_vocabulary
from llmtopics.topics._gibbs.kernels.mixtures import CSRCounts
from llmtopics.topics._private_kernels import LIMIT, add_documents
from llmtopics.topics._private_noise import Noise, noise_for
from llmtopics.topics._private_weights import Released

CORPUS = make_topics(400, 80, 4, doc_length=30, random_state=0)
X = sp.csr_array(CORPUS.data)
RNG = np.random.default_rng(0)


def dirichlet(*shape):
    return RNG.dirichlet(np.full(shape[1], 0.3), shape[0])


# What one document adds ---------------------------------------------------------------------


def extreme_documents():
    """Lengths from 0 to millions of tokens, one word to all words."""
    rows = [
        np.zeros(80),
        np.eye(80)[3],
        np.eye(80)[5] * 2**30,
        np.ones(80),
        RNG.integers(0, 2**20, 80),
        2.0 ** RNG.integers(0, 24, 80),
    ]
    return sp.csr_array(np.vstack([*rows, X[:40].toarray()]).astype(np.int32))


@pytest.mark.parametrize("n_components", [1, 3, 50])
def test_no_document_adds_more_than_the_limit(n_components):
    """In whole numbers, so the bound holds to the last bit."""
    phi = dirichlet(n_components, 80)
    phi[:, 0] = 1e-300  # words that no topic has
    phi = (phi + 1e-12) / (phi + 1e-12).sum(axis=1, keepdims=True)
    alpha = np.full(n_components, 0.1)
    for row in extreme_documents():
        row = sp.csr_array(row.reshape(1, -1))
        sums = _private_lda._sums(row, phi, alpha, 1)
        square = sum(int(n) ** 2 for n in sums.ravel())
        assert sums.min() >= 0
        assert square <= LIMIT**2
        assert square > 0.999 * LIMIT**2 or not row.nnz


def test_what_a_document_adds_depends_on_no_other_document():
    documents, phi = extreme_documents(), dirichlet(3, 80) + 1e-9
    phi /= phi.sum(axis=1, keepdims=True)
    alpha = np.full(3, 0.1)
    together = _private_lda._sums(documents, phi, alpha, 2)
    alone = sum(
        _private_lda._sums(documents[[d]], phi, alpha, 1)
        for d in range(documents.shape[0])
    )
    assert_array_equal(together, alone)


def test_a_document_adds_its_scaled_expected_counts():
    phi, theta, counts = dirichlet(3, 80), dirichlet(1, 3), X[[0]].astype(np.int32)
    sums, plain = np.zeros((80, 3), np.int64), np.zeros((80, 3), np.int64)
    given = CSRCounts(counts.data, counts.indices, counts.indptr.astype(np.int64))
    add_documents(given, np.ascontiguousarray(phi.T), theta, sums)
    shares = theta * phi.T
    expected = counts.toarray().T * shares / shares.sum(axis=1, keepdims=True)
    expected *= LIMIT / np.sqrt((expected**2).sum())
    assert_allclose(sums, expected, atol=2)
    loop = getattr(add_documents, "py_func", add_documents)  # as plain Python
    loop(given, np.ascontiguousarray(phi.T), theta, plain)
    assert_allclose(sums, plain, atol=1)


# What the noise costs -----------------------------------------------------------------------


def gaussian_epsilon(mu, delta):
    """Return the exact ε of the Gaussian mechanism (Balle and Wang 2018, theorem 8)."""

    def excess(epsilon):
        first = norm.cdf(mu / 2 - epsilon / mu)
        return first - np.exp(epsilon + norm.logcdf(-mu / 2 - epsilon / mu)) - delta

    return brentq(excess, 0, 1000)


@pytest.mark.parametrize("epsilon", [0.1, 1, 8, 50])
@pytest.mark.parametrize("n_releases", [1, 10])
def test_the_budget_covers_all_releases(epsilon, n_releases):
    noise = noise_for(epsilon, 1e-6, n_releases, "test")
    assert 0.999 * epsilon < noise.epsilon <= epsilon
    exact = gaussian_epsilon(np.sqrt(n_releases) / noise.scale, 1e-6)
    assert 0.7 * noise.epsilon < exact < noise.epsilon


def test_fit_spends_its_budget_on_all_of_its_passes():
    model = PrivateLDA(2, epsilon=2.0, delta=1e-5, max_iter=5).fit(X)
    exact = gaussian_epsilon(np.sqrt(5) / model.noise_scale_, 1e-5)
    assert 0.7 * 2 < exact < model.epsilon_ <= 2


def test_noise_has_the_stated_size_and_is_whole():
    noise = noise_for(1.0, 1e-6, 3, "test")
    drawn = noise.add(np.zeros((40, 50), np.int64))
    assert drawn.dtype == np.int64
    assert_allclose(drawn.std(), noise.scale * LIMIT, rtol=0.1)
    assert abs(drawn.mean()) < 4 * drawn.std() / np.sqrt(drawn.size)
    sums = np.arange(2000).reshape(40, 50) * LIMIT
    assert_allclose(noise.add(sums) - sums, 0, atol=6 * noise.scale * LIMIT)


def test_a_seed_does_not_repeat_the_noise():
    model = PrivateLDA(2, max_iter=2, random_state=0)
    fits = []
    for _ in range(2):
        np.random.seed(0)
        fits.append(clone(model).fit(X).components_)
    assert (fits[0] != fits[1]).mean() > 0.9


def test_every_pass_adds_noise_of_its_own(monkeypatch):
    seen = []

    def recorded(*given):
        noise = noise_for(*given)

        def add(sums):
            noisy = noise.add(sums)
            seen.append((noisy - sums) / LIMIT)
            return noisy

        return noise._replace(add=add)

    monkeypatch.setattr(_private_lda, "noise_for", recorded)
    model = PrivateLDA(3, max_iter=4, random_state=0).fit(X)
    assert len(seen) == model.n_iter_ == 4
    assert_allclose([n.std() for n in seen], model.noise_scale_, rtol=0.25)
    assert abs(np.corrcoef(seen[0].ravel(), seen[1].ravel())[0, 1]) < 0.25


# Attacks --------------------------------------------------------------------------------------


def least_epsilon(with_it, without, delta):
    """Return an ε that an attack proves, with confidence 0.998 (two Clopper-Pearson bounds).

    The threshold is chosen on one half of the scores, and tested on the other half.
    """
    with_it, without = np.array(with_it), np.array(without)
    half = len(with_it) // 2

    def proven(threshold, part):
        hits, errors = (
            (scores[part] > threshold).sum() for scores in (with_it, without)
        )
        n = len(with_it[part])
        low = beta.ppf(0.001, hits, n - hits + 1) if hits else 0.0
        high = beta.isf(0.001, errors + 1, n - errors) if errors < n else 1.0
        return np.log(max(low - delta, 1e-9) / high)

    thresholds = np.quantile(without[:half], np.linspace(0.5, 1, 20))
    best = max(thresholds, key=lambda t: proven(t, slice(half)))
    return proven(best, slice(half, None))


def attack(monkeypatch, smaller, epsilon=1.0, delta=0.01, n_runs=300):
    """Fit with and without a document of words of its own; return the ε that this proves.

    The attacker sees the noisy sums of every pass, more than a fitted model has. The noise is
    ``smaller`` times too small.
    """
    normal = noise_for(epsilon, delta, 2, "test")
    if smaller == 1:
        draw = normal.add
    else:
        rng = np.random.default_rng(1)
        width = normal.scale * LIMIT / smaller

        def draw(sums):
            return sums + np.rint(rng.normal(scale=width, size=sums.shape)).astype(
                np.int64
            )

    seen = []

    def add(sums):
        seen.append(draw(sums))
        return seen[-1]

    monkeypatch.setattr(
        _private_lda, "noise_for", lambda *_: Noise(normal.scale, epsilon, add)
    )
    others = np.hstack([RNG.integers(0, 3, (10, 6)), np.zeros((10, 4), int)])
    canary = np.array([[0, 0, 0, 0, 0, 0, 2, 2, 2, 2]])
    scores = []
    for corpus in (np.vstack([others, canary]), others):
        of_corpus = []
        for seed in range(n_runs):
            seen.clear()
            PrivateLDA(
                2, epsilon=epsilon, delta=delta, max_iter=2, random_state=seed
            ).fit(corpus)
            of_corpus.append(sum(sums[:, 6:].sum() for sums in seen))
        scores.append(of_corpus)
    return least_epsilon(*scores, delta)


def test_an_attack_does_not_beat_the_stated_epsilon(monkeypatch):
    assert attack(monkeypatch, smaller=1) <= 1.0


def test_the_attack_finds_noise_that_is_too_small(monkeypatch):
    assert attack(monkeypatch, smaller=8) > 1.5


def test_what_is_kept_is_computed_from_the_noisy_sums(monkeypatch):
    """Other documents, and another number of them, with the same noisy sums: the same bits."""

    def state(documents):
        rng = np.random.default_rng(0)
        same = Noise(1.0, 1.0, lambda sums: rng.integers(-LIMIT, 9 * LIMIT, sums.shape))
        monkeypatch.setattr(_private_lda, "noise_for", lambda *_: same)
        model = PrivateLDA(3, max_iter=3, random_state=0).fit(documents)
        return pickle.dumps(vars(model))

    assert state(X) == state(extreme_documents()) == state(np.eye(80)[:1])


def test_a_fitted_model_keeps_nothing_else():
    model = PrivateLDA(3, max_iter=2, random_state=0).fit(X)
    released = {
        "components_",
        "topic_counts_",
        "doc_topic_prior_",
        "epsilon_",
        "noise_scale_",
        "n_iter_",
        "n_features_in_",
    }
    assert vars(model).keys() == released | model.get_params().keys()
    assert model.components_.shape == (3, 80)
    assert_allclose(model.components_.sum(axis=1), 1)
    twin = pickle.loads(pickle.dumps(model))
    assert_array_equal(twin.transform(X), model.transform(X))


# Use ----------------------------------------------------------------------------------------


def test_topics_are_found_and_more_noise_finds_less():
    corpus = make_topics(4000, 100, 4, doc_length=40, random_state=0)
    first = corpus.doc_topic.argmax(axis=1)
    found = {}
    for epsilon in [0.01, 4, np.inf]:
        model = PrivateLDA(4, epsilon=epsilon, random_state=0).fit(corpus.data)
        labels = model.transform(corpus.data).argmax(axis=1)
        found[epsilon] = label_agreement(first, labels)["nmi"]
    assert found[np.inf] > 0.6
    assert found[4] > 0.5
    assert found[0.01] < found[4] - 0.1  # topics of noise alone sort documents, too


def test_words_that_only_differ_by_noise_get_the_same_share_of_every_topic():
    released = Released(scale=10.0)
    sums = np.random.default_rng(0).normal(50, 10, (4, 1000))
    sums[0, 0] = 5000
    released.add(sums)
    weights = released.weights()
    shares = weights / weights.sum(axis=0)
    sizes = released.sizes() / released.sizes().sum()
    assert shares[0, 0] > 0.95
    assert np.abs(shares[:, 1:] - sizes[:, np.newaxis]).mean() < 0.03
    assert np.abs(sums / sums.sum(axis=0) - 0.25)[:, 1:].mean() > 0.03


def test_one_topic_and_more_topics_than_noise_leaves_are_distributions():
    for n_components in [1, 30]:
        model = PrivateLDA(n_components, epsilon=0.01, max_iter=3).fit(X)
        assert np.isfinite(model.components_).all()
        assert_allclose(model.transform(X).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epsilon", 0),
        ("epsilon", -1.0),
        ("epsilon", np.nan),
        ("delta", 0),
        ("delta", 1),
    ],
)
def test_bad_budgets_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        PrivateLDA(**{name: value}).fit(X)


def test_budgets_that_need_too_much_noise_are_refused():
    with pytest.raises(ValueError, match=r"raise epsilon or delta"):
        PrivateLDA(epsilon=1e-12, delta=1e-12).fit(X)


def test_without_opendp_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(ImportError, match=r"llmtopics\[private\]"):
        PrivateLDA().fit(X)
    PrivateLDA(epsilon=np.inf).fit(X)


# The vocabulary -------------------------------------------------------------------------------

WORDS = ["the", "cat", "sat", "secret"]
COUNTS = sp.csr_array(np.vstack([[[1, 1, 1, 0]] * 400, [[1, 0, 0, 5]]]))


def test_frequent_words_are_found_best_first():
    counts = COUNTS.toarray()
    counts[200:, 1:3] = 0  # now "the" has more weight than others
    words = private_vocabulary(counts, WORDS, epsilon=2.0)
    assert words[0] == "the"
    assert set(words) == {"the", "cat", "sat"}
    assert private_vocabulary(counts, WORDS, epsilon=2.0, max_words=1) == ["the"]


def share_listed(monkeypatch, n_runs=300, delta=0.4, **threshold):
    for name, value in threshold.items():
        monkeypatch.setattr(_private_vocabulary, name, value)
    noise = noise_for(1.0, delta / 2, 1, "test")
    monkeypatch.setattr(_private_vocabulary, "noise_for", lambda *_: noise)
    return sum(
        "secret" in private_vocabulary(COUNTS, WORDS, epsilon=1.0, delta=delta)
        for _ in range(n_runs)
    )


def test_a_word_of_one_document_is_listed_with_a_probability_of_half_delta(monkeypatch):
    listed = share_listed(monkeypatch)  # δ / 2 = 0.2
    assert beta.ppf(0.001, listed, 301 - listed) <= 0.2 if listed else True
    listed = share_listed(monkeypatch, _threshold=lambda *_: 0.0)
    assert beta.ppf(0.001, listed, 301 - listed) > 0.2


def test_the_order_of_the_columns_does_not_change_the_list(monkeypatch):
    """Columns may be in an order that documents without noise decide, such as the first seen."""
    none = Noise(1e-6, 1.0, lambda sums: sums)  # "cat" and "sat" tie
    monkeypatch.setattr(_private_vocabulary, "noise_for", lambda *_: none)
    columns = [2, 3, 1, 0]
    turned = private_vocabulary(COUNTS[:, columns], [WORDS[i] for i in columns])
    assert turned == private_vocabulary(COUNTS, WORDS)


def test_words_get_noise_for_half_of_delta(monkeypatch):
    seen = []

    def recorded(*given):
        seen.append(given)
        return noise_for(*given)

    monkeypatch.setattr(_private_vocabulary, "noise_for", recorded)
    private_vocabulary(COUNTS, WORDS, epsilon=2.0, delta=1e-4)
    assert seen == [(2.0, 5e-5, 1, "private_vocabulary")]


def test_no_document_adds_more_than_the_limit_to_words():
    long = sp.csr_array(np.ones((1, 3000), np.int32))
    columns, weights = _private_vocabulary._weights(long)
    assert len(columns) == 1000
    assert sum(int(n) ** 2 for n in weights) <= LIMIT**2
    assert (
        _private_vocabulary._weights(COUNTS[:1])[1].tolist() == [605395] * 3
    )  # LIMIT / √3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epsilon": np.inf}, "epsilon must be above 0 and finite"),
        ({"delta": 0}, "delta must be between"),
        ({"max_words": 0}, "max_words"),
        ({"vocabulary": ["a"]}, "vocabulary has 1 words"),
        ({"vocabulary": ["a", "b", "b", "c"]}, "more than once"),
    ],
)
def test_bad_vocabularies_are_refused(given, message):
    given = {"vocabulary": WORDS} | given
    with pytest.raises(ValueError, match=message):
        private_vocabulary(COUNTS, **given)
