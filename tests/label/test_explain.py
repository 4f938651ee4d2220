"""Explanations of real articles with the real MiniLM, and of planted corpora."""

import re
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import (
    NMF,
    LatentDirichletAllocation,
    MiniBatchNMF,
    TruncatedSVD,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from llmtopics import (
    EmbeddingTopics,
    FusionTopicModel,
    GibbsLDA,
    NextWordCounts,
    PachinkoAllocation,
    PrecomputedEmbeddings,
    TextAnalyzer,
    TransformerEmbedder,
    explain,
)
from llmtopics.datasets import load_bbc_news, make_topics
from llmtopics.label._explain import _sentences

POOLINGS = ["prior", "linear", "geometric"]
STRANGE = ["", "  \n ", "Zzyzx?", "Blair.", "the of and. Is it?"]


@pytest.fixture(scope="module")
def news():
    """The first words of 56 articles."""
    return [" ".join(text.split()[:80]) for text in load_bbc_news().data[::40]]


def words(**parameters):
    return CountVectorizer(analyzer=TextAnalyzer(), **{"min_df": 2} | parameters)


def fusion(**parameters):
    return FusionTopicModel(
        5, vectorizer=words(), max_iter=20, random_state=0, **parameters
    )


def lda(**parameters):
    return GibbsLDA(5, max_iter=20, random_state=0, **parameters)


def lower(texts):
    return [text.lower() for text in texts]


FUSIONS = {
    f"{pooling} {alpha}": fusion(pooling=pooling, alpha=alpha)
    for pooling in POOLINGS
    for alpha in (0, 0.4, 1)
} | {
    "language_topics": fusion(
        language_topics=make_pipeline(TransformerEmbedder(), EmbeddingTopics(5))
    ),
    "linear, NMF": fusion(
        pooling="linear", topic_model=NMF(init="nndsvda", max_iter=1000)
    ),
    "geometric, NMF": fusion(
        pooling="geometric", topic_model=NMF(init="nndsvda", max_iter=1000)
    ),
    "NMF alone": fusion(
        pooling="linear", topic_model=NMF(init="nndsvda", max_iter=1000), alpha=0
    ),
    "own prior": fusion(topic_model=GibbsLDA(doc_topic_prior=[1, 2, 3, 4, 5])),
    "tf-idf": FusionTopicModel(
        5,
        pooling="linear",
        vectorizer=TfidfVectorizer(min_df=2),
        topic_model=NMF(init="nndsvda", max_iter=1000),
    ),
    "in a pipeline": make_pipeline(FunctionTransformer(lower), fusion()),
    "steps in the vectorizer": FusionTopicModel(
        5,
        vectorizer=make_pipeline(FunctionTransformer(lower), words()),
        max_iter=20,
        random_state=0,
    ),
}
PIPELINES = {
    "GibbsLDA": make_pipeline(words(), lda()),
    "learned prior": make_pipeline(words(), lda(doc_topic_prior="auto")),
    "n-grams": make_pipeline(CountVectorizer(ngram_range=(1, 2), min_df=2), lda()),
    "steps before": make_pipeline(
        FunctionTransformer(lower), "passthrough", words(), lda()
    ),
    "steps in the vectorizer alone": make_pipeline(
        make_pipeline(FunctionTransformer(lower), words()), lda()
    ),
    "Pachinko": make_pipeline(
        words(), PachinkoAllocation(5, max_iter=20, random_state=0)
    ),
    "NMF": make_pipeline(words(), TfidfTransformer(), NMF(5, init="nndsvda")),
    "MiniBatchNMF": make_pipeline(
        TfidfVectorizer(), MiniBatchNMF(5, max_iter=5, tol=0, max_no_improvement=None)
    ),
    "variational LDA": make_pipeline(
        words(), LatentDirichletAllocation(5, max_iter=5, random_state=0)
    ),
    "pandas": make_pipeline(words(), lda().set_output(transform="pandas")),
}
MODELS = FUSIONS | PIPELINES


@pytest.fixture(scope="module")
def fitted(news):
    """Return the model of a name, fitted once."""
    done = {}

    def get(name):
        if name not in done:
            done[name] = MODELS[name].fit(news)
        return done[name]

    return get


def sum_of_parts(why):
    return (
        why.word_contributions.sum(axis=0)
        + why.language_contribution
        + why.prior_contribution
    )


# the parts sum to the whole ------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_parts_sum_to_the_mixture_that_transform_gives(fitted, news, name):
    model = fitted(name)
    for text in [*news[:3], *STRANGE]:
        with np.errstate(invalid="ignore"):  # MiniBatchNMF, of a text without words
            why = explain(model, text)
            theta = np.asarray(model.transform([text]))[0]
        assert_array_equal(why.mixture, theta)
        assert_allclose(sum_of_parts(why), theta, rtol=0, atol=1e-12)
        assert_allclose(
            why.sentence_contributions.sum(axis=0),
            theta - why.prior_contribution,
            rtol=0,
            atol=1e-12,
        )
        for part in (
            why.word_contributions,
            why.language_contribution,
            why.prior_contribution,
            why.sentence_contributions,
            why.span_contributions,
        ):
            assert part.min(initial=0) > -1e-15
            assert np.isfinite(part).all()
        assert len(why.words) == len(why.counts) == len(why.word_contributions)
        assert why._repr_html_()
        assert repr(why)


@pytest.mark.parametrize("name", MODELS)
def test_words_found_in_the_text_add_what_they_add_in_all(fitted, news, name):
    why = explain(fitted(name), news[0])
    if name == "n-grams":
        assert (why.span_contributions.sum(axis=0) < why.mixture).all()
        assert any(" " in word for word in why.words)  # listed all the same
        return
    assert_allclose(
        why.span_contributions.sum(axis=0), why.word_contributions.sum(axis=0)
    )
    assert (len(why.spans) > 20) or why.alpha == 1


def test_a_word_of_gibbs_lda_is_shared_as_its_fixed_point_says(fitted, news):
    """γ_wk ∝ φ_kw (E[n_dk] without one token + α_k)."""
    model = fitted("GibbsLDA")
    why = explain(model, news[0])
    alpha, phi = model[-1].doc_topic_prior_, model[-1].components_
    total = why.counts.sum() + alpha.sum()
    gamma = why.word_contributions * total / why.counts[:, None]
    assert_allclose(gamma.sum(axis=1), 1)
    columns = [model[0].vocabulary_[word] for word in why.words]
    expected = phi[:, columns].T * (why.mixture * total - gamma)
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(gamma, expected, atol=2e-3)
    assert_allclose(why.prior_contribution, alpha / total)


def test_the_weight_of_the_language_side_is_that_of_the_text(fitted, news):
    model = fitted("prior 0.4")
    long, short = explain(model, news[0]), explain(model, news[0][:60])
    for why in (long, short):
        s, n = model.strength_, why.counts.sum()
        assert why.alpha == s / (s + n)
        assert_allclose(why.language_contribution.sum(), s / (s + n + 1))  # Kε = 1
    assert long.alpha < short.alpha


@pytest.mark.parametrize("name", ["linear 0.4", "linear, NMF"])
def test_linear_parts_are_those_of_the_two_sides(fitted, news, name):
    model = fitted(name)
    why = explain(model, news[0])
    f = model.language_topics_.transform(model.embedder_.transform(news[:1]))[0]
    assert_allclose(why.language_contribution, why.alpha * f)
    g = model.topic_model_.transform(model.vectorizer_.transform(news[:1]))[0]
    words = why.mixture - why.language_contribution
    assert_allclose(
        words, (1 - why.alpha) * (g / g.sum())[model.topic_order_], atol=1e-12
    )


def test_notes_say_what_was_divided_by_convention(fitted, news):
    def notes(name):
        return " ".join(explain(fitted(name), news[0]).notes)

    for exact in ("prior 0.4", "linear 0.4", "prior 0", "prior 1", "GibbsLDA"):
        assert notes(exact) == ""
    assert "geometric" in notes("geometric 0.4")
    assert "NMF" in notes("linear, NMF")
    assert "LatentDirichletAllocation" in notes("variational LDA")
    assert "steps before" in notes("steps before")


@pytest.mark.parametrize("name", ["NMF", "MiniBatchNMF"])
def test_nmf_has_no_prior(fitted, news, name):
    assert_array_equal(explain(fitted(name), news[0]).prior_contribution, 0)


def test_a_text_without_known_words_has_prior_and_language_alone(fitted):
    why = explain(fitted("prior 0.4"), "Zzyzx?")
    assert len(why.words) == len(why.spans) == 0
    assert why.alpha == 1  # of no words
    assert_allclose(
        why.language_contribution + why.prior_contribution, why.mixture, atol=1e-15
    )
    assert "Zzyzx?" in why._repr_html_()


# what it says makes sense --------------------------------------------------------------------


def planted():
    """Texts whose every word stands in one of three topics only."""
    rng = np.random.default_rng(0)
    topics = [[f"{kind}{i}" for i in range(6)] for kind in ("red", "green", "blue")]
    texts = [" ".join(rng.choice(topics[i % 3], 12)) for i in range(60)]
    vectors = np.eye(3)[np.arange(60) % 3] + 0.05 * rng.normal(size=(60, 3))
    return texts, vectors


@pytest.mark.parametrize(
    "topic_model",
    [
        GibbsLDA(3, random_state=0),
        NMF(3, init="nndsvda"),
        LatentDirichletAllocation(3, random_state=0),
    ],
)
def test_a_planted_word_adds_to_its_own_topic(topic_model):
    texts, _ = planted()
    model = make_pipeline(CountVectorizer(), topic_model).fit(texts)
    red, green, blue = model.transform(texts[:3]).argmax(axis=1)
    text = "Red1 and red2. Green3 green4 green5! Blue0?"
    why = explain(model, text)
    home = dict(zip(why.words, why.word_contributions.argmax(axis=1), strict=True))
    assert home == {
        "red1": red,
        "red2": red,
        "green3": green,
        "green4": green,
        "green5": green,
        "blue0": blue,
    }
    assert_array_equal(why.top_sentences[[red, green, blue]], [0, 1, 2])
    assert why.sentences == ("Red1 and red2.", "Green3 green4 green5!", "Blue0?")
    places = [text[start:end] for start, end in why.spans]
    assert places == ["Red1", "red2", "Green3", "green4", "green5", "Blue0"]
    assert_array_equal(
        why.span_contributions.argmax(axis=1)[[0, 2, 5]], [red, green, blue]
    )


def test_sentences_are_weighed_by_what_the_language_side_reads_in_them(fitted):
    sentences = [
        "The striker scored twice and the team won the cup final.",
        "Shares fell after the bank raised its interest rates.",
    ]
    model = fitted("prior 1")
    topics = model.transform(sentences).argmax(axis=1)
    assert_array_equal(
        explain(model, " ".join(sentences)).top_sentences[topics], [0, 1]
    )


def test_sentences_whose_vectors_are_unknown_go_by_length():
    texts, vectors = planted()
    texts[0] = "red1 red2 red3. Green1 red4."
    model = FusionTopicModel(
        3,
        vectorizer=CountVectorizer(),
        embedder=PrecomputedEmbeddings(texts, vectors),
        random_state=0,
    ).fit(texts)
    why = explain(model, texts[0], texts=texts)
    assert "length" in why.notes[-1]
    assert_allclose(
        why.sentence_contributions.sum(axis=0), why.mixture - why.prior_contribution
    )
    assert not explain(model, texts[1]).notes  # one sentence is the text itself
    with pytest.raises(ValueError, match="no vector"):
        explain(model, "never seen")


def test_sentences():
    for text, expected in {
        "Mr. Smith of the U.S. Army ran. He won!": 2,
        'He said "no." Then "yes!" Done.': 3,
        "A title\nA first line. e.g. this one": 2,
        "天气很好。我们走吧！": 2,
        "no end": 1,
        "": 1,
    }.items():
        found = _sentences(text)
        assert len(found) == expected, found
        assert "".join("".join(found).split()) == "".join(text.split())


def test_pieces_of_any_script_are_found(fitted):
    text = "हिन्दी की किताबें, (naïve) Blair's “об'єкт”"
    model = make_pipeline(CountVectorizer(analyzer=TextAnalyzer()), GibbsLDA(2))
    why = explain(model.fit([text, text]), text)
    assert [text[i:j] for i, j in why.spans] == [
        "हिन्दी",
        "की",
        "किताबें",
        "naïve",
        "Blair's",
        "об'єкт",
    ]


# neighbours ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("prior 0.4", "embedding"),
        ("linear 1", "embedding"),
        ("in a pipeline", "embedding"),
        ("prior 0", "mixtures"),
        ("language_topics", "mixtures"),
        ("GibbsLDA", "mixtures"),
        ("NMF", "mixtures"),
    ],
)
def test_a_training_text_is_nearest_to_itself(fitted, news, name, by):
    for i in (0, 50):
        why = explain(fitted(name), news[i], texts=news)
        assert why.neighbors_by == by
        assert why.neighbors[0] == i
        assert why.neighbor_distances[0] < 1e-3
        assert (np.diff(why.neighbor_distances) >= 0).all()
        assert why.neighbor_texts == tuple(news[j] for j in why.neighbors)
        assert len(why.neighbors) == 3
        assert f"row {i}" in why._repr_html_()
        assert f"nearest texts by {by}: {i} (" in repr(why)


