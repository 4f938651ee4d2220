"""Topics before and after ``tune_embedder``: fusion, and embedding topics alone.

Appends a JSON line per corpus to ``results/tuning_topics.jsonl``. Those that the file holds are
not repeated, unless ``--again`` is given. Every corpus has a process of its own.
``--threads 1`` is for a machine that others use, too.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from time import perf_counter

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpora import CORPORA
from benchmarks.counts import ANALYZER
from benchmarks.runs import peak_mib, run_tasks, task_arguments

PACKAGES = "llmtopics torch transformers accelerate scikit-learn numpy"
PROBLEMS: dict[str, tuple[str, int, int | None]] = {  # corpus, K, texts or all
    "BBC news, K=5": ("BBC news", 5, None),
    "StackOverflow, 3,000 texts, K=20": ("StackOverflow", 20, 3000),
    "StackOverflow, K=20": ("StackOverflow", 20, None),
    "SearchSnippets, K=8": ("SearchSnippets", 8, None),
    "20 Newsgroups, K=20": ("20 Newsgroups", 20, None),
}


def topics(problem: str, seed: int) -> dict:
    """Fit topics, tune the embedder on them, and fit topics again."""
    from llmtopics import (
        EmbeddingTopics,
        FusionTopicModel,
        LanguageModelTuner,
        TransformerEmbedder,
        tune_embedder,
    )
    from llmtopics.metrics import label_agreement

    name, K, n_texts = PROBLEMS[problem]
    texts, labels, _ = CORPORA[name].load()
    if n_texts is not None:
        chosen = np.random.default_rng(0).permutation(len(texts))[:n_texts]
        texts, labels = [texts[i] for i in chosen], labels[chosen]
    counts = CountVectorizer(analyzer=ANALYZER, min_df=5, max_df=0.5)
    model = FusionTopicModel(
        K, vectorizer=counts, embedder=TransformerEmbedder(), random_state=seed
    ).fit(texts)

    def measured(found: FusionTopicModel) -> dict[str, dict[str, float]]:
        vectors = found.embedder.transform(texts)
        alone = EmbeddingTopics(K, random_state=seed).fit(vectors)
        agreements = {
            "fusion": label_agreement(labels, found.labels_),
            "embedding_topics": label_agreement(labels, alone.labels_),
        }
        return {
            side: {"nmi": of["nmi"], "acc": of["matched_accuracy"]}
            for side, of in agreements.items()
        }

    before = measured(model)
    with tempfile.TemporaryDirectory() as folder:
        tuner = LanguageModelTuner(
            objective="topics", adapter=None, output_dir=folder, random_state=seed
        )
        start = perf_counter()
        tuned = tune_embedder(model, texts, tuner=tuner)
        seconds = perf_counter() - start
        after = measured(tuned)
    return {
        "before": before,
        "after": after,
        "n_texts": len(texts),
        "seconds": seconds,
        "peak_mib": peak_mib(),
    }


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    for problem in PROBLEMS:
        yield "topics", f"{problem}, seed 0", 0, partial(topics, problem, 0)


def main() -> None:
    run_tasks("tuning_topics", tasks(), PACKAGES, task_arguments(__doc__).parse_args())


if __name__ == "__main__":
    main()
