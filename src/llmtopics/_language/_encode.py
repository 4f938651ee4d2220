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
# what sentence-transformers writes into a model's folder
_MODES = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_MODULES = {"Transformer", "Pooling", "Normalize"}
_SENTENCE_FILES = [
    f"sentence_{kind}_config.json"
    for kind in [
        "bert",
        "roberta",
        "distilbert",
        "camembert",
        "albert",
        "xlm-roberta",
        "xlnet",
    ]
]
_NO_LIMIT = 10**9
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
    pool_prompt: bool  # whether the prompt's tokens are part of the pooling
    lowercase: bool

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
    prompt: str | None,
) -> Encoding:
    """Fill in what the model's own files and the device decide.

    Raises
    ------
    ValueError
        If ``max_length`` is more than the model can read, or the model's files ask for what
        is not known here.
    """
    config = _read(folder / "config.json")
    modules = _read(folder / "modules.json")
    sentences: dict[str, Any] = next(
        filter(None, (_read(folder / name) for name in _SENTENCE_FILES)), {}
    )
    places = [each["path"] for each in modules if _kind(each) == "Pooling"]
    pooled = _read(folder / (places or ["1_Pooling"])[0] / "config.json")
    own = sentences.get("max_seq_length") or 0
    stated = _limit(_read(folder / "tokenizer_config.json").get("model_max_length"))
    limit = min(
        _limit(config.get("text_config", config).get("max_position_embeddings")),
        max(stated, own),
    )
    if max_length is None:
        max_length = min(own or stated, limit)
        max_length = 512 if max_length == _NO_LIMIT else max_length
    elif max_length > limit:
        raise ValueError(
            f"max_length={max_length} is more than the {limit} tokens that the model in "
            f"{folder} can read."
        )
    if pooling == "auto":
        pooling = _own_pooling(folder, config, modules, sentences, pooled, bool(places))
    if prompt is None:
        prompt = _own_prompt(folder)
    return Encoding(
        folder,
        pooling,
        normalize,
        max_length,
        long_texts,
        dtype_on(devices_of(device)[0], dtype),
        prompt,
        pooled.get("include_prompt", True),
        sentences.get("do_lower_case", False),
    )


def _limit(stated: float | None) -> int:
    """Return a limit on tokens; models without one name none, -1 or an astronomical one."""
    return int(stated) if stated and 0 < stated < _NO_LIMIT else _NO_LIMIT


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def _kind(module: dict[str, Any]) -> str:
    """Return the name of a module's class, with its package if that is another."""
    package, _, name = module["type"].rpartition(".")
    return name if package.split(".")[0] == "sentence_transformers" else module["type"]


def _own_pooling(
    folder: Path,
    config: dict[str, Any],
    modules: list[dict[str, Any]],
    sentences: dict[str, Any],
    pooled: dict[str, Any],
    has_pooling: bool,
) -> str:
    """Return the pooling that the model was trained with, or the usual one of its kind.

    Raises
    ------
    ValueError
        If the model's files ask for more than a pooling that is known here.
    """
    asked = [kind for kind in map(_kind, modules) if kind not in _MODULES]
    family = _read(folder / "config_sentence_transformers.json").get("model_type")
    if family not in (None, "SentenceTransformer"):
        asked.append(family)
    task = sentences.get("transformer_task", "feature-extraction")
    if task != "feature-extraction":
        asked.append(task)
    named = pooled.get("pooling_mode", [])
    modes = {named} if isinstance(named, str) else {*named}
    for name, on in pooled.items():  # as older releases write them
        if name.startswith("pooling_") and on is True:
            modes.add(name.removeprefix("pooling_mode_").removesuffix("_tokens"))
    modes = {mode.removesuffix("_token") for mode in modes}
    if len(modes) > 1 or not modes <= {*_MODES}:
        asked += sorted(modes)
    if asked:
        raise ValueError(
            f"The files of the model in {folder} ask for {', '.join(asked)}, which is more "
            "than is known here. pooling='mean', 'cls' or 'last' uses the model without."
        )
    if modes:
        return _MODES[modes.pop()]
    causal = "CausalLM" in " ".join(config.get("architectures") or [])
    if causal and config.get("is_causal", True) and not has_pooling:
        return "last"
    return "mean"


def _own_prompt(folder: Path) -> str:
    """Return the prompt that the model's files put before each text by default.

    Raises
    ------
    ValueError
        If they name a prompt that they do not have.
    """
    own = _read(folder / "config_sentence_transformers.json")
    name = own.get("default_prompt_name")
    prompts = {None: "", "query": "", "document": "", **(own.get("prompts") or {})}
    if name not in prompts:
        raise ValueError(
            f"The files of the model in {folder} name {name!r} as their default prompt, and "
            "have no prompt of this name. Pass prompt='...', or prompt='' for none."
        )
    return prompts[name] or ""


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
    n_skipped = _n_skipped(tokenizer, encoding)

    def work(block: np.ndarray, model: Any) -> tuple[np.ndarray, np.ndarray, int]:
        chosen = [encoding.prompt + texts[i] for i in block]
        if encoding.lowercase:
            chosen = [text.lower() for text in chosen]
        return block, *_encode_block(
            chosen, tokenizer, model, encoding, size, n_skipped
        )

    blocks = _blocks(texts, encoding.max_length)
    yield from in_workers(work, blocks, models, n_jobs)


def _n_skipped(tokenizer: Any, encoding: Encoding) -> int:
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
    # the token that ends a text comes after the text
    n = len(tokens) - (tokens[-1] in tokenizer.all_special_ids)
    if n + 1 >= encoding.max_length:
        raise ValueError(
            f"The prompt has {n} tokens, which leaves no room for a text in "
            f"max_length={encoding.max_length}. Use a shorter prompt."
        )
    return n


def _blocks(texts: Sequence[str], max_length: int) -> list[np.ndarray]:
    """Cut the texts, longest first, into pieces of about equal work."""
    lengths = np.array([len(text) for text in texts])
    order = np.argsort(-lengths, kind="stable")
    work = np.cumsum(np.minimum(lengths[order], 8 * max_length) + 8)
    return np.split(order, np.flatnonzero(np.diff(work // _BLOCK)) + 1)


def _encode_block(
    texts: list[str],
    tokenizer: Any,
    model: Any,
    encoding: Encoding,
    n_tokens: int,
    n_skipped: int,
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
        owners, first = owners[first], first[first]
    lengths = np.array([len(chunk) for chunk in chunks])
    # the prompt stands in a text's first piece
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
        # a text's pieces count by their pooled tokens
        counted = lengths - skipped
        weights = torch.from_numpy(counted[order].astype(np.float32))[:, None]
        total = torch.zeros(len(texts), vectors.shape[1])
        total.index_add_(0, torch.from_numpy(owners[order]), vectors * weights)
        if encoding.normalize:
            total = torch.nn.functional.normalize(total, dim=1)
        else:
            total /= torch.from_numpy(np.bincount(owners, counted))[:, None]
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


def _pooled(
    chunks: list[list[int]], skipped: np.ndarray, model: Any, pooling: str
) -> Any:
    """Return one float32 vector for each of a few lists of tokens, longest first.

    ``skipped`` says how many tokens at the start of each are read, and not pooled.
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
        # without one the model takes a faster way
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
