"""The page in headless Chromium: clicks, search, filters, zoom, keyboard, accessibility.

Skipped where Chromium is not installed.
"""

import shutil

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from llmtopics import GibbsLDA, TextAnalyzer, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.report import topic_report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
]
NEWS = load_bbc_news()
TEXTS = NEWS.data[::4]
LABELS = [NEWS.target_names[label] for label in NEWS.target[::4]]
DAYS = [f"2004-{1 + i % 12:02d}-15" for i in range(len(TEXTS))]
MARKUP = '</script><script>document.title="run"</script><img src=x onerror=alert(1)>'
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def topics():
    words = CountVectorizer(stop_words="english", min_df=3)
    model = make_pipeline(words, GibbsLDA(8, random_state=0)).fit(TEXTS)
    return read_topics(model, TEXTS, titles=NEWS.titles[::4], labels=LABELS, times=DAYS)


@pytest.fixture(scope="module")
def file(topics, tmp_path_factory):
    return topic_report(topics, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def open_page(browser):
    """Open a page. Messages in its console and requests are errors at the end."""
    contexts, faults = [], []

    def opened(file, *, viewport=DESKTOP, **settings):
        contexts.append(browser.new_context(viewport=viewport, **settings))
        page = contexts[-1].new_page()
        page.on(
            "console",
            lambda message: (
                None  # these tests read the canvas; the page never does
                if message.text.startswith("Canvas2D: Multiple readback")
                else faults.append(message.text)
            ),
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on(
            "request",
            lambda one: None if one.url.startswith("file:") else faults.append(one.url),
        )
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def page(open_page, file):
    return open_page(file)


def status(page):
    return page.inner_text("#status")


def picture(page):
    """Return the pixels of the map."""
    page.wait_for_timeout(100)  # it is drawn in the next frame
    return page.evaluate("document.getElementById('map').toDataURL()")


def place_of(page, d):
    """Return where a document is on the screen."""
    return page.evaluate(
        "d => { const r = map.canvas.getBoundingClientRect();"
        "const [x, y] = map.toScreen(documents.x[d], documents.y[d]);"
        "return [r.x + x, r.y + y] }",
        d,
    )


def test_a_topic_is_chosen_by_click(page, topics):
    k = int(topics.mixtures.mean(axis=0).argmax())
    before = picture(page)
    page.click("#topic-list button >> nth=0")
    assert status(page) == f"{topics.sizes[k]} of {len(TEXTS)} documents"
    assert page.get_attribute(f"[data-topic='{k}']", "aria-pressed") == "true"
    assert topics.words(k, 1).word[0] in page.inner_text("#topic-panel")
    shown = page.eval_on_selector_all(
        "#document-list button", "all => all.map(one => Number(one.dataset.document))"
    )
    found = topics.representative(
        k, 10
    ).share  # the page knows them to a tenth of a percent
    assert np.allclose(topics.mixtures[shown, k], found, atol=1e-3)
    assert picture(page) != before
    page.click("#all-topics")
    assert status(page) == f"{len(TEXTS)} of {len(TEXTS)} documents"
    assert picture(page) == before


def test_search_covers_what_is_shown(page, topics):
    page.fill("#query", "LABOUR  blair")
    found = [
        f"{title} {' '.join(text.split())[:149]}".lower()
        for title, text in zip(topics.titles, TEXTS, strict=True)
    ]
    n = sum("labour" in text and "blair" in text for text in found)
    assert 0 < n < len(TEXTS)
    assert status(page) == f"{n} of {len(TEXTS)} documents"
    page.fill("#query", "no such words")
    assert status(page) == f"0 of {len(TEXTS)} documents"
    assert "No document" in page.inner_text("#document-list")
    page.click("button[type=reset]")
    page.wait_for_timeout(50)
    assert status(page) == f"{len(TEXTS)} of {len(TEXTS)} documents"


def test_searched_words_are_marked(page):
    page.fill("#query", "LABOUR bl.")
    assert page.locator(".hit").count() == 0
    page.fill("#query", "LABOUR bl")
    page.click("#document-list button >> nth=0")
    for place in "#document-list", "#chosen":
        found = page.eval_on_selector_all(
            f"{place} .hit", "all => all.map(one => one.textContent.toLowerCase())"
        )
        assert set(found) == {"labour", "bl"}
    page.fill("#query", "")
    assert page.locator("#document-list .hit").count() == 0


def test_filters(page, topics):
    page.select_option("#group", label=f"sports ({LABELS.count('sports')})")
    assert status(page).startswith(f"{LABELS.count('sports')} of")
    page.select_option("#from", label="2004-03")
    page.select_option("#to", label="2004-05")
    months = [int(day[5:7]) for day in DAYS]
    in_time = [
        3 <= m <= 5 and label == "sports"
        for m, label in zip(months, LABELS, strict=True)
    ]
    assert status(page).startswith(f"{sum(in_time)} of")
    page.evaluate(
        "const s = document.getElementById('share'); s.value = 60;"
        "s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    clear = np.rint(1000 * topics.mixtures.max(axis=1)) >= 600
    assert status(page).startswith(f"{(clear & in_time).sum()} of")
    assert page.inner_text("#share-value") == "60%"


def test_zoom_and_move(page):
    start = picture(page)
    place = place_of(page, 0)
    page.click("[data-zoom='1.6']")
    near = picture(page)
    assert near != start
    page.click("[data-zoom='0.625']")
    assert page.evaluate("map.zoom") == pytest.approx(1)
    page.focus("#map")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    assert page.evaluate("map.zoom") == pytest.approx(1.4)
    page.keyboard.press("0")
    assert picture(page) == start
    box = page.locator("#map").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 70, steps=4)
    page.mouse.up()
    assert np.allclose(np.subtract(place_of(page, 0), place), [40, 30], atol=1)
    zoom = page.evaluate("map.zoom")
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    assert page.evaluate("map.zoom") > zoom


def test_the_wheel_scrolls_the_page_past_a_map_that_is_not_in_use(page):
    box = page.locator("#map").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 40)
    page.mouse.wheel(0, 300)
    page.wait_for_timeout(300)
    assert page.evaluate("map.zoom") == 1
    assert page.evaluate("scrollY") > 0


def test_hover_and_click_show_a_document(page, topics):
    row = int(topics.representative(2, 1).document[0])
    x, y = place_of(page, row)
    page.mouse.move(x, y)
    assert page.is_visible("#tip")
    page.mouse.click(x, y)
    chosen = page.evaluate("state.chosen")
    places = page.evaluate(  # at once: the page may be scrolling
        "rows => rows.map(d => map.toScreen(documents.x[d], documents.y[d]))",
        [chosen, row],
    )
    assert np.hypot(*np.subtract(*places)) < 12
    card = page.inner_text("#chosen")
    assert topics.titles[chosen] in card
    k = topics.first_topics[chosen]
    assert topics.names[k] in card
    assert f"{topics.mixtures[chosen, k]:.1%}"[:2] in card
    assert page.locator("#chosen mark").count() > 0
    page.click("#chosen button")
    assert page.inner_text("#chosen") == ""


def test_marked_words_are_those_of_the_topic(page, topics):
    page.click("#topic-list button >> nth=0")
    marked = page.eval_on_selector_all(
        "#document-list mark", "all => all.map(one => one.textContent.toLowerCase())"
    )
    assert marked
    known = {word for words in topics._words(50) for word in words}
    assert {word.removesuffix("'s") for word in marked} <= known


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_no_fault_for_people_with_disabilities(open_page, file, viewport, color_scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(file, viewport=viewport, color_scheme=color_scheme)
    page.click("#topic-list button >> nth=1")
    page.click("#document-list button >> nth=0")
    found = Axe().run(page)
    faults = [
        (each["id"], each["impact"], each["nodes"][0]["html"][:200])
        for each in found.response["violations"]
    ]
    assert not faults


def test_everything_can_be_done_by_keyboard(page):
    page.focus("#topic-list button")
    page.keyboard.press("Enter")
    assert page.evaluate("state.topic") >= 0
    page.focus("#document-list button")
    page.keyboard.press("Enter")
    assert page.evaluate("state.chosen") >= 0
    assert page.inner_text("#chosen")


def test_the_focus_is_not_lost(page):
    page.focus("#more")
    page.keyboard.press("Enter")
    eleventh = page.locator("#document-list button >> nth=10")
    assert eleventh.evaluate("one => one === document.activeElement")
    page.keyboard.press("Enter")
    page.focus("#chosen button")
    page.keyboard.press("Enter")
    assert eleventh.evaluate("one => one === document.activeElement")
    page.focus("#topic-list button")
    page.keyboard.press("Enter")
    page.focus("#topic-panel .links button")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentNode.id") == "topic-panel"
    page.focus("#all-topics")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "topic-list"


def test_the_map_is_reached_by_tab_and_left_again(page):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "map":
            break
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "map"
    assert page.evaluate("map.center[0] < map.size / 2")


def test_a_phone_does_not_scroll_sideways(open_page, file):
    page = open_page(file, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_tables_that_are_cut_off_say_so(open_page, file):
    page = open_page(file)
    page.wait_for_timeout(100)
    assert page.locator(".scroll.wide").count() == 0
    page = open_page(file, viewport=PHONE)
    page.wait_for_timeout(100)
    assert page.locator(".scroll.wide.cut").count() == 2
    page.evaluate("document.querySelector('.scroll').scrollLeft = 10_000")
    page.wait_for_timeout(100)
    assert page.locator(".scroll.wide").count() == 2
    assert page.locator(".scroll.cut").count() == 1


def test_the_map_says_how_to_zoom_by_touch(open_page, file):
    page = open_page(file, viewport=PHONE, has_touch=True, is_mobile=True)
    assert "Pinch" in page.inner_text("#explore")
    assert "Click the map" not in page.inner_text("#explore")


def test_all_columns_are_on_paper(open_page, tmp_path):
    names = [f"{k} {'long' * 45}" for k in range(8)]
    words = CountVectorizer(stop_words="english", min_df=3)
    model = make_pipeline(words, GibbsLDA(8, max_iter=20, random_state=0)).fit(TEXTS)
    topics = read_topics(model, TEXTS, titles=NEWS.titles[::4], names=names)
    paper = {"width": 690, "height": 970}  # A4 without margins
    for n_groups in 5, 30:
        groups = [f"{'group' * 10} {i % n_groups}" for i in range(len(TEXTS))]
        file = topic_report(topics, tmp_path / f"{n_groups}.html", groups=groups)
        page = open_page(file, viewport=paper)
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= 690


def test_a_document_without_title_is_shown_once(open_page, tmp_path):
    texts = ["cats chase mice", "banks lend money"] * 4
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(model, texts, titles=[None, "Banks"] * 4)
    page = open_page(topic_report(topics, tmp_path / "titles.html"))
    shown = page.inner_text("[data-document='0']")
    assert shown.count("cats chase mice") == 1
    assert page.inner_text("[data-document='1']").startswith("Banks")
    page.fill("#query", "null")
    assert status(page) == "0 of 8 documents"


def test_without_scripts_the_tables_are_there(open_page, file, topics):
    page = open_page(file, java_script_enabled=False)
    text = page.inner_text("body")
    assert all(name in text for name in topics.names)
    assert not page.is_visible("#map")


def test_dark_and_print(open_page, file):
    page = open_page(file, color_scheme="dark")
    corner = (
        "[...document.getElementById('map').getContext('2d')"
        ".getImageData(1, 1, 1, 1).data].slice(0, 3)"
    )
    page.wait_for_timeout(100)
    assert max(page.evaluate(corner)) < 60
    page.emulate_media(media="print")
    page.wait_for_timeout(100)
    assert min(page.evaluate(corner)) > 240
    assert not page.is_visible("#filters")
    page.emulate_media(media="screen")
    page.click("#theme")
    assert min(page.evaluate(corner)) > 240


def test_markup_is_not_run(open_page, tmp_path):
    texts = [f"{MARKUP} cats chase mice {i}" for i in range(6)] + ["dogs sleep"] * 6
    model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(
        model,
        texts,
        titles=[MARKUP] * 12,
        labels=[MARKUP, "b"] * 6,
        names=[MARKUP, "dogs"],
    )
    page = open_page(
        topic_report(topics, tmp_path / "markup.html", title="Safe", max_chars=300)
    )
    for button in "#topic-list button", "#document-list button":
        page.click(f"{button} >> nth=0")
    page.mouse.move(*place_of(page, 0))
    assert page.title() == "Safe"
    assert page.locator("img").count() == 0
    assert MARKUP in page.inner_text("#chosen h3")


def test_chinese_words_are_marked(open_page, tmp_path):
    texts = ["电脑运行很快，键盘很好。", "苹果很甜，水果新鲜。"] * 8
    words = CountVectorizer(analyzer=TextAnalyzer(language="zh"))
    model = make_pipeline(words, GibbsLDA(2, random_state=0)).fit(texts)
    topics = read_topics(model, texts)
    page = open_page(topic_report(topics, tmp_path / "chinese.html"))
    marked = page.eval_on_selector_all(
        "#document-list mark", "all => all.map(one => one.textContent)"
    )
    assert set(marked) <= set(topics.vocabulary)
    assert {"电脑", "水果"} <= set(marked)
    page.fill("#query", "水果")
    assert status(page) == "8 of 16 documents"


@pytest.mark.parametrize("n_topics", [1, 300])
def test_one_topic_and_many(open_page, tmp_path, n_topics):
    texts = [f"word{i % 40} word{i % 7} other{i % 11}" for i in range(400)]
    model = make_pipeline(CountVectorizer(), GibbsLDA(n_topics, max_iter=2)).fit(texts)
    names = [f"{k} {'long name ' * 20}" for k in range(n_topics)]
    topics = read_topics(model, texts, names=names)
    page = open_page(
        topic_report(topics, tmp_path / "many.html", include_texts=n_topics == 1),
        viewport=PHONE,
    )
    page.click("#topic-list button >> nth=0")
    page.click("#document-list button >> nth=0")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator("#topic-list button").count() == n_topics