def test_no_neighbours_unless_asked_for_and_never_more_than_there_are(fitted, news):
    model = fitted("prior 0.4")
    assert explain(model, news[0]).neighbors_by is None
    assert len(explain(model, news[0], texts=news[:2]).neighbors) == 2
    assert len(explain(model, news[0], texts=news, n_neighbors=7).neighbors) == 7
    blank = explain(model, " ", texts=[*news[:2], ""])
    assert np.isfinite(blank.neighbor_distances).all()


# how it looks --------------------------------------------------------------------------------


def test_html_escapes_what_texts_and_words_hold(news):
    text = '<script>alert("x")</script> & <b>Blair</b> " onload="x'
    model = make_pipeline(
        CountVectorizer(analyzer=str.split), GibbsLDA(2, random_state=0)
    ).fit([text, text])
    html = explain(model, text, texts=[text])._repr_html_()
    assert "<script" not in html
    assert "<b>Blair" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r'[^&\w]onload="', html)
    assert set(re.findall(r"<(\w+)", html)) == {"div", "span", "b", "i"}
    tags = re.findall(r"<(/?)(div|span|b|i)\b", html)
    assert len(tags) == 2 * sum(not end for end, _ in tags)


def test_half_a_surrogate_pair_can_be_shown():
    texts = ["cat dog cat", "dog cat", "stock bond \ud800", "bond stock bond"]
    vectorizer = CountVectorizer(token_pattern=r"\S+")
    model = make_pipeline(vectorizer, GibbsLDA(2, max_iter=5, random_state=0))
    why = explain(model.fit(texts), texts[2], texts=texts)
    for shown in (repr(why), why._repr_html_()):
        shown.encode()
    assert "bond ?" in why._repr_html_()


