"""How explanations look, in notebooks and as text."""

import re
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import FusionTopicModel, GibbsLDA, TextAnalyzer, explain
from llmtopics.datasets import make_topics


@pytest.fixture(scope="module")
def why(news):
    vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
    model = FusionTopicModel(
        5, alpha=0.4, vectorizer=vectorizer, max_iter=20, random_state=0
    )
    return explain(model.fit(news), news[0])


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
    assert set(re.findall(r"<(\w+)", html)) == {"div", "span", "b", "i", "bdi"}
    tags = re.findall(r"<(/?)(div|span|bdi|b|i)\b", html)
    assert len(tags) == 2 * sum(not end for end, _ in tags)


def test_lone_surrogates_can_be_shown():
    texts = ["cat dog cat", "dog cat", "stock bond \ud800", "bond stock bond"]
    vectorizer = CountVectorizer(token_pattern=r"\S+")
    model = make_pipeline(vectorizer, GibbsLDA(2, max_iter=5, random_state=0))
    why = explain(model.fit(texts), texts[2], texts=texts)
    for shown in (repr(why), why._repr_html_()):
        shown.encode()
    assert "bond ?" in why._repr_html_()


@pytest.mark.parametrize(
    "texts",
    [
        ["القطة والكلب", "سوق الأسهم", "القطة القطة", "سوق سوق"],
        ["חתול וכלב", "שוק המניות", "חתול חתול", "שוק שוק"],
        ["猫 和 狗", "股票 市场", "猫 猫", "股票 股票"],
        ["แมว สุนัข", "หุ้น ตลาด", "แมว แมว", "หุ้น หุ้น"],
        ["बिल्ली और कुत्ता", "शेयर बाज़ार", "बिल्ली बिल्ली", "शेयर शेयर"],
    ],
    ids=["arabic", "hebrew", "chinese", "thai", "hindi"],
)
def test_each_piece_of_text_has_a_direction_of_its_own(texts):
    model = make_pipeline(
        CountVectorizer(analyzer=str.split),
        GibbsLDA(2, max_iter=5, random_state=0),
    )
    why = explain(model.fit(texts), texts[0], texts=texts)
    html = why._repr_html_()
    first = texts[0].split()[0]
    assert re.search(rf'<div [^>]*dir="auto">(<span [^>]*>)?{first}', html)
    assert re.search(rf"<bdi>[^<]*{first}", html)
    # of a long neighbor, the end of the text is cut, not its beginning
    assert re.search(rf'text-overflow:ellipsis" dir="auto">{first}', html)
    assert not re.search(r"</span>[^<]*[^\x00-\xff…“”·][^<]*<(span|/div)", html)
    assert first in repr(why)


def test_the_whole_text_is_shown_with_tinted_words(why, news):
    html = why._repr_html_()
    shown = re.sub(r"<[^>]+>", "", html)
    assert news[0].replace('"', "&quot;").replace("'", "&#x27;") in shown
    assert html.count("rgba(") > len(why.spans)
    assert "NaN" not in html
    assert "http" not in html


def test_embeddings_are_shown_only_where_they_have_weight(why, news):
    assert ", weight of embeddings 0." in repr(why)
    assert "embedding" in why._repr_html_()
    vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=2)
    model = make_pipeline(vectorizer, GibbsLDA(5, max_iter=20, random_state=0))
    counts_alone = explain(model.fit(news), news[0])
    for shown in (repr(counts_alone), counts_alone._repr_html_()):
        assert "embedding" not in shown
        assert "words" in shown


def test_repr_is_a_few_lines(why):
    lines = repr(why).splitlines()
    assert 2 <= len(lines) <= 7
    assert lines[1].startswith(f"  {why.topic_names[why.mixture.argmax()]}: ")


def test_a_long_text_is_shown_quickly():
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
    assert_allclose(
        why.sentence_contributions.sum(axis=0) + why.prior_contribution,
        why.mixture,
        atol=1e-12,
    )
