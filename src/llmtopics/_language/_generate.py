"""Prompts → texts, next-word distributions, scores of given answers, by a local model.

Prompts are read in batches of like lengths, as texts are in ``_encode``; what all of them
begin with is read once. Batches are padded on the left, so that every prompt ends in the
last column.
"""

import copy
import logging
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from llmtopics._language._ask import Request, split_template
from llmtopics._language._models import (
    cache_name,
    load_config,
    load_model,
    load_tokenizer,
)
from llmtopics._language._workers import batch_tokens, in_workers, tokenizing

logger = logging.getLogger(__name__)

_SPACES = ("Ġ", "▁", " ")  # as tokenizers write the one in front of a word
_SHORT_PREFIX = 8  # tokens that are not worth a cache of their own
_NO_THINKING = {
    "enable_thinking": False,
    "thinking": False,
}  # as chat templates name it
_THINKING = re.compile(
    r"<think(?:ing)?>\s*\Z"
)  # at the end of those that begin it always
_N_WRITING = 32  # prompts, at least, that are written about at the same time


def answer(
    prompts: Sequence[str],
    request: Request,
    folder: Path,
    devices: list[str],
    dtype: str,
    batch_size: int | str,
    used: dict[str, float],
) -> Iterator[tuple[list[int], list[Any]]]:
    """Yield positions in ``prompts`` and their answers, in an order of our choice.

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
        Tokens in a batch.
    used : dict
        Tokens read and written are added to it.
    """
    import torch

    tokenizer = load_tokenizer(folder)
    ids = to_tokens(prompts, request, folder)
    models = [
        load_model(folder, each, dtype, "AutoModelForCausalLM") for each in devices
    ]
    shared = _shared(ids)
    ask = _KINDS[request.kind]

    @torch.inference_mode()
    def read_shared(model: Any) -> Any:
        if not shared:
            return None
        tokens = torch.tensor([shared], device=model.device)
        return getattr(model(input_ids=tokens, use_cache=True), cache_name(model))

    @torch.inference_mode()
    def work(rows: list[int], model: Any) -> tuple[list[int], list[Any]]:
        known = copy.deepcopy(caches[id(model)])
        if known:
            known.batch_repeat_interleave(len(rows))
        batch = _Batch([ids[i] for i in rows], shared, model)
        asked = [prompts[i] for i in rows]
        return rows, ask(batch, model, known, request, tokenizer, asked)

    caches = {id(model): read_shared(model) for model in models}
    size = batch_tokens(batch_size, devices[0])
    batches = _batches(ids, size, _N_WRITING if request.kind == "generate" else 1)
    for rows, answers in in_workers(work, batches, models, -1):
        used["prompt_tokens"] += sum(len(ids[i]) for i in rows)
        if request.kind == "generate":
            with tokenizing():
                written = tokenizer(answers, add_special_tokens=False, verbose=False)
            used["new_tokens"] += sum(map(len, written["input_ids"]))
        yield rows, answers


def to_tokens(
    prompts: Sequence[str], request: Request, folder: Path
) -> list[list[int]]:
    """Return the tokens of filled templates; too long texts are cut, templates never.

    Raises
    ------
    ValueError
        If the template leaves no room for a text.
    """
    tokenizer = load_tokenizer(folder)
    head, tail = _frame(request, tokenizer)
    special = not (request.chat and tokenizer.chat_template)  # the frame has its own
    names = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
    texts = []
    for text in prompts:
        for name in names:  # a text does not speak for the system, or end itself
            text = text.replace(name, " ")
        texts.append(text)
    limit = getattr(
        load_config(folder).get_text_config(), "max_position_embeddings", None
    )

    def tokens(some: list[str], special: bool, **options: Any) -> Any:
        with tokenizing():
            return tokenizer(
                some,
                add_special_tokens=special,
                return_attention_mask=False,
                verbose=False,
                **options,
            )

    room = (limit or 2**20) - len(tokens([head + tail], special)["input_ids"][0]) - 2
    room -= request.max_new_tokens
    if request.answers:
        room -= max(map(len, tokens(list(request.answers), False)["input_ids"]))
    if room < 1:
        raise ValueError(
            f"The template and what is to be written fill the {limit} tokens that the "
            f"model in {folder} can read: shorten the template or max_new_tokens."
        )
    keep = min(room, request.max_length or room)
    ends = tokens(texts, False, return_offsets_mapping=True)["offset_mapping"]
    n_cut = sum(len(end) > room for end in ends)
    if n_cut and request.max_length is None:
        logger.warning(
            "%d of %d texts are longer than the %d tokens that the model leaves for them "
            "and were cut there",
            n_cut,
            len(texts),
            room,
        )
    filled = [
        head + (text if len(end) <= keep else text[: end[keep - 1][1]]) + tail
        for text, end in zip(texts, ends, strict=True)
    ]
    return tokens(filled, special)["input_ids"]


