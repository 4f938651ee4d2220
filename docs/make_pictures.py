"""Draw pictures of pages: ``.venv/bin/python docs/make_pictures.py``.

One is that of the README: it fits the model, writes its topics and an explanation as a page, and
takes a screenshot with Chromium, which must be installed. The other is that of ``topic_report``.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

from llmtopics import FusionTopicModel, explain, read_topics
from llmtopics.datasets import load_bbc_news
from llmtopics.report import topic_report

PICTURE = Path(__file__).parent / "_static" / "topics.png"
REPORT = PICTURE.with_name("report.webp")
TEXT = (
    "The chancellor said that online game stores should pay more tax. "
    "Film studios and musicians welcomed his plan, and shares of broadband firms fell."
)
STYLE = """
body {font: 15px/1.5 "Liberation Sans", Arial, sans-serif; color: #1f2328; margin: 18px 24px}
body div {font-family: "Liberation Sans", Arial, sans-serif !important}
h1 {font-size: 16px; margin: 0 0 8px} h1:not(:first-child) {margin-top: 22px}
code {font: 14px "Liberation Mono", monospace; color: #0550ae}
table {border-collapse: collapse; width: 100%}
th {text-align: left; color: #59636e; font-weight: 600; border-bottom: 2px solid #d1d9e0}
th, td {padding: 5px 16px 5px 0} td {border-bottom: 1px solid #e6e9ec}
"""


def screenshot(page: str, path: Path, width: int = 1000, height: int = 1000) -> None:
    """Write the page as a picture, twice as large as on a usual screen."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise FileNotFoundError("make_pictures needs Chromium: install it first")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        source = Path(folder) / "page.html"
        source.write_text(page, "utf-8")
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        shown = browser.new_page(
            viewport={"width": width, "height": height}, device_scale_factor=2
        )
        shown.goto(source.as_uri())
        shown.wait_for_timeout(500)  # scripts draw in the next frame
        shown.screenshot(path=path)
        browser.close()


def crop(path: Path) -> None:
    """Cut the empty rest of the window off, and reduce the colors to those of a table."""
    picture = Image.open(path).convert("RGB")
    white = Image.new("RGB", picture.size, "white")
    bottom = ImageChops.difference(picture, white).getbbox()[3] + 36
    picture.crop((0, 0, picture.width, bottom)).quantize(128).save(path, optimize=True)


def draw_report() -> None:
    """Draw the first screen of the page of ``topic_report``."""
    corpus = load_bbc_news()
    sections = [corpus.target_names[label] for label in corpus.target]
    model = FusionTopicModel(n_components=12, random_state=0).fit(corpus.data)
    topics = read_topics(model, corpus.data, titles=corpus.titles, labels=sections)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.png"
        screenshot(topic_report(topics, title="BBC news"), path, 1280, 840)
        Image.open(path).convert("RGB").save(REPORT, quality=60, method=6)


def main() -> None:
    draw_report()
    corpus = load_bbc_news()
    model = FusionTopicModel(n_components=5, random_state=0)
    proportions = model.fit_transform(corpus.data)
    rows = []
    for k, words in enumerate(model.top_words(6)):
        counts = np.bincount(corpus.target[model.labels_ == k])
        section = corpus.target_names[counts.argmax()]
        rows.append(
            {
                "topic": k,
                "words": " ".join(words),
                "share": f"{proportions[:, k].mean():.0%}",
                "representative article": corpus.titles[proportions[:, k].argmax()],
                "BBC section (share)": f"{section} ({counts.max() / counts.sum():.0%})",
            }
        )
    why = explain(model, TEXT)
    screenshot(
        f"<meta charset='utf-8'><style>{STYLE}</style>"
        "<h1><code>model.top_words()</code>: topics of 2,225 BBC articles</h1>"
        + pd.DataFrame(rows).to_html(index=False, border=0)
        + "<h1><code>explain(model, text)</code>: why a text has its topics</h1>"
        + why._repr_html_(),
        PICTURE,
    )
    crop(PICTURE)


if __name__ == "__main__":
    main()