def test_the_text_is_shown_whole_its_words_tinted(fitted, news):
    why = explain(fitted("prior 0.4"), news[0])
    html = why._repr_html_()
    shown = re.sub(r"<[^>]+>", "", html)
    assert news[0].replace('"', "&quot;").replace("'", "&#x27;") in shown
    assert html.count("rgba(") > len(why.spans)
    assert "NaN" not in html
    assert "http" not in html


def test_repr_is_a_few_lines(fitted, news):
    lines = repr(explain(fitted("prior 0.4"), news[0])).splitlines()
    assert 2 <= len(lines) <= 7
    assert lines[1].startswith("  topic ")


def test_a_long_text_takes_no_long_time():
    corpus = make_topics(50, 4000, 20, doc_length=2000, random_state=0)
    rows = (np.repeat(row.indices, row.data) for row in corpus.data)
    texts = [
        ". ".join(" ".join(f"w{w}" for w in part) for part in np.array_split(row, 100))
        for row in rows
    ]
    model = make_pipeline(CountVectorizer(), GibbsLDA(20, max_iter=5)).fit(texts)
    start = time.perf_counter()
    why = explain(model, " ".join(texts))
    html = why._repr_html_()
    assert time.perf_counter() - start < 20
    assert len(html) < 5e6
    assert re.search(r"… and [\d,]+ more characters", html)
    assert_allclose(sum_of_parts(why), why.mixture, atol=1e-12)


