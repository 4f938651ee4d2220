"""Problems: a corpus, split where something is held out, and a number of topics."""

import json
import lzma
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.datasets._twenty_newsgroups import (
    strip_newsgroup_footer,
    strip_newsgroup_header,
    strip_newsgroup_quoting,
)
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import TextAnalyzer
from llmtopics.datasets import load_bbc_news, load_reuters395


class Problem(NamedTuple):
    """Fit ``n_components`` topics on ``counts``; ``labels`` and ``held_out`` judge them."""

    counts: sp.csr_array
    n_components: int
    labels: np.ndarray | None = None
    held_out: sp.csr_array | None = None


def count(
    texts: list, analyzer: Callable | None = None
) -> tuple[sp.csr_array, np.ndarray]:
    """Return counts and vocabulary of the words of five documents to half of them."""
    vectorizer = CountVectorizer(
        analyzer=analyzer or TextAnalyzer(), min_df=5, max_df=0.5, dtype=np.int32
    )
    X = sp.csr_array(vectorizer.fit_transform(texts))
    X.sort_indices()
    return X, vectorizer.get_feature_names_out()


@cache
def bbc() -> tuple[sp.csr_array, np.ndarray]:
    corpus = load_bbc_news()
    return count(corpus.data)[0], corpus.target


def read_records(path: str) -> list[dict]:
    """The lines of a corpus that is not a package."""
    folder = os.environ.get("LLMTOPICS_DATA")
    if not folder:
        raise FileNotFoundError(
            f"this problem needs {path}: name its folder in LLMTOPICS_DATA"
        )
    with lzma.open(Path(folder) / path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def newsgroup_texts() -> tuple[list[str], np.ndarray]:
    """All posts, without headers, quotes and footers, and their groups."""
    posts = read_records("20newsgroups.jsonl.xz")
    texts = [
        strip_newsgroup_quoting(
            strip_newsgroup_footer(strip_newsgroup_header(post["text"]))
        )
        for post in posts
    ]
    return texts, np.array([post["label"] for post in posts])


@cache
def newsgroups() -> tuple[sp.csr_array, np.ndarray]:
    texts, labels = newsgroup_texts()
    return count(texts)[0], labels


def split(X: sp.csr_array) -> tuple[sp.csr_array, sp.csr_array]:
    """Hold out a tenth of the documents, the same ones every time."""
    order = np.random.default_rng(0).permutation(X.shape[0])
    n_held_out = X.shape[0] // 10
    return X[np.sort(order[n_held_out:])], X[np.sort(order[:n_held_out])]


def labelled(corpus: Callable, n_components: int) -> Problem:
    X, labels = corpus()
    return Problem(X, n_components, labels=labels)


def completed(X: sp.csr_array, n_components: int) -> Problem:
    fit, held_out = split(X)
    return Problem(fit, n_components, held_out=held_out)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "BBC news, K=5, labels": lambda: labelled(bbc, 5),
    "BBC news, K=20, held out": lambda: completed(bbc()[0], 20),
    "BBC news, K=50, held out": lambda: completed(bbc()[0], 50),
    "BBC news, K=200, held out": lambda: completed(bbc()[0], 200),
    "Reuters-395, K=20, held out": lambda: completed(load_reuters395().data, 20),
    "20 Newsgroups, K=20, labels": lambda: labelled(newsgroups, 20),
    "20 Newsgroups, K=20, held out": lambda: completed(newsgroups()[0], 20),
    "20 Newsgroups, K=100, held out": lambda: completed(newsgroups()[0], 100),
}
