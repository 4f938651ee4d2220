"""Random input for the metrics that fit models or ask about fitted ones, as in ``tests/test_fuzz.py``."""

from functools import cache

import numpy as np
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF, LatentDirichletAllocation, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TextAnalyzer,
    suggest_n_components,
)
from llmtopics.metrics import (
    membership_inference,
    rate_topics,
    topic_scorer,
    topic_stability,
)
from tests.fuzzing import (
    answer_or_refusal,
    as_tests,
    corpora,
    counts,
    drawn,
    rarely,
    topics,
    words,
)

TEXTS = ["apple pear plum", "bank money loan", "apple bank", "pear plum apple"] * 3
TABLE = np.random.default_rng(0).poisson(1, (12, 5))


def counter(kind=CountVectorizer):
    return kind(analyzer=TextAnalyzer(min_length=1))


def models(K=2):
    """Models of counts, models of texts, and some that are no topic model."""
    given = {"n_components": K, "random_state": 0}
    lda = GibbsLDA(**given, max_iter=2)
    return {
        "counts": [
            lda,
            PachinkoAllocation(**given, max_iter=2),
            LatentDirichletAllocation(**given, max_iter=1),
            NMF(**given, max_iter=9, init="nndsvda", tol=1),
            NMF(K, init="random", max_iter=3, tol=1),
            TruncatedSVD(**given),
            KMeans(K, n_init=1, random_state=0),
        ],
        "texts": [
            make_pipeline(counter(), lda),
            make_pipeline(counter(TfidfVectorizer), NMF(**given, max_iter=9, tol=1)),
            make_pipeline(CountVectorizer(ngram_range=(1, 2)), lda),
            FusionTopicModel(**given, alpha=0, max_iter=2),
        ],
    }


KINDS = {kind: len(some) for kind, some in models().items()}
INPUTS = {  # every second time, what a model can be fitted to
    "counts": st.booleans().flatmap(lambda any_: counts if any_ else st.just(TABLE)),
    "texts": st.booleans().flatmap(lambda any_: corpora if any_ else st.just(TEXTS)),
}


@cache
def fitted(kind, number):
    return models()[kind][number].fit(TABLE if kind == "counts" else TEXTS)


def a_model(data, fit):
    """Return a model, fitted or not, and input of its kind; rarely other ones."""
    kind = data.draw(st.sampled_from([*KINDS]))
    number = data.draw(st.integers(0, KINDS[kind] - 1))
    model = fitted(kind, number) if fit else models()[kind][number]
    other = rarely(data)
    if other and kind == "texts":  # scikit-learn's vectorizers do not refuse numbers
        model = data.draw(st.sampled_from([None, "x", GibbsLDA]))
    return model, INPUTS["texts" if other else kind]


def check_rate_topics(data):
    answers = [1, 2.5, "3", np.float32(2), True]
    if rarely(data):
        answers = [1, " ", None, np.nan, np.inf, 1j, [1], np.ones(2)]
    given = data.draw(st.lists(st.lists(words, max_size=3, unique=True), max_size=4))
    if rarely(data):
        given = data.draw(
            topics | st.lists(words, max_size=3) | st.sampled_from([5, None])
        )
    asked = []

    def rate(topic):
        asked.append(topic)
        return data.draw(st.sampled_from(answers))

    found = answer_or_refusal(lambda: rate_topics(given, rate))
    if found is not None:
        assert found.shape == (len(given),)
        assert asked == [list(topic) for topic in given]
        assert np.isfinite(found).all()


