"""Random input for what is made of texts, vectors and answers of language models.

As in ``tests/test_fuzz.py``.
"""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.decomposition import NMF, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from llmtopics import (
    FusionTopicModel,
    GibbsLDA,
    LLMAugmenter,
    LLMError,
    LLMResampler,
    PrecomputedEmbeddings,
    PrivateLDA,
    TextAnalyzer,
    TopicMerger,
    TopicSummarizer,
    explain,
)
from llmtopics._language import LanguageModel
from llmtopics.embed import store_vectors
from llmtopics.embed._precomputed import NoVectorError
from llmtopics.naming import name_topics
from llmtopics.plots import topic_colors
from llmtopics.redaction import redact_pii
from llmtopics.text import detect_language, split_sentences, stop_words, store_texts
from llmtopics.topics import private_vocabulary
from tests.fuzzing import (
    NUMBERS,
    answer_or_refusal,
    as_tests,
    assert_shares,
    corpora,
    counts,
    rarely,
    texts,
    vectors,
    words,
)

SENTENCES = [
    *[
        "An apple. A pear!",
        "A bank lends money.",
        "Apple bank, pear loan",
        "A ripe pear",
    ],
    *[
        "Money and a loan",
        "The bank of apple money",
        "Ripe apples",
        "Loan, bank. Plum!",
    ],
]


def counter(kind=CountVectorizer):
    return kind(analyzer=TextAnalyzer(min_length=1))


def lsa():
    return make_pipeline(TfidfVectorizer(token_pattern=r"\S+"), TruncatedSVD(2))


@cache
def topic_model(number=0):
    made = [
        make_pipeline(counter(), GibbsLDA(3, max_iter=5, random_state=0)),
        make_pipeline(counter(TfidfVectorizer), NMF(3, tol=1, init="nndsvda")),
        FusionTopicModel(3, embedder=lsa(), max_iter=2, random_state=0),
        FusionTopicModel(3, alpha=0, max_iter=2, random_state=0),
    ][number]
    return made.fit(SENTENCES)


def some_model(data):
    return topic_model(data.draw(st.integers(0, 3)))


# texts -----------------------------------------------------------------------------------


def check_functions_of_texts(data):
    text = data.draw(texts)
    languages = ["english", "german", "chinese", "x", "", None, 5]
    language = data.draw(st.sampled_from(languages))
    found = answer_or_refusal(lambda: split_sentences(text, language))
    if found is not None:
        assert all(sentence and sentence == sentence.strip() for sentence in found)
        left = "".join(text.split())
        assert "".join("".join(found).split()) == left
    found = answer_or_refusal(lambda: stop_words(language))
    assert found is None or all(isinstance(word, str) and word for word in found)
    hidden = redact_pii(text)
    assert redact_pii(text) == hidden
    assert answer_or_refusal(lambda: redact_pii(data.draw(st.just(5)))) is None
    given = data.draw(corpora | texts | st.just(5))
    found = answer_or_refusal(lambda: detect_language(given))
    assert found is None or isinstance(found, str)
    n = data.draw(st.sampled_from([0, 1, 3, 250, -1, 1.5, "x", None, True]))
    colors = answer_or_refusal(lambda: topic_colors(n))
    assert colors is None or len(colors) == n


def check_stored_texts(data):
    some = data.draw(corpora)
    vectorizer = counter()
    given = {
        name: data.draw(st.sampled_from([1, 2, 10**9, *NUMBERS]))
        for name in data.draw(st.sets(st.sampled_from(["max_words", "batch_size"])))
        if rarely(data)
    }
    with tempfile.TemporaryDirectory() as folder:
        found = answer_or_refusal(
            lambda: store_texts(some, folder, vectorizer=vectorizer, **given)
        )
        if found is not None:
            assert found.shape[0] == len(some)
            expected = vectorizer.transform(some).toarray()
            stored = np.vstack([block.toarray() for block in found])
            np.testing.assert_array_equal(stored, expected)


