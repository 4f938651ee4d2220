"""Every corpus of the benchmarks, and the numbers of topics that are fitted on it.

A new corpus is a loader and an entry in ``CORPORA``. Corpora that are not packages are read
from the folder that the environment variable ``LLMTOPICS_DATA`` names.
"""

import csv
import io
import json
import lzma
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.datasets._twenty_newsgroups import (
    strip_newsgroup_footer,
    strip_newsgroup_header,
    strip_newsgroup_quoting,
)

from llmtopics.datasets import load_bbc_news, load_reuters395


class Data(NamedTuple):
    """Result of a loader: texts (or counts, if there are no texts) and labels, if any."""

    texts: list[str]
    labels: np.ndarray | None = None
    counts: sp.csr_array | None = None


class Corpus(NamedTuple):
    """The loader of a corpus, and the numbers of topics K of its problems.

    texts : K for models of texts, evaluated by labels, a classifier and coherence
    labels : K for models of counts, evaluated by labels
    held_out : K for models of counts, evaluated by held-out documents
    """

    load: Callable[[], Data]
    texts: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    held_out: tuple[int, ...] = ()


def data_file(path: str) -> Path:
    """Return the path of a file that is not in a package."""
    folder = os.environ.get("LLMTOPICS_DATA")
    if not folder:
        raise FileNotFoundError(
            f"this problem needs {path}: set LLMTOPICS_DATA to its folder"
        )
    return Path(folder) / path


def read_records(path: str) -> list[dict]:
    """Return the lines of a corpus that is not a package."""
    with lzma.open(data_file(path), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def records(path: str, every: int = 1) -> Data:
    """Load texts and labels of every n-th line."""
    lines = read_records(path)[::every]
    return Data([line["text"] for line in lines], np.array([x["label"] for x in lines]))


def bbc_news() -> Data:
    corpus = load_bbc_news()
    return Data(corpus.data, corpus.target)


def newsgroups() -> Data:
    """Load all posts without headers, quotes and footers, and their groups as labels."""
    texts, labels, _ = records("20newsgroups.jsonl.xz")
    return Data(
        [
            strip_newsgroup_quoting(
                strip_newsgroup_footer(strip_newsgroup_header(text))
            )
            for text in texts
        ],
        labels,
    )


def sampled(data: Data, n_texts: int) -> Data:
    """Return a random sample, always the same one."""
    rows = np.random.default_rng(0).permutation(len(data.texts))[:n_texts]
    return Data([data.texts[i] for i in rows], np.asarray(data.labels)[rows])


def chinese_reviews(column: str = "cat") -> Data:
    """Load reviews of a shop, with their categories as labels, or with "label": 1 is positive."""
    path = data_file("zh_reviews/online_shopping_10_cats.zip")
    with zipfile.ZipFile(path) as archive:
        lines = io.StringIO(
            archive.read("online_shopping_10_cats.csv").decode("utf-8-sig")
        )
    rows = [row for row in csv.DictReader(lines) if row["review"].strip()]
    return Data(
        [row["review"] for row in rows], np.array([row[column] for row in rows])
    )


SHOP = {  # Chinese label -> English label
    "酒店": "hotels",
    "计算机": "computers",
    "书籍": "books",
    "衣服": "clothes",
    "水果": "fruit",
    "洗发水": "shampoo",
}
PRODUCTS = {  # a part of a file's name -> label
    "hotel": "hotels",
    "holiday_inn": "hotels",
    "swissotel": "hotels",
    "netbook": "computers",
    "honda": "cars",
    "toyota": "cars",
    "garmin": "navigators",
}


def opinosis() -> Data:
    """Load distinct English sentences of reviews, with the kinds of products as labels."""
    label_of: dict[str, str] = {}
    with zipfile.ZipFile(data_file("opinosis/OpinosisDataset1.0_0.zip")) as archive:
        for name in archive.namelist():
            labels = [label for part, label in PRODUCTS.items() if part in name]
            if name.endswith(".txt.data") and labels:
                for line in archive.read(name).decode("latin-1").splitlines():
                    if line.strip():
                        label_of.setdefault(line.strip(), labels[0])
    return Data([*label_of], np.array([*label_of.values()]))


def reviews_in_two_languages(n_texts: int = 200) -> Data:
    """Load up to ``n_texts`` reviews per label and language.

    Hotels and computers have texts in Chinese and in English, the other labels in one of them.
    """
    texts: list[str] = []
    labels: list[str] = []
    for data in (sampled(chinese_reviews(), 3000), sampled(opinosis(), 10**6)):
        english = np.array([SHOP.get(label, label) for label in data.labels])
        for label in sorted({*SHOP.values(), *PRODUCTS.values()}):
            rows = np.flatnonzero(english == label)[:n_texts]
            texts += [data.texts[i] for i in rows]
            labels += [label] * len(rows)
    return Data(texts, np.array(labels))


def reuters() -> Data:
    return Data([], counts=load_reuters395().data)


REVIEWS = "imdb/imdb_labelled.jsonl.xz"
CORPORA: dict[str, Corpus] = {
    "BBC news": Corpus(bbc_news, (5, 30), labels=(5,), held_out=(20, 50, 200)),
    "StackOverflow": Corpus(partial(records, "short/stackoverflow.jsonl.xz"), (20,)),
    "SearchSnippets": Corpus(partial(records, "short/searchsnippets.jsonl.xz"), (8,)),
    "20 Newsgroups": Corpus(newsgroups, (20, 50), labels=(20,), held_out=(20, 100)),
    "Reuters-395": Corpus(reuters, held_out=(20,)),
    "IMDB": Corpus(partial(records, REVIEWS)),
    "IMDB, 10,000 reviews": Corpus(partial(records, REVIEWS, every=5)),
}
TEXT_PROBLEMS: dict[str, tuple[str, int]] = {
    f"{name}, K={K}": (name, K)
    for name, corpus in CORPORA.items()
    for K in corpus.texts
}
COUNT_PROBLEMS: dict[str, tuple[str, int, str]] = {
    f"{name}, K={K}, {how.replace('_', ' ')}": (name, K, how)
    for name, corpus in CORPORA.items()
    for how in ("labels", "held_out")
    for K in getattr(corpus, how)
}
