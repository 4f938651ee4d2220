"""Prepare prompts for a local model: fill templates, tokenize, make padded batches.

If all prompts of a call begin with the same tokens, these are computed once. Batches are
padded on the left, so that every prompt ends in the last column.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llmtopics._language.load import cache_name, load_config, load_tokenizer
from llmtopics._language.request import (
    Request,
    most_characters,
    split_template,
    without_gaps,
)
from llmtopics._language.workers import tokenizing

logger = logging.getLogger(__name__)

_SHORT_PREFIX = 8  # a shared prefix of fewer tokens is not computed separately
_NO_THINKING = {"enable_thinking": False, "thinking": False}  # used by chat templates


def to_tokens(
    prompts: Sequence[str], request: Request, folder: Path
) -> list[list[int]]:
    """Return the tokens of filled templates. Long texts are cut, templates never.

    Raises
    ------
    ValueError
        If the template leaves no tokens for a text.
    """
    tokenizer = load_tokenizer(folder)
    head, tail = frame_of(request, tokenizer)
    special = not (request.chat and tokenizer.chat_template)  # chat templates have them
    n_free = _tokens_left(head + tail, special, request, folder)
    keep = min(n_free, request.max_length or n_free)
    names = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
    texts, most = [], most_characters(keep)
    for text in prompts:
        text = without_gaps(text, most)[:most]
        for name in names:  # so that a text cannot end its turn or speak as the system
            text = text.replace(name, " ")
        texts.append(text)

    ends = _tokens(tokenizer, texts, False, return_offsets_mapping=True)
    ends = ends["offset_mapping"]
    n_cut = sum(len(end) > n_free for end in ends)
    if n_cut and request.max_length is None:
        logger.warning(
            "%d of %d texts were cut to %d tokens, because the model cannot read more "
            "(max_length)",
            n_cut,
            len(texts),
            n_free,
        )
    filled = [
        head + (text if len(end) <= keep else text[: end[keep - 1][1]]) + tail
        for text, end in zip(texts, ends, strict=True)
    ]
    return _tokens(tokenizer, filled, special)["input_ids"]


def _tokens(tokenizer: Any, texts: list[str], special: bool, **options: Any) -> Any:
    with tokenizing():
        return tokenizer(
            texts,
            add_special_tokens=special,
            return_attention_mask=False,
            verbose=False,
            **options,
        )


def _tokens_left(frame: str, special: bool, request: Request, folder: Path) -> int:
    """Return how many tokens of the model's context are left for a text."""
    tokenizer = load_tokenizer(folder)
    config = load_config(folder).get_text_config()
    limit = getattr(config, "max_position_embeddings", None)
    n_frame = len(_tokens(tokenizer, [frame], special)["input_ids"][0])
    n_free = (limit or 2**20) - n_frame - 2 - request.max_new_tokens
    if request.answers:
        answers = _tokens(tokenizer, list(request.answers), False)["input_ids"]
        n_free -= max(map(len, answers))
    if n_free < 1:
        raise ValueError(
            f"The template and the tokens to write fill the {limit} tokens that the model "
            f"in {folder} can read. Shorten the template or lower max_new_tokens."
        )
    return n_free


def frame_of(request: Request, tokenizer: Any) -> tuple[str, str]:
    """Return what comes before and after the text, with the marks of a chat template."""
    head, tail = split_template(request.template)
    if not (request.chat and tokenizer.chat_template):
        if request.system:
            head = f"{request.system}\n\n{head}"
        return head, tail
    mark = "\ue000"  # a private-use character, which no template has
    messages = [{"role": "user", "content": head + mark + tail}]
    if request.system is not None:
        messages.insert(0, {"role": "system", "content": request.system})
    whole = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False, **_NO_THINKING
    )
    before, _, after = whole.partition(mark)
    return before, after


def request_prefix(request: Request, folder: Path) -> list[int]:
    """Return the tokens that a prompt begins with before its text, [] if they are few.

    They do not depend on the prompts. A tokenizer may join the end of the template and the
    beginning of a text: a prompt where it does begins with other tokens.
    """
    tokenizer = load_tokenizer(folder)
    head, _ = frame_of(request, tokenizer)
    special = not (request.chat and tokenizer.chat_template)
    both = [head + text for text in ("a", "\n", "1")]
    return shared_prefix(_tokens(tokenizer, both, special)["input_ids"])


