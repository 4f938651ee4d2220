"""Texts → pooled vectors, in length-sorted batches that stay in the processor's cache.

Batches of like lengths waste nothing on padding, and some 512 tokens of activations stay in
the cache of a core, where batches of several thousand do not. Cores work on batches of their
own, which beats sharing the small matrix products of one batch among them.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llmtopics._language._models import (
    devices_of,
    dtype_on,
    fingerprint,
    load_config,
    load_model,
    load_tokenizer,
)
from llmtopics._language._workers import batch_tokens, in_workers, tokenizing

POOLINGS = ("mean", "cls", "last")
_MODES = {"mean": "mean", "cls": "cls", "lasttoken": "last"}  # sentence-transformers'
_BLOCK = 2**14  # characters that a worker takes at a time


class Encoding(NamedTuple):
    """All that decides the numbers: two equal ones give a text the same vector."""

    folder: Path
    pooling: str
    normalize: bool
    max_length: int
    long_texts: str
    dtype: str
    prompt: str

    def describe(self) -> str:
        """Return a text that is the same only for the same weights and parameters."""
        return json.dumps([fingerprint(self.folder), *self[1:]])


def resolve(
    folder: Path,
    pooling: str,
    normalize: bool,
    max_length: int | None,
    long_texts: str,
    device: str,
    dtype: str,
    prompt: str,
) -> Encoding:
    """Fill in what the model's own files and the device decide.

    Raises
    ------
    ValueError
        If ``max_length`` is more than the model can read.
    """
    read = _settings(folder)
    limits = [
        _of_text(read["config.json"]).get("max_position_embeddings"),
        read["tokenizer_config.json"].get("model_max_length"),
    ]
    # models without a limit name none, or an astronomical one
    limit = min((int(n) for n in limits if n and n < 10**9), default=None)
    if max_length is None:
        own = read["sentence_bert_config.json"].get("max_seq_length")
        max_length = min(n for n in (own, limit, 512) if n) if own else limit or 512
    elif limit is not None and max_length > limit:
        raise ValueError(
            f"max_length={max_length} is more than the {limit} tokens that the model in "
            f"{folder} can read."
        )
    if pooling == "auto":
        pooling = _own_pooling(folder, read)
    dtype = dtype_on(devices_of(device)[0], dtype)
    return Encoding(folder, pooling, normalize, max_length, long_texts, dtype, prompt)


def _settings(folder: Path) -> dict[str, dict[str, Any]]:
    names = [
        "config.json",
        "tokenizer_config.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ]
    return {
        name: json.loads((folder / name).read_text("utf-8"))
        if (folder / name).exists()
        else {}
        for name in names
    }


def _of_text(config: dict[str, Any]) -> dict[str, Any]:
    return config.get("text_config", config)


def _own_pooling(folder: Path, read: dict[str, dict[str, Any]]) -> str:
    """Return the pooling that the model was trained with, or the usual one of its kind.

    Raises
    ------
    ValueError
        If the model's files ask for more than a pooling that is known here.
    """
    modules = folder / "modules.json"
    listed = json.loads(modules.read_text("utf-8")) if modules.exists() else []
    kinds = [module["type"].rpartition(".")[2] for module in listed]
    own = read["1_Pooling/config.json"]
    named = own.get("pooling_mode", [])
    flags = [
        name for name, on in own.items() if name.startswith("pooling_") and on is True
    ]
    modes = {named} if isinstance(named, str) else {*named}
    for flag in flags:  # as older releases write them
        modes.add(flag.removeprefix("pooling_mode_").removesuffix("_tokens"))
    modes = {mode.removesuffix("_token") for mode in modes}
    if not {*kinds} <= {"Transformer", "Pooling", "Normalize"} or not (
        len(modes) < 2 and modes <= {*_MODES}
    ):
        raise ValueError(
            f"The files of the model in {folder} ask for "
            f"{', '.join([*kinds, *sorted(modes)])}, which is more than is known here. "
            "pooling='mean', 'cls' or 'last' uses the model without."
        )
    if modes:
        return _MODES[modes.pop()]
    architectures = " ".join(read["config.json"].get("architectures") or [])
    return "last" if "CausalLM" in architectures else "mean"


def n_dimensions(folder: Path) -> int:
    """Return the length of the vectors of a folder's model, E."""
    return load_config(folder).get_text_config().hidden_size


