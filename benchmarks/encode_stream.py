"""Vectors of a stream of texts on disk: memory, and speed beside sentence-transformers' processes.

*rows*: ``store_vectors`` with a tiny encoder of random weights. Its memory should not depend on
the number of texts. The same with MiniLM. *sentences*: MiniLM, sentences of IMDB reviews, ways in turn. Each is
measured in a process of its own, from the texts in memory to the written file, with the CPU time
and peak memory of all its processes. Appends a JSON line per task, setting and run to
``results/encode_stream.jsonl``.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter

import numpy as np

from benchmarks.runs import run_tasks, task_arguments

PACKAGES = "llmtopics sentence-transformers torch transformers tokenizers numpy"
N_RUNS = 1
N_SENTENCES = 5_000  # beside sentence-transformers
MANY = 100_000
TINY = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
}


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that ended."""
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measured(work: Callable[[Path], int]) -> dict:
    """Measure what writes a file of vectors and returns the number of texts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        start, cpu = perf_counter(), cpu_seconds()
        n_texts = work(path)
        seconds = perf_counter() - start
        vectors = np.load(path, mmap_mode="r")
        assert len(vectors) == n_texts
        return {
            "n_texts": n_texts,
            "n_dimensions": vectors.shape[1],
            "seconds": seconds,
            "cpu_seconds": cpu_seconds() - cpu,
            "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss / 1024,
            "peak_of_other_processes_mib": getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024,
            "file_mib": path.stat().st_size / 2**20,
            "load": os.getloadavg()[0],
        }


def tiny_encoder(folder: str) -> str:
    """Write an encoder of random weights with the tokenizer of MiniLM."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    from llmtopics._language.files import find_files

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(find_files("minilm"))
    tokenizer.save_pretrained(folder)
    config = BertConfig(vocab_size=len(tokenizer), **TINY)
    BertModel(config).save_pretrained(folder)
    return folder


def rows(n_texts: int) -> dict:
    """Measure short texts, all different, from a generator."""
    from llmtopics import TransformerEmbedder
    from llmtopics.embed import store_vectors

    with tempfile.TemporaryDirectory() as folder:
        embedder = TransformerEmbedder(tiny_encoder(folder), dtype="float32")
        texts = (f"text {i} of a stream, {i % 7}" for i in range(n_texts))
        return measured(lambda path: len(store_vectors(texts, path, embedder=embedder)))


def sentences(n_texts: int) -> list[str]:
    """Return the first distinct sentences of IMDB reviews."""
    from benchmarks.corpora import CORPORA
    from llmtopics.text import split_sentences

    found: dict[str, None] = {}
    for review in CORPORA["IMDB"].load().texts:
        found |= dict.fromkeys(split_sentences(review))
        if len(found) >= n_texts:
            break
    return list(found)[:n_texts]


def ours(dtype: str, n_texts: int = N_SENTENCES) -> dict:
    """Measure ``store_vectors`` with MiniLM."""
    from llmtopics import TransformerEmbedder
    from llmtopics.embed import store_vectors

    texts = sentences(n_texts)
    embedder = TransformerEmbedder(dtype=dtype)

    def work(path: Path) -> int:
        return len(store_vectors(texts, path, embedder=embedder))

    return measured(work)


def peer(n_processes: int) -> dict:
    """Measure sentence-transformers with a pool of processes, of one thread each."""
    os.environ["OMP_NUM_THREADS"] = "1"  # of its processes: with more, they are slower
    from sentence_transformers import SentenceTransformer

    from llmtopics._language.files import find_files

    texts = sentences(N_SENTENCES)

    def work(path: Path) -> int:
        model = SentenceTransformer(str(find_files("minilm")), device="cpu")
        pool = model.start_multi_process_pool(["cpu"] * n_processes)
        vectors = model.encode(
            texts, pool=pool, chunk_size=1000, normalize_embeddings=True
        )
        model.stop_multi_process_pool(pool)
        np.save(path, vectors)
        return len(texts)

    return measured(work)


def tasks(most_rows: float) -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, run and what measures it."""
    for n_texts in (100_000, 500_000, 1_000_000, 10_000_000):
        if n_texts <= most_rows:
            yield "rows", f"{n_texts:,}", 0, partial(rows, n_texts)
    yield "rows", f"{MANY:,}, MiniLM", 0, partial(ours, "auto", MANY)
    for run in range(N_RUNS):
        yield "sentences", "sentence-transformers, 2 processes", run, partial(peer, 2)
        yield "sentences", "float32", run, partial(ours, "float32")
        yield "sentences", "auto", run, partial(ours, "auto")


def main() -> None:
    parser = task_arguments(__doc__)
    parser.add_argument("--rows", type=float, default=1e7, help="most rows")
    options = parser.parse_args()
    run_tasks("encode_stream", tasks(options.rows), PACKAGES, options)


if __name__ == "__main__":
    main()