def check_topic_scorer(data):
    measures = ["quality", "npmi", "c_v", "u_mass", "uci", "diversity", "inverted_rbo"]
    measures += ["exclusivity", "distance", "completion"]
    options = {
        "measure": [*measures, "x", []],
        "n_words": [1, 2, 10, 10**9],
        "method": [None, "keyness", "frex", "probability", "x", []],
        "window_size": [None, "auto", 1, 5, "x"],
    }
    given = drawn(data, options)
    scorer = answer_or_refusal(lambda: topic_scorer(**given), given)
    if scorer is None:
        return
    model, inputs = a_model(data, fit=True)
    X = data.draw(inputs)
    score = answer_or_refusal(lambda: scorer(model, X), (given, model, X))
    if score is not None:
        assert np.isfinite(score)
        if scorer.measure in ("npmi", "quality", "diversity", "inverted_rbo"):
            assert -2 <= score <= 1 + 1e-9


def check_topic_stability(data):
    options = {
        "n_runs": [1, 2],
        "subsample": [0.5, 0.99, 1e-9, 1.0],
        "random_state": [1, 2**32],
    }
    model, inputs = a_model(data, fit=False)
    X, given = data.draw(inputs), {"n_runs": 2, **drawn(data, options)}
    found = answer_or_refusal(lambda: topic_stability(model, X, **given), (model, X))
    if found is not None:
        K = len(found.per_topic)
        assert found.runs.shape == found.matches.shape == (given["n_runs"], K)
        assert ((found.runs >= 0) & (found.runs <= 1)).all()
        assert (np.sort(found.matches) == np.arange(K)).all()
        assert 0 <= found.overall <= 1


def check_suggest_n_components(data):
    options = {
        "n_components": [[2], [1, 2], [3, 2, 2]],
        "n_runs": [2, 3],
        "test_size": [0.5, 0.01, 0.99],
        "n_words": [1, 2, 10**9],
        "indices": [True],
        "random_state": [1, 2**32],
    }
    model, inputs = a_model(data, fit=False)
    X = data.draw(inputs)
    given = {"n_components": [1, 2], "n_runs": 2, **drawn(data, options)}
    if rarely(data):
        wrong = [[1, 2.0], [], "23", 2, [0], [True]]
        given["n_components"] = data.draw(st.sampled_from(wrong))
    found = answer_or_refusal(
        lambda: suggest_n_components(model, X, **given), (model, X, given)
    )
    if found is not None:
        assert found.n_components in found.plateau
        assert {*found.plateau} <= {*given["n_components"]}
        assert [*found.table.n_components] == sorted({*given["n_components"]})
        certain = found.table.drop(columns="stability_error")
        assert np.isfinite(certain).all().all()
        repr(found)


def check_membership_inference(data):
    options = {
        "false_positive_rate": [0.5, 1e-12, 1],
        "confidence": [0.5, 1e-12, 1 - 1e-12],
    }
    model, inputs = a_model(data, fit=True)
    if rarely(data):
        answers = [lambda X: [1.0] * np.shape(X)[0], lambda X: [np.nan, 2]]
        answers += [lambda X: "x", lambda X: None, np.shape, dict]
        model = data.draw(st.sampled_from(answers))
    members, others = data.draw(inputs), data.draw(inputs)
    given = drawn(data, options)
    if rarely(data):
        given["reference"] = data.draw(
            st.sampled_from([model, fitted("counts", 0), "x"])
        )
    attack = answer_or_refusal(
        lambda: membership_inference(model, members, others, **given),
        (model, members, others, given),
    )
    if attack is not None:
        low, high = attack.interval
        assert 0 <= low <= attack.auc <= high <= 1
        assert 0 <= attack.true_positive_rate <= 1
        assert np.isfinite(attack.member_scores).all()
        pairs = attack.member_scores[:, None] - attack.other_scores
        np.testing.assert_allclose(attack.auc, np.mean((np.sign(pairs) + 1) / 2))


CHECKS = {
    check_rate_topics: 60,
    check_topic_scorer: 100,
    check_topic_stability: 40,
    check_suggest_n_components: 40,
    check_membership_inference: 80,
}
(
    test_any_input_is_answered_or_refused,
    test_much_more_input_is_answered_or_refused,
) = as_tests(CHECKS)
