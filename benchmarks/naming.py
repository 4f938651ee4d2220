"""Names of topics: how many are nearest to the documents of their own topic.

Topics of ``FusionTopicModel`` and ``GibbsLDA`` get names in three ways: from ``name_topics``,
from ``name_topics`` without the check by documents, and from their first three words. The
vector of a name (MiniLM) is compared with ten representative documents of each topic. The language
model has not seen these documents. A name is a hit if its mean cosine is largest with its own
topic. Appends one JSON line per corpus, model, seed and way to ``results/naming.jsonl``. Lines
in the file are not repeated, except with ``--again``.

The constants of the check were chosen on 4,000 titles of StackOverflow and on 3,000 posts of 20
Newsgroups. No corpus here has these documents.
"""

import argparse
import json
import logging
import os
import warnings
from typing import Any, NamedTuple

import numpy as np

from benchmarks.runs import QUIET, RESULTS, environment

PATH = RESULTS / "naming.jsonl"
PACKAGES = "llmtopics numpy scikit-learn numba torch transformers"


class Part(NamedTuple):
    """Topics K, and the documents of a corpus in random order that are used."""

    n_topics: int
    start: int = 0
    stop: int | None = None


CORPORA = {
    "BBC news": Part(10),
    "SearchSnippets": Part(8, 0, 4000),
    "20 Newsgroups": Part(20, 3000, 6000),  # the first 3,000 chose the constants
}
MODELS = ["FusionTopicModel", "GibbsLDA"]
CHECKED, UNCHECKED = "name_topics()", "check_documents=False"
CAPTIONS, WORDS = "captions", "three words"
WAYS = [CHECKED, CAPTIONS, UNCHECKED, WORDS]
N_SHOWN, N_JUDGES = 3, 10


def centers(mixtures: np.ndarray, texts: list[str], vectors: np.ndarray) -> np.ndarray:
    """Return each topic's mean vector of representative documents that were not shown."""
    written = np.array([bool(text.strip()) for text in texts])
    first = mixtures.argmax(axis=1)
    found = np.zeros((mixtures.shape[1], vectors.shape[1]))
    for k, center in enumerate(found):
        own = np.flatnonzero(written & (first == k))
        own = own[np.argsort(-mixtures[own, k], kind="stable")]
        own = own[N_SHOWN : N_SHOWN + N_JUDGES]
        if len(own):
            center += vectors[own].mean(axis=0)
    return found


def names(way: str, found: Any, texts: list[str]) -> tuple[list[str], list[str]]:
    """Return the names, and where each is from: "model" or "words"."""
    from llmtopics.naming import name_topics

    if way == WORDS:
        return [", ".join(words[:3]) for words in found.words], [
            "words" for _ in found.words
        ]
    named = name_topics(
        found.words,
        found.mixtures,
        texts,
        n_documents=N_SHOWN,
        check_documents=way != UNCHECKED,
    )
    return named.captions if way == CAPTIONS else named.names, named.sources


def measure(corpus_name: str, seed: int, done: set[tuple]) -> None:
    from benchmarks.counts import Documents, documents
    from benchmarks.models.ours import fusion, gibbs_topics
    from llmtopics import TransformerEmbedder

    K, start, stop = CORPORA[corpus_name]
    fits = dict(zip(MODELS, [fusion, gibbs_topics], strict=True))
    if all((corpus_name, model, seed, way) in done for model in MODELS for way in WAYS):
        return
    texts, labels, tokens, counts, vocabulary, vectors = documents(corpus_name, stop)
    corpus = Documents(
        texts[start:],
        labels[start:],
        tokens[start:],
        counts[start:],
        vocabulary,
        vectors[start:],
    )
    for model, fit in fits.items():
        cell = corpus_name, model, seed
        found = fit(corpus, K, seed)
        near = centers(found.mixtures, corpus.texts, corpus.vectors)
        for way in WAYS:
            if (*cell, way) in done:
                continue
            given, sources = names(way, found, corpus.texts)
            nearest = (TransformerEmbedder().transform(given) @ near.T).argmax(1)
            hits = nearest == np.arange(K)
            by_model = np.array(sources) == "model"
            line = dict(
                zip(["corpus", "model", "seed", "way"], [*cell, way], strict=True)
            )
            line |= {"n_topics": K, "hits": int(hits.sum())}
            line |= {"by_model": int(by_model.sum())}
            line |= {"hits_by_model": int((hits & by_model).sum())}
            line |= {"names": given, "sources": sources} | environment(PACKAGES)
            with PATH.open("a", encoding="utf-8") as results:
                results.write(json.dumps(line, ensure_ascii=False) + "\n")
            print(*cell, way, f"{line['hits']} of {K}", sep=" | ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="repeat lines in the file")
    parser.add_argument("--seeds", type=int, default=2, help="at most")
    options = parser.parse_args()
    os.environ |= QUIET
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    done = set()
    if PATH.exists() and not options.again:
        lines = map(json.loads, PATH.read_text("utf-8").splitlines())
        done = {
            (line["corpus"], line["model"], line["seed"], line["way"]) for line in lines
        }
    for seed in range(options.seeds):
        for corpus_name in CORPORA:
            try:
                measure(corpus_name, seed, done)
            except FileNotFoundError as error:
                print(f"{corpus_name}: left out, {error}", flush=True)


if __name__ == "__main__":
    main()
