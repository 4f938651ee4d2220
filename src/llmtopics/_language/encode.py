"""Encode texts as pooled vectors with PyTorch.

A batch has texts of similar lengths, so there is little padding. The activations of about 512
tokens fit in the cache of a core. Those of several thousand do not. Each core computes its own
batches: this is faster than to divide the small matrix products of one batch among the cores.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmtopics._language.devices import devices_of
from llmtopics._language.encode_settings import EncodeSettings
from llmtopics._language.load import load_config, load_model, load_tokenizer
from llmtopics._language.request import (
    most_characters,
    without_gaps,
    without_surrogates,
)
from llmtopics._language.workers import batch_tokens, in_workers, tokenizing

_CPU_BLOCK, _GPU_BLOCK = 2**14, 2**20  # characters that a worker takes at a time
_PER_GPU = 2  # workers: one prepares tokens while the GPU encodes those of the other


def n_dimensions(folder: Path) -> int:
    """Return the length of the vectors of a folder's model, E."""
    return load_config(folder).get_text_config().hidden_size


def encode(
    texts: Sequence[str],
    encoding: EncodeSettings,
    device: str | Sequence[str],
    n_tokens: int | str,
    n_jobs: int | None,
    load: Callable[[Path, str, str, str], Any] = load_model,
) -> Iterator[tuple[np.ndarray, np.ndarray, int, int]]:
    """Yield positions in ``texts`` and their vectors, in any order.

    Parameters
    ----------
    texts : sequence of str
        None of them blank.
    encoding : EncodeSettings
    device : str or sequence of str
    n_tokens : int or "auto"
        Tokens per batch. "auto" depends on the device.
    n_jobs : int or None
        Blocks of texts computed at the same time. -1 is two per GPU, or one per thread that
        PyTorch may use.
    load : callable
        Loads the model, as ``load_model`` does.

    Yields
    ------
    positions : ndarray of shape (n,)
    vectors : ndarray of shape (n, E), float32
    n_long : int
        How many of these texts are longer than ``max_length``.
    n_unknown : int
        In how many of these texts most tokens are unknown to the tokenizer.
    """
    devices = devices_of(device)
    size = batch_tokens(n_tokens, devices[0])
    models = [
        load(encoding.folder, each, encoding.dtype, "AutoModel") for each in devices
    ]
    tokenizer = load_tokenizer(encoding.folder)
    n_skipped = _n_skipped(tokenizer, encoding)

    def work(block: np.ndarray, model: Any) -> tuple[np.ndarray, np.ndarray, int, int]:
        chosen = [encoding.prompt + texts[i] for i in block]
        if encoding.lowercase:
            chosen = [text.lower() for text in chosen]
        return block, *_encode_block(
            chosen, tokenizer, model, encoding, size, n_skipped
        )

    size_of_block = _CPU_BLOCK if models[0].device.type == "cpu" else _GPU_BLOCK
    blocks = _blocks(texts, encoding.max_length, size_of_block)
    yield from in_workers(work, blocks, models, n_jobs, _PER_GPU)


def _n_skipped(tokenizer: Any, encoding: EncodeSettings) -> int:
    """Return how many tokens at the start of each text are not pooled.

    Raises
    ------
    ValueError
        If the prompt leaves no room for a text.
    """
    if encoding.pool_prompt or not encoding.prompt:
        return 0
    prompt = encoding.prompt.lower() if encoding.lowercase else encoding.prompt
    with tokenizing():
        tokens = tokenizer(prompt, truncation=False, verbose=False)["input_ids"]
    # an end token comes after the text, so it is not part of the prompt
    n = len(tokens) - (tokens[-1] in tokenizer.all_special_ids)
    if n + 1 >= encoding.max_length:
        raise ValueError(
            f"The prompt has {n} tokens, which leaves no room for a text in "
            f"max_length={encoding.max_length}. Use a shorter prompt."
        )
    return n


