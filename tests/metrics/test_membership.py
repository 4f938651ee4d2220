import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.decomposition import NMF
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, LanguageModelTuner, PrivateLDA
from llmtopics.datasets import load_bbc_news, make_topics
from llmtopics.metrics import membership_inference

X = sp.csr_array(make_topics(300, 200, 3, doc_length=30, random_state=0).data)
MEMBERS, OTHERS, MORE = X[:100], X[100:200], X[200:]


@pytest.fixture(scope="module")
def overfitted():
    return GibbsLDA(40, topic_word_prior=0.01, max_iter=100, random_state=0).fit(
        MEMBERS
    )


def test_an_overfitted_model_is_found_out(overfitted):
    attack = membership_inference(overfitted, MEMBERS, OTHERS)
    assert attack.interval[0] > 0.6
    assert attack.member_scores.shape == (100,)


def test_documents_that_fit_has_not_seen_are_all_alike(overfitted):
    attack = membership_inference(overfitted, OTHERS, MORE)
    assert attack.interval[0] < 0.5 < attack.interval[1]


def test_private_topics_are_not_found_out():
    """A topic per member: without noise, the same fit is found out."""
    members, others = X[:30], X[30:]

    def attacked(epsilon):
        private = PrivateLDA(30, topic_word_prior=0.01, epsilon=epsilon, max_iter=8)
        return membership_inference(private.fit(members), members, others)

    assert attacked(np.inf).interval[0] > 0.7
    # mean of 5 fits: noise differs, documents are the same
    assert abs(np.mean([attacked(1.0).auc for _ in range(5)]) - 0.5) < 0.15


def test_a_reference_removes_what_every_model_finds_easy(overfitted):
    reference = GibbsLDA(40, max_iter=50, random_state=0).fit(MORE)
    plain = membership_inference(overfitted, MEMBERS, OTHERS)
    calibrated = membership_inference(overfitted, MEMBERS, OTHERS, reference=reference)
    same = membership_inference(overfitted, MEMBERS, OTHERS, reference=overfitted)
    assert calibrated.auc > plain.auc - 0.02
    assert same.auc == 0.5  # every score is 0


def test_auc_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    members, others = rng.integers(0, 9, 60), rng.integers(0, 7, 40)  # with ties
    attack = membership_inference(lambda scores: scores, members, others)
    labels = np.repeat([1, 0], [60, 40])
    assert_allclose(attack.auc, roc_auc_score(labels, np.append(members, others)))
    assert attack.true_positive_rate == np.mean(members > others.max())


def test_the_interval_holds_the_true_value_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):  # the true AUC of shifted Gaussians is 0.76
        attack = membership_inference(
            lambda scores: scores, rng.normal(1, 1, 50), rng.normal(0, 1, 60)
        )
        held += attack.interval[0] < 0.7602 < attack.interval[1]
    assert 0.91 < held / 400 < 0.98


def test_few_documents_that_are_told_apart_by_chance_prove_nothing():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):  # 3 against 3: one in twenty has an AUC of 1, one has 0
        draws = rng.normal(size=(2, 3))
        interval = membership_inference(lambda scores: scores, *draws).interval
        held += interval[0] < 0.5 < interval[1]
    assert held / 400 > 0.93
    first, last = membership_inference(
        lambda s: s, np.arange(3) + 9, np.arange(3)
    ).interval
    assert_allclose([first, last], [0.025 ** (1 / 3), 1])
    first, last = membership_inference(
        lambda s: s, np.arange(3), np.arange(3) + 9
    ).interval
    assert_allclose([first, last], [0, 1 - 0.025 ** (1 / 3)])


def test_a_pipeline_of_texts_and_nmf_are_read():
    texts = load_bbc_news().data[:60]
    model = make_pipeline(CountVectorizer(stop_words="english"), NMF(20, max_iter=500))
    model.fit(texts[:30])
    attack = membership_inference(model, texts[:30], texts[30:])
    assert attack.interval[0] > 0.6


@pytest.mark.slow
def test_a_tuned_language_model_is_found_out(tmp_path):
    texts = [text[:200] for text in load_bbc_news().data[::90][:24]]
    tuner = LanguageModelTuner(
        init="random",
        adapter=None,
        hidden_size=64,
        vocab_size=300,
        max_length=64,
        n_epochs=100,
        max_steps=150,
        validation_fraction=0,  # no part is held out to stop in time
        learning_rate=1e-2,
        output_dir=str(tmp_path / "model"),
        random_state=0,
    ).fit(texts[:12])
    attack = membership_inference(
        lambda texts: [tuner.score([text]) for text in texts], texts[:12], texts[12:]
    )
    assert attack.interval[0] > 0.6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"others": OTHERS[:1]}, "others needs two or more documents, got 1"),
        ({"others": OTHERS * 0}, "Row 0 of others has no words"),
        ({"confidence": 1}, "confidence must be between"),
        ({"confidence": "0.9"}, "confidence must be between 0 and 1, got '0.9'"),
        ({"false_positive_rate": 0}, "false_positive_rate must be between"),
        ({"model": lambda X: [0.0]}, "members have shape"),
        ({"model": lambda X: np.full(X.shape[0], np.nan)}, "row 0 of members is nan"),
    ],
)
def test_bad_input_is_refused(overfitted, given, message):
    given = {"model": overfitted, "members": MEMBERS, "others": OTHERS} | given
    with pytest.raises(ValueError, match=message):
        membership_inference(**given)


def test_what_is_no_topic_model_is_refused():
    with pytest.raises(TypeError, match="got str"):
        membership_inference("model", MEMBERS, OTHERS)
    with pytest.raises(NotFittedError):
        membership_inference(GibbsLDA(3), MEMBERS, OTHERS)
