"""Texts as a model is trained on them: windows of tokens, and tokenizers of a corpus."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmtopics._language.request import without_surrogates
from llmtopics._language.workers import tokenizing

IGNORED = -100  # the label of a token that is not predicted


def token_ids(texts: Sequence[str], tokenizer: Any) -> list[list[int]]:
    """Return the tokens of texts, without special ones.

    A text cannot hold the model's own marks, such as the end of a turn.
    """
    marks = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
    cleaned = []
    for text in map(without_surrogates, texts):
        for mark in marks:
            text = text.replace(mark, " ")
        cleaned.append(text)
    with tokenizing():
        return tokenizer(cleaned, add_special_tokens=False, verbose=False)["input_ids"]


def first_tokens(texts: Sequence[str], tokenizer: Any, window: int) -> list[np.ndarray]:
    """Return the first tokens of each text, at most ``window``, with special ones."""
    if not texts:
        return []
    with tokenizing():
        ids = tokenizer(
            [without_surrogates(text) for text in texts],
            truncation=True,
            max_length=window,
            verbose=False,
        )["input_ids"]
    return [np.array(row, np.int64) for row in ids]


def separator(tokenizer: Any) -> int:
    """Return the token between two texts."""
    for name in ("eos", "sep", "bos", "cls"):
        if (token := getattr(tokenizer, f"{name}_token_id")) is not None:
            return token
    raise ValueError(
        "The model's tokenizer has no token that ends a text (eos_token). Add one to its "
        "tokenizer_config.json."
    )


def packed(ids: Sequence[Sequence[int]], between: int, window: int) -> list[np.ndarray]:
    """Join texts into windows of about equal sizes, at most ``window`` tokens each.

    Windows differ by at most one token, so that each weighs the same in a mean.
    """
    joined = [between]
    for text in ids:
        joined += [*text, between]
    tokens = np.array(joined, np.int64)
    return np.array_split(tokens, -(-len(tokens) // window))


def pieces(ids: Sequence[int], between: int, window: int) -> list[np.ndarray]:
    """Cut one text into pieces that overlap by a token, so that each token is predicted."""
    tokens = np.array([between, *ids, between], np.int64)
    starts = range(0, len(tokens) - 1, window - 1)
    return [tokens[start : start + window] for start in starts]


def padded(rows: Sequence[np.ndarray], padding: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows as one matrix, filled up on the right, and a mask of what is real."""
    real = np.arange(max(map(len, rows))) < np.array([[len(row)] for row in rows])
    matrix = np.full(real.shape, padding, np.int64)
    matrix[real] = np.concatenate(rows)
    return matrix, real


def spread_rows(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return rows of about ``most`` tokens, spread over all rows."""
    n_tokens = sum(len(row["input_ids"]) for row in rows)
    if n_tokens <= most:
        return rows
    n = max(1, len(rows) * most // n_tokens)
    return [rows[int(i)] for i in np.linspace(0, len(rows) - 1, n)]


def train_tokenizer(texts: Sequence[str], vocab_size: int, window: int) -> Any:
    """Return a byte-level BPE tokenizer learned from texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<mask>"]
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    with tokenizing():
        tokenizer.train_from_iterator(map(without_surrogates, texts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_max_length=window,
    )
