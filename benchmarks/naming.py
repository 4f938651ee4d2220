"""Names of topics: how many are nearest to the documents of their own topic.

Topics of ``FusionTopicModel`` and ``GibbsLDA`` get names in three ways: from ``TopicLabeler``
with examples, from ``TopicLabeler`` with a chat, and from their first three words. The vector
of a name (MiniLM) is compared with ten representative documents of each topic. The language
model has not seen these documents. A name is a hit if its mean cosine is largest with its own
topic. Appends one JSON line per corpus, model, seed and way to ``results/naming.jsonl``. Lines
in the file are not repeated, except with ``--again``.
"""

import argparse
import json
import logging
import os
import warnings
from typing import Any

import numpy as np

from benchmarks.runs import QUIET, RESULTS, environment

PATH = RESULTS / "naming.jsonl"
PACKAGES = "llmtopics numpy scikit-learn numba torch transformers"
CORPORA = {"BBC news": 10, "20 Newsgroups": 20}
MODELS = ["FusionTopicModel", "GibbsLDA"]
WAYS = ["TopicLabeler()", "TopicLabeler(chat=True)", "three words"]
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


def names(way: str, found: Any, texts: list[str]) -> list[str]:
    from llmtopics.naming import name_topics

    if way == "three words":
        return [", ".join(words[:3]) for words in found.words]
    settings = {"n_documents": N_SHOWN, "chat": "chat" in way}
    return name_topics(found.words, found.mixtures, texts, **settings).names


def measure(corpus_name: str, n_seeds: int, done: set[tuple]) -> None:
    from benchmarks.counts import documents
    from benchmarks.models.ours import fusion, gibbs_topics
    from llmtopics import TransformerEmbedder

    fits = dict(zip(MODELS, [fusion, gibbs_topics], strict=True))
    corpus, K = documents(corpus_name), CORPORA[corpus_name]
    for seed in range(n_seeds):
        for model, fit in fits.items():
            cell = corpus_name, model, seed
            ways = [way for way in WAYS if (*cell, way) not in done]
            if not ways:
                continue
            found = fit(corpus, K, seed)
            near = centers(found.mixtures, corpus.texts, corpus.vectors)
            for way in ways:
                given = names(way, found, corpus.texts)
                nearest = (TransformerEmbedder().transform(given) @ near.T).argmax(1)
                line = dict(
                    zip(["corpus", "model", "seed", "way"], [*cell, way], strict=True)
                )
                line |= {"n_topics": K, "hits": int((nearest == np.arange(K)).sum())}
                line |= {"names": given} | environment(PACKAGES)
                with PATH.open("a", encoding="utf-8") as results:
                    results.write(json.dumps(line, ensure_ascii=False) + "\n")
                print(*cell, way, f"{line['hits']} of {K}", sep=" | ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="repeat lines in the file")
    parser.add_argument("--seeds", type=int, default=3, help="at most")
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
    for corpus_name in CORPORA:
        try:
            measure(corpus_name, options.seeds, done)
        except FileNotFoundError as error:
            print(f"{corpus_name}: left out, {error}", flush=True)


if __name__ == "__main__":
    main()
