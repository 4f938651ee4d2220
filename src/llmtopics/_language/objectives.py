"""What a language model is trained for: tokens, or the vectors of texts.

A new objective is a class in this file with the methods of ``Objective``, and an entry in
``OBJECTIVES``.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from llmtopics._language.training_texts import (
    IGNORED,
    first_tokens,
    packed,
    padded,
    pieces,
    separator,
    token_ids,
)

_EVERY = 7  # each seventh token is masked at once where a score masks all in turn
_CHECKED, _COLLAPSED = 64, 0.99  # texts to check, and their mean cosine
_TEMPERATURE = 0.05  # that of SimCSE
_SCORED = 2048  # tokens of a batch that is scored


class Objective(Protocol):
    """What a model is trained for.

    Attributes
    ----------
    kind : str
        The class of transformers with the right head.
    window, batch_size : int
        Defaults: tokens read at once, and rows of a batch.
    learning_rates : dict
        By what is trained: "lora", "all" or "random".
    head : str or None
        Name of the part that ``add_head`` adds to a model. It is trained and not kept.
    n_passes : int
        Forward passes of a batch whose activations are kept for one backward pass.
    """

    kind: str
    window: int
    batch_size: int
    learning_rates: dict[str, float]
    head: str | None
    n_passes: int

    def items(
        self, texts: Sequence[str], topics: np.ndarray | None, held_out: bool
    ) -> list[dict[str, Any]]:
        """Return rows to train on, or fixed ones to check on."""

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return rows as a batch of tensors."""

    def add_head(self, model: Any, rows: list[dict[str, Any]]) -> None:
        """Add ``head`` to a model, from the rows to train on. Only if it has a name."""

    @property
    def loss(self) -> Callable | None:
        """From a model and a batch to its mean loss.

        None is the model's own, a mean over all batches of an update.
        """

    def check(self, model: Any, texts: Sequence[str]) -> None:
        """Raise a ValueError if all texts have nearly the same vector after training.

        Only of objectives that train vectors.
        """

    def score(
        self, model: Any, texts: Sequence[str], topics: np.ndarray | None
    ) -> float:
        """Return how well a model does what it was trained for; larger is better."""


class Causal:
    """The next token, of a decoder."""

    kind = "AutoModelForCausalLM"
    window, batch_size = 512, 2
    learning_rates = {"lora": 5e-4, "all": 5e-5, "random": 1e-3}
    loss = head = None
    n_passes = 1

    def __init__(self, tokenizer: Any, window: int):
        self.tokenizer = tokenizer
        self.max_length = window
        self.between = separator(tokenizer)

    def items(self, texts, topics, held_out):
        ids = token_ids(texts, self.tokenizer)
        return [
            {"input_ids": row} for row in packed(ids, self.between, self.max_length)
        ]

    def collate(self, rows):
        import torch

        ids, real = padded([row["input_ids"] for row in rows], self.between)
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(real.astype(np.int64)),
            "labels": torch.from_numpy(np.where(real, ids, IGNORED)),
        }

    def score(self, model, texts, topics):
        """Return the mean log-likelihood of a token, given those before it in its text."""
        rows = [
            {"input_ids": piece}
            for ids in token_ids(texts, self.tokenizer)
            for piece in pieces(ids, self.between, self.max_length)
        ]

        def each(logits, labels):
            return logits[:, :-1], labels[:, 1:]

        return _mean_log_likelihood(model, rows, self.collate, each)


