"""A fit of a corpus on disk: seconds per sweep, memory, and the same topics after kills.

The corpus is drawn from topics of IMDB reviews: documents of the reviews' lengths and topic
proportions are drawn with replacement, and every token is drawn again, so no two documents are
alike. Lines are added to ``results/out_of_core.jsonl``.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks.runs import environment

RESULTS = Path(__file__).parent / "results" / "out_of_core.jsonl"
K, N_SWEEPS, N_JOBS = 100, 10, 2
ALPHA, BETA = 0.1, 0.01
KILLS = 2, 6  # sweeps
PACKAGES = "llmtopics numpy scipy scikit-learn numba"
_PER_BLOCK = 20_000  # documents


def reviews() -> tuple[sp.csr_array, list[str]]:
    """Return word counts of IMDB reviews, and the words."""
    from sklearn.feature_extraction.text import CountVectorizer

    from benchmarks.corpora import CORPORA
    from llmtopics import TextAnalyzer

    vectorizer = CountVectorizer(analyzer=TextAnalyzer(), min_df=5)
    X = vectorizer.fit_transform(CORPORA["IMDB"].load().texts)
    return sp.csr_array(X), list(vectorizer.get_feature_names_out())


def drawn(X: sp.csr_array, n_tokens: int) -> Iterator[sp.csr_array]:
    """Yield blocks of counts with about ``n_tokens`` in all, from a model of ``X``."""
    from llmtopics import GibbsLDA

    lda = GibbsLDA(K, doc_topic_prior=ALPHA, topic_word_prior=BETA, random_state=0)
    theta = lda.set_params(max_iter=100, n_jobs=N_JOBS).fit_transform(X)
    ends = np.cumsum(theta, axis=1) / theta.sum(axis=1, keepdims=True)
    words = np.cumsum(lda.components_, axis=1)
    lengths = X.sum(axis=1)
    rng, made = np.random.default_rng(0), 0
    while made < n_tokens:
        rows = rng.integers(X.shape[0], size=_PER_BLOCK)
        documents = np.repeat(np.arange(_PER_BLOCK), lengths[rows])
        slots = (ends[rows] + np.arange(_PER_BLOCK)[:, None]).ravel()
        topics = np.searchsorted(slots, documents + rng.random(documents.size))
        topics = np.minimum(topics - documents * K, K - 1)
        order = np.argsort(topics, kind="stable")
        counts = np.bincount(topics, minlength=K)
        columns = np.concatenate(
            [
                np.searchsorted(words[k], rng.random(n) * words[k, -1])
                for k, n in enumerate(counts)
            ]
        )
        ones = np.ones(documents.size, np.int32)
        block = sp.coo_array(
            (ones, (documents[order], columns)), (_PER_BLOCK, X.shape[1])
        )
        yield sp.csr_array(block)
        made += documents.size


def made(folder: Path, n_tokens: int):
    """Return the stored corpus; made at the first call."""
    from llmtopics import StoredCounts, store_counts

    path = folder / f"imdb-{n_tokens:.0e}"
    try:
        return StoredCounts(path)
    except FileNotFoundError:
        X, names = reviews()
        return store_counts(drawn(X, n_tokens), path, feature_names=names)


def memory() -> tuple[int, int]:
    """Return MiB of this process: in all, and without pages of files."""
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return tuple(int(lines[name].split()[0]) // 1024 for name in ("VmRSS", "RssAnon"))


def fit(path: str, result: str, whole: bool) -> None:
    """Fit and save measures, in a process of its own; or stop after the last sweep."""
    from llmtopics import GibbsLDA, StoredCounts
    from llmtopics.topics._gibbs.saved_chain import SavedChain

    peak, sweeps, line = [0, 0], [], {}
    out = Path(result)

    def watch() -> None:
        while True:
            peak[:] = map(max, peak, memory())
            time.sleep(0.5)

    save = SavedChain.save

    def timed(saved, chain, **state):
        start = time.perf_counter()
        save(saved, chain, **state)
        sweeps.append((time.perf_counter(), time.perf_counter() - start))
        if state["n_sweeps"] == N_SWEEPS:
            line["sha256_of_topics"] = hashlib.sha256(chain.topics).hexdigest()
            if not whole:
                out.write_text(json.dumps(line))
                os._exit(0)

    SavedChain.save = timed
    threading.Thread(target=watch, daemon=True).start()
    lda = GibbsLDA(K, doc_topic_prior=ALPHA, topic_word_prior=BETA, max_iter=N_SWEEPS)
    lda.set_params(n_jobs=N_JOBS, random_state=0)
    begin = time.perf_counter()
    lda.fit(StoredCounts(path))
    end = time.perf_counter()
    times = [at for at, _ in sweeps]
    line |= {
        "seconds": end - begin,
        "seconds_of_sweeps": times[-1] - begin,
        "seconds_per_sweep": np.diff(times).tolist(),
        "seconds_to_save": [seconds for _, seconds in sweeps],
        "seconds_after_sweeps": end - times[-1],
        "peak_mib": peak[0],
        "peak_anonymous_mib": peak[1],
        "log_likelihood": lda.log_likelihood_.tolist(),
    }
    out.write_text(json.dumps(line))


def n_sweeps(state: Path) -> int:
    """Return the number of sweeps of a saved chain."""
    _, _, text = state.read_text().partition(" ")  # after the checksum
    return json.loads(text)["n_sweeps"]


def run(path: Path, *, whole: bool = True, kill_after: int | None = None) -> dict:
    """Fit in a process; kill it in mid-sweep after some sweeps. Return its measures."""
    result = path / "line.json"
    command = [sys.executable, "-m", "benchmarks.out_of_core", "--fit", str(path)]
    command += [str(result), "--whole"] if whole else [str(result)]
    process = subprocess.Popen(command)
    while kill_after is not None and process.poll() is None:
        time.sleep(1)
        for file in path.glob("chain-*/state.json"):
            if n_sweeps(file) >= kill_after:
                time.sleep(5)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                return {"n_sweeps": n_sweeps(file)}
    if process.wait():
        raise RuntimeError(f"the fit ended with {process.returncode}")
    return json.loads(result.read_text())


def measure(folder: Path, n_tokens: int) -> dict:
    """Sample, killed after some sweeps; fit without kills; compare all topics.

    A chain that an earlier run left is continued first.
    """
    start = time.perf_counter()
    counts = made(folder, n_tokens)
    line = {
        "n_documents": counts.shape[0],
        "n_words": counts.shape[1],
        "n_tokens": counts.n_tokens,
        "n_components": K,
        "n_sweeps": N_SWEEPS,
        "n_jobs": N_JOBS,
        "seconds_to_make": time.perf_counter() - start,
    }
    killed = [run(counts.path, kill_after=sweeps)["n_sweeps"] for sweeps in KILLS]
    again = run(counts.path, whole=False)
    for left in counts.path.glob("chain-*"):
        shutil.rmtree(left)
    line |= run(counts.path)
    line["killed_after_sweeps"] = killed
    line["same_topics_after_kills"] = (
        line["sha256_of_topics"] == again["sha256_of_topics"]
    )
    return line | environment(PACKAGES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the corpora are written")
    parser.add_argument("--tokens", type=float, nargs="*", default=[1e8, 1e9])
    parser.add_argument("--make", action="store_true", help="only make the corpora")
    parser.add_argument("--fit", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit(*options.fit, options.whole)
        return
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for n_tokens in map(int, options.tokens):
        if options.make:
            print(made(folder, n_tokens))
            continue
        line = measure(folder, n_tokens)
        with open(RESULTS, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
