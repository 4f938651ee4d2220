"""``topic_report``: topics → one HTML page that needs no network."""

import base64
import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from llmtopics._checks import check_positive
from llmtopics._language.request import without_surrogates
from llmtopics._progress import reporting, stage
from llmtopics._redact import cleaner
from llmtopics._whole_files import write_whole
from llmtopics.plots._colors import topic_colors
from llmtopics.reading import Topics
from llmtopics.reading._inputs import check_folder
from llmtopics.report._documents import Shown, document_columns, marked_words
from llmtopics.report._how_made import how_made
from llmtopics.report._panels import group_panel, quality_panel, time_panel
from llmtopics.report._redaction import redact_names
from llmtopics.report._topics import topic_dicts


def topic_report(
    topics: Topics,
    path: str | Path | None = None,
    *,
    title: str | None = None,
    groups: Any = None,
    times: Any = None,
    freq: str | None = None,
    max_chars: int = 150,
    max_documents: int = 20_000,
    map_method: str = "topics",
    include_texts: bool = True,
    redact: str | Callable[[str], str] | None = None,
    verbose: bool = False,
) -> Path | str:
    """Write one HTML page about topics: words, a map of the documents, groups, time, quality.

    The page needs no network and no other file. Readers search, filter and zoom in a browser.
    It is readable without JavaScript, on paper, on a phone, and with a screen reader.

    Parameters
    ----------
    topics : Topics
        The result of :func:`read_topics`.
    path : str or Path, default=None
        File to write, such as "report.html". None returns the page as a str.
    title : str, default=None
        Heading of the page. None says how many topics and documents there are.
    groups : sequence of length D, default=None
        Group of each document, as in :meth:`Topics.by`. None takes the ``labels`` of
        :func:`read_topics`. Documents without a group (None, NaN) stay in the page.
    times : sequence of length D, default=None
        Dates, or years as whole numbers, as in :meth:`Topics.over`. None takes the ``times``
        of :func:`read_topics`.
    freq : str, default=None
        Length of a period, as in :meth:`Topics.over`. None takes the shortest of "D", "W",
        "M", "Q" and "Y" that gives at most 40 periods.
    max_chars : int, default=150
        Number of characters of each text in the page. Search covers these characters.
    max_documents : int, default=20_000
        Largest number of documents in the page. Of more, the representative documents of each
        topic and a random sample are in it. Tables and charts always count all documents.
    map_method : {"topics", "pca", "umap"}, default="topics"
        How documents are placed on the map, as in :meth:`Topics.map`.
    include_texts : bool, default=True
        Whether the page has texts and titles. With False, documents are called by their row.
        Names, words and descriptions of topics, dates and numbers stay. So do groups, as they
        are your own labels: give codes instead of names of persons.
    redact : "pii", callable or None, default=None
        What to take out of texts, titles, names and words and descriptions of topics, groups
        and parameters of the model. "pii" replaces e-mail and web addresses, phone numbers and
        other personal data by placeholders, as in :class:`RemoteLLM`. A callable takes a text
        and returns what to show instead. ``title`` is not changed.
    verbose : bool, default=False
        Whether to show progress. A page of 20,000 documents takes about ten seconds, and longer
        if the model has an embedder that has not yet seen the texts.

    Returns
    -------
    page : Path or str
        The path of the file, or the page if ``path`` is None.

    Raises
    ------
    TypeError
        If ``topics`` is no result of :func:`read_topics`.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    ValueError
        If a parameter is out of range, or ``groups`` or ``times`` do not have one value per
        document.

    See Also
    --------
    read_topics : Makes Topics. Its tables have the numbers of the page.
    explain : The exact explanation of one document.

    Notes
    -----
    The same topics and parameters give the same bytes. Passwords and keys in parameters of the
    model are shown as ``***``. All numbers of the page are in it as
    JSON, in the element ``report-data``. Texts are written as text: markup in a document is
    shown and not run, and a content security policy forbids every script except the page's
    own and all network access.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from llmtopics import GibbsLDA, read_topics
    >>> from llmtopics.report import topic_report
    >>> texts = ["cats chase mice", "dogs chase cats"] * 3 + ["banks lend money"] * 5
    >>> model = make_pipeline(CountVectorizer(), GibbsLDA(2, random_state=0)).fit(texts)
    >>> page = topic_report(read_topics(model, texts), title="Pets and banks")
    >>> "<h1>Pets and banks</h1>" in page
    True
    """
    if not isinstance(topics, Topics):
        raise TypeError(
            f"topic_report takes Topics, got {type(topics).__name__}: pass the result of "
            "read_topics."
        )
    check_positive(max_chars=max_chars, max_documents=max_documents)
    cleaner(redact)  # refuses what is wrong before any work
    check_folder(path)
    with reporting("topic_report", verbose), stage("page", 4, "parts") as bar:
        shown = Shown(
            topics, max_chars, max_documents, map_method, include_texts, redact
        )
        bar.update()
        by_group, group_column = group_panel(topics, groups)
        bar.update()
        over_time, period_column = time_panel(topics, times, freq)
        bar.update()
        data = {
            "topics": topic_dicts(topics, shown),
            "documents": document_columns(shown, group_column, period_column),
            "marks": marked_words(shown),
            "groups": by_group,
            "time": over_time,
            "quality": quality_panel(topics),
            "made": how_made(topics, map_method, include_texts and redact is None),
        }
        redact_names(data, redact)
        page = _page(data, title or _heading(topics))
        bar.update()
    if path is None:
        return page
    path = Path(path)
    write_whole(path, page)
    return path


def _heading(topics: Topics) -> str:
    n_topics, n_documents = len(topics.names), len(topics.texts)
    return (
        f"{n_topics:,} topic{'s' * (n_topics != 1)} in {n_documents:,} "
        f"document{'s' * (n_documents != 1)}"
    )


def _page(data: dict[str, Any], title: str) -> str:
    """Return the page, with the style, the script and the data in it."""
    script = f"{_part('map.js')}\n{_part('page.js')}"
    digest = hashlib.sha256(script.encode()).digest()
    made = _template().render(
        data,
        title=title,
        colors=topic_colors(len(data["topics"])),
        style=Markup(_part("style.css")),
        script=Markup(script),
        script_hash=base64.b64encode(digest).decode(),
        json=Markup(_as_json(data)),
    )
    return without_surrogates(made)  # UTF-8 has none


def _as_json(data: dict[str, Any]) -> str:
    """Return JSON that cannot end the element that it is in."""
    made = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return made.replace("<", "\\u003c")


@cache
def _part(name: str) -> str:
    return (files("llmtopics.report") / "page" / name).read_text("utf-8")


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_part("report.html.j2"))
