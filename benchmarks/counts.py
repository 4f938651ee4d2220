"""Corpora as inputs of models: counts, tokens and vectors of the same words."""

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
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpora import CORPORA, COUNT_PROBLEMS
from llmtopics import TextAnalyzer, TransformerEmbedder, text

# Links, e-mail addresses and broken lines are read as plain text, as all runs did
ANALYZER = TextAnalyzer(
    html=False,
    special={"urls": "split", "emails": "split", "broken_words": "split"},
)
CACHE = Path(user_cache_dir("llmtopics-benchmarks"))


class CountProblem(NamedTuple):
    """Fit ``n_components`` topics to ``counts``; evaluate by ``labels`` or ``held_out``."""

    counts: sp.csr_array
    n_components: int
    labels: np.ndarray | None = None
    held_out: sp.csr_array | None = None


class Documents(NamedTuple):
    """Texts, their words and their vectors; ``labels`` are for evaluation only."""

    texts: list[str]
    labels: np.ndarray
    tokens: list[list[str]]
    counts: sp.csr_array
    vocabulary: np.ndarray
    vectors: np.ndarray

    def every(self, n: int) -> "Documents":
        """Return every n-th document, with the whole vocabulary."""
        texts, labels, tokens, counts, vocabulary, vectors = self
        some = texts[::n], labels[::n], tokens[::n], counts[::n]
        return Documents(*some, vocabulary, vectors[::n])


def count(
    texts: list, analyzer: Callable | None = None
) -> tuple[sp.csr_array, np.ndarray]:
    """Return counts and vocabulary; words are in at least 5 and at most half of the documents."""
    vectorizer = CountVectorizer(
        analyzer=analyzer or ANALYZER, min_df=5, max_df=0.5, dtype=np.int32
    )
    X = sp.csr_array(vectorizer.fit_transform(texts))
    X.sort_indices()
    return X, vectorizer.get_feature_names_out()


def split(X: sp.csr_array) -> tuple[sp.csr_array, sp.csr_array]:
    """Hold out a tenth of the documents, always the same ones."""
    order = np.random.default_rng(0).permutation(X.shape[0])
    n_held_out = X.shape[0] // 10
    return X[np.sort(order[n_held_out:])], X[np.sort(order[:n_held_out])]


def count_problem(name: str) -> CountProblem:
    """Return a problem of ``COUNT_PROBLEMS``."""
    corpus, K, how = COUNT_PROBLEMS[name]
    data = CORPORA[corpus].load()
    X = count(data.texts)[0] if data.counts is None else data.counts
    if how == "labels":
        return CountProblem(X, K, labels=data.labels)
    fit, held_out = split(X)
    return CountProblem(fit, K, held_out=held_out)


def documents(name: str, n_texts: int | None = None) -> Documents:
    """Return a corpus with tokens, counts and vectors, or a sample of it."""
    texts, labels, _ = CORPORA[name].load()
    if n_texts is not None:
        rows = np.random.default_rng(0).permutation(len(texts))[:n_texts]
        texts, labels = [texts[i] for i in rows], labels[rows]
    tokens = [ANALYZER(text) for text in texts]
    counts, vocabulary = count(tokens, analyzer=list)
    vectors = TransformerEmbedder().transform(texts)  # MiniLM; cached on disk
    return Documents(texts, labels, tokens, counts, vocabulary, vectors)


@cache
def cached_counts(name: str) -> tuple[sp.csr_array, np.ndarray]:
    """Return counts and vocabulary of a corpus, cached on disk.

    A separate process makes them, so that its memory does not count as the model's.
    """
    file = Path(text.__file__)
    files = sorted(file.parent.glob("*.py")) if file.stem == "__init__" else [file]
    source = "".join(file.read_text("utf-8") for file in files) + getsource(count)
    key = sha256(source.encode()).hexdigest()[:8]
    path = CACHE / f"{name}, {key}.npz"
    if not path.exists():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(write_counts, name, path).result()
    with np.load(path) as stored:
        parts = tuple(stored[part] for part in ("data", "indices", "indptr"))
        words = stored["words"]
    return sp.csr_array(parts, shape=(len(parts[2]) - 1, len(words))), words


def write_counts(name: str, path: Path) -> None:
    X, words = count(CORPORA[name].load().texts)
    parts = {part: getattr(X, part) for part in ("data", "indices", "indptr")}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(file, words=words.astype(str), **parts)
    unfinished.replace(path)
