"""Topics with and without a language model's words: quality and cost.

Writes two files of JSON lines. ``feeding.jsonl`` has one line per corpus, way and seed: topics
of 3,000 texts (all of BBC news). Runs in the file are not repeated, except with ``--again``.
After the first run, answers come from the cache folder. ``feeding_cost.jsonl`` has one line per
corpus and way: seconds for 100 texts without a cache. It is overwritten.
"""

import json
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
PACKAGES = "llmtopics numpy scikit-learn torch transformers"
N_TEXTS, N_TIMED, N_RUNS, N_SEEDS = 3000, 100, 3, 3
CORPORA = {"StackOverflow": 20, "SearchSnippets": 8, "BBC news": 5}


def ways() -> dict[str, Callable[[Any, int, int], Any]]:
    from sklearn.feature_extraction.text import CountVectorizer

    from benchmarks.counts import ANALYZER
    from benchmarks.models.base import Topics
    from llmtopics import (
        FusionTopicModel,
        GibbsLDA,
        LLMAugmenter,
        NextWordCounts,
        PrecomputedEmbeddings,
        TransformerEmbedder,
        top_words,
    )

    def vectorizer(corpus: Any) -> CountVectorizer:
        return CountVectorizer(analyzer=ANALYZER, vocabulary=corpus.vocabulary)

    def lda(corpus: Any, K: int, seed: int, counts: Any = None) -> Topics:
        model = GibbsLDA(K, random_state=seed)
        mixtures = model.fit_transform(corpus.counts if counts is None else counts)
        return Topics(mixtures, top_words(model.components_, corpus.vocabulary))

    def fed(corpus: Any, K: int, seed: int) -> Topics:
        feed = NextWordCounts(vectorizer(corpus))
        return lda(corpus, K, seed, feed.fit_transform(corpus.texts))

    def augmented(corpus: Any) -> list[str]:
        return LLMAugmenter().transform(corpus.texts)

    def with_keywords(corpus: Any, K: int, seed: int) -> Topics:
        counts = vectorizer(corpus).transform(augmented(corpus))
        return lda(corpus, K, seed, counts)

    def fusion(
        corpus: Any, K: int, seed: int, texts: Any = None, **parameters: Any
    ) -> Topics:
        if texts is None:
            texts = corpus.texts
            parameters["embedder"] = PrecomputedEmbeddings(texts, corpus.vectors)
        else:
            parameters["embedder"] = TransformerEmbedder()
        model = FusionTopicModel(
            K, vectorizer=vectorizer(corpus), random_state=seed, **parameters
        )
        return Topics(model.fit_transform(texts), model.top_words())

    return {
        "LDA": lda,
        "LDA + next words": fed,
        "LDA + next words, own words": lambda *run: fusion(
            *run, alpha=0, max_iter=200, expander=NextWordCounts()
        ),
        "LDA + keywords": with_keywords,
        "fusion": fusion,
        "fusion + next words": lambda *run: fusion(*run, expander=NextWordCounts()),
        "fusion + keywords": lambda *run: fusion(*run, texts=augmented(run[0])),
        "fusion, α=0.2": lambda *run: fusion(*run, alpha=0.2),
        "fusion, α=0.2 + next words": lambda *run: fusion(
            *run, alpha=0.2, expander=NextWordCounts()
        ),
    }


def quality(again: bool) -> None:
    from benchmarks.counts import documents
    from benchmarks.runs import environment
    from benchmarks.topics import evaluated

    path = RESULTS / "feeding.jsonl"
    done = set()
    if path.exists() and not again:
        lines = map(json.loads, path.read_text("utf-8").splitlines())
        done = {(line["corpus"], line["way"], line["seed"]) for line in lines}
    for name, K in CORPORA.items():
        corpus = documents(name, N_TEXTS)
        for seed in range(N_SEEDS):
            for way, fit in ways().items():
                if (name, way, seed) in done:
                    continue
                line = {"corpus": name, "way": way, "seed": seed}
                line |= evaluated(corpus, fit(corpus, K, seed)) | environment(PACKAGES)
                with path.open("a", encoding="utf-8") as results:
                    results.write(json.dumps(line, ensure_ascii=False) + "\n")
                print(
                    f"{name} | {way} | {seed} | NMI {line['nmi']:.3f} | accuracy "
                    f"{line['accuracy']:.3f} | NPMI {line['npmi']:.3f}",
                    flush=True,
                )


def cost() -> None:
    import torch

    from benchmarks.corpora import CORPORA as TEXTS
    from benchmarks.runs import environment
    from llmtopics import LLMAugmenter, LLMTopics, LocalLLM, NextWordCounts

    llm = LocalLLM(cache_dir=False)
    sections = ["business", "entertainment", "politics", "sport", "technology"]
    steps = {
        "NextWordCounts": NextWordCounts(llm=llm),
        "LLMAugmenter, keywords": LLMAugmenter(llm),
        "LLMAugmenter, paraphrase": LLMAugmenter(llm, mode="paraphrase"),
        "LLMTopics": LLMTopics(sections, llm=llm),
    }
    lines = []
    for name in CORPORA:
        texts = TEXTS[name].load().texts
        rows = np.random.default_rng(1).permutation(len(texts))[:N_TIMED]
        some = [texts[i] for i in rows]
        fitted = {
            way: step.fit(some)
            for way, step in steps.items()
            if way != "LLMTopics" or name == "BBC news"
        }
        seconds: dict[str, list[float]] = {way: [] for way in fitted}
        for _ in range(N_RUNS):
            for way, step in fitted.items():
                start = perf_counter()
                step.transform(some)
                seconds[way].append(perf_counter() - start)
        for way, step in fitted.items():
            used = step.usage_
            line = {
                "corpus": name,
                "way": way,
                "n_texts": len(some),
                "n_threads": torch.get_num_threads(),
                "seconds": median(seconds[way]),
                "calls": used["n_calls"],
                "prompt_tokens": used["prompt_tokens"],
                "new_tokens": used["new_tokens"],
                **environment(PACKAGES),
            }
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
            print(lines[-1], end="", flush=True)
    (RESULTS / "feeding_cost.jsonl").write_text("".join(lines), "utf-8")


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="repeat runs in the file")
    parser.add_argument("--only", choices=["quality", "cost"])
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if options.only != "cost":
        quality(options.again)
    if options.only != "quality":
        cost()


if __name__ == "__main__":
    main()
