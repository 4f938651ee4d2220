"""Generate texts with a local model."""

import re
from hashlib import blake2b
from typing import Any

import numpy as np

from llmtopics._language.load import cache_name
from llmtopics._language.prompts import Batch, frame_of
from llmtopics._language.request import Request

# the tag at the end of chat templates that begin the thinking themselves
_THINKING = re.compile(r"<think(?:ing)?>\s*\Z")


def generate(
    batch: Batch,
    model: Any,
    cache: Any,
    request: Request,
    tokenizer: Any,
    prompts: list[str],
) -> list[Any]:
    """Return the text that the model generates for each prompt, without stop strings."""
    import torch
    from transformers import GenerationConfig

    ends = model.generation_config.eos_token_id
    options: dict[str, Any] = {cache_name(model): cache} if cache else {}
    if request.stop:
        start = batch.tokens.shape[1]

        def stopped(tokens: Any, *_: Any, **__: Any) -> Any:
            texts = tokenizer.batch_decode(tokens[:, start:])
            ended = [any(stop in text for stop in request.stop) for text in texts]
            return torch.tensor(ended, device=tokens.device)

        options["stopping_criteria"] = [stopped]
    if request.temperature:
        options["logits_processor"] = [TokenSampler(request, prompts)]
    found = model.generate(
        batch.tokens,
        attention_mask=batch.mask,
        generation_config=GenerationConfig(
            max_new_tokens=request.max_new_tokens,
            do_sample=False,  # TokenSampler draws, with one random generator per row
            eos_token_id=tokenizer.eos_token_id if ends is None else ends,
            pad_token_id=tokenizer.eos_token_id,
        ),
        **options,
    )[:, batch.tokens.shape[1] :]
    texts = tokenizer.batch_decode(found, skip_special_tokens=True)
    for stop in request.stop:
        texts = [text.partition(stop)[0] for text in texts]
    # if the template began the thinking, its tag is put back: clean_answer looks for it
    begun = _THINKING.search(frame_of(request, tokenizer)[1])
    return [(begun[0] if begun else "") + text.strip() for text in texts]


class TokenSampler:
    """Sample the next token of each row, each row with its own random generator.

    The draws for a prompt depend on the prompt and the seed alone.
    """

    def __init__(self, request: Request, prompts: list[str]):
        self.request = request
        self.generators = [
            np.random.default_rng([request.seed, *blake2b(prompt.encode()).digest()])
            for prompt in prompts
        ]

    def __call__(self, tokens: Any, logits: Any) -> Any:
        import torch

        chances = (logits.float() / self.request.temperature).softmax(1)
        chances = chances.where(chances >= self._least(chances), 0)
        sums = chances.cumsum(1)
        uniform = torch.tensor([[each.random()] for each in self.generators]).to(sums)
        drawn = torch.searchsorted(sums, uniform * sums[:, -1:], right=True)
        drawn = drawn.clamp(max=sums.shape[1] - 1)
        return torch.full_like(sums, -torch.inf).scatter(1, drawn, 0.0)

    def _least(self, chances: Any) -> Any:
        """Return the smallest probability of a token that is kept, for each row (top_p)."""
        if self.request.top_p == 1:
            return 0
        # start with 64 tokens: sorting all tokens would take half of the time
        n, n_all = 64, chances.shape[1]
        while True:
            top = chances.topk(n).values
            sums = top.cumsum(1)
            if n == n_all or (sums[:, -1] >= self.request.top_p).all():
                n_kept = (sums < self.request.top_p).sum(1, keepdim=True)
                return top.gather(1, n_kept.clamp(max=n - 1))
            n = min(8 * n, n_all)
