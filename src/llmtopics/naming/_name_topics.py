"""``name_topics``: names and descriptions of topics by a language model."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_params

from llmtopics._checks import warn_user
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics._language.request import without_surrogates
from llmtopics.naming._calls import Calls
from llmtopics.naming._candidates import DESCRIBED, OUTCOMES, captions, distinct_names
from llmtopics.naming._document_words import N_CHECKED, DocumentWords
from llmtopics.naming._inputs import (
    beginnings,
    check_words,
    representative_documents,
)
from llmtopics.naming._prompts import TopicPrompts, check_prompts
from llmtopics.naming._proposals import (
    NEEDS_MORE_TOKENS,
    describe_topics,
    propose_names,
)
from llmtopics.naming._scores import score_names, supported_names

# what the parameters that name_topics and TopicLabeler share may be
CONSTRAINTS: dict[str, list[Any]] = {
    "llm": [str, LanguageModel],
    "prompt": [str, None],
    "describe": ["boolean"],
    "description_prompt": [str, None],
    "chat": ["boolean"],
    "n_words": [Interval(Integral, 1, None, closed="left")],
    "n_documents": [Interval(Integral, 1, None, closed="left")],
    "document_length": [Interval(Integral, 1, None, closed="left")],
    "check_documents": ["boolean"],
    "max_new_tokens": [Interval(Integral, 1, None, closed="left"), None],
    "verbose": ["verbose"],
}


@dataclass(frozen=True, repr=False)
class TopicNames:
    """The result of :func:`name_topics`. Printed, it shows each name beside its topic's words.

    Attributes
    ----------
    names : list of K str
        One name per topic. Names are distinct, and none is blank.

    descriptions : list of K str, or None
        One sentence per topic, if they were asked for.

    sources : list of K str
        Where each name comes from: "model", or "words" (the topic's own words).

    outcomes : list of K str
        "named", "rejected" (no name passed the checks), "empty" (the model answered nothing, or
        only its thinking),
        "failed" (no call was answered) or "no_words" (the topic has no words).

    report : dict
        For "names" and "descriptions": number of topics with each outcome.

    words : list of lists of str
        The words of each topic.

    candidates : list of K dicts
        The names that passed and their scores, best first. A score is the log-probability of
        the topic's words after the name, minus that after a neutral name ("Something"). If
        the model gives no probabilities, it is how often the name was proposed.

    refused : list of lists of str
        The proposed names of each topic that did not pass. They may be false or offensive.

    typical_documents : list of K ndarrays
        Rows of the ``n_documents`` representative documents. If a topic is the first topic of
        no document, they are the documents with its largest shares. Empty without texts.

    usage : dict
        Use of the language model, as in ``LocalLLM.usage_``.

    captions : list of K str
        Each name with three words of its topic that it lacks, such as "Space shuttle: nasa,
        orbit, satellites". Take them where a reader sees no words beside the names, as in a plot.
    """

    names: list[str]
    descriptions: list[str] | None
    sources: list[str]
    outcomes: list[str]
    report: dict[str, dict[str, int]]
    words: list[list[str]]
    candidates: list[dict[str, float]]
    refused: list[list[str]]
    typical_documents: list[np.ndarray]
    usage: dict[str, float]

    @property
    def captions(self) -> list[str]:
        return captions(self.names, self.words)

    def __repr__(self) -> str:
        n_named = self.sources.count("model")
        width = min(40, max(map(len, self.names)))
        lines = [f"{len(self.names)} topics, {n_named} named by the language model"]
        for k, (name, words) in enumerate(zip(self.names, self.words, strict=True)):
            lines.append(f"{k:4d}  {name:{width}}  {', '.join(words[:6])}")
        return without_surrogates("\n".join(lines))


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
    describe: bool = False,
    description_prompt: str | None = None,
    chat: bool = False,
    n_words: int = 8,
    n_documents: int = 3,
    document_length: int = 200,
    check_documents: bool = True,
    max_new_tokens: int | None = None,
    verbose: bool | int = False,
) -> TopicNames:
    """Name topics with a language model, and check each name.

    The model proposes names for each topic, from its words and from each of its
    representative documents. Names with words that these documents lack are refused. Of the
    others, the name that makes the topic's words most likely is chosen. A topic without such
    a name is named by its own words. It works for the words of any library. For a model of this
    library, :meth:`Topics.label` and :class:`TopicLabeler` also carry the names on.

    Parameters
    ----------
    words : list of K lists of str
        Words of each topic, best first: ``model.top_words()``, or :func:`top_words` of
        any model's ``components_``.

    mixtures : array-like of shape (D, K) or None, default=None
        Topic proportions θ, such as ``model.transform(texts)``.

    texts : sequence of D str or None, default=None
        The texts. With them, names are better than from words alone, and can be checked.

    llm : str or LanguageModel, default="smollm2"
        The language model. A str is the ``model`` of a :class:`LocalLLM`.

    prompt : str or None, default=None
        Your own prompt for a name, with ``{words}`` or ``{documents}`` or both. None is
        a built-in prompt with three examples of names. It is sent once with the words alone,
        and once per representative document.

    describe : bool, default=False
        Whether to ask for a one-sentence description of each topic, too. A small model writes
        sentences that are false or offensive.

    description_prompt : str or None, default=None
        Your own prompt for a description. It may also have the placeholder ``{name}``. With it,
        descriptions are asked for.

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
        Number of characters per document that the model reads. They are counted in bytes of
        UTF-8 (three per Chinese character), so that a document never has more tokens.

    check_documents : bool, default=True
        Whether the representative documents must have the words of names and descriptions.
        Set it to False for names in another language than the documents, and for a large
        language model that you trust.

    max_new_tokens : int or None, default=None
        Maximum number of tokens per answer. None is 12 for names and 32 for descriptions. In
        a chat it is 32 and 48. A model that thinks before it answers needs several hundred.

    verbose : bool or int, default=False
        Whether to show a progress bar of all calls. It tells the expected cost, as does a
        message of the logger ``llmtopics`` (level INFO).

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
    A name passes two checks:

    1. By the representative documents, 20 or as many as there are. At least a fifth of them has
       each word of the name. No word is more frequent in the documents of another topic by
       more than 0.1 (share of the documents). For one word, the share is larger than in any
       other topic by 0.3 or more. Endings may differ ("gun", "guns"). English function words are
       not checked. Descriptions must pass the same check. Without texts, there is none.
    2. By the language model: the topic's words are more likely after the name than after
       "Something". Most chat servers give no probabilities. Then the name that was proposed
       most often is chosen. Without the first check, it must be proposed twice, or share a
       word with the topic's words.

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
    documents, rows = representative_documents(
        len(topics), mixtures, texts, max(n_documents, N_CHECKED)
    )
    known = DocumentWords(documents) if check_documents and texts is not None else None
    prompts = TopicPrompts(
        [", ".join(some[:n_words]) for some in topics],
        [beginnings(some[:n_documents], document_length) for some in documents],
        prompt,
        description_prompt,
        describe or description_prompt is not None,
    )
    model = as_llm(llm)
    before = model.usage_
    with Calls(model, prompts, chat, max_new_tokens, verbose) as calls:
        proposed, outcomes = propose_names(calls, prompts)
        passed = supported_names(proposed, known)
        candidates = score_names(calls, prompts.words, passed, known is not None)
        chosen = [next(iter(names), None) for names in candidates]
        names = distinct_names(chosen, topics)
        descriptions, described = describe_topics(calls, prompts, names, topics, known)
    outcomes = [
        outcome if name is None else "named"
        for name, outcome in zip(chosen, outcomes, strict=True)
    ]
    return TopicNames(
        names=names,
        descriptions=descriptions if prompts.describe else None,
        sources=["words" if name is None else "model" for name in chosen],
        outcomes=outcomes,
        report=_report(outcomes, described),
        words=topics,
        candidates=candidates,
        refused=[
            [name for name in counts if name not in taken]
            for counts, taken in zip(proposed, candidates, strict=True)
        ],
        typical_documents=[some[:n_documents] for some in rows],
        usage=usage_since(before, model),
    )


def _report(names: list[str], descriptions: list[str]) -> dict[str, dict[str, int]]:
    """Return the number of topics with each outcome. Warn of missing answers."""
    report = {
        "names": {each: names.count(each) for each in OUTCOMES},
        "descriptions": {each: descriptions.count(each) for each in DESCRIBED},
    }
    missing = [
        f"{n} of {len(names)} {what} {said}"
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
    return report
