"""Speed of the embedder compared with sentence-transformers: same weights, same texts.

Three ways to encode a sample of each corpus run five times, in turn, with one thread and with
two. Texts and model are loaded before, and there is no cache. Writes one JSON line per corpus,
number of threads and way to ``results/encode.jsonl``, which is overwritten.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

RESULTS = Path(__file__).parent / "results" / "encode.jsonl"
PACKAGES = "llmtopics sentence-transformers torch transformers tokenizers"
N_RUNS = 5
SAMPLES = {"20 Newsgroups": 300, "StackOverflow": 3000}


def sample(name: str) -> list[str]:
    from benchmarks.corpora import CORPORA

    texts = CORPORA[name].load().texts
    texts = [text for text in dict.fromkeys(texts) if text.strip()]
    rows = np.random.default_rng(0).permutation(len(texts))[: SAMPLES[name]]
    return [texts[i] for i in rows]


def ways() -> dict[str, Callable[[list[str]], np.ndarray]]:
    from sentence_transformers import SentenceTransformer

    from llmtopics import TransformerEmbedder
    from llmtopics._language.files import find_files

    peer = SentenceTransformer(str(find_files("minilm")), device="cpu")
    return {
        "sentence-transformers": lambda texts: peer.encode(
            texts, normalize_embeddings=True, show_progress_bar=False
        ),
        "float32": TransformerEmbedder(dtype="float32", cache_dir=False).transform,
        "auto": TransformerEmbedder(cache_dir=False).transform,
    }


def measure(n_threads: int) -> None:
    """Print the lines for one number of threads; runs in a separate process."""
    import logging

    import torch

    from benchmarks.runs import environment

    logging.disable(logging.WARNING)  # of texts that are truncated
    torch.set_num_threads(n_threads)
    encoders = ways()
    for corpus in SAMPLES:
        texts = sample(corpus)
        vectors = {way: encode(texts[:50]) for way, encode in encoders.items()}
        seconds: dict[str, list[float]] = {way: [] for way in encoders}
        for _ in range(N_RUNS):
            for way, encode in encoders.items():
                start = perf_counter()
                vectors[way] = encode(texts)
                seconds[way].append(perf_counter() - start)
        peer = seconds["sentence-transformers"]
        for way in encoders:
            cosines = (vectors[way] * vectors["float32"]).sum(axis=1)
            line = {
                "corpus": corpus,
                "n_texts": len(texts),
                "n_threads": n_threads,
                "way": way,
                "seconds": median(seconds[way]),
                "ratio": median(a / b for a, b in zip(peer, seconds[way], strict=True)),
                "mean_cosine": float(cosines.mean()),
                **environment(PACKAGES),
            }
            print(json.dumps(line), flush=True)


def main() -> None:
    lines = ""
    for n_threads in (1, 2):
        command = [sys.executable, "-m", "benchmarks.encode", str(n_threads)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print(done.stdout, end="")
        lines += done.stdout
    RESULTS.write_text(lines, "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        main()
