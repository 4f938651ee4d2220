"""Names of topics: how many lie nearest to the documents of their own topic.

Topics of ``FusionTopicModel`` and ``GibbsLDA`` are named by ``TopicLabeler``, asked with
examples and in a chat, and by their first three words. A name is a hit if its vector (MiniLM)
has a larger mean cosine with the ten next representative documents of its own topic, which
the language model was not shown, than with those of any other topic. Appends a JSON line per
corpus, model, seed and way to ``results/naming.jsonl``; those that the file holds are not
repeated, unless ``--again`` is given.
"""

import argparse
import json
import logging
import os
import warnings
from typing import Any

import numpy as np

from benchmarks.run import QUIET, RESULTS, environment

PATH = RESULTS / "naming.jsonl"
PACKAGES = "llmtopics numpy scikit-learn numba torch transformers"
CORPORA = {"BBC news": 10, "20 Newsgroups": 20}
MODELS = ["FusionTopicModel", "GibbsLDA"]
WAYS = ["TopicLabeler()", "TopicLabeler(chat=True)", "three words"]
N_SHOWN, N_JUDGES = 3, 10


def centers(mixtures: np.ndarray, texts: list[str], vectors: np.ndarray) -> np.ndarray:
    """Return the mean vector of each topic's representative documents not shown."""
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
    from llmtopics import TopicLabeler

    if way == "three words":
        return [", ".join(words[:3]) for words in found.words]
    labeler = TopicLabeler(n_documents=N_SHOWN, chat="chat" in way)
    return labeler.fit(found.words, found.mixtures, texts).names_


def measure(corpus_name: str, n_seeds: int, done: set[tuple]) -> None:
    from benchmarks.text_models import fusion, gibbs_lda
    from benchmarks.text_problems import read_corpus
    from llmtopics import TransformerEmbedder

    fits = dict(zip(MODELS, [fusion, gibbs_lda], strict=True))
    corpus, K = read_corpus(corpus_name), CORPORA[corpus_name]
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
    parser.add_argument("--again", action="store_true", help="repeat what is there")
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
