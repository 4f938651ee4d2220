"""Compute a local model's answers to many prompts, in batches of similar lengths."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmtopics._language.generate import generate
from llmtopics._language.load import cache_name, load_model, load_tokenizer
from llmtopics._language.next_words import next_words
from llmtopics._language.prompts import Batch, batches_of, shared_prefix, to_tokens
from llmtopics._language.request import Request
from llmtopics._language.score import score
from llmtopics._language.workers import batch_tokens, in_workers, tokenizing

_LEAST_PROMPTS = 32  # per batch, when texts are generated
_ANSWERS: dict[str, Callable[..., list[Any]]] = {  # Request.kind -> batch to answers
    "generate": generate,
    "next_word_distribution": next_words,
    "score": score,
}


def answer(
    prompts: Sequence[str],
    request: Request,
    folder: Path,
    devices: list[str],
    dtype: str,
    batch_size: int | str,
    used: dict[str, float],
) -> Iterator[tuple[list[int], list[Any]]]:
    """Yield positions in ``prompts`` and their answers, in any order.

    Parameters
    ----------
    prompts : sequence of str
        None of them blank.
    request : Request
    folder : Path
        The model's files.
    devices : list of str
    dtype : str
    batch_size : int or "auto"
        Tokens per batch.
    used : dict
        Totals of tokens read and written, updated in place.
    """
    import torch

    tokenizer = load_tokenizer(folder)
    ids = to_tokens(prompts, request, folder)
    models = [
        load_model(folder, each, dtype, "AutoModelForCausalLM") for each in devices
    ]
    shared = shared_prefix(ids)
    answers_to = _ANSWERS[request.kind]

    @torch.inference_mode()
    def read_shared(model: Any) -> Any:
        if not shared:
            return None
        tokens = torch.tensor([shared], device=model.device)
        return getattr(model(input_ids=tokens, use_cache=True), cache_name(model))

    @torch.inference_mode()
    def work(rows: list[int], model: Any) -> tuple[list[int], list[Any]]:
        cache = copy.deepcopy(caches[id(model)])
        if cache:
            cache.batch_repeat_interleave(len(rows))
        batch = Batch([ids[i] for i in rows], shared, model)
        asked = [prompts[i] for i in rows]
        return rows, answers_to(batch, model, cache, request, tokenizer, asked)

    caches = {id(model): read_shared(model) for model in models}
    size = batch_tokens(batch_size, devices[0])
    batches = batches_of(ids, size, _LEAST_PROMPTS if request.kind == "generate" else 1)
    with _without_cudnn_attention():
        for rows, answers in in_workers(work, batches, models, -1):
            used["prompt_tokens"] += sum(len(ids[i]) for i in rows)
            if request.kind == "generate":
                with tokenizing():
                    written = tokenizer(
                        answers, add_special_tokens=False, verbose=False
                    )
                used["new_tokens"] += sum(map(len, written["input_ids"]))
            yield rows, answers


@contextmanager
def _without_cudnn_attention() -> Iterator[None]:
    """Let PyTorch choose among its other kinds of attention on a GPU.

    cuDNN makes a new plan for each length, and while text is generated each step has its own.
    """
    import torch

    before = torch.backends.cuda.cudnn_sdp_enabled()
    torch.backends.cuda.enable_cudnn_sdp(False)
    try:
        yield
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)
