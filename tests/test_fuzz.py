"""Random input of every kind: a right answer, or an error that says what is wrong.

``make soak`` tries many more examples than ``make test``.
"""

import json
import re
from inspect import signature

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    PachinkoAllocation,
    TextAnalyzer,
    log_ratios,
    metrics,
    read_topics,
    store_counts,
    top_words,
)
from llmtopics._language.clean_answer import clean_answer, is_refusal
from llmtopics._redact import redacted, restored
from llmtopics.apply._summarizer_writing import not_in_source
from llmtopics.datasets import make_topics
from llmtopics.naming._candidates import as_name, as_sentence, is_copy
from llmtopics.report import topic_report
from tests.fuzzing import (
    answer_or_refusal,
    as_tests,
    assert_shares,
    components,
    corpora,
    counts,
    labels,
    prior,
    rarely,
    shares,
    texts,
    topics,
    vectors,
    words,
)
from tests.nasty import TEXTS


def n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def check_fit(model, X):
    """Fit; then any proportions and words are whole."""
    made = answer_or_refusal(lambda: model.fit(X))
    if made is not None:
        theta = model.transform(X)
        assert_shares(theta, n_rows(X))
        np.testing.assert_array_equal(theta, model.transform(X))
        components = getattr(model, "components_", None)
        if components is not None:
            assert_shares(components, theta.shape[1])


def count_model(data):
    make = data.draw(st.sampled_from([GibbsLDA, PachinkoAllocation]))
    given = {
        "n_components": data.draw(components),
        "topic_word_prior": data.draw(prior),
        "max_iter": data.draw(st.sampled_from([1, 3, 0, -2])),
        "sampler": data.draw(st.sampled_from(["auto", "exact", "blocked", "other"])),
        "random_state": data.draw(st.sampled_from([0, 2**32, -1, "x"])),
    }
    names = ["doc_topic_prior", "doc_super_prior"]
    given[names[make is PachinkoAllocation]] = data.draw(prior | st.none())
    some = data.draw(st.sets(st.sampled_from([*given]), max_size=3))
    safe = {"n_components": 2, "max_iter": 3, "random_state": 0}
    return make(**{**safe, **{name: given[name] for name in some}})


def check_count_models(data):
    check_fit(count_model(data), data.draw(counts))


def check_embedding_topics(data):
    model = EmbeddingTopics(
        data.draw(components),
        concentration=data.draw(st.sampled_from([None, None, 0, 1.0, 1e9, -1, np.nan])),
        max_iter=data.draw(st.sampled_from([0, 2])),
        random_state=0,
    )
    check_fit(model, data.draw(vectors))


def check_text_models(data):
    lsa = Pipeline([("words", TfidfVectorizer()), ("svd", TruncatedSVD(2))])
    model = data.draw(
        st.sampled_from(
            [
                make_pipeline(
                    CountVectorizer(analyzer=TextAnalyzer(min_length=1)),
                    GibbsLDA(2, max_iter=2, random_state=0),
                ),
                FusionTopicModel(2, embedder=lsa, max_iter=2, random_state=0),
                FusionTopicModel(2, alpha=0, max_iter=2, random_state=0),
            ]
        )
    )
    check_fit(model, data.draw(corpora))


def check_analyzer(data):
    """Words are not empty, have no blank, and are the same in any order of texts."""
    options = {
        "min_length": st.sampled_from([0, 1, 3, 99, -1, "x"]),
        "ngram_range": st.sampled_from([(1, 1), (1, 3), (2, 1), (0, 0), 5]),
        "stem": st.booleans(),
        "strip_accents": st.booleans(),
        "lowercase": st.booleans(),
        "stop_words": st.sampled_from([None, "auto", [], ["the"], "x", {""}]),
    }
    known = [name for name in signature(TextAnalyzer).parameters if name in options]
    some = data.draw(st.sets(st.sampled_from(known), max_size=3))
    given = {name: data.draw(options[name]) for name in sorted(some)}
    text = data.draw(texts)
    found = answer_or_refusal(lambda: TextAnalyzer(**given)(text))
    if found is not None:
        assert all(isinstance(word, str) and word for word in found)
        assert TextAnalyzer(**given)(text) == found
        if not given.keys() & {"ngram_range"}:
            assert all(len(word.split()) == 1 for word in found)


