"""What is in the page: numbers of Topics, texts as text, and what must not be there."""

import hashlib
import json
import re
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from llmtopics import FusionTopicModel, GibbsLDA, PrecomputedEmbeddings, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.metrics import coherence, topic_diversity
from llmtopics.plots import topic_colors
from llmtopics.report import topic_report

NEWS = load_bbc_news()
ROWS = np.random.default_rng(0).permutation(len(NEWS.data))[:150]
TEXTS = [NEWS.data[i] for i in ROWS]
TITLES = [NEWS.titles[i] for i in ROWS]
LABELS = [NEWS.target_names[NEWS.target[i]] for i in ROWS]
DAYS = [f"200{4 + i % 2}-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(len(ROWS))]
MARKUP = (
    '</script><script>document.title = "run"</script> <!-- <img src=x onerror=alert(1)> '
    "{{ 7 * 7 }} {% raw %} &amp; \u2028 <b>bold</b> ]]>"
)


class Page(HTMLParser):
    """The elements of a page and its texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.inside, self.scripts = [], None, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data

    @property
    def data(self):
        return json.loads(self.scripts[0])


def split_text(text):
    return text.split()


def counted(texts, n_topics=2, **settings):
    model = make_pipeline(CountVectorizer(), GibbsLDA(n_topics, random_state=0))
    return read_topics(model.fit(texts), texts, **settings)


@pytest.fixture(scope="module")
def topics():
    model = FusionTopicModel(5, random_state=0).fit(TEXTS)
    return read_topics(model, TEXTS, titles=TITLES, labels=LABELS, times=DAYS)


@pytest.fixture(scope="module")
def page(topics):
    return topic_report(topics)


@pytest.fixture(scope="module")
def data(page):
    return Page(page).data


def test_numbers_of_topics_are_those_of_topics(topics, data):
    own = topics.to_dict()["topics"]
    for shown, topic in zip(data["topics"], own, strict=True):
        for document in topic.pop("documents"):
            assert document in shown["documents"]
        assert topic == {name: shown[name] for name in topic}
    assert [topic["color"] for topic in data["topics"]] == topic_colors(5)
    assert data["topics"][2]["similar"] == list(topics.nearest(2, 3).topic)


def test_documents_are_those_of_topics(topics, data):
    documents = data["documents"]
    tops = np.reshape(documents["topic"], (len(TEXTS), 3))
    shares = np.reshape(documents["share"], (len(TEXTS), 3)) / 1000
    assert (tops[:, 0] == topics.first_topics).all()
    assert_allclose(
        shares, np.take_along_axis(topics.mixtures, tops, axis=1), atol=5e-4
    )
    assert all(len(text) <= 150 for text in documents["text"])
    assert documents["title"] == TITLES
    found = topics.map().documents
    for axis, sign in ("x", 1), ("y", -1):
        order = np.corrcoef(documents[axis], sign * found[axis])[0, 1]
        assert order > 0.9999
    assert min(documents["x"]) >= 0
    assert max(documents["y"]) <= 4095


def test_groups_and_time_are_those_of_topics(topics, data):
    table = topics.by()
    groups = data["groups"]
    assert groups["names"] == sorted(set(LABELS))
    for name in ("share", "low", "high"):
        assert_allclose(np.array(groups[name]).T.ravel(), table[name], atol=1e-5)
    assert [groups["names"][g] for g in data["documents"]["group"]] == LABELS
    time = data["time"]
    table = topics.over(freq=time["freq"])
    assert_allclose(np.array(time["share"]).T.ravel(), table.share, atol=1e-5)
    assert time["freq"] == "M"
    assert [time["names"][p] for p in data["documents"]["period"]] == [
        day[:7] for day in DAYS
    ]


def test_quality_and_how_it_was_made(topics, data):
    quality = {measure["name"]: measure["value"] for measure in data["quality"]}
    words = topics._words(10)
    found = coherence(words, topics._counts, topics.vocabulary, window_size=None)
    assert quality["Coherence (NPMI)"] == pytest.approx(found.mean())
    assert quality["Diversity"] == topic_diversity(words)
    assert quality["Topics without documents"] == (topics.sizes == 0).sum()
    made = data["made"]
    assert made["model"] == "FusionTopicModel(n_components=5, random_state=0)"
    assert made["seeds"] == {"random_state": "0"}
    assert made["parameters"]["pooling"] == "'prior'"
    joined = b"".join(text.encode() + b"\0" for text in TEXTS)
    assert made["sha256"] == hashlib.sha256(joined).hexdigest()
    assert made["versions"]["numpy"] == np.__version__


def test_seeds_and_parameters_inside_renamed_and_merged_topics_are_shown(topics):
    merged = topics.rename({0: "First"}).merge([[0, 1]])
    made = Page(topic_report(merged)).data["made"]
    (seed,) = made["seeds"].items()
    assert seed[0].endswith("estimator__random_state")
    assert seed[1] == "0"
    assert made["kind"] == "FusionTopicModel"
    assert "FusionTopicModel(n_components=5, random_state=0)" in made["model"]


def test_marked_words_are_words_of_the_topics(topics, data):
    marks = data["marks"]
    for k, words in enumerate(topics._words(50)):
        assert set(words) <= set(marks["words"]), k
    column = list(topics.vocabulary).index(marks["words"][0])
    phi = topics.components[marks["topics"][0], column]
    assert_allclose(marks["weights"][0], 1e6 * phi, atol=0.5)


def test_the_page_has_everything_in_it_and_loads_nothing(page):
    tags = Page(page).tags
    assert not [tag for tag, given in tags if {"src", "srcset"} & given.keys()]
    links = [given["href"] for tag, given in tags if "href" in given]
    assert all(link.startswith("#") for link in links)
    targets = {f"#{given['id']}" for _, given in tags if "id" in given}
    assert set(links) <= targets
    (policy,) = [
        given["content"]
        for tag, given in tags
        if given.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not [name for _, given in tags for name in given if name.startswith("on")]


def test_same_topics_same_bytes(topics, page, tmp_path):
    path = tmp_path / "report.html"
    assert topic_report(topics, path) == path
    assert path.read_text("utf-8") == page


def test_progress_is_shown_if_asked_for(capsys, no_delay):
    topics = counted(["cats chase mice", "banks lend money"] * 3)
    topic_report(topics)
    assert capsys.readouterr() == ("", "")
    topic_report(topics, verbose=True)
    assert "topic_report: 100%" in capsys.readouterr().err


def test_markup_in_texts_names_titles_and_groups_is_text():
    texts = [f"{MARKUP} cats chase mice", "dogs chase cats"] * 4
    topics = counted(texts, titles=[MARKUP] * 8, labels=[MARKUP, "b"] * 4)
    topics = topics.rename({0: MARKUP})
    page = topic_report(topics, title=MARKUP, max_chars=300)
    parsed = Page(page)
    assert [tag for tag, _ in parsed.tags].count("script") == 2
    assert not {"img", "b"} & {tag for tag, _ in parsed.tags}
    assert "49" not in parsed.data["topics"][0]["name"]
    assert parsed.data["topics"][0]["name"] == MARKUP
    assert parsed.data["documents"]["text"][0].startswith("</script><script>")


def test_without_texts_no_text_is_in_the_page(topics):
    page = topic_report(topics, include_texts=False)
    for text, title in zip(TEXTS, TITLES, strict=True):
        assert text[:40] not in page
        assert title not in page
    data = Page(page).data
    assert data["documents"]["text"] is None
    assert data["topics"][0]["documents"][0]["title"].startswith("document ")


def test_without_texts_those_of_parameters_are_not_in_the_page():
    texts = ["cats chase small mice", "banks lend money"] * 5
    vectors = PrecomputedEmbeddings(texts, np.tile(np.eye(2), (5, 1)))
    model = FusionTopicModel(2, embedder=vectors, random_state=0).fit(texts)
    page = topic_report(read_topics(model, texts), include_texts=False)
    assert texts[0] not in page
    assert "ndarray of shape (10, 2)" in page


@pytest.mark.parametrize("redact", ["pii", lambda text: re.sub(r"\S+@\S+", "X", text)])
def test_redacted_texts(redact):
    texts = [f"write to cats{i}@example.com about cats and mice" for i in range(8)]
    page = topic_report(counted(texts, titles=texts), redact=redact)
    assert "@example.com" not in page
    data = Page(page).data
    assert data["documents"]["text"][0].startswith(
        "write to <EMAIL_1>" if redact == "pii" else "write to X"
    )


@pytest.mark.parametrize("redact", ["pii", lambda text: re.sub(r"\S+@\S+", "X", text)])
def test_redact_changes_names_words_groups_and_parameters(redact):
    mail, other = "ann@example.com", "bob@example.com"
    texts = [f"{mail} {other} likes cats", "banks lend money"] * 4
    pattern = f"{mail}|{other}|[a-z]+"
    words = CountVectorizer(token_pattern=pattern, stop_words=[mail[:3]])
    model = make_pipeline(words, GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(
        model,
        texts,
        titles=[mail] * 8,
        labels=[mail, other] * 4,
        times=[2001, 2002] * 4,
        names=[f"mails of {mail}", f"mails of {other}"],
    )
    topics.descriptions = [f"Mails of {mail}.", "Money."]
    page = topic_report(topics, redact=redact)
    assert "@example" not in page
    data = Page(page).data
    hidden = "<EMAIL_1>" if redact == "pii" else "X"
    assert data["groups"]["names"] == [hidden, f"{hidden} (2)"]  # still told apart
    assert data["topics"][1]["name"] == f"mails of {hidden} (2)"
    words = {word["word"] for topic in data["topics"] for word in topic["words"]}
    assert {hidden, "cats"} <= words
    marks = data["marks"]
    assert {"cats", "money"} <= set(marks["words"])
    assert len(marks["words"]) == len(marks["topics"]) == len(marks["weights"])


@pytest.mark.parametrize("include_texts", [True, False])
def test_secrets_in_parameters_are_not_shown(include_texts):
    class Encoder(BaseEstimator):
        def __init__(self, api_key="", headers=None, url="", read=None):
            self.api_key, self.headers, self.url = api_key, headers, url
            self.read = read

    encoder = Encoder(
        "sk-1234567",
        {"Authorization": "Bearer tops3cret", "X-Api-Key": "qu\"o'te99"},
        "https://me:pw12345@example.com",
        partial(print, password="hunter2"),
    )
    topics = counted(["cats chase mice", "banks lend money"] * 4)
    steps = [*topics.model.steps[:1], ("unused", encoder), *topics.model.steps[1:]]
    topics.model = Pipeline(steps)
    page = topic_report(topics, include_texts=include_texts)
    for secret in "1234567", "tops3cret", "te99", "pw12345", "hunter2":
        assert secret not in page
    parameters = Page(page).data["made"]["parameters"]
    assert parameters["unused__api_key"] == "'***'"
    assert parameters["countvectorizer__token_pattern"] != "'***'"
    assert parameters["gibbslda__random_state"] == "0"


def test_parameters_have_no_addresses_in_memory():
    model = make_pipeline(
        CountVectorizer(analyzer=split_text),
        GibbsLDA(2, random_state=np.random.RandomState(0)),
    )
    texts = ["cats chase mice", "banks lend money"] * 4
    page = topic_report(read_topics(model.fit(texts), texts))
    assert not re.search("0x[0-9a-fA-F]{6}", page)  # so that bytes are reproducible
    assert "RandomState(MT19937)" in page


def test_short_texts_of_parameters_are_not_in_a_page_without_texts():
    topics = counted(["cats chase mice", "banks lend money"] * 4)
    topics.model.set_params(countvectorizer__token_pattern="cats of Ann")
    made = Page(topic_report(topics, include_texts=False)).data["made"]
    assert made["parameters"]["countvectorizer__token_pattern"] == "str"
    assert made["parameters"]["countvectorizer__encoding"] == "'utf-8'"


def test_documents_without_titles_have_none():
    texts = ["cats chase mice", "banks lend money"] * 4
    topics = counted(texts, titles=["Cats", None, float("nan"), "Banks"] * 2)
    data = Page(topic_report(topics)).data
    assert data["documents"]["title"][:4] == ["Cats", None, None, "Banks"]
    shown = [doc["title"] for topic in data["topics"] for doc in topic["documents"]]
    assert None not in shown


def test_a_missing_folder_is_an_error_before_the_work(topics, tmp_path):
    with pytest.raises(FileNotFoundError, match="make it first"):
        topic_report(topics, tmp_path / "none" / "report.html", max_chars=10**9)


def test_other_forms_of_words_are_marked():
    def stems(text):
        return [word.rstrip("s") for word in text.lower().split()]

    texts = ["cats chase mice", "dog chases cat", "banks lend money"] * 4
    model = make_pipeline(CountVectorizer(analyzer=stems), NMF(2, random_state=0))
    data = Page(topic_report(read_topics(model.fit(texts), texts))).data
    forms = {
        form: data["marks"]["words"][i] for form, i in data["marks"]["forms"].items()
    }
    assert forms["cats"] == "cat"
    assert forms["banks"] == "bank"


def test_of_many_documents_a_sample_is_shown(topics):
    data = Page(topic_report(topics, max_documents=60)).data
    documents = data["documents"]
    assert documents["n"] == len(documents["row"]) == len(documents["text"]) == 60
    assert documents["n_all"] == 150
    assert [TEXTS[d][:20] for d in documents["row"]] == [
        text[:20] for text in documents["text"]
    ]
    for k in range(5):
        assert set(topics.representative(k, 5).document) <= set(documents["row"])
    assert sum(topic["n_documents"] for topic in data["topics"]) == 150


# what is odd --------------------------------------------------------------------------------


def test_panels_that_cannot_be_made_say_why():
    texts = ["cats chase mice", "banks lend money"] * 5
    page = topic_report(counted(texts))
    assert "pass labels= to read_topics" in page
    assert "pass times= to read_topics" in page
    page = topic_report(
        counted(texts), groups=["a"] * 10, times=["2024-05-01"] * 10, freq="Y"
    )
    assert "one group" in page
    assert "one period" in page
    page = topic_report(counted(texts), groups=[None] * 10, times=[pd.NaT] * 10)
    assert "all groups are missing" in page
    assert "all times are missing" in page


def test_missing_groups_and_times():
    texts = ["cats chase mice", "banks lend money"] * 5
    groups = ["a", float("nan"), None, "b", "a"] * 2
    times = [2001, 2002, None, float("nan"), 2003] * 2
    data = Page(topic_report(counted(texts), groups=groups, times=times)).data
    assert data["documents"]["group"][:5] == [0, -1, -1, 1, 0]
    assert data["documents"]["period"][:5] == [0, 1, -1, -1, 2]
    assert data["groups"]["n_missing"] == 4
    assert data["time"]["names"] == ["2001", "2002", "2003"]
    assert np.isfinite(data["time"]["share"]).all()


def test_many_groups_are_the_largest():
    texts = ["cats chase mice", "banks lend money"] * 60
    groups = [i % 50 for i in range(100)] + [49] * 20
    data = Page(topic_report(counted(texts), groups=groups)).data
    assert len(data["groups"]["names"]) == 50
    assert len(data["groups"]["groups"]) == len(data["groups"]["share"][0]) == 25
    assert 49 in data["groups"]["groups"]
    assert data["groups"]["n_documents"][-1] == 22


@pytest.mark.parametrize("n_topics", [1, 300])
def test_one_topic_and_many(n_topics):
    texts = [f"word{i % 40} word{i % 7} other{i % 11}" for i in range(400)]
    model = make_pipeline(CountVectorizer(), GibbsLDA(n_topics, max_iter=2))
    data = Page(topic_report(read_topics(model.fit(texts), texts))).data
    assert len(data["topics"]) == n_topics
    assert data["documents"]["n_top"] == min(3, n_topics)


def test_one_topic_is_not_called_topics():
    page = topic_report(counted(["cats chase mice"], 1))
    assert "<h1>1 topic in 1 document</h1>" in page
    assert "1 topic · 1 document · 3 counted words" in page


def test_empty_topics_empty_texts_and_long_names():
    texts = ["cats chase mice", "banks lend money"] * 5 + ["", "  \n"]
    model = make_pipeline(CountVectorizer(), GibbsLDA(4, random_state=0)).fit(texts)
    theta = np.zeros((12, 4))
    theta[:, 0] = 1
    topics = read_topics(
        model, texts, mixtures=theta, names=["x" * 200, "b", "مواضيع", "主题 🙂 \ud800"]
    )
    topics.components[3] = 0
    page = topic_report(topics)
    data = Page(page).data
    assert [topic["n_documents"] for topic in data["topics"]] == [12, 0, 0, 0]
    assert "\ud800" not in page
    assert data["documents"]["text"][10] == ""


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"max_chars": 0}, ValueError, "max_chars"),
        ({"max_documents": 0}, ValueError, "max_documents"),
        ({"redact": "names"}, ValueError, "redact"),
        ({"map_method": "tsne"}, ValueError, "method"),
        ({"groups": ["a"]}, ValueError, "groups has 1 values"),
        ({"groups": [["a"]] * 150}, ValueError, "row 0"),
        ({"times": ["soon"] * 150}, ValueError, "no date and no year"),
        ({"freq": "century"}, ValueError, "freq"),
    ],
)
def test_bad_parameters(topics, changes, error, message):
    with pytest.raises(error, match=message):
        topic_report(topics, **changes)


def test_a_model_is_not_topics(topics):
    with pytest.raises(TypeError, match="pass the result of read_topics"):
        topic_report(topics.model)


def test_no_documents_is_an_error(topics):
    with pytest.raises(ValueError, match="at least one"):
        topic_report(read_topics(topics.model, []))


def test_a_text_without_known_words_has_no_clear_topic():
    texts = ["cats chase mice", "banks lend money"] * 4 + ["", "?!"]
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    *_, clear, _ = json.loads(
        re.search(
            r'id="report-data">(.*?)</script>', topic_report(read_topics(model, texts))
        )[1]
    )["quality"]
    assert clear["name"] == "Documents with a clear topic"
    assert clear["value"] == 0.8
