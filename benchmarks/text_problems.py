"""Problems on texts: a corpus as all models see it, and a number of topics."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks.problems import count, newsgroup_texts, read_records
from llmtopics import TextAnalyzer, TransformerEmbedder
from llmtopics.datasets import load_bbc_news


class Corpus(NamedTuple):
    """Texts, their words and their vectors; ``labels`` judge, no model sees them."""

    texts: list[str]
    labels: np.ndarray
    tokens: list[list[str]]
    counts: sp.csr_array
    vocabulary: np.ndarray
    vectors: np.ndarray

    def every(self, n: int) -> "Corpus":
        """Return every n-th document, with the whole vocabulary."""
        texts, labels, tokens, counts, vocabulary, vectors = self
        some = texts[::n], labels[::n], tokens[::n], counts[::n]
        return Corpus(*some, vocabulary, vectors[::n])


def bbc_texts() -> tuple[list[str], np.ndarray]:
    corpus = load_bbc_news()
    return corpus.data, corpus.target


def short_texts(name: str) -> tuple[list[str], np.ndarray]:
    records = read_records(f"short/{name}.jsonl.xz")
    texts = [record["text"] for record in records]
    return texts, np.array([record["label"] for record in records])


def read_corpus(name: str) -> Corpus:
    texts, labels = CORPORA[name]()
    analyzer = TextAnalyzer()
    tokens = [analyzer(text) for text in texts]
    counts, vocabulary = count(tokens, analyzer=list)
    vectors = TransformerEmbedder().transform(texts)  # MiniLM; kept on disk
    return Corpus(texts, labels, tokens, counts, vocabulary, vectors)


CORPORA: dict[str, Callable[[], tuple[list[str], np.ndarray]]] = {
    "BBC news": bbc_texts,
    "20 Newsgroups": newsgroup_texts,
    "StackOverflow": lambda: short_texts("stackoverflow"),
    "SearchSnippets": lambda: short_texts("searchsnippets"),
}
PROBLEMS: dict[str, tuple[str, int]] = {
    "BBC news, K=5": ("BBC news", 5),
    "BBC news, K=30": ("BBC news", 30),
    "StackOverflow, K=20": ("StackOverflow", 20),
    "SearchSnippets, K=8": ("SearchSnippets", 8),
    "20 Newsgroups, K=20": ("20 Newsgroups", 20),
    "20 Newsgroups, K=50": ("20 Newsgroups", 50),
}
