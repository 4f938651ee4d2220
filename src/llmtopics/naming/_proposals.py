"""Ask a language model for names and descriptions of topics."""

from collections import Counter
from collections.abc import Callable

from llmtopics._language import LLMError
from llmtopics.naming._candidates import (
    as_name,
    as_sentence,
    best_outcome,
    is_copy,
    listing_of,
)
from llmtopics.naming._prompts import describing_prompt, naming_prompts

# prompts, whether the user wrote them, max_new_tokens, on_error -> answers, None if failed
Generate = Callable[[list[str], bool, int, str], list[str | None]]
NEEDS_MORE_TOKENS = "If the model thinks before it answers, raise max_new_tokens"
_DESCRIPTION_TOKENS = 48


def propose_names(
    generate: Generate,
    listed: list[str],
    documents: list[list[str]],
    prompt: str | None,
    max_new_tokens: int,
) -> tuple[list[Counter[str]], list[str]]:
    """Return how often the model proposes each name for each topic, and the outcomes.

    Raises
    ------
    LLMError
        If the model answers no call, or no answer has a word.
    """
    prompts, owners = [], []
    for k, (words, some) in enumerate(zip(listed, documents, strict=True)):
        if not words:
            continue
        asked = naming_prompts(words, some, prompt)
        prompts += asked
        owners += [k] * len(asked)
    own = prompt is not None
    answers = generate(prompts, own, max_new_tokens, "keep")
    if all(answer is None for answer in answers):  # ask again: the error says why
        answers[:1] = generate(prompts[:1], own, max_new_tokens, "raise")
    proposed: list[Counter[str]] = [Counter() for _ in listed]
    outcomes = ["no_words"] * len(listed)
    for k, answer in zip(owners, answers, strict=True):
        name = as_name(answer or "")
        if name and not is_copy(name, listed[k]):
            proposed[k][name] += 1
        outcomes[k] = best_outcome(outcomes[k], answer)
    if answers and "rejected" not in outcomes:
        written = next(answer for answer in answers if answer is not None)
        raise LLMError(
            f"The language model wrote no word about any of {len(listed)} topics, got "
            f"{written[:100]!r}. {NEEDS_MORE_TOKENS}."
        )
    return proposed, outcomes


def describe_topics(
    generate: Generate,
    names: list[str],
    topics: list[list[str]],
    listed: list[str],
    documents: list[list[str]],
    prompt: str | None,
) -> tuple[list[str], list[str]]:
    """Return a description of each topic, and the outcomes.

    Topics without words are not asked for: no answer could be checked.
    """
    owners = [k for k, words in enumerate(listed) if words]
    prompts = [
        describing_prompt(listed[k], documents[k], names[k], prompt) for k in owners
    ]
    answers = generate(prompts, prompt is not None, _DESCRIPTION_TOKENS, "keep")
    sentences, outcomes = [""] * len(listed), ["no_words"] * len(listed)
    for k, answer in zip(owners, answers, strict=True):
        sentences[k] = as_sentence(answer or "", topics[k])
        outcomes[k] = "described" if sentences[k] else best_outcome("no_words", answer)
    listings = map(listing_of, topics, names)
    return [
        sentence or listing
        for sentence, listing in zip(sentences, listings, strict=True)
    ], outcomes