ARGUMENTS = {
    "X": counts,
    "components": shares() | vectors,
    "doc_topic_prior": prior,
    "doc_vectors": vectors,
    "k": st.sampled_from([1, 3, 0, -1, 2.5]),
    "labels": labels,
    "measure": st.sampled_from(["npmi", "uci", "u_mass", "c_v", "x", None]),
    "mixtures": shares() | vectors,
    "n_particles": st.sampled_from([1, 2, 0]),
    "n_topics": st.sampled_from([1, 3, 0]),
    "n_trials": st.sampled_from([1, 3, 0]),
    "n_words": st.sampled_from([1, 2, 5, 0, -1, 2.5]),
    "names": st.none() | st.lists(words, max_size=4),
    "p": st.sampled_from([0.9, 0, 1, -1, np.nan]),
    "random_state": st.sampled_from([0, -1, "x"]),
    "ranked": topics,
    "reference": corpora | counts,
    "relevant": topics,
    "topic_vectors": vectors,
    "vectors": vectors,
    "vocabulary": st.none() | st.lists(words, max_size=6),
    "window_size": st.sampled_from(["auto", None, 1, 5, 0, "x"]),
}
TOPICS_ARE_LABELS = {"topics": labels | shares()}
WITHOUT = {  # in tests/metrics/test_fuzz_fits.py
    "membership_inference",
    "rate_topics",
    "suggest_n_components",
    "topic_scorer",
    "topic_stability",
}


def check_metrics(data):
    name = data.draw(st.sampled_from([n for n in metrics.__all__ if n not in WITHOUT]))
    function = getattr(metrics, name)
    takes = signature(function).parameters
    drawn = {**ARGUMENTS, "topics": labels if "labels" in takes else topics}
    given = {
        name: data.draw(drawn[name])
        for name, parameter in takes.items()
        if name in drawn
        and (parameter.default is parameter.empty or data.draw(st.booleans()))
    }
    found = answer_or_refusal(lambda: function(**given), f"{name}({given})")
    if name in ("purity", "inverse_purity", "matched_accuracy") and found is not None:
        assert 0 <= found <= 1


def check_word_tables(data):
    phi = data.draw(shares() | vectors)
    n = data.draw(ARGUMENTS["n_words"])
    V = phi.shape[1] if hasattr(phi, "shape") and not rarely(data) else 2
    given = data.draw(st.lists(words, min_size=V, max_size=V))
    found = answer_or_refusal(lambda: top_words(phi, given, n))
    if found is not None:
        assert all(len(listed) <= n and {*listed} <= {*given} for listed in found)
    theta = data.draw(shares() | vectors)
    found = answer_or_refusal(lambda: log_ratios(theta))
    if found is not None:
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-6)


MARKS = [
    *["<think>", "</think>", "<answer>", "<|im_end|>", "<|channel|>final<|message|>"],
    *["```", "**", '{"keywords": [', '"', "'", "\\", "]", "}", "- ", "1. ", "\n\n"],
    *["Keywords:", "Topic: ", "Sure!", "Here is", "I'm sorry", "sorry, I cannot"],
]


def check_parsers(data):
    """Nothing that a model writes is an error."""
    mark = st.sampled_from(MARKS)
    answer = "".join(data.draw(st.lists(mark | texts | words, max_size=8)))
    listed = data.draw(st.lists(words, max_size=4))
    text = clean_answer(answer, "Keywords")
    assert text == text.strip()
    is_refusal(text)
    name = as_name(answer)
    assert len(name) <= 60
    assert "\n" not in name
    is_copy(name, ", ".join(listed))
    sentence = as_sentence(answer, listed)
    assert "\n" not in sentence
    not_in_source(text, listed, "en")
    hidden, originals = redacted(answer, "pii")
    assert restored(hidden, originals) == restored(answer, originals)


def check_topics(data):
    """Everything that is read from topics of a fitted model, about nasty texts."""
    some = [*data.draw(corpora), "apple pear plum", "bank money loan", "apple bank"]
    model = make_pipeline(
        CountVectorizer(analyzer=TextAnalyzer(min_length=1)),
        GibbsLDA(2, max_iter=2, random_state=0),
    ).fit(some)
    given = {
        name: data.draw(st.none() | st.lists(texts, min_size=n, max_size=n))
        for name, n in [("titles", len(some)), ("labels", len(some)), ("names", 2)]
    }
    found = answer_or_refusal(lambda: read_topics(model, some, **given))
    if found is None:
        return
    assert_shares(found.mixtures, len(some))
    assert len(found.documents(0, 3)) <= 3 if hasattr(found, "documents") else True
    assert "<script>" not in found._repr_html_()
    found.to_json()
    repr(found)


