"""Topics with differential privacy: quality against ε, beside Gibbs sampling without privacy.

Appends a JSON line per corpus and seed to ``results/private.jsonl``. Those that the file holds
are not repeated, unless ``--again`` is given.

The public vocabulary of a corpus is the 1,000 words that most documents of the other corpus
have. A private vocabulary is chosen from the corpus itself with half of ε and half of δ.
``cached_counts`` leaves out words of fewer than five documents.
"""

from collections.abc import Iterator
from functools import partial
from time import process_time
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.corpora import CORPORA
from benchmarks.counts import cached_counts, split
from benchmarks.runs import peak_mib, run_tasks, task_arguments

PACKAGES = "llmtopics opendp scikit-learn numpy numba"
OTHER = {"BBC news": "20 Newsgroups", "20 Newsgroups": "BBC news"}
N_WORDS, DELTA = 1000, 1e-6
EPSILONS = (np.inf, 8.0, 4.0, 2.0, 1.0, 0.5)
PRIVATE_WORDS = {8.0, 2.0}  # ε at which the vocabulary is private, too
N_SEEDS = 3


def public_words(corpus: str) -> list[str]:
    X, words = cached_counts(OTHER[corpus])
    n_documents = np.bincount(X.indices, minlength=len(words))
    return [str(word) for word in words[np.argsort(-n_documents)[:N_WORDS]]]


def columns(corpus: str, chosen: list[str]) -> sp.csr_array:
    """Return the counts of some words, zero for those that the corpus does not have."""
    X, words = cached_counts(corpus)
    place = {word: i for i, word in enumerate(words)}
    known = [(place[w], i) for i, w in enumerate(chosen) if w in place]
    old, new = np.array(known).T
    select = sp.csr_array(
        (np.ones(len(old), np.int32), (old, new)), shape=(len(words), len(chosen))
    )
    found = sp.csr_array(X @ select)
    found.sort_indices()
    return found


def measured(model: Any, X: sp.csr_array, words: list[str], labels: np.ndarray) -> dict:
    """Fit to nine tenths of the documents; return quality, leaks and seconds."""
    from llmtopics import top_words
    from llmtopics.metrics import coherence, label_agreement, membership_inference

    fit, held_out = split(X)
    start = process_time()
    model.fit(fit)
    seconds = process_time() - start
    topics = top_words(model.components_, words, 10)
    first = model.transform(X).argmax(axis=1)
    some = [part[part.sum(axis=1) > 0] for part in (fit, held_out)]
    return {
        "nmi": label_agreement(labels, first)["nmi"],
        "npmi": float(np.mean(coherence(topics, X, words, window_size=None))),
        "perplexity": model.perplexity(held_out),
        "attack_auc": membership_inference(model, *some).auc,
        "topics": [" ".join(topic[:5]) for topic in topics],
        "n_words": len(words),
        "seconds": seconds,
    }


def quality(corpus: str, seed: int) -> dict:
    """Return one line per model and ε."""
    from llmtopics import GibbsLDA, PrivateLDA, private_vocabulary

    K = CORPORA[corpus].labels[0]
    labels = np.asarray(CORPORA[corpus].load().labels)
    public = public_words(corpus)
    everything, all_words = cached_counts(corpus)
    X = columns(corpus, public)
    settings = {"random_state": seed, "delta": DELTA}
    points = [
        {"model": "GibbsLDA", "vocabulary": "public", "epsilon": None}
        | measured(GibbsLDA(K, random_state=seed), X, public, labels),
        {"model": "PrivateLDA", "vocabulary": "public", "epsilon": 0.001}
        | measured(PrivateLDA(K, epsilon=0.001, **settings), X, public, labels),
    ]
    for epsilon in EPSILONS:
        line = {"model": "PrivateLDA", "epsilon": min(epsilon, 1e9)}
        private = PrivateLDA(K, epsilon=epsilon, **settings)
        found = measured(private, X, public, labels)
        points.append(line | {"vocabulary": "public"} | found)
        if epsilon not in PRIVATE_WORDS:
            continue
        half = {"epsilon": epsilon / 2, "delta": DELTA / 2}
        words = private_vocabulary(everything, all_words, max_words=N_WORDS, **half)
        if len(words) >= 10:
            found = measured(
                private.set_params(**half), columns(corpus, words), words, labels
            )
            points.append(line | {"vocabulary": "private"} | found)
        else:
            points.append(line | {"vocabulary": "private", "n_words": len(words)})
    return {"points": points, "peak_mib": peak_mib()}


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    for seed in range(N_SEEDS):
        for corpus in OTHER:
            yield "quality", corpus, seed, partial(quality, corpus, seed)


def main() -> None:
    run_tasks("private", tasks(), PACKAGES, task_arguments(__doc__).parse_args())


if __name__ == "__main__":
    main()