# vectors ---------------------------------------------------------------------------------


def check_given_vectors(data):
    known, rows = data.draw(corpora), data.draw(vectors)
    if rarely(data):
        rows = np.eye(max(len(known), 1))[: len(known)]
    embedder = PrecomputedEmbeddings(known, rows)
    asked = data.draw(st.just(known) | corpora)
    try:
        found = answer_or_refusal(lambda: embedder.transform(asked))
    except AssertionError as error:
        if not isinstance(error.__cause__, NoVectorError):
            raise
        assert {text for text in asked if text.strip()} - {*known}
        return
    if found is not None:
        assert found.shape[0] == len(asked)
        assert np.isfinite(found).all()
        dense = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
        for text, vector in zip(asked, found, strict=True):
            if text in known:
                expected = dense[known.index(text)].astype(np.float32)
                np.testing.assert_array_equal(vector, expected)


@cache
def fitted_lsa():
    return lsa().fit(SENTENCES)


def check_stored_vectors(data):
    some = data.draw(corpora)
    bad = [5, lambda texts: texts, TextAnalyzer(), [1]]
    embedder = data.draw(st.sampled_from(bad)) if rarely(data) else fitted_lsa()
    size = data.draw(st.sampled_from([1, 2, 10**6]))
    if rarely(data):
        size = data.draw(st.sampled_from(NUMBERS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vectors.npy")

        def stored():
            return store_vectors(some, path, embedder=embedder, batch_size=size)

        found = answer_or_refusal(stored)
        if found is not None:
            np.testing.assert_allclose(found, embedder.transform(some), atol=1e-6)
            np.testing.assert_array_equal(stored(), found)


# topics ----------------------------------------------------------------------------------


def check_explanations(data):
    model, text = some_model(data), data.draw(texts | st.sampled_from(SENTENCES))
    given = {}
    if data.draw(st.booleans()):
        given["texts"] = data.draw(corpora)
    if rarely(data):
        given["n_neighbors"] = data.draw(st.sampled_from([1, 2, 10**9, *NUMBERS]))
    if rarely(data):
        text = data.draw(st.sampled_from([5, None, [text]]))
    found = answer_or_refusal(lambda: explain(model, text, **given))
    if found is not None:
        parts = found.word_contributions.sum(axis=0) + found.language_contribution
        parts = parts + found.added_contributions.sum(axis=0)
        whole = model.transform([text])[0]
        np.testing.assert_allclose(found.mixture, whole, atol=1e-9)
        np.testing.assert_allclose(parts + found.prior_contribution, whole, atol=1e-9)
        assert "<script>" not in found._repr_html_()
        repr(found)


def check_merged_topics(data):
    model = FrozenEstimator(some_model(data))
    numbers = st.sampled_from([0, 1, 2])
    options = {
        "n_components": st.sampled_from([1, 2, 3]),
        "groups": st.sampled_from([[[0, 1]], [[2, 0]], [[0], [1, 2]], [], [[]]]),
        "drop": st.lists(numbers, max_size=2, unique=True),
        "order": st.sampled_from(["first", "size"]),
    }
    some = data.draw(st.sets(st.sampled_from([*options]), max_size=2))
    given = {name: data.draw(options[name]) for name in sorted(some)}
    if rarely(data):
        wrong = [
            *NUMBERS,
            [[0, 9]],
            [[0, 0]],
            [[-1, 0]],
            [["x"]],
            [0],
            [5],
            4,
            [[None]],
        ]
        given[data.draw(st.sampled_from([*options]))] = data.draw(
            st.sampled_from(wrong)
        )
    merger = TopicMerger(model, **given)
    if answer_or_refusal(lambda: merger.fit(SENTENCES), given) is None:
        return
    asked = data.draw(corpora.filter(len))
    theta = merger.transform(asked)
    assert_shares(theta, len(asked))
    assert theta.shape[1] == len(merger.components_) == merger.mapping_.max() + 1
    assert theta.shape[1] == given.get("n_components") or theta.shape[1] <= 3
    if not len(given.get("drop", ())):
        whole = model.transform(asked)
        whole = whole / whole.sum(axis=1, keepdims=True).clip(1e-300)
        known = whole.any(axis=1)
        sums = np.stack(
            [whole[:, merger.mapping_ == k].sum(axis=1) for k in range(theta.shape[1])],
            axis=1,
        )
        np.testing.assert_allclose(theta[known], sums[known], atol=1e-9)


def check_private_topics(data):
    pytest.importorskip("opendp")
    options = {
        "n_components": [1, 3, 0, None],
        "epsilon": [0.1, 1e-9, 1e9, 0, -1, np.inf, np.nan, "x"],
        "delta": [1e-9, 0.5, 0, 1, np.nan, "x"],
        "doc_topic_prior": [0.1, [1, 2], -1, "auto"],
        "topic_word_prior": [1, 0, np.nan],
        "max_iter": [1, 3, 0],
    }
    some = data.draw(st.sets(st.sampled_from([*options]), max_size=2))
    given = {name: data.draw(st.sampled_from(options[name])) for name in sorted(some)}
    given = {"n_components": 2, "max_iter": 1, "random_state": 0, **given}
    X = data.draw(counts)
    model = PrivateLDA(**given)
    if answer_or_refusal(lambda: model.fit(X), given) is not None:
        theta = model.transform(X)
        assert_shares(theta, theta.shape[0])
        assert_shares(model.components_, given["n_components"])
    V = np.shape(X)[1] if np.ndim(X) == 2 else 3
    listed = [f"word{i}" for i in range(V)]
    if rarely(data):
        listed = data.draw(st.lists(words, max_size=5) | st.just(5))
    budget = {name: given[name] for name in ("epsilon", "delta") if name in given}
    most = data.draw(st.sampled_from([1, 2000, *NUMBERS])) if rarely(data) else 2
    found = answer_or_refusal(
        lambda: private_vocabulary(X, listed, **budget, max_words=most), budget
    )
    assert found is None or ({*found} <= {*listed} and len(found) <= most)


# answers of language models --------------------------------------------------------------

MARKS = [
    *["<think>", "</think>", "</notes>", "<summary>", "```", "**", '{"keywords": ["'],
    *["Keywords:", "Topic: ", "Sure!", "I'm sorry", "I cannot", "\n", "- ", "1. ", "."],
    *["apple", "Bank", "pear.", "Zurich 1999.", "An apple and a bank."],
]
answers = st.none() | st.lists(st.sampled_from(MARKS) | texts | words, max_size=5).map(
    " ".join
)


class AnyAnswer(LanguageModel):
    """Gives the answers of a list in turn; None is a call that failed."""

    def __init__(self, answers=(), cache_dir=False):
        self.answers = answers
        self.cache_dir = cache_dir

    def _identity(self):
        return repr(self.answers)

    def _compute(self, prompts, request, on_error):
        for i, _ in enumerate(prompts):
            answer = self.answers[i % len(self.answers)]
            if answer is None and on_error == "raise":
                raise LLMError("no answer")
            yield [i], [answer]


def some_answers(data):
    return AnyAnswer(data.draw(st.lists(answers, min_size=1, max_size=3)))


def check_names(data):
    llm = some_answers(data)
    listed = data.draw(st.lists(st.lists(words, max_size=4, unique=True), max_size=3))
    given = {"check_documents": data.draw(st.booleans())}
    if listed and data.draw(st.booleans()):
        some = data.draw(corpora.filter(len))
        theta = np.full((len(some), len(listed)), 1 / len(listed))
        given |= {"mixtures": theta, "texts": some}
    if rarely(data):
        options = ["n_words", "n_documents", "document_length", "mixtures", "texts"]
        given[data.draw(st.sampled_from(options))] = data.draw(st.sampled_from(NUMBERS))
    given["describe"] = data.draw(st.booleans())
    try:
        found = answer_or_refusal(lambda: name_topics(listed, llm=llm, **given), given)
    except LLMError:  # no topic has an answer with a word
        return
    if found is not None:
        assert len(found.names) == len({*found.names}) == len(listed)
        for name in found.names:
            assert name.strip()
            assert "\n" not in name
        assert (found.descriptions is not None) == given["describe"]
        repr(found)


def check_augmented_texts(data):
    options = {
        "mode": ["paraphrase", "summary", "x"],
        "how": ["replace", "x"],
        "max_length": [None, 1, 0],
        "min_similarity": [0.0, 1.0, 2, "x"],
        "chat": [True],
    }
    some = data.draw(st.sets(st.sampled_from([*options]), max_size=2))
    given = {name: data.draw(st.sampled_from(options[name])) for name in sorted(some)}
    augmenter = LLMAugmenter(
        some_answers(data), embedder=fitted_lsa(), on_error="keep", **given
    )
    X = data.draw(corpora)
    found = answer_or_refusal(lambda: augmenter.fit(X).transform(X), given)
    if found is not None:
        assert len(found) == len(X)
        assert all(isinstance(text, str) for text in found)
        if given.get("how") != "replace":
            for text, more in zip(X, found, strict=True):
                assert more.startswith(text)


def check_resampled_texts(data):
    X = data.draw(corpora)
    y = [data.draw(st.sampled_from(["a", "b"])) for _ in X]
    if rarely(data):
        y = data.draw(st.sampled_from([y[1:], [None] * len(X), 5, [[1]] * len(X)]))
    options = {
        "sampling_strategy": ["not majority", 0.5, {"a": 9}, {"c": 1}, "x", None],
        "n_per_text": [2, 0],
        "max_similarity": [0.1, 1, 2],
        "max_rounds": [1, 0],
    }
    some = data.draw(st.sets(st.sampled_from([*options]), max_size=2))
    given = {name: data.draw(st.sampled_from(options[name])) for name in sorted(some)}
    model = LLMResampler(some_answers(data), on_error="keep", random_state=0, **given)
    found = answer_or_refusal(lambda: model.fit_resample(X, y), given)
    if found is not None:
        more, classes = found
        assert list(more[: len(X)]) == X
        assert list(classes[: len(X)]) == y
        assert len(more) == len(classes)
        assert {*classes} <= {*y}
        assert all(text.strip() for text in more[len(X) :])


def check_written_summaries(data):
    model = FrozenEstimator(some_model(data))
    summarizer = TopicSummarizer(
        model, vector_weight=0, llm=some_answers(data), on_error="keep"
    ).fit(SENTENCES)
    X = data.draw(corpora.filter(len))
    table = summarizer.summarize(X)
    assert len(table) == len(X)
    assert table.coverage.between(0, 1 + 1e-9).all()
    plain = TopicSummarizer(model, vector_weight=0).fit(SENTENCES).transform(X)
    for summary, extract, outcome in zip(
        table.summary, plain, table.outcome, strict=True
    ):
        assert outcome == "generated" or summary == extract
        assert outcome != "generated" or len(split_sentences(summary)) <= 3


CHECKS = {
    check_functions_of_texts: 150,
    check_stored_texts: 40,
    check_given_vectors: 100,
    check_stored_vectors: 40,
    check_explanations: 80,
    check_merged_topics: 80,
    check_private_topics: 60,
    check_names: 60,
    check_augmented_texts: 60,
    check_resampled_texts: 60,
    check_written_summaries: 60,
}
(
    test_any_input_is_answered_or_refused,
    test_much_more_input_is_answered_or_refused,
) = as_tests(CHECKS)
