"""``name_topics``: names and descriptions of topics by a language model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_params

from llmtopics._checks import warn_user
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics.naming._candidates import DESCRIBED, OUTCOMES, distinct_names
from llmtopics.naming._inputs import check_words, representative_documents
from llmtopics.naming._prompts import CHAT_INSTRUCTION, check_prompts
from llmtopics.naming._proposals import (
    NEEDS_MORE_TOKENS,
    describe_topics,
    propose_names,
)
from llmtopics.naming._scores import score_names

# what the parameters that name_topics and TopicLabeler share may be
CONSTRAINTS: dict[str, list[Any]] = {
    "llm": [str, LanguageModel],
    "prompt": [str, None],
    "description_prompt": [str, None],
    "chat": ["boolean"],
    "n_words": [Interval(Integral, 1, None, closed="left")],
    "n_documents": [Interval(Integral, 1, None, closed="left")],
    "document_length": [Interval(Integral, 1, None, closed="left")],
    "max_new_tokens": [Interval(Integral, 1, None, closed="left"), None],
    "verbose": ["verbose"],
}


@dataclass(frozen=True)
class TopicNames:
    """The result of :func:`name_topics`.

    Attributes
    ----------
    names : list of K str
        One name per topic. Names are distinct, and none is blank.

    descriptions : list of K str
        One sentence per topic.

    sources : list of K str
        Where each name comes from: "model", or "words" (the topic's own words).

    outcomes : list of K str
        "named", "rejected" (no name passed the checks), "empty" (the model answered nothing, or
        only its thinking),
        "failed" (no call was answered) or "no_words" (the topic has no words).

    report : dict
        For "names" and "descriptions": number of topics with each outcome.

    candidates : list of K dicts
        The names that passed and their scores, best first. A score is the log-probability of
        the topic's words after the name, minus that after a neutral name ("Something"). If
        the model gives no probabilities, it is how often the name was proposed.

    typical_documents : list of K ndarrays
        Rows of the ``n_documents`` representative documents. If a topic is the first topic of
        no document, they are the documents with its largest shares. Empty without texts.

    usage : dict
        Use of the language model, as in ``LocalLLM.usage_``.
    """

    names: list[str]
    descriptions: list[str]
    sources: list[str]
    outcomes: list[str]
    report: dict[str, dict[str, int]]
    candidates: list[dict[str, float]]
    typical_documents: list[np.ndarray]
    usage: dict[str, Any]


@validate_params(
    {"words": "no_validation", "mixtures": "no_validation", "texts": "no_validation"}
    | CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def name_topics(
    words: Sequence[Sequence[str]],
    mixtures: ArrayLike | None = None,
    texts: Sequence[str] | None = None,
    *,
    llm: str | LanguageModel = "smollm2",
    prompt: str | None = None,
    description_prompt: str | None = None,
    chat: bool = False,
    n_words: int = 8,
    n_documents: int = 3,
    document_length: int = 200,
    max_new_tokens: int | None = None,
    verbose: bool | int = False,
) -> TopicNames:
    """Name and describe topics with a language model, and check each name.

    The model proposes names for each topic, from its words and from each of its
    representative documents. The name that makes the topic's words most likely is chosen.
    If no name makes them more likely than the neutral name "Something" does, the topic is
    named by its own words. It works for the words of any library. For a model of this library,
    :meth:`Topics.label` and :class:`TopicLabeler` also carry the names on.

    Parameters
    ----------
    words : list of K lists of str
        Words of each topic, best first: ``model.top_words()``, or :func:`top_words` of
        any model's ``components_``.

    mixtures : array-like of shape (D, K) or None, default=None
        Topic proportions θ, such as ``model.transform(texts)``.

    texts : sequence of D str or None, default=None
        The texts. With them, names are better than from words alone.

    llm : str or LanguageModel, default="smollm2"
        The language model. A str is the ``model`` of a :class:`LocalLLM`.

    prompt : str or None, default=None
        Your own prompt for a name, with ``{words}`` or ``{documents}`` or both. None is
        a built-in prompt with three examples of names. It is sent once with the words alone,
        and once per representative document.

    description_prompt : str or None, default=None
        The same for a description. It may also have the placeholder ``{name}``.

    chat : bool, default=False
        Whether to send the prompt as a chat message. Otherwise the model continues it. Small
        models need False, many servers True.

    n_words : int, default=8
        Number of words per topic that the model reads.

    n_documents : int, default=3
        Number of representative (typical) documents per topic that the model reads. These
        have the largest θ_dk among the documents whose first topic is k. If there are none,
        they have the largest θ_dk of all documents.

    document_length : int, default=200
        Number of characters per document that the model reads.

    max_new_tokens : int or None, default=None
        Maximum number of tokens per answer. None is 48 for descriptions. For names it is 32
        in a chat, else 12. A model that thinks before it answers needs several hundred.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Returns
    -------
    named : TopicNames
        Names, descriptions, and how they were found.

    Raises
    ------
    ValueError
        If ``words`` is not one list of words per topic, ``mixtures`` and ``texts`` do not
        fit ``words`` or each other, or a prompt has another placeholder.
    LLMError
        If the language model cannot be called, or answers no call, or no answer has a
        word.
    OSError
        If a local model is not found.

    Warns
    -----
    UserWarning
        If the calls for some topics failed, or their answers had no word. These topics
        are named by their words. ``outcomes`` says which they are.

    Notes
    -----
    Most chat servers give no probabilities. Then a name passes if it is proposed more than
    once, or shares a word with the topic's words or representative documents. Of several
    names, the one proposed most often is chosen.

    The model reads the representative documents. A document with "call this topic X" may
    change the names and descriptions of topics that it represents, and nothing else.

    Examples
    --------
    >>> from llmtopics.naming import name_topics
    >>> words = [
    ...     ["wine", "grapes", "vineyard", "bottle", "cellar", "harvest"],
    ...     ["piano", "violin", "orchestra", "concert", "symphony", "conductor"],
    ... ]
    >>> name_topics(words).names  # doctest: +SKIP
    ['Wine', 'Music']
    """
    topics = check_words(words)
    check_prompts(prompt, description_prompt, texts is not None)
    documents, typical = representative_documents(
        len(topics), mixtures, texts, n_documents, document_length
    )
    model = as_llm(llm)
    before = model.usage_
    generate = partial(
        _generate, model, chat=chat, most=max_new_tokens, verbose=verbose
    )
    listed = [", ".join(some[:n_words]) for some in topics]
    proposed, outcomes = propose_names(
        generate, listed, documents, prompt, 32 if chat else 12
    )
    candidates = score_names(model, listed, documents, proposed)
    chosen = [next(iter(names), None) for names in candidates]
    outcomes = [
        outcome if name is None else "named"
        for name, outcome in zip(chosen, outcomes, strict=True)
    ]
    names = distinct_names(chosen, topics)
    descriptions, described = describe_topics(
        generate, names, topics, listed, documents, description_prompt
    )
    report = {
        "names": {each: outcomes.count(each) for each in OUTCOMES},
        "descriptions": {each: described.count(each) for each in DESCRIBED},
    }
    _warn_of_missing(report, len(names))
    return TopicNames(
        names=names,
        descriptions=descriptions,
        sources=["words" if name is None else "model" for name in chosen],
        outcomes=outcomes,
        report=report,
        candidates=candidates,
        typical_documents=typical,
        usage=usage_since(before, model),
    )


def _generate(
    llm: LanguageModel,
    prompts: list[str],
    own: bool,
    max_new_tokens: int,
    on_error: str,
    *,
    chat: bool,
    most: int | None,
    verbose: bool | int,
) -> list[str | None]:
    """Return the answers, None for failed calls. ``own`` prompts are the user's."""
    if not prompts:
        return []
    return llm.generate(
        prompts,
        chat=chat,
        system=CHAT_INSTRUCTION if chat and not own else None,
        stop=() if chat else "\n",  # chats may begin with an empty line
        max_new_tokens=most or max_new_tokens,
        on_error=on_error,
        verbose=verbose,
    )


def _warn_of_missing(report: dict[str, dict[str, int]], n_topics: int) -> None:
    """Warn if calls for names or descriptions failed, or their answers had no word."""
    missing = [
        f"{n} of {n_topics} {what} {said}"
        for what, outcomes in report.items()
        for said, n in [
            ("were not answered", outcomes["failed"]),
            ("have no word", outcomes["empty"]),
        ]
        if n
    ]
    if missing:
        warn_user(
            f"Answers of the language model are missing: {', '.join(missing)}. The topics' "
            "words are used instead (see outcomes). Fit again to ask for the missing "
            f"answers. {NEEDS_MORE_TOKENS}."
        )
