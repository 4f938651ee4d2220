"""Compute the log-probabilities of given answers with a local model."""

from typing import Any

from llmtopics._language.load import cache_name
from llmtopics._language.prompts import Batch, tokens_after_text
from llmtopics._language.request import Request


def score(
    batch: Batch, model: Any, cache: Any, request: Request, tokenizer: Any, *_: Any
) -> list[Any]:
    """Return the log-probability of each answer. The prompts are computed only once."""
    import torch

    answers = tokens_after_text(tokenizer, list(request.answers))
    logits, cache = batch.read(model, cache, max(map(len, answers)) > 1)
    firsts = logits.log_softmax(1)
    n_prompts = len(batch.tokens)
    scores = []
    for answer in answers:
        total = firsts[:, answer[0]].clone()
        if len(answer) > 1:
            rest = torch.tensor(answer, device=model.device).expand(n_prompts, -1)
            steps = torch.arange(1, len(answer), device=model.device)
            logits = model(
                input_ids=rest[:, :-1],
                attention_mask=torch.cat([batch.mask, torch.ones_like(rest[:, 1:])], 1),
                position_ids=batch.positions[:, -1:] + steps,
                use_cache=True,
                **{cache_name(model): cache},
            ).logits.float()
            total += logits.log_softmax(2).gather(2, rest[:, 1:, None]).sum((1, 2))
            cache.crop(1 - len(answer))  # negative: the number removed
        scores.append(total)
    return torch.stack(scores, 1).cpu().tolist()
