"""Score candidate names by how much more likely they make a topic's words."""

from collections import Counter

from llmtopics._language import LanguageModel, LLMUnsupportedError
from llmtopics.naming._candidates import WORD, shares_a_word
from llmtopics.naming._prompts import SCORING

_NO_NAME = "Something"  # a name must score better than this


def score_names(
    llm: LanguageModel,
    listed: list[str],
    documents: list[list[str]],
    proposed: list[Counter[str]],
) -> list[dict[str, float]]:
    """Return each topic's names that make its words more likely, with scores, best first."""
    scored: list[dict[str, float]] = []
    for words, some, counts in zip(listed, documents, proposed, strict=True):
        names = list(counts)
        if not names:
            scored.append({})
            continue
        try:
            logs = llm.score([*names, _NO_NAME], [f" {words}"], template=SCORING)
            scores = (logs[:-1, 0] - logs[-1, 0]).tolist()
        except LLMUnsupportedError:
            known = WORD.findall(" ".join([words, *some]))
            scores = [
                n * (n > 1 or any(shares_a_word(name, word) for word in known))
                for name, n in counts.items()
            ]
        ranked = sorted(zip(scores, names, strict=True), key=lambda pair: -pair[0])
        scored.append({name: score for score, name in ranked if score > 0})
    return scored
