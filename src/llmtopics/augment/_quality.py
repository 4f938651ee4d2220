"""Check whether an answer about a text is good enough to add."""

import re
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import paired_cosine_distances

from llmtopics._language.clean_answer import is_refusal
from llmtopics.text._detect import is_foreign, words_of

_LEAST_COPIED = 0.8  # least share of common words (Jaccard) of a text and its copy
_MOST_REPEATED = 0.5  # largest share of distinct words in a repetitive text
_LEAST_WORDS = 8  # least number of words in a repetitive text
_SEPARATORS = re.compile(r"[,;•\n]|^\s*\d+\.")


def outcome_of(
    text: str, written: str | None, template: str, language: str | None
) -> str:
    """Return the outcome of an answer about a text.

    Parameters
    ----------
    text : str
    written : str or None
        The answer, None for a failed call.
    template : str
        The prompt. The answer may be a copy of one of its lines.
    language : str or None
        The language that the answer must have. None accepts any.
    """
    if written is None:
        return "failed"
    words = words_of(written)
    if not words:
        return "too_short"
    if is_refusal(written):
        return "refused"
    n_words, n_distinct = len(words), len(set(words))
    if n_words >= _LEAST_WORDS and n_distinct <= _MOST_REPEATED * n_words:
        return "repetitive"
    lines = [text, *template.splitlines()]
    if any(share_of_words(written, line) >= _LEAST_COPIED for line in lines):
        return "copied"
    if language and is_foreign(written, language):
        return "wrong_language"
    return "augmented"


def cosines_of(texts: list[str], written: list[Any], embedder: Any) -> np.ndarray:
    """Return the cosine between the vectors of each text and its answer."""
    given, made = (embedder.transform(some) for some in (texts, written))
    return 1 - paired_cosine_distances(given, made)


def distinct_keywords(written: str) -> str:
    """Return a list of keywords without those that add no new word."""
    said: set[str] = set()
    kept = []
    for keyword in _SEPARATORS.split(written):
        words = set(words_of(keyword))
        if words - said:
            kept.append(keyword.strip())
            said |= words
    return ", ".join(kept)


def share_of_words(a: str, b: str) -> float:
    """Return the share of two texts' distinct words that both have (Jaccard)."""
    first, second = set(words_of(a)), set(words_of(b))
    return len(first & second) / max(len(first | second), 1)