def shared_prefix(ids: list[list[int]]) -> list[int]:
    """Return the tokens that all prompts begin with, [] if they are few."""
    first, last = min(ids), max(ids)
    same = [a == b for a, b in zip(first[:-1], last[:-1], strict=False)]
    n_shared = (*same, False).index(False) if len(ids) > 1 else 0
    return first[:n_shared] if n_shared >= _SHORT_PREFIX else []


class Block(NamedTuple):
    """Prompts that are computed together.

    rows : positions of the prompts
    shared : tokens that they begin with and that are computed before
    n_rows, n_tokens : shape of the batch; prompts and tokens that are missing are padding
    """

    rows: list[int]
    shared: list[int]
    n_rows: int
    n_tokens: int


def batches_of(
    ids: list[list[int]], shared: list[int], size: int, least: int
) -> list[Block]:
    """Divide the prompts, longest first, into batches of ``size`` tokens.

    Each batch except the last has at least ``least`` prompts.
    """
    order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    batches, start = [], 0
    while start < len(order):
        longest = len(ids[order[start]])
        n = max(least, size // longest)
        rows = order[start : start + n]
        batches.append(Block(rows, shared, len(rows), longest))
        start += n
    return batches


def invariant_batches_of(
    ids: list[list[int]], shared: list[int], size: int, least: int
) -> list[Block]:
    """Divide the prompts into batches whose shape depends on a prompt's own length alone."""
    groups: dict[tuple[bool, int], list[int]] = {}
    for i, row in enumerate(ids):
        step = max(8, 2 ** (len(row).bit_length() - 4))  # at most an eighth is padding
        n_tokens = -(-len(row) // step) * step
        begins = row[: len(shared)] == shared and len(row) > len(shared)
        groups.setdefault((begins, n_tokens), []).append(i)
    batches = []
    for (begins, n_tokens), rows in sorted(groups.items(), reverse=True):
        n = max(least, size // n_tokens)
        for start in range(0, len(rows), n):
            some = rows[start : start + n]
            batches.append(Block(some, shared if begins else [], n, n_tokens))
    return batches


class Batch:
    """A padded batch. A row is the shared tokens, padding, and the rest of a prompt.

    Attributes
    ----------
    tokens, mask : int64 tensors of shape (n_prompts, n_tokens)
    positions : int64 tensor of shape (n_prompts, n_tokens)
        Position of each token in its prompt, without padding.
    """

    def __init__(self, ids: list[list[int]], block: Block, model: Any):
        import torch

        n_shared = len(block.shared)
        lengths = np.array([len(row) - n_shared for row in ids])
        longest = block.n_tokens - n_shared
        real = np.arange(longest) >= (longest - lengths)[:, None]
        real = np.hstack([np.ones((len(ids), n_shared), bool), real])
        tokens = np.zeros(real.shape, np.int64)  # padding is masked: any token will do
        tokens[real] = np.concatenate(ids)
        self.tokens = torch.from_numpy(tokens).to(model.device)
        self.mask = torch.from_numpy(real.astype(np.int64)).to(model.device)
        self.positions = (self.mask.cumsum(1) - 1).clamp(min=0)

    def read(self, model: Any, cache: Any, use_cache: bool) -> tuple[Any, Any]:
        """Return float32 logits of the next token, and the key-value cache after it."""
        n_cached = cache.get_seq_length() if cache else 0
        name = cache_name(model)
        found = model(
            input_ids=self.tokens[:, n_cached:],
            attention_mask=self.mask,
            position_ids=self.positions[:, n_cached:],
            use_cache=use_cache or cache is not None,
            logits_to_keep=1,
            **{name: cache},
        )
        return found.logits[:, -1].float(), getattr(found, name)


def tokens_after_text(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Return the tokens of texts that follow another text."""
    before = ["a" if text[:1].isspace() else "\n" for text in texts]
    both = [f"{one}{text}" for one, text in zip(before, texts, strict=True)]
    with tokenizing():
        known = tokenizer(["a", "\n"], add_special_tokens=False)["input_ids"]
        ids = tokenizer(both, add_special_tokens=False)["input_ids"]
    lengths = dict(zip(["a", "\n"], map(len, known), strict=True))
    return [row[lengths[one] :] for row, one in zip(ids, before, strict=True)]
