"""Compute a local model's answers to many prompts, in batches of similar lengths."""

import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from llmtopics._language.generate import generate
from llmtopics._language.load import cache_name, load_model, load_tokenizer
from llmtopics._language.next_words import next_words
from llmtopics._language.prompts import (
    Batch,
    Block,
    batches_of,
    invariant_batches_of,
    request_prefix,
    shared_prefix,
    to_tokens,
)
from llmtopics._language.request import Request
from llmtopics._language.score import score
from llmtopics._language.workers import (
    batch_tokens,
    in_workers,
    tokenizing,
    without_cudnn_attention,
)

_FEW, _MANY = 8, 32  # prompts per batch, when texts are generated
_ANSWERS: dict[str, Callable[..., list[Any]]] = {  # Request.kind -> batch to answers
    "generate": generate,
    "next_word_distribution": next_words,
    "score": score,
}


def _least_prompts(n_prompts: int) -> int:
    """Return how many prompts a batch has at least, when texts are generated.

    Prompts of a batch share the reading of the weights, token by token. Each core computes its
    own batches, so there are two batches if each has prompts enough.
    """
    return min(max(-(-n_prompts // 2), _FEW), _MANY)


def _n_tokens(texts: list[str], tokenizer: Any) -> int:
    with tokenizing():
        found = tokenizer(texts, add_special_tokens=False, verbose=False)
    return sum(map(len, found["input_ids"]))


def answer(
    prompts: Sequence[str],
    request: Request,
    folder: Path,
    devices: list[str],
    dtype: str,
    batch_size: int | str,
    batch_invariant: bool,
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
    batch_invariant : bool
        Whether the shape of a prompt's batch depends on this prompt alone.
    used : dict
        Totals of tokens read and written, updated in place.
    """
    import torch

    tokenizer = load_tokenizer(folder)
    ids = to_tokens(prompts, request, folder)
    models = [
        load_model(folder, each, dtype, "AutoModelForCausalLM") for each in devices
    ]
    answers_to = _ANSWERS[request.kind]
    size = batch_tokens(batch_size, devices[0])
    writes = request.kind == "generate"
    if batch_invariant:
        shared = request_prefix(request, folder)
        blocks = invariant_batches_of(ids, shared, size, _MANY if writes else 1)
    else:
        shared = shared_prefix(ids)
        least = _least_prompts(len(ids)) if writes else 1
        blocks = batches_of(ids, shared, size, least)

    @torch.inference_mode()
    def read_shared(shared: list[int], model: Any) -> Any:
        if not shared:
            return None
        tokens = torch.tensor([shared], device=model.device)
        return getattr(model(input_ids=tokens, use_cache=True), cache_name(model))

    @torch.inference_mode()
    def work(block: Block, model: Any) -> tuple[list[int], list[Any]]:
        cache = copy.deepcopy(caches[id(model)]) if block.shared else None
        if cache:
            cache.batch_repeat_interleave(block.n_rows)
        rows = block.rows
        filled = rows + rows[:1] * (block.n_rows - len(rows))
        batch = Batch([ids[i] for i in filled], block, model)
        asked = [prompts[i] for i in filled]
        answers = answers_to(batch, model, cache, request, tokenizer, asked)
        return rows, answers[: len(rows)]

    # in workers, too: on a busy machine, threads that share one small product wait for each other
    read = in_workers(read_shared, [shared] * len(models), models, -1)
    caches = dict(zip(map(id, models), read, strict=True))
    with without_cudnn_attention():
        for rows, answers in in_workers(work, blocks, models, -1):
            used["prompt_tokens"] += sum(len(ids[i]) for i in rows)
            if request.kind == "generate":
                used["new_tokens"] += _n_tokens(answers, tokenizer)
            yield rows, answers
