"""What a GPU changes: tokens per second of the embedder, a local model and a tuning step.

Runs on a GPU, if PyTorch finds one, and on the CPU beside it. The embedder is MiniLM, or the folder
that the environment variable ``MINILM`` names. The language model has the shape of SmolLM2-135M
and random weights: its speed depends on the shape alone. Appends a JSON line per task and
setting to ``results/devices.jsonl``.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import numpy as np

from benchmarks.runs import run_tasks, task_arguments

PACKAGES = "llmtopics torch transformers peft accelerate numpy"
N_RUNS = 3
SMOLLM2 = {"hidden_size": 576, "n_layers": 30, "n_heads": 9, "vocab_size": 49152}
N_NEW, MAX_LENGTH = 32, 512
N_TEXTS = {"cuda": 2225, "cpu": 200}  # a CPU does less of the same work
N_PROMPTS = {"cuda": 512, "cpu": 16}
N_STEPS = {"cuda": 40, "cpu": 6}
SETTINGS = {
    "embed": [("cuda", "auto"), ("cuda", "float32"), ("cpu", "auto")],
    "generate": [("cuda", "auto"), ("cpu", "auto")],
    "tune": [("cuda", "auto"), ("cpu", "auto")],
}


def median_seconds(work: Callable) -> float:
    """Return the median of a few runs, after one that loads weights and kernels."""
    work()
    seconds = []
    for _ in range(N_RUNS):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return float(np.median(seconds))


def embed(device: str, dtype: str) -> dict:
    """Measure the encoding of articles, of which 256 tokens each are read at most."""
    from llmtopics import TransformerEmbedder
    from llmtopics._language.files import find_files
    from llmtopics._language.load import load_tokenizer
    from llmtopics.datasets import load_bbc_news

    os.environ.pop("TOKENIZERS_PARALLELISM", None)  # as a user has it
    texts = load_bbc_news().data[: N_TEXTS[device]]
    model = os.environ.get("MINILM", "minilm")
    here = TransformerEmbedder(model, device=device, dtype=dtype, cache_dir=False)
    exact = TransformerEmbedder(model, device="cpu", dtype="float32", cache_dir=False)
    cosines = (here.transform(texts[:50]) * exact.transform(texts[:50])).sum(axis=1)
    seconds = median_seconds(lambda: here.transform(texts))
    read = load_tokenizer(find_files(model))(texts, truncation=True, max_length=256)
    return {
        "tokens": sum(map(len, read["input_ids"])),
        "seconds": seconds,
        "mean_cosine": float(cosines.mean()),
    }


def decoder(folder: str) -> str:
    """Return the path of a language model with random weights."""
    from llmtopics import LanguageModelTuner
    from llmtopics.datasets import load_bbc_news

    tuner = LanguageModelTuner(
        init="random",
        output_dir=folder,
        max_length=MAX_LENGTH,
        batch_size=1,
        max_steps=1,
        validation_fraction=0,
        **SMOLLM2,
    )
    return tuner.fit(load_bbc_news().data).model_path_


def generate(device: str, dtype: str) -> dict:
    """Measure new tokens of prompts that are the first 100 words of articles."""
    from llmtopics import LocalLLM
    from llmtopics.datasets import load_bbc_news

    texts = load_bbc_news().data[: N_PROMPTS[device]]
    prompts = [" ".join(text.split()[:100]) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        llm = LocalLLM(decoder(folder), device=device, dtype=dtype, cache_dir=False)
        seconds = median_seconds(lambda: llm.generate(prompts, max_new_tokens=N_NEW))
    return {"tokens": N_NEW * len(prompts), "seconds": seconds}


def tune(device: str, dtype: str) -> dict:
    """Measure the second half of a few training steps with LoRA."""
    from llmtopics import LanguageModelTuner
    from llmtopics.datasets import load_bbc_news

    with tempfile.TemporaryDirectory() as folder:
        tuner = LanguageModelTuner(
            decoder(f"{folder}/base"),
            output_dir=f"{folder}/tuned",
            max_length=MAX_LENGTH,
            batch_size=8,
            max_steps=N_STEPS[device],
            validation_fraction=0,
            device=device,
            dtype=dtype,
        )
        history = tuner.fit(load_bbc_news().data).history_
    half = len(history["step"]) // 2
    return {
        "tokens": float(history["tokens"][-1] - history["tokens"][half]),
        "seconds": float(history["seconds"][-1] - history["seconds"][half]),
        "steps": float(history["step"][-1] - history["step"][half]),
        "memory_mib": float(np.nanmax(history["memory_mib"])),
    }


def measured(work: Callable[[str, str], dict], device: str, dtype: str) -> dict:
    import torch

    found = work(device, dtype)
    if device == "cpu":
        return found | {"device": f"{os.cpu_count()} CPU cores"}
    peak = torch.cuda.max_memory_allocated() / 2**20
    return {"memory_mib": peak} | found | {"device": torch.cuda.get_device_name()}


def tasks() -> Iterator[tuple[str, str, int, partial]]:
    """Yield task, setting, seed and what measures it."""
    import torch

    for work in (embed, generate, tune):
        for device, dtype in SETTINGS[work.__name__]:
            if device == "cpu" or torch.cuda.is_available():
                yield (
                    work.__name__,
                    f"{device}, {dtype}",
                    0,
                    partial(measured, work, device, dtype),
                )


if __name__ == "__main__":
    run_tasks("devices", tasks(), PACKAGES, task_arguments(__doc__).parse_args())
