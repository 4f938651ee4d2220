"""Size of the page of ``topic_report``, and its times in headless Chromium.

Appends a JSON line per corpus to ``results/topic_page.jsonl``. Chromium must be installed.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shutil import which
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from benchmarks.corpora import Data, chinese_reviews, newsgroups, sampled
from benchmarks.runs import run_tasks, task_arguments
from llmtopics import GibbsLDA, TextAnalyzer, read_topics
from llmtopics.report import topic_report

PACKAGES = "llmtopics numpy scipy scikit-learn jinja2 playwright"
N_TEXTS, N_TIMES = 20_000, 5
MARKUP = (
    '</script><script>document.title = "run"</script>',
    "<img src=x onerror=alert(1)>",
    "<!-- {{ 7 * 7 }} -->",
    "&lt;b&gt; \u2028",
)
# milliseconds from an action to the second frame after it, which shows the result
TIMED = """async (value) => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const start = performance.now();
    (ACTION)(value);
    await frame();
    await frame();
    return performance.now() - start;
}"""
SEARCH = "word => { byId('query').value = word; readFilters(); }"
ACTIONS = {  # what is measured: code, and values of which each is an action
    "topic_ms": ("chooseTopic", (1, 2, 2, 3, 3)),
    "filter_ms": ("g => { byId('group').value = g; readFilters(); }", (1, 2, 3, 1, "")),
    "zoom_ms": ("z => map.zoomBy(z)", (1.5, 1.5, 1.5, 0.5, 0.5)),
}


class Corpus(NamedTuple):
    load: Callable[[], Data]
    language: str
    n_components: int
    query: str


def documents_of_markup() -> Data:
    """Return planted documents of two topics between tags, scripts and comments."""
    rng = np.random.default_rng(0)
    words = [
        ["cats", "chase", "small", "mice", "in", "the", "garden"],
        ["banks", "lend", "money", "at", "high", "rates"],
    ]
    labels = np.arange(N_TEXTS) % 2
    texts = [
        " ".join([rng.choice(MARKUP), *rng.choice(words[k], 12), rng.choice(MARKUP)])
        for k in labels
    ]
    return Data(texts, rng.choice(MARKUP, N_TEXTS))


CORPORA = {
    "20 Newsgroups": Corpus(newsgroups, "english", 30, "windows"),
    "Chinese reviews": Corpus(
        lambda: sampled(chinese_reviews(), N_TEXTS), "chinese", 20, "水果"
    ),
    "documents of markup": Corpus(documents_of_markup, "english", 5, "script"),
}


def measured(name: str) -> dict[str, Any]:
    """Fit, write the page and measure it in Chromium."""
    corpus = CORPORA[name]
    data = corpus.load()
    words = CountVectorizer(
        analyzer=TextAnalyzer(corpus.language), min_df=5, max_df=0.5
    )
    lda = GibbsLDA(corpus.n_components, max_iter=100, random_state=0)
    model = make_pipeline(words, lda).fit(data.texts)
    topics = read_topics(model, data.texts, labels=list(data.labels))
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        path = topic_report(topics, Path(folder) / "report.html")
        line = {
            "n_documents": len(data.texts),
            "n_topics": corpus.n_components,
            "write_seconds": perf_counter() - start,
            "megabytes": path.stat().st_size / 1e6,
        }
        return line | in_chromium(path, corpus.query)


def in_chromium(path: Path, query: str) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    chromium = which("chromium") or which("google-chrome")
    if not chromium:
        raise FileNotFoundError("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        opened = []
        for _ in range(N_TIMES):
            page = context.new_page()
            page.goto(path.as_uri())
            timed(page, "() => 0", None)  # the page is on the screen
            opened.append(page.evaluate("performance.now()"))
        times = {
            "open_ms": median(opened),
            "first_search_ms": timed(page, SEARCH, query),
        }
        actions = ACTIONS | {"search_ms": (SEARCH, (query[0], query, "zzz", query, ""))}
        for what, (code, values) in actions.items():
            times[what] = median(timed(page, code, value) for value in values)
        browser.close()
    return times


def timed(page: Any, code: str, value: Any) -> float:
    return page.evaluate(TIMED.replace("ACTION", code), value)


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    for name in CORPORA:
        yield name, "topic_report", 0, partial(measured, name)


def main() -> None:
    run_tasks("topic_page", tasks(), PACKAGES, task_arguments(__doc__).parse_args())


if __name__ == "__main__":
    main()