class Masked:
    """Masked tokens, of an encoder."""

    kind = "AutoModelForMaskedLM"
    window, batch_size = 256, 8
    learning_rates = {"lora": 5e-4, "all": 5e-5, "random": 1e-3}
    head = None
    n_passes = 1

    def __init__(self, tokenizer: Any, window: int):
        if tokenizer.mask_token_id is None:
            raise ValueError(
                "objective='masked' needs a model whose tokenizer has a mask token. Use an "
                "encoder, such as 'minilm', or objective='causal' for a decoder."
            )
        self.tokenizer = tokenizer
        self.max_length = window
        self.between = separator(tokenizer)

    def _rows(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return windows with a token that can be masked."""
        ids = token_ids(texts, self.tokenizer)
        first = self.tokenizer.cls_token_id
        rows = packed(ids, self.between, self.max_length - (first is not None))
        if first is not None:
            rows = [np.r_[first, row] for row in rows]
        return [row for row in rows if self._maskable(row).any()]

    def _maskable(self, row: np.ndarray) -> np.ndarray:
        return ~np.isin(row, self.tokenizer.all_special_ids)

    def items(self, texts, topics, held_out):
        rows = self._rows(texts)
        _refuse_none(rows, texts)
        if not held_out:
            return [{"input_ids": row} for row in rows]
        # the same tokens at every check
        return [
            self._masked(row, i % min(_EVERY, self._maskable(row).sum()))
            for i, row in enumerate(rows)
        ]

    def _masked(self, row: np.ndarray, offset: int) -> dict[str, np.ndarray]:
        """Mask each seventh token from ``offset`` on, special ones excepted."""
        real = self._maskable(row)
        chosen = real & ((np.cumsum(real) - 1) % _EVERY == offset)
        return {
            "input_ids": np.where(chosen, self.tokenizer.mask_token_id, row),
            "labels": np.where(chosen, row, IGNORED),
        }

    def collate(self, rows):
        import torch
        from transformers import DataCollatorForLanguageModeling

        padding = self.tokenizer.pad_token_id or 0
        ids, real = padded([row["input_ids"] for row in rows], padding)
        batch = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(real.astype(np.int64)),
        }
        if "labels" in rows[0]:
            labels, _ = padded([row["labels"] for row in rows], IGNORED)
            batch["labels"] = torch.from_numpy(labels)
        else:
            special = np.isin(ids, self.tokenizer.all_special_ids) | ~real
            masking = DataCollatorForLanguageModeling(self.tokenizer)
            inputs, labels = masking.torch_mask_tokens(
                batch["input_ids"].clone(), torch.from_numpy(special)
            )
            if (labels == IGNORED).all():  # the mean loss of no token is NaN
                row, column = np.argwhere(~special)[0]
                labels[row, column] = ids[row, column]
                inputs[row, column] = self.tokenizer.mask_token_id
            batch["input_ids"], batch["labels"] = inputs, labels
        return batch

    def loss(self, model, batch):
        return model(**batch).loss

    def score(self, model, texts, topics):
        """Return the mean log-likelihood of a token, given the others (pseudo-likelihood)."""
        rows = [
            self._masked(row, offset)
            for text in texts
            for row in self._rows([text])
            for offset in range(min(_EVERY, self._maskable(row).sum()))
        ]
        _refuse_none(rows, texts)
        return _mean_log_likelihood(model, rows, self.collate, lambda *both: both)


class Contrastive:
    """Close vectors of texts of one topic, or of one text under two draws of dropout.

    The target of a text is shared among the others by ``topics @ topics.T``. Without topics
    each text is a topic of its own, with its second draw alone (SimCSE).
    """

    kind = "AutoModel"
    window, batch_size = 128, 32
    learning_rates = {"lora": 1e-4, "all": 2e-5, "random": 1e-3}
    head: str | None = None
    n_passes = 2

    def __init__(self, tokenizer: Any, window: int):
        self.tokenizer = tokenizer
        self.max_length = window

    def items(self, texts, topics, held_out):
        ids = first_tokens(texts, self.tokenizer, self.max_length)
        rows = [{"input_ids": row} for row in ids]
        if topics is not None:
            for row, shares in zip(rows, topics, strict=True):
                row["topics"] = shares
        return rows

    def collate(self, rows):
        import torch

        padding = self.tokenizer.pad_token_id or 0
        ids, real = padded([row["input_ids"] for row in rows], padding)
        topics = np.eye(len(rows))
        if "topics" in rows[0]:
            topics = np.array([row["topics"] for row in rows])
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(real.astype(np.int64)),
            "labels": torch.from_numpy(topics.astype(np.float32)),
        }

    def loss(self, model, batch):
        """Return the cross-entropy between the targets and the softmax of the cosines."""
        import torch

        topics = batch["labels"].repeat(2, 1)
        training = model.training
        # a check draws the same dropout each time, and leaves the stream of training alone
        with torch.random.fork_rng(enabled=not training):
            if not training:
                torch.manual_seed(0)
                model.train()
            vectors = torch.cat([mean_pooled(model, batch) for _ in range(2)])
            model.train(training)
        apart = ~torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
        scores = (vectors @ vectors.T / _TEMPERATURE).masked_fill(~apart, -1e9)
        targets = topics @ topics.T * apart
        targets = targets / targets.sum(dim=1, keepdim=True)
        return torch.nn.functional.cross_entropy(scores, targets)

    def check(self, model, texts):
        import torch

        distinct = [*dict.fromkeys(texts)]
        places = np.linspace(0, len(distinct) - 1, min(_CHECKED, len(distinct)))
        rows = self.items([distinct[int(i)] for i in places], None, True)
        batch = {name: t.to(model.device) for name, t in self.collate(rows).items()}
        model.eval()
        with torch.inference_mode():
            vectors = mean_pooled(model, batch)
        n = len(vectors)
        cosine = (float(vectors.sum(dim=0).square().sum()) - n) / max(1, n * (n - 1))
        if cosine > _COLLAPSED:
            raise ValueError(
                f"After training all texts have nearly the same vector (mean cosine "
                f"{cosine:.4f}). The model is not kept. Set a lower learning_rate, train "
                "for fewer steps, or pass labels of several topics."
            )

    def score(self, model, texts, topics):
        """Return minus the loss, in batches of texts in their order."""
        import torch

        rows = self.items(texts, topics, True)
        total = 0.0
        with torch.inference_mode():
            for start in range(0, len(rows), self.batch_size):
                batch = self.collate(rows[start : start + self.batch_size])
                batch = {name: value.to(model.device) for name, value in batch.items()}
                loss = Contrastive.loss(self, model, batch)  # a head is not kept
                total -= loss.item() * len(batch["labels"])
        return total / len(rows)


class Topics(Contrastive):
    """Vectors close to the prototype of their topic, and far from those of others.

    Each topic has one prototype. It starts as the mean vector of the topic's texts, and is
    trained with the model.
    """

    head = "prototypes"
    n_passes = 1

    def add_head(self, model, rows):
        import torch

        rows = sorted(rows, key=lambda row: len(row["input_ids"]))  # less padding
        model.eval()
        sums: Any = 0
        with torch.no_grad():
            for start in range(0, len(rows), self.batch_size):
                batch = self.collate(rows[start : start + self.batch_size])
                batch = {name: value.to(model.device) for name, value in batch.items()}
                sums = sums + batch["labels"].T @ mean_pooled(model, batch)
            # a topic whose texts are all held out starts at the mean of all: the gradient
            # of a direction without length is infinite
            sums = sums + 1e-6 * sums.sum(dim=0)
            means = torch.nn.functional.normalize(sums, dim=1)
        model.prototypes = torch.nn.Embedding.from_pretrained(means, freeze=False)

    def loss(self, model, batch):
        """Return the cross-entropy between topics and the softmax of cosines times 20."""
        import torch

        prototypes = torch.nn.functional.normalize(model.prototypes.weight, dim=1)
        scores = mean_pooled(model, batch) @ prototypes.T / _TEMPERATURE
        return torch.nn.functional.cross_entropy(scores, batch["labels"])


def mean_pooled(model: Any, batch: dict[str, Any]) -> Any:
    """Return float32 vectors of length one: the means of the tokens' vectors."""
    import torch

    mask = batch["attention_mask"]
    states = model(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
    states, weights = states.float(), mask[:, :, None].float()
    means = (states * weights).sum(dim=1) / weights.sum(dim=1)
    return torch.nn.functional.normalize(means, dim=1)


OBJECTIVES: dict[str, Any] = {
    "causal": Causal,
    "contrastive": Contrastive,
    "masked": Masked,
    "topics": Topics,
}


def _refuse_none(rows: list[Any], texts: Sequence[str]) -> None:
    """Raise a ValueError if no window of the texts has a token that can be masked."""
    if not rows:
        raise ValueError(
            f"{len(texts)} texts, such as {texts[0][:50]!r}, have no token that can be "
            "masked: the tokenizer does not know them. Leave these texts out."
        )


def _mean_log_likelihood(
    model: Any, rows: list[dict[str, Any]], collate: Callable, each: Callable
) -> float:
    """Return the mean log-likelihood of the tokens that have a label."""
    import torch

    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]["input_ids"]))
    total, n_tokens, start = 0.0, 0, 0
    with torch.inference_mode():
        while start < len(order):
            n = max(1, _SCORED // len(rows[order[start]]["input_ids"]))
            batch = collate([rows[i] for i in order[start : start + n]])
            batch = {name: value.to(model.device) for name, value in batch.items()}
            labels = batch.pop("labels")
            logits, labels = each(model(**batch).logits, labels)
            chosen = labels != IGNORED
            losses = torch.nn.functional.cross_entropy(
                logits[chosen].float(), labels[chosen], reduction="sum"
            )
            total -= losses.item()
            n_tokens += int(chosen.sum())
            start += n
    return total / n_tokens