def _frame(request: Request, tokenizer: Any) -> tuple[str, str]:
    """Return what comes before and after the text, a chat's marks included."""
    head, tail = split_template(request.template)
    if not (request.chat and tokenizer.chat_template):
        if request.system:
            head = f"{request.system}\n\n{head}"
        return head, tail
    mark = "\ue000"  # for private use: no template has it
    messages = [{"role": "user", "content": head + mark + tail}]
    if request.system is not None:
        messages.insert(0, {"role": "system", "content": request.system})
    whole = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False, **_NO_THINKING
    )
    before, _, after = whole.partition(mark)
    return before, after


def _shared(ids: list[list[int]]) -> list[int]:
    """Return what all prompts begin with, if that is worth reading apart."""
    first, last = min(ids), max(ids)
    same = [a == b for a, b in zip(first[:-1], last[:-1], strict=False)]
    n_shared = (*same, False).index(False) if len(ids) > 1 else 0
    return first[:n_shared] if n_shared >= _SHORT_PREFIX else []


def _batches(ids: list[list[int]], size: int, least: int) -> list[list[int]]:
    """Cut the prompts, longest first, into batches of so many tokens."""
    order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    batches, start = [], 0
    while start < len(order):
        n = max(least, size // len(ids[order[start]]))
        batches.append(order[start : start + n])
        start += n
    return batches


class _Batch:
    """Prompts as a model reads them: what they share, padding, the rest of each.

    Attributes
    ----------
    tokens, mask : int64 tensors of shape (n_prompts, n_tokens)
    positions : int64 tensor of shape (n_prompts, n_tokens)
        Where each token stands in its prompt, padding left out.
    """

    def __init__(self, ids: list[list[int]], shared: list[int], model: Any):
        import torch

        n_shared = len(shared)
        lengths = np.array([len(row) - n_shared for row in ids])
        longest = lengths.max()
        real = np.arange(longest) >= (longest - lengths)[:, None]
        real = np.hstack([np.ones((len(ids), n_shared), bool), real])
        tokens = np.zeros(real.shape, np.int64)  # padding is masked: any token will do
        tokens[real] = np.concatenate(ids)
        self.tokens = torch.from_numpy(tokens).to(model.device)
        self.mask = torch.from_numpy(real.astype(np.int64)).to(model.device)
        self.positions = (self.mask.cumsum(1) - 1).clamp(min=0)

    def read(self, model: Any, known: Any, use_cache: bool) -> tuple[Any, Any]:
        """Return float32 logits of the next token, and what the model then knows."""
        n_known = known.get_seq_length() if known else 0
        name = cache_name(model)
        found = model(
            input_ids=self.tokens[:, n_known:],
            attention_mask=self.mask,
            position_ids=self.positions[:, n_known:],
            use_cache=use_cache or known is not None,
            logits_to_keep=1,
            **{name: known},
        )
        return found.logits[:, -1].float(), getattr(found, name)


def _next_words(
    batch: _Batch, model: Any, known: Any, request: Request, tokenizer: Any, *_: Any
) -> list[Any]:
    """Return the likeliest tokens that begin a word, and their probabilities."""
    words = _beginnings(tokenizer, request)
    chances = batch.read(model, known, False)[0].softmax(1)
    chances, tokens = chances.topk(min(8 * request.n_words, chances.shape[1]))
    found = []
    for row, ids in zip(chances.cpu().numpy(), tokens.cpu().numpy(), strict=True):
        summed: dict[str, float] = {}
        for chance, token in zip(row, ids, strict=True):
            if word := words[token]:
                summed[word] = summed.get(word, 0.0) + float(chance)
                if len(summed) == request.n_words:
                    break
        found.append([list(summed), [float(f"{p:.4g}") for p in summed.values()]])
    return found


def _beginnings(tokenizer: Any, request: Request) -> list[str]:
    """Return the word that each token begins after the prompts, "" if it begins none."""
    _, tail = _frame(request, tokenizer)
    return _words_of(tokenizer, tail[-1:].isspace())


@lru_cache(maxsize=8)
def _words_of(tokenizer: Any, after_space: bool) -> list[str]:
    """Return the words that tokens begin: those with a space, or all after one."""
    special = set(tokenizer.all_special_ids)
    words = []
    for token, piece in enumerate(
        tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    ):
        word = tokenizer.decode([token], clean_up_tokenization_spaces=False).strip()
        begins = (after_space or piece[:1] in _SPACES) and token not in special
        words.append(word if begins and word[:1].isalnum() else "")
    return words


def going_on(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Return the tokens of texts that follow another, as they would be in one with it."""
    before = ["a" if text[:1].isspace() else "\n" for text in texts]
    both = [f"{one}{text}" for one, text in zip(before, texts, strict=True)]
    with tokenizing():
        known = tokenizer(["a", "\n"], add_special_tokens=False)["input_ids"]
        ids = tokenizer(both, add_special_tokens=False)["input_ids"]
    lengths = dict(zip(["a", "\n"], map(len, known), strict=True))
    return [row[lengths[one] :] for row, one in zip(ids, before, strict=True)]


def _score(
    batch: _Batch, model: Any, known: Any, request: Request, tokenizer: Any, *_: Any
) -> list[Any]:
    """Return the log-probability of each answer, one of the prompts' cache for all."""
    import torch

    answers = going_on(tokenizer, list(request.answers))
    logits, known = batch.read(model, known, max(map(len, answers)) > 1)
    firsts = logits.log_softmax(1)
    n_prompts = len(batch.tokens)
    scores = []
    for answer in answers:
        score = firsts[:, answer[0]].clone()
        if len(answer) > 1:
            rest = torch.tensor(answer, device=model.device).expand(n_prompts, -1)
            steps = torch.arange(1, len(answer), device=model.device)
            logits = model(
                input_ids=rest[:, :-1],
                attention_mask=torch.cat([batch.mask, torch.ones_like(rest[:, 1:])], 1),
                position_ids=batch.positions[:, -1:] + steps,
                use_cache=True,
                **{cache_name(model): known},
            ).logits.float()
            score += logits.log_softmax(2).gather(2, rest[:, 1:, None]).sum((1, 2))
            known.crop(1 - len(answer))  # negative: what goes
        scores.append(score)
    return torch.stack(scores, 1).cpu().tolist()


def _write(
    batch: _Batch,
    model: Any,
    known: Any,
    request: Request,
    tokenizer: Any,
    prompts: list[str],
) -> list[Any]:
    """Return what the model writes, cut where it was told to stop."""
    import torch
    from transformers import GenerationConfig

    ends = model.generation_config.eos_token_id
    options: dict[str, Any] = {cache_name(model): known} if known else {}
    if request.stop:
        start = batch.tokens.shape[1]

        def stopped(tokens: Any, *_: Any, **__: Any) -> Any:
            texts = tokenizer.batch_decode(tokens[:, start:])
            ended = [any(stop in text for stop in request.stop) for text in texts]
            return torch.tensor(ended, device=tokens.device)

        options["stopping_criteria"] = [stopped]
    if request.temperature:
        options["logits_processor"] = [_Dice(request, prompts)]
    found = model.generate(
        batch.tokens,
        attention_mask=batch.mask,
        generation_config=GenerationConfig(
            max_new_tokens=request.max_new_tokens,
            do_sample=False,  # dice are thrown on the logits, for each row its own
            eos_token_id=tokenizer.eos_token_id if ends is None else ends,
            pad_token_id=tokenizer.eos_token_id,
        ),
        **options,
    )[:, batch.tokens.shape[1] :]
    texts = tokenizer.batch_decode(found, skip_special_tokens=True)
    for stop in request.stop:
        texts = [text.partition(stop)[0] for text in texts]
    # a template may have begun the thinking, which readers tell by its beginning
    begun = _THINKING.search(_frame(request, tokenizer)[1])
    return [(begun[0] if begun else "") + text.strip() for text in texts]


class _Dice:
    """Draws the next token of each row, each row with its own dice.

    What is drawn for a prompt depends on the prompt and the seed alone.
    """

    def __init__(self, request: Request, prompts: list[str]):
        self.request = request
        self.dice = [
            np.random.default_rng([request.seed, *blake2b(prompt.encode()).digest()])
            for prompt in prompts
        ]

    def __call__(self, tokens: Any, logits: Any) -> Any:
        import torch

        chances = (logits.float() / self.request.temperature).softmax(1)
        chances = chances.where(chances >= self._least(chances), 0)
        sums = chances.cumsum(1)
        thrown = torch.tensor([[dice.random()] for dice in self.dice]).to(sums)
        drawn = torch.searchsorted(sums, thrown * sums[:, -1:], right=True)
        drawn = drawn.clamp(max=sums.shape[1] - 1)
        return torch.full_like(sums, -torch.inf).scatter(1, drawn, 0.0)

    def _least(self, chances: Any) -> Any:
        """Return the chance below which each row's tokens are left out (top_p)."""
        if self.request.top_p == 1:
            return 0
        n, n_all = 64, chances.shape[1]  # sorting all tokens would take half the time
        while True:
            top = chances.topk(n).values
            sums = top.cumsum(1)
            if n == n_all or (sums[:, -1] >= self.request.top_p).all():
                n_kept = (sums < self.request.top_p).sum(1, keepdim=True)
                return top.gather(1, n_kept.clamp(max=n - 1))
            n = min(8 * n, n_all)


_KINDS = {
    "generate": _write,
    "next_word_distribution": _next_words,
    "score": _score,
}