# what cannot be explained --------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a list"]])
def test_one_text_is_asked_for(fitted, text):
    with pytest.raises(TypeError, match="one text"):
        explain(fitted("GibbsLDA"), text)


class Blind(BaseEstimator):
    """Estimator without topics."""


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda news: "a model", "str: it is no model of texts"),
        (lambda news: Blind(), "Blind: it is no model of texts"),
        (lambda news: GibbsLDA(2).fit([[1, 2]]), "GibbsLDA: it is no model of texts"),
        (
            lambda news: make_pipeline(words(), TruncatedSVD(2)).fit(news),
            "TruncatedSVD: it gives .* negative",
        ),
        (
            lambda news: make_pipeline(words(), LogisticRegression()).fit(
                news, np.arange(len(news)) % 2
            ),
            "LogisticRegression: it has no components_",
        ),
        (
            lambda news: make_pipeline(TransformerEmbedder(), EmbeddingTopics(2)).fit(
                news
            ),
            "EmbeddingTopics: it has no components_",
        ),
        (
            lambda news: make_pipeline(GibbsLDA(2)).fit([[1, 2]]),
            "GibbsLDA: it stands behind no vectorizer",
        ),
    ],
)
def test_other_models_are_refused(news, make, fault):
    with pytest.raises(TypeError, match=f"explain {fault}.* FusionTopicModel, or"):
        explain(make(news), "A text.")


