"""Check names and descriptions by the words of representative documents."""

from itertools import pairwise

import numpy as np

from llmtopics.text import stop_words
from llmtopics.text._segment import WORD_OR_NUMBER

# Chosen on StackOverflow and a part of 20 Newsgroups: see docs/benchmarks.md
N_CHECKED = 20  # documents per topic
_LENGTH = 10_000  # characters per document
_LEAST = 0.2  # share of the topic's documents that have a word of its name
_LEAD = (
    0.3  # how much larger this share is than in any other topic, for one of the words
)
_CHANCE = 0.1  # by which a share may be larger in another topic
_TINY = 1e-9  # for rounding

_FUNCTION_WORDS = stop_words("english")
_SAME_LETTERS = 3  # forms of a word begin with as many letters that are equal
_ENDING = 3  # letters that a form may add ("print", "printing")


def words_of(text: str) -> list[str]:
    """Return lower-case words and numbers. Scripts without spaces: pairs of characters."""
    words: list[str] = []
    for found in WORD_OR_NUMBER.finditer(text.casefold()):
        word = found[0]
        if found["run"] and word[1:]:
            words += map("".join, pairwise(word))
        else:
            words.append(word)
    return words


def is_form(word: str, other: str) -> bool:
    """Return whether two words may be forms of one: "gun" and "guns", not "police" and "politics"."""
    if word == other:
        return True
    same = (a == b for a, b in zip(word, other, strict=False))
    n_same = (*same, False).index(False)
    shorter, longer = sorted([len(word), len(other)])
    return n_same >= max(_SAME_LETTERS, shorter - 1, longer - _ENDING)


class DocumentWords:
    """The words of each topic's representative documents."""

    def __init__(self, documents: list[list[str]]) -> None:
        self._found: dict[str, set[tuple[int, int]]] = {}  # word -> topic, document
        for k, some in enumerate(documents):
            for d, text in enumerate(some):
                for word in words_of(text[:_LENGTH]):
                    self._found.setdefault(word, set()).add((k, d))
        self._n_documents = np.array([len(some) for some in documents])
        self._beginnings: dict[str, list[str]] = {}
        for word in self._found:
            self._beginnings.setdefault(word[:_SAME_LETTERS], []).append(word)
        self._shares: dict[str, np.ndarray] = {}

    def shares(self, word: str) -> np.ndarray:
        """Return the share of each topic's documents that have a form of a word, (K,)."""
        if word not in self._shares:
            near = self._beginnings.get(word[:_SAME_LETTERS], [])
            forms = [other for other in near if is_form(word, other)]
            where = set().union(*(self._found[form] for form in forms))
            counts = np.bincount(
                [k for k, _ in where], minlength=len(self._n_documents)
            )
            self._shares[word] = counts / np.maximum(self._n_documents, 1)
        return self._shares[word]

    def support(self, text: str, k: int) -> bool:
        """Return whether the documents of topic k have the words of a name or description.

        Each word must be in a fifth of them, and not be clearly more frequent in those of another
        topic. One word must be clearly more frequent here than in those of any other topic.
        """
        shares = [self.shares(word) for word in words_of(text) if _says_much(word)]
        if not shares:
            return False
        leads = [own[k] - np.delete(own, k).max(initial=0) for own in shares]
        least = min(own[k] for own in shares)
        return bool(
            least >= _LEAST - _TINY
            and min(leads) >= -_CHANCE - _TINY
            and max(leads) >= _LEAD - _TINY
        )


def _says_much(word: str) -> bool:
    return word not in _FUNCTION_WORDS
