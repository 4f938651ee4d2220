"""Train an encoder to tell classes apart, and load it again with what was trained."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from llmtopics._language.encode_settings import EncodeSettings
from llmtopics._language.load import load_config, load_tokenizer
from llmtopics._language.objectives import mean_pooled
from llmtopics._language.training import Plan, train, training_device
from llmtopics._language.training_models import (
    check_installed,
    check_memory,
    lora_share,
    pretrained_model,
    with_lora,
)
from llmtopics._language.training_texts import first_tokens, padded

_RANK = 16


class Examples(NamedTuple):
    """Texts, the number of the class of each, and its weight."""

    texts: list[str]
    classes: np.ndarray
    weights: np.ndarray

    def items(self, tokenizer: Any, encoding: EncodeSettings) -> list[dict[str, Any]]:
        """Return rows to train on. The mean weight is one."""
        texts = [text.lower() if encoding.lowercase else text for text in self.texts]
        names = ("input_ids", "labels", "weights")
        columns = (
            first_tokens(texts, tokenizer, encoding.max_length),
            self.classes,
            self.weights / self.weights.mean() if texts else [],
        )
        return [
            dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
        ]


class Trained(NamedTuple):
    """What training changed: weights of the encoder or an adapter, and the linear head."""

    weights: dict[str, np.ndarray]
    coef: np.ndarray
    intercept: np.ndarray
    history: list[dict[str, float]]


def train_encoder(
    examples: Examples,
    held_out: Examples,
    coef: np.ndarray,
    intercept: np.ndarray,
    encoding: EncodeSettings,
    lora: bool,
    plan: Plan,
) -> Trained:
    """Train an encoder and a linear head on its mean-pooled vectors of length one.

    Parameters
    ----------
    examples, held_out : Examples
        None of the texts blank. Without ``held_out`` the last weights are kept, else the
        best ones.
    coef : ndarray of shape (n_classes, E)
    intercept : ndarray of shape (n_classes,)
        The head to start with.
    encoding : EncodeSettings
    lora : bool
        Whether to train small matrices beside the weights, or all weights.
    plan : Plan

    Raises
    ------
    MemoryError
        Before training, if the device has less memory free than is needed.
    FloatingPointError
        If the loss or a weight becomes NaN or infinite.
    """
    check_installed()
    tokenizer = load_tokenizer(encoding.folder)
    items = examples.items(tokenizer, encoding)
    checked = held_out.items(tokenizer, encoding)
    longest = max(len(row["input_ids"]) for row in [*items, *checked])
    check_memory(
        load_config(encoding.folder),
        "AutoModel",
        lora_share(_RANK) if lora else 1.0,
        plan.batch_size * longest,
        False,
        training_device(plan.device),
        "training='lora' or 'head', a smaller batch_size, a smaller max_length",
    )
    encoder = _encoder(encoding.folder, lora, plan.seed)
    model = _with_head(encoder, coef, intercept)
    with TemporaryDirectory() as folder:
        history = train(
            model,
            items,
            checked,
            _collate,
            _loss,
            plan,
            Path(folder) / "checkpoints",
            "Free space on this disk, or name a folder on another one in the environment "
            "variable TMPDIR.",
        )
    trained = {
        name: weight.detach().cpu().numpy()
        for name, weight in encoder.named_parameters()
        if weight.requires_grad
    }
    coef, intercept = (
        each.detach().cpu().double().numpy()
        for each in (model.head.weight, model.head.bias)
    )
    return Trained(trained, coef, intercept, history)


def trained_encoder(
    folder: Path, device: str, dtype: str, weights: dict[str, np.ndarray], lora: bool
) -> Any:
    """Return a folder's encoder with the weights that training changed."""
    import torch

    encoder = _encoder(folder, lora, 0)
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    with torch.no_grad():
        for name, weight in encoder.named_parameters():
            if name in tensors:
                weight.copy_(tensors[name])
    if lora:
        encoder = encoder.merge_and_unload()
    return encoder.to(device, getattr(torch, dtype)).eval()


def _encoder(folder: Path, lora: bool, seed: int) -> Any:
    """Return a new encoder, with an adapter that changes nothing yet if asked."""
    encoder = pretrained_model("AutoModel", folder, seed)
    if getattr(encoder.config, "is_encoder_decoder", False):
        encoder = encoder.get_encoder()
    return with_lora(encoder, _RANK, seed) if lora else encoder


def _with_head(encoder: Any, coef: np.ndarray, intercept: np.ndarray) -> Any:
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = encoder
            self.head = torch.nn.Linear(*coef.shape[::-1])
            with torch.no_grad():
                self.head.weight.copy_(torch.from_numpy(coef))
                self.head.bias.copy_(torch.from_numpy(intercept))

        def forward(self, batch):
            return self.head(mean_pooled(self.encoder, batch))

    with torch.random.fork_rng(devices=[]):  # the head is drawn, then replaced
        return Classifier()


def _collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    import torch

    ids, real = padded([row["input_ids"] for row in rows], 0)  # padding is masked
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(real.astype(np.int64)),
        "labels": torch.tensor([int(row["labels"]) for row in rows]),
        "weights": torch.tensor([float(row["weights"]) for row in rows]),
    }


def _loss(model: Any, batch: dict[str, Any]) -> Any:
    """Return the weighted cross-entropy."""
    import torch

    losses = torch.nn.functional.cross_entropy(
        model(batch).float(), batch["labels"], reduction="none"
    )
    return (losses * batch["weights"]).mean()