def _blocks(texts: Sequence[str], max_length: int, size: int) -> list[np.ndarray]:
    """Divide the texts, longest first, into blocks of about ``size`` characters."""
    lengths = np.array([len(text) for text in texts])
    order = np.argsort(-lengths, kind="stable")
    work = np.cumsum(np.minimum(lengths[order], 8 * max_length) + 8)
    return np.split(order, np.flatnonzero(np.diff(work // size)) + 1)


def _encode_block(
    texts: list[str],
    tokenizer: Any,
    model: Any,
    encoding: EncodeSettings,
    n_tokens: int,
    n_skipped: int,
) -> tuple[np.ndarray, int, int]:
    """Return the vectors of a few texts, and how many were too long or mostly unknown."""
    import torch

    with tokenizing(in_parallel=model.device.type != "cpu"):
        chunks, owners, n_long = _chunks(texts, tokenizer, encoding)
    first = np.diff(owners, prepend=-1) > 0
    firsts = [chunk for chunk, is_first in zip(chunks, first, strict=True) if is_first]
    n_unknown = sum(_mostly_unknown(chunk, tokenizer) for chunk in firsts)
    lengths = np.array([len(chunk) for chunk in chunks])
    # only the first piece of a text has the prompt
    skipped = np.where(first, np.minimum(n_skipped, lengths - 1), 0)
    order = np.argsort(-lengths, kind="stable")
    parts = []
    with torch.inference_mode():
        start = 0
        while start < len(order):
            rows = order[start : start + max(1, n_tokens // lengths[order[start]])]
            parts.append(
                _pooled(
                    [chunks[i] for i in rows], skipped[rows], model, encoding.pooling
                )
            )
            start += len(rows)
        vectors = torch.cat(parts)
        # each piece of a text is weighted by its number of pooled tokens
        counted = lengths - skipped
        weights = torch.from_numpy(counted[order].astype(np.float32))[:, None]
        total = torch.zeros(len(texts), vectors.shape[1])
        total.index_add_(0, torch.from_numpy(owners[order]), vectors * weights)
        if encoding.normalize:
            total = torch.nn.functional.normalize(total, dim=1)
        else:
            total /= torch.from_numpy(np.bincount(owners, counted))[:, None]
    return total.numpy(), n_long, n_unknown


def _mostly_unknown(tokens: list[int], tokenizer: Any) -> bool:
    """Return whether most tokens stand for something that the tokenizer does not know."""
    n_unknown = tokens.count(tokenizer.unk_token_id)
    if not n_unknown:
        return False
    marks = tokenizer.all_special_ids  # those around a text, and the unknown token
    return n_unknown > sum(token not in marks for token in tokens)


def _chunks(
    texts: list[str], tokenizer: Any, encoding: EncodeSettings
) -> tuple[list[list[int]], np.ndarray, int]:
    """Return pieces of at most ``max_length`` tokens, the row of each, and how many are long.

    Long are texts of several pieces. If texts are truncated, only their first is returned.
    """
    in_pieces = encoding.long_texts == "mean"
    size = most_characters(encoding.max_length)
    texts = [without_gaps(text, size) for text in texts]
    long = {row for row, text in enumerate(texts) if len(text) > size}
    chunks: list[list[int]] = []
    owners: list[int] = []
    for portion in _portions(texts, size, in_pieces):
        found = tokenizer(
            [without_surrogates(part) for _, part in portion],
            truncation=True,
            max_length=encoding.max_length,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        parts = found["overflow_to_sample_mapping"]
        for i, chunk in zip(parts, found["input_ids"], strict=True):
            row = portion[i][0]
            if row in owners[-1:]:
                long.add(row)
                if not in_pieces:
                    continue
            chunks.append(chunk)
            owners.append(row)
    return chunks, np.asarray(owners, np.int64), len(long)


def _portions(
    texts: list[str], size: int, in_pieces: bool
) -> Iterator[list[tuple[int, str]]]:
    """Yield rows and parts of texts, of about ``size`` characters at a time.

    A tokenizer takes much memory per character. A longer text is divided at blanks if it is
    encoded in pieces, else it is cut.
    """
    portion: list[tuple[int, str]] = []
    n = 0
    for row, text in enumerate(texts):
        for part in _parts(text, size) if in_pieces else [text[:size]]:
            if portion and n + len(part) > size:
                yield portion
                portion, n = [], 0
            portion.append((row, part))
            n += len(part)
    yield portion


def _parts(text: str, size: int) -> Iterator[str]:
    """Yield a text in parts of at most ``size`` characters, from blank to blank."""
    start = 0
    while len(text) - start > size:
        blank = text.rfind(" ", start + size // 2, start + size)
        end = start + size if blank < 0 else blank
        yield text[start:end]
        start = end
    yield text[start:]


def _pooled(
    chunks: list[list[int]], skipped: np.ndarray, model: Any, pooling: str
) -> Any:
    """Return one float32 vector per list of tokens. The longest list comes first.

    ``skipped`` is how many tokens at the start of each list are not pooled.
    """
    import torch

    lengths = np.array([len(chunk) for chunk in chunks])
    real = np.arange(lengths[0]) < lengths[:, None]
    ids = np.zeros(real.shape, np.int64)  # padding is masked, so any token will do
    ids[real] = np.concatenate(chunks)
    device = model.device
    mask = torch.from_numpy(real).to(device)
    states = model(
        input_ids=torch.from_numpy(ids).to(device),
        # without a mask the model computes faster
        attention_mask=None if real.all() else mask.long(),
    ).last_hidden_state
    if pooling == "mean":
        if skipped.any():
            mask = mask & torch.from_numpy(
                np.arange(lengths[0]) >= skipped[:, None]
            ).to(device)
        vectors = (states * mask[:, :, None]).sum(1, dtype=torch.float32)
        vectors /= torch.from_numpy(lengths - skipped).to(device)[:, None]
    elif pooling == "cls":
        vectors = states[range(len(chunks)), skipped]
    else:
        vectors = states[range(len(chunks)), lengths - 1]
    return vectors.float().cpu()