REPORT = {
    "title": [None, "", 5, *TEXTS.values()],
    "groups": [None, ["a", "b", None] * 9, ["x"], [[]] * 9, 5],
    "times": [None, [2020, 2021] * 9, ["2020-01-01", "x"] * 9, [None] * 9, 5],
    "freq": ["Y", "M", "D", "x", "", 5],
    "max_chars": [1, 10**9, 0, 1.5, "x", None],
    "max_documents": [1, 2, 10**9, 0, "x", True],
    "map_method": ["pca", "x", None],
    "include_texts": [False],
    "redact": ["pii", str.upper, lambda text: None, "x", 5],
}


def check_report(data):
    """A page has each document, and each text only as data."""
    some = [*data.draw(corpora), "apple pear plum", "bank money loan", "apple bank"]
    model = make_pipeline(
        CountVectorizer(analyzer=TextAnalyzer(min_length=1)),
        GibbsLDA(2, max_iter=2, random_state=0),
    ).fit(some)
    found = read_topics(model, some)
    names = data.draw(st.sets(st.sampled_from([*REPORT]), max_size=3))
    given = {name: data.draw(st.sampled_from(REPORT[name])) for name in sorted(names)}
    for name in given.keys() & {"groups", "times"}:
        if isinstance(given[name], list) and not rarely(data):
            given[name] = given[name][: len(some)]
    page = answer_or_refusal(lambda: topic_report(found, **given))
    if page is not None:
        page.encode()
        assert page.count("</script>") == page.count("<script")
        data_of_page = re.search(r'id="report-data">(.*?)</script>', page, re.DOTALL)[1]
        columns = json.loads(data_of_page)["documents"]
        assert columns["n_all"] == len(some)
        n = columns["n"]
        assert n == len(some) or "max_documents" in given
        for name in ("x", "y", "text", "group", "period"):
            assert columns[name] is None or len(columns[name]) == n
        assert len(columns["topic"]) == len(columns["share"]) == n * columns["n_top"]


SIZES = st.sampled_from([1, 2, 5, 0, -1, 2.5, None, "x", True])


def check_planted_topics(data):
    lengths = [0, 3, 0.5, -1, np.nan, np.inf, 1e30, "x", None, [1, 2], 2**31]
    given = {
        "doc_length": data.draw(st.sampled_from(lengths)),
        "doc_topic_prior": data.draw(prior),
        "topic_word_prior": data.draw(prior),
        "random_state": data.draw(st.sampled_from([0, -1, "x"])),
        **{
            name: data.draw(SIZES)
            for name in ("n_samples", "n_features", "n_components")
        },
    }
    some = data.draw(st.sets(st.sampled_from([*given]), max_size=3))
    safe = {"n_samples": 5, "n_features": 4, "n_components": 3, "random_state": 0}
    given = {**safe, **{name: given[name] for name in some}}
    corpus = answer_or_refusal(lambda: make_topics(**given))
    if corpus is not None:
        assert_shares(corpus.doc_topic, given["n_samples"])
        assert_shares(corpus.components, given["n_components"])
        assert corpus.data.shape == (given["n_samples"], given["n_features"])
        assert (corpus.data.data >= 0).all()
        if given.get("doc_length", 1) == 0:
            assert corpus.data.sum() == 0


def check_stored_counts(data):
    import tempfile

    blocks = data.draw(st.lists(counts, max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        found = answer_or_refusal(lambda: store_counts(blocks, f"{folder}/counts"))
        if found is not None:
            expected = sp.vstack([sp.csr_array(np.asarray(_dense(b))) for b in blocks])
            got = sp.vstack([*found]) if len(found) else expected
            assert (got.toarray() == expected.toarray()).all()


def _dense(X):
    return X.toarray() if sp.issparse(X) else X


CHECKS = {
    check_count_models: 100,
    check_embedding_topics: 60,
    check_text_models: 40,
    check_analyzer: 150,
    check_metrics: 300,
    check_word_tables: 100,
    check_parsers: 200,
    check_topics: 20,
    check_stored_counts: 60,
    check_report: 25,
    check_planted_topics: 100,
}
(
    test_any_input_is_answered_or_refused,
    test_much_more_input_is_answered_or_refused,
) = as_tests(CHECKS)
