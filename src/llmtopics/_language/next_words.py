"""Compute the probabilities of the next word with a local model."""

from functools import lru_cache
from typing import Any

from llmtopics._language.prompts import Batch, frame_of
from llmtopics._language.request import Request

_SPACES = ("Ġ", "▁", " ")  # how tokenizers write the space before a word


def next_words(
    batch: Batch, model: Any, cache: Any, request: Request, tokenizer: Any, *_: Any
) -> list[Any]:
    """Return the most likely tokens that begin a word, and their probabilities."""
    words = _beginnings(tokenizer, request)
    chances = batch.read(model, cache, False)[0].softmax(1)
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
    """Return the word that each token begins after the prompt, "" if it begins none."""
    _, tail = frame_of(request, tokenizer)
    return _words_of(tokenizer, tail[-1:].isspace())


@lru_cache(maxsize=8)
def _words_of(tokenizer: Any, after_space: bool) -> list[str]:
    """Return the word that each token begins, "" if it begins none.

    A token begins a word if it has a leading space, or if it comes after a space.
    """
    special = set(tokenizer.all_special_ids)
    words = []
    for token, piece in enumerate(
        tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    ):
        word = tokenizer.decode([token], clean_up_tokenization_spaces=False).strip()
        begins = (after_space or piece[:1] in _SPACES) and token not in special
        words.append(word if begins and word[:1].isalnum() else "")
    return words
