"""Find near-duplicate texts by their pairs of neighboring words."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from itertools import pairwise

from llmtopics._language.clean_answer import is_refusal
from llmtopics.text._detect import words_of


class KnownTexts:
    """The texts so far, and the pairs of neighboring words in each."""

    def __init__(self, texts: list[str]):
        self.sizes: list[int] = []
        self.texts_with: dict[Hashable, list[int]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        pairs = _pairs(text)
        for pair in pairs:
            self.texts_with[pair].append(len(self.sizes))
        self.sizes.append(len(pairs))

    def outcome_of(self, text: str | None, max_similarity: float) -> str:
        """Return "new" for a new text, or the reason why it is left out."""
        if text is None:
            return "failed"
        pairs = _pairs(text)
        if not pairs:
            return "too_short"
        if is_refusal(text):
            return "refused"
        shared = Counter(i for pair in pairs for i in self.texts_with.get(pair, ()))
        alike = (n / (len(pairs) + self.sizes[i] - n) for i, n in shared.items())
        return "near_duplicate" if max(alike, default=0) >= max_similarity else "new"


def _pairs(text: str) -> set[tuple[str, ...]]:
    """Return the pairs of neighboring words; a single word counts as a pair."""
    words = words_of(text)
    return set(pairwise(words)) or {(word,) for word in words}