@pytest.mark.parametrize("model", [fusion(), make_pipeline(words(), lda())])
def test_a_model_must_be_fitted(model):
    with pytest.raises(NotFittedError):
        explain(model, "A text.")


def test_texts_and_their_number_are_checked(fitted):
    model = fitted("GibbsLDA")
    with pytest.raises(ValueError, match=r"explain \(texts\).*row 1"):
        explain(model, "A text.", texts=["a", 1])
    with pytest.raises(ValueError, match="n_neighbors"):
        explain(model, "A text.", texts=["a"], n_neighbors=0)


# words that a language model added ------------------------------------------------------------

TITLES = load_bbc_news().titles[::80]


def parts_of(why):
    words = why.word_contributions.sum(axis=0) + why.added_contributions.sum(axis=0)
    return words + why.language_contribution + why.prior_contribution


@pytest.mark.parametrize(
    "model",
    [
        FusionTopicModel(3, expander=NextWordCounts(), max_iter=10, random_state=0),
        FusionTopicModel(
            3, alpha=0, expander=NextWordCounts(), max_iter=10, random_state=0
        ),
        make_pipeline(NextWordCounts(), GibbsLDA(3, max_iter=10, random_state=0)),
        make_pipeline(
            NextWordCounts(include_counts=False),
            GibbsLDA(3, max_iter=10, random_state=0),
        ),
        make_pipeline(
            make_pipeline(FunctionTransformer(lower), NextWordCounts()),
            GibbsLDA(3, max_iter=10, random_state=0),
        ),
    ],
    ids=["fusion", "alpha=0", "pipeline", "without the text's own", "after a step"],
)
def test_words_that_a_model_added_are_told_from_the_texts_own(model):
    model = clone(model).fit(TITLES)
    text = TITLES[0] + ". A second sentence, on football."
    why = explain(model, text)
    assert_allclose(parts_of(why), model.transform([text])[0], atol=1e-12)
    own = set(TextAnalyzer()(text))
    assert set(why.words.tolist()) <= own
    assert len(why.added_words)
    assert set(why.added_words.tolist()) - own
    assert (why.added_contributions >= 0).all()
    carried = why.sentence_contributions.sum(axis=0)
    assert_allclose(carried, why.mixture - why.prior_contribution, atol=1e-12)
    assert "added words" in why._repr_html_()
    assert "added words" in repr(why)
    if isinstance(
        model, FusionTopicModel
    ):  # only the words of the text are found there
        assert len(why.words) == len(own & set(model.vocabulary_))


def test_nothing_is_said_of_added_words_where_there_are_none():
    model = FusionTopicModel(3, max_iter=5, random_state=0).fit(TITLES)
    why = explain(model, TITLES[0])
    assert not len(why.added_words)
    assert "added" not in repr(why) + why._repr_html_()
