"""Topic models of texts, evaluated by labels, a classifier and coherence.

Writes JSON lines to ``results/topics.jsonl``. See ``runs`` for how models are run.
"""

import os
from time import perf_counter

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.corpora import TEXT_PROBLEMS
from benchmarks.counts import Documents, documents
from benchmarks.models import MODELS
from benchmarks.models.base import Topics
from benchmarks.runs import (
    ONE_THREAD,
    QUIET,
    SHARED,
    Matrix,
    arguments,
    peak_mib,
    run_matrix,
)
from llmtopics.metrics import coherence, label_agreement, topic_diversity

N_WARM = 200  # documents of the run that is not timed
PACKAGES = (
    f"{SHARED} torch transformers bertopic umap-learn hdbscan turftopic fastopic "
    "contextualized-topic-models"
)


def evaluated(corpus: Documents, found: Topics) -> dict:
    """Evaluate topics of texts by labels, a classifier and the coherence of words."""
    topics = found.mixtures.argmax(axis=1)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    logs = np.log(np.maximum(found.mixtures, 1e-9))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    longer = [topic for topic in found.words if len(topic) > 1]
    words = [topic[:10] for topic in longer]
    npmi = coherence(words, corpus.counts, corpus.vocabulary, window_size=None)
    return {
        "npmi": float(npmi.mean()),
        "c_v": float(coherence(words, corpus.tokens, measure="c_v").mean()),
        "diversity": topic_diversity(words),
        "c_v_15": float(coherence(longer, corpus.tokens, measure="c_v").mean()),
        "diversity_15": topic_diversity(longer),
        **label_agreement(corpus.labels, topics),
        "n_labels": len(np.unique(corpus.labels)),
        "accuracy": cross_val_score(classifier, logs, corpus.labels, cv=folds).mean(),
        "n_documents": corpus.counts.shape[0],
        "n_words": corpus.counts.shape[1],
        "n_tokens": int(corpus.counts.sum()),
        "words": found.words,
    }


def measure(problem_name: str, model_name: str, seed: int) -> dict:
    """Fit one model to one corpus and evaluate mixtures and words."""
    name, K = TEXT_PROBLEMS[problem_name]
    corpus, fit = documents(name), MODELS[model_name].of_texts
    fit(corpus.every(len(corpus.texts) // N_WARM), 2, seed)  # imports, compiles
    start = perf_counter()
    found = fit(corpus, K, seed)
    line = {"seconds": perf_counter() - start, "peak_mib": peak_mib()}
    return line | evaluated(corpus, found) | found.extra


def cells() -> dict[str, dict[str, int]]:
    return {
        problem: {
            name: model.n_seeds
            for name, model in MODELS.items()
            if model.of_texts and problem in (model.problems or TEXT_PROBLEMS)
        }
        for problem in TEXT_PROBLEMS
    }


def main() -> None:
    os.environ |= ONE_THREAD | QUIET  # for new processes
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="at most")
    run_matrix("topics", Matrix(cells, measure, PACKAGES), parser.parse_args())


if __name__ == "__main__":
    main()