def encode(
    texts: Sequence[str],
    encoding: Encoding,
    device: str,
    n_tokens: int | str,
    n_jobs: int | None,
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Yield positions in ``texts`` and their vectors, in an order of our choice.

    Parameters
    ----------
    texts : sequence of str
        None of them blank.
    encoding : Encoding
    device : str
    n_tokens : int or "auto"
        Tokens in a batch; "auto" leaves it to the device.
    n_jobs : int or None
        Batches worked on at the same time; -1 for as many as there are GPUs, or threads
        that PyTorch may use.

    Yields
    ------
    positions : ndarray of shape (n,)
    vectors : ndarray of shape (n, E), float32
    n_long : int
        How many of these texts are longer than ``max_length``.
    """
    devices = devices_of(device)
    size = batch_tokens(n_tokens, devices[0])
    models = [
        load_model(encoding.folder, each, encoding.dtype, "AutoModel")
        for each in devices
    ]
    tokenizer = load_tokenizer(encoding.folder)

    def work(block: np.ndarray, model: Any) -> tuple[np.ndarray, np.ndarray, int]:
        chosen = [encoding.prompt + texts[i] for i in block]
        return block, *_encode_block(chosen, tokenizer, model, encoding, size)

    blocks = _blocks(texts, encoding.max_length)
    yield from in_workers(work, blocks, models, n_jobs)


def _blocks(texts: Sequence[str], max_length: int) -> list[np.ndarray]:
    """Cut the texts, longest first, into pieces of about equal work."""
    lengths = np.array([len(text) for text in texts])
    order = np.argsort(-lengths, kind="stable")
    work = np.cumsum(np.minimum(lengths[order], 8 * max_length) + 8)
    return np.split(order, np.flatnonzero(np.diff(work // _BLOCK)) + 1)


def _encode_block(
    texts: list[str], tokenizer: Any, model: Any, encoding: Encoding, n_tokens: int
) -> tuple[np.ndarray, int]:
    """Return the vectors of a few texts, and how many of them were too long."""
    import torch

    chunks, owners = _chunks(texts, tokenizer, encoding.max_length)
    first = np.diff(owners, prepend=-1) > 0
    n_long = len(np.unique(owners[~first]))
    if encoding.long_texts == "truncate":
        chunks = [
            chunk for chunk, is_first in zip(chunks, first, strict=True) if is_first
        ]
        owners = owners[first]
    lengths = np.array([len(chunk) for chunk in chunks])
    order = np.argsort(-lengths, kind="stable")
    parts = []
    with torch.inference_mode():
        start = 0
        while start < len(order):
            rows = order[start : start + max(1, n_tokens // lengths[order[start]])]
            parts.append(_pooled([chunks[i] for i in rows], model, encoding.pooling))
            start += len(rows)
        vectors = torch.cat(parts)
        # a text's pieces count by their lengths
        weights = torch.from_numpy(lengths[order].astype(np.float32))[:, None]
        total = torch.zeros(len(texts), vectors.shape[1])
        total.index_add_(0, torch.from_numpy(owners[order]), vectors * weights)
        if encoding.normalize:
            total = torch.nn.functional.normalize(total, dim=1)
        else:
            total /= torch.from_numpy(np.bincount(owners, lengths))[:, None]
    return total.numpy(), n_long


def _chunks(
    texts: list[str], tokenizer: Any, max_length: int
) -> tuple[list[list[int]], np.ndarray]:
    """Return pieces of at most ``max_length`` tokens, and the text each is a part of."""
    readable = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
    with tokenizing():
        found = tokenizer(
            readable,
            truncation=True,
            max_length=max_length,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
    return found["input_ids"], np.asarray(found["overflow_to_sample_mapping"], np.int64)


def _pooled(chunks: list[list[int]], model: Any, pooling: str) -> Any:
    """Return one float32 vector for each of a few lists of tokens, longest first."""
    import torch

    lengths = np.array([len(chunk) for chunk in chunks])
    real = np.arange(lengths[0]) < lengths[:, None]
    ids = np.zeros(real.shape, np.int64)  # padding is masked, so any token will do
    ids[real] = np.concatenate(chunks)
    device = model.device
    mask = torch.from_numpy(real).to(device)
    states = model(
        input_ids=torch.from_numpy(ids).to(device),
        # without one the model takes a faster way
        attention_mask=None if real.all() else mask.long(),
    ).last_hidden_state
    if pooling == "mean":
        vectors = (states * mask[:, :, None]).sum(1, dtype=torch.float32)
        vectors /= torch.from_numpy(lengths).to(device)[:, None]
    elif pooling == "cls":
        vectors = states[:, 0]
    else:
        vectors = states[range(len(chunks)), lengths - 1]
    return vectors.float().cpu()
