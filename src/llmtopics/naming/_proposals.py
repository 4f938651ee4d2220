"""Ask a language model for names and descriptions of topics."""

from collections import Counter

from llmtopics._language import LLMError
from llmtopics.naming._calls import Calls
from llmtopics.naming._candidates import (
    as_name,
    as_sentence,
    best_outcome,
    is_copy,
    listing_of,
)
from llmtopics.naming._document_words import DocumentWords
from llmtopics.naming._prompts import TopicPrompts

NEEDS_MORE_TOKENS = "If the model thinks before it answers, raise max_new_tokens"


def propose_names(
    calls: Calls, prompts: TopicPrompts
) -> tuple[list[Counter[str]], list[str]]:
    """Return how often the model proposes each name for each topic, and the outcomes.

    Raises
    ------
    LLMError
        If the model answers no call, or no answer has a word.
    """
    listed, own = prompts.words, prompts.prompt is not None
    owned = [(k, each) for k, some in enumerate(prompts.naming()) for each in some]
    asked = [each for _, each in owned]
    answers = calls.generate(asked, own, calls.name_tokens, "keep")
    if all(answer is None for answer in answers):  # ask again: the error says why
        answers[:1] = calls.generate(asked[:1], own, calls.name_tokens, "raise")
    proposed: list[Counter[str]] = [Counter() for _ in listed]
    outcomes = ["no_words"] * len(listed)
    for (k, _), answer in zip(owned, answers, strict=True):
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
    calls: Calls,
    prompts: TopicPrompts,
    names: list[str],
    topics: list[list[str]],
    known: DocumentWords | None,
) -> tuple[list[str], list[str]]:
    """Return a description of each topic, and the outcomes.

    Descriptions are checked by the words of the documents as names are, if these are ``known``.
    """
    owned = [
        (k, each) for k, some in enumerate(prompts.describing(names)) for each in some
    ]
    own = prompts.description_prompt is not None
    asked = [each for _, each in owned]
    answers = calls.generate(asked, own, calls.description_tokens, "keep")
    sentences = [listing_of(*each) for each in zip(topics, names, strict=True)]
    outcomes = ["no_words"] * len(names)
    for (k, _), answer in zip(owned, answers, strict=True):
        sentence = as_sentence(answer or "", topics[k])
        if sentence and (known is None or known.support(sentence, k)):
            sentences[k], outcomes[k] = sentence, "described"
        else:
            outcomes[k] = best_outcome("no_words", answer)
    return sentences, outcomes
