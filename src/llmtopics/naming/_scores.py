"""Choose among proposed names: by words of the documents, then by the language model's score."""

from collections import Counter

from llmtopics._language import LLMUnsupportedError
from llmtopics.naming._calls import Calls
from llmtopics.naming._candidates import WORD, shares_a_word
from llmtopics.naming._document_words import DocumentWords

_NO_NAME = "Something"  # a name must score better than this


def supported_names(
    proposed: list[Counter[str]], documents: DocumentWords | None
) -> list[Counter[str]]:
    """Return the names whose words the topic's documents have, all without documents."""
    if documents is None:
        return proposed
    return [
        Counter({name: n for name, n in counts.items() if documents.support(name, k)})
        for k, counts in enumerate(proposed)
    ]


def score_names(
    calls: Calls, listed: list[str], proposed: list[Counter[str]], checked: bool
) -> list[dict[str, float]]:
    """Return each topic's names that make its words more likely, with scores, best first.

    ``checked`` names have passed the check by documents. If the model gives no
    probabilities, these are ranked by how often they were proposed.
    """
    scored: list[dict[str, float]] = []
    for words, counts in zip(listed, proposed, strict=True):
        names = list(counts)
        if not names:
            scored.append({})
            continue
        try:
            logs = calls.score([*names, _NO_NAME], words)
            scores = (logs[:-1] - logs[-1]).tolist()
        except LLMUnsupportedError:
            known = WORD.findall(words)
            scores = [
                n
                * (checked or n > 1 or any(shares_a_word(name, word) for word in known))
                for name, n in counts.items()
            ]
        ranked = sorted(zip(scores, names, strict=True), key=lambda pair: -pair[0])
        scored.append({name: score for score, name in ranked if score > 0})
    return scored
