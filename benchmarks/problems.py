"""Problems: a corpus, split where something is held out, and a number of topics."""

import json
import lzma
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from hashlib import sha256
from inspect import getsource
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from platformdirs import user_cache_dir
from sklearn.datasets._twenty_newsgroups import (
    strip_newsgroup_footer,
    strip_newsgroup_header,
    strip_newsgroup_quoting,
)
from sklearn.feature_extraction.text import CountVectorizer

from llmtopics import TextAnalyzer, text
from llmtopics.datasets import load_bbc_news, load_reuters395

CACHE = Path(user_cache_dir("llmtopics-benchmarks"))


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


def review_texts() -> list[str]:
    """All film reviews of IMDB."""
    return [review["text"] for review in read_records("imdb/imdb_labelled.jsonl.xz")]


TEXTS: dict[str, Callable[[], list[str]]] = {
    "BBC news": lambda: load_bbc_news().data,
    "20 Newsgroups": lambda: newsgroup_texts()[0],
    "IMDB": review_texts,
    "IMDB, 10,000 reviews": lambda: review_texts()[::5],
}


@cache
def kept(name: str) -> tuple[sp.csr_array, np.ndarray]:
    """Counts and vocabulary of a corpus in ``TEXTS``, kept on disk once they are made.

    They are made in a process of their own: what that takes is no model's memory.
    """
    files = sorted(Path(text.__file__).parent.glob("*.py"))
    source = "".join(file.read_text("utf-8") for file in files) + getsource(count)
    key = sha256(source.encode()).hexdigest()[:8]
    path = CACHE / f"{name}, {key}.npz"
    if not path.exists():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(keep, name, path).result()
    with np.load(path) as file:
        parts = tuple(file[part] for part in ("data", "indices", "indptr"))
        words = file["words"]
    return sp.csr_array(parts, shape=(len(parts[2]) - 1, len(words))), words


def keep(name: str, path: Path) -> None:
    X, words = count(TEXTS[name]())
    parts = {part: getattr(X, part) for part in ("data", "indices", "indptr")}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(file, words=words.astype(str), **parts)
    unfinished.replace(path)


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
