"""Names and descriptions of topics: proposed, then chosen by what they say of the words."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral
from string import Formatter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from llmtopics._checks import check_texts, warn_user
from llmtopics._language import (
    LanguageModel,
    LLMError,
    LLMUnsupportedError,
    as_llm,
    used_since,
)
from llmtopics._language._plain import plain
from llmtopics._state import restored_on_error

_EXAMPLES = [  # of no corpus that people test with
    (
        "Knead the dough for ten minutes, then let it rise before it goes into the oven.",
        "bread, flour, oven, dough, yeast, bake, butter, crust",
        "Baking bread",
        "How to make dough and bake bread at home.",
    ),
    (
        "Astronomers have seen a galaxy whose light set out before there was an Earth.",
        "galaxy, telescope, stars, planet, astronomers, comet, observatory, light",
        "Astronomy with telescopes",
        "What astronomers observe of stars, planets and distant galaxies.",
    ),
    (
        "Passengers face another week of delays as drivers on the northern line strike.",
        "train, station, railway, passengers, delays, line, tickets, carriages",
        "Railway travel",
        "Trains, their passengers, and the delays that they meet.",
    ),
]
_NAMING = "".join(
    f"Text: {text}\nWords: {words}\nTopic: {name}\n\n"
    for text, words, name, _ in _EXAMPLES
)
_DESCRIBING = "".join(
    f"Words: {words}\nTopic: {name}\nAbout: {about}\n\n"
    for _, words, name, about in _EXAMPLES
)
_READING = (  # from a name back to the words
    "".join(f"Topic: {name}\nWords: {words}\n\n" for _, words, name, _ in _EXAMPLES)
    + "Topic: {text}\nWords:"
)
_IN_A_CHAT = "Continue the text: write what follows its last line, and nothing else."
_THINKS = "a model that thinks first needs a larger max_new_tokens"
OUTCOMES = ("named", "rejected", "empty", "failed", "no_words")
DESCRIBED = ("described", *OUTCOMES[1:])
_NO_NAME = "Something"  # what a name has to beat
_NAME_WORDS = 6
_ABOUT_WORDS = 40

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_PREFIX = re.compile(
    r"""^\W*(?:\d+\s*[.):]\s*)?[\s"'*_`#]*
        (?:(?:the\s+)?(?:topic|title|name|label|theme|category|about|description|answer)
        (?:\s+name)?\b[\s"'*_`]*(?:\s+is\b|[:–—-])\s*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_AROUND = " \t\"'“”‘’«»*_`#.,;:!?-–—()[]{}<>|"
_REFUSAL = re.compile(
    r"\b(sorry|as an ai|language model|i['’]?m\b|i am|i can ?not|i can['’]?t|i could ?n"
    r"|unable to|not able to|please provide|here (is|are)|ignore (the|all))",
    re.IGNORECASE,
)


class TopicLabeler(TransformerMixin, BaseEstimator):
    """Name and describe topics with a language model that is not trusted.

    The model proposes names of each topic, from its words and from its typical documents one
    by one. Each name is then read backwards: the one chosen makes the topic's words
    likeliest. A topic whose names say nothing of its words is called by the words.

    Parameters
    ----------
    llm : str or LanguageModel, default="smollm2"
        The language model; a name is that of a :class:`LocalLLM`.

    prompt : str or None, default=None
        What to ask for a name, with ``{words}`` or ``{documents}`` or both in their places.
        None shows three examples of other topics, and asks once for each typical document.

    description_prompt : str or None, default=None
        The same for a description; ``{name}`` may stand in it.

    chat : bool, default=False
        Whether to ask as a chat does, or to let the model continue the prompt. Small models
        need the latter, many servers the former.

    n_words : int, default=8
        Words of each topic that the model reads.

    n_documents : int, default=3
        Typical documents of each topic that the model reads: the largest θ_dk among those
        that have more of topic k than of any other.

    document_length : int, default=200
        Characters of a document that the model reads.

    max_new_tokens : int or None, default=None
        Tokens of each answer at most. None is 48 for descriptions and, for names, 32 in a chat
        and 12 else. A model that thinks before it answers needs several hundred.

    verbose : bool or int, default=False
        Whether to show progress bars.

    Attributes
    ----------
    names_ : list of K str
        No two alike, none blank.

    descriptions_ : list of K str
        One sentence each.

    sources_ : list of K str
        Where a name comes from: "model", or "words" (the topic's own).

    outcomes_ : list of K str
        Why: "named"; "rejected" (no name passed the checks); "empty" (no word came, thinking
        left aside); "failed" (no call was answered); "no_words" (the topic has none).

    report_ : dict
        For "names" and "descriptions": how many topics had each outcome.

    candidates_ : list of K dicts
        The names that passed, with their scores, best first: the log of how much likelier
        the topic's words are after the name than after "Something". Where the model gives
        no probabilities, how often the name was proposed.

    typical_documents_ : list of K ndarrays
        Rows of the ``n_documents`` most typical texts, empty without texts.

    usage_ : dict
        What this fit asked of the language model, as ``LocalLLM.usage_`` counts it.

    See Also
    --------
    top_words : The words of topics that have only weights of words.
    explain : Why one text has its topics.

    Notes
    -----
    A model that gives no probabilities (most chat servers) is believed if it proposes a name
    more than once, or the name has a word in common with the topic's words or typical
    documents; of several names, the one is taken that it proposes most often.

    What documents say is read by the model: one that says "call this topic X" may change the
    name and description of a topic that it is typical of, and nothing else.

    Examples
    --------
    >>> from llmtopics import TopicLabeler
    >>> words = [
    ...     ["wine", "grapes", "vineyard", "bottle", "cellar", "harvest"],
    ...     ["piano", "violin", "orchestra", "concert", "symphony", "conductor"],
    ... ]
    >>> labeler = TopicLabeler().fit(words)
    >>> labeler.names_  # doctest: +SKIP
    ['Wine', 'Music']
    >>> labeler.set_output(transform="pandas").transform([[0.9, 0.1]]).shape
    (1, 2)
    """

    _parameter_constraints: dict[str, list[Any]] = {
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

    def __init__(
        self,
        llm: str | LanguageModel = "smollm2",
        *,
        prompt: str | None = None,
        description_prompt: str | None = None,
        chat: bool = False,
        n_words: int = 8,
        n_documents: int = 3,
        document_length: int = 200,
        max_new_tokens: int | None = None,
        verbose: bool | int = False,
    ):
        self.llm = llm
        self.prompt = prompt
        self.description_prompt = description_prompt
        self.chat = chat
        self.n_words = n_words
        self.n_documents = n_documents
        self.document_length = document_length
        self.max_new_tokens = max_new_tokens
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        words: Sequence[Sequence[str]],
        mixtures: ArrayLike | None = None,
        texts: Sequence[str] | None = None,
    ) -> "TopicLabeler":
        """Name the topics.

        Parameters
        ----------
        words : list of K lists of str
            Each topic's words, the most telling first: ``model.top_words()``, or
            :func:`top_words` of any model's ``components_``.
        mixtures : array-like of shape (D, K) or None, default=None
            How much of each topic the texts have, as ``model.transform(texts)`` gives it.
        texts : sequence of D str or None, default=None
            The texts. Names are better with typical documents than from words alone.

        Returns
        -------
        self : TopicLabeler
            Fitted.

        Raises
        ------
        ValueError
            If ``words`` holds what is not a list of words, ``mixtures`` and ``texts`` do not
            fit them or each other, or a prompt has another placeholder.
        LLMError
            If the language model cannot be asked at all, answers about no topic, or writes
            no word about any.
        OSError
            If a local model is not found.

        Warns
        -----
        UserWarning
            If it did not answer about some topics, or wrote no word: these are called by
            their words, and ``outcomes_`` says which.
        """
        topics = _check_words(words)
        self._check_prompts(texts)
        documents, typical = self._typical(len(topics), mixtures, texts)
        llm = as_llm(self.llm)
        before = llm.usage_

        listed = [", ".join(some[: self.n_words]) for some in topics]
        with restored_on_error(self):
            proposed, named = self._propose(llm, listed, documents)
            self.candidates_ = self._score(llm, listed, documents, proposed)
            chosen = [next(iter(names), None) for names in self.candidates_]
            self.sources_ = ["words" if name is None else "model" for name in chosen]
            self.outcomes_ = [
                outcome if name is None else "named"
                for name, outcome in zip(chosen, named, strict=True)
            ]
            self.names_ = _told_apart(chosen, topics)
            self.descriptions_, described = self._describe(
                llm, topics, listed, documents
            )
            self.typical_documents_ = typical
            self.usage_ = used_since(before, llm)
            self.report_ = {
                "names": {each: self.outcomes_.count(each) for each in OUTCOMES},
                "descriptions": {each: described.count(each) for each in DESCRIBED},
            }
        self._warn_of_missing()
        return self

    def _warn_of_missing(self) -> None:
        missing = [
            f"{n} of {len(self.names_)} {what} {said}"
            for what, report in self.report_.items()
            for said, n in [
                ("were not answered", report["failed"]),
                ("came without a word", report["empty"]),
            ]
            if n
        ]
        if missing:
            warn_user(
                f"The language model gave less than it was asked for: {', '.join(missing)}. "
                "These are made of the topics' words (see outcomes_). Fit again to ask for "
                f"what is missing; {_THINKS}."
            )

    def transform(self, mixtures: ArrayLike) -> np.ndarray:
        """Return the mixtures as they are, for ``set_output`` to name their columns.

        Parameters
        ----------
        mixtures : array-like of shape (n_documents, K)
            How much of each topic documents have.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, K)
            The same; as a table (``set_output(transform="pandas")``), with the names of the
            topics over the columns.

        Raises
        ------
        ValueError
            If there is not one column a topic.
        """
        check_is_fitted(self)
        return _check_mixtures(mixtures, len(self.names_))

    def fit_transform(
        self,
        words: Sequence[Sequence[str]],
        mixtures: ArrayLike,
        texts: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Name the topics, and return the mixtures as :meth:`transform` does.

        Parameters
        ----------
        words : list of K lists of str
            As in :meth:`fit`.
        mixtures : array-like of shape (D, K)
            As in :meth:`fit`.
        texts : sequence of D str or None, default=None
            As in :meth:`fit`. Without texts, the topics are named by their words alone.

        Returns
        -------
        mixtures : ndarray of shape (D, K)
            As they came.
        """
        self.fit(words, None if texts is None else mixtures, texts)
        return _check_mixtures(mixtures, len(self.names_))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the topics.

        Parameters
        ----------
        input_features : None
            Ignored: the names of the columns before.

        Returns
        -------
        names : ndarray of K str objects
            ``names_``.
        """
        check_is_fitted(self)
        return np.array(self.names_, dtype=object)

    def _check_prompts(self, texts: Any) -> None:
        for name, known in [
            ("prompt", {"words", "documents"}),
            ("description_prompt", {"words", "documents", "name"}),
        ]:
            prompt = getattr(self, name)
            if prompt is None:
                continue
            try:
                found = {field for _, field, _, _ in Formatter().parse(prompt)} - {None}
            except ValueError as error:
                raise ValueError(
                    f"{name} has a single brace ({error}): double it."
                ) from None
            if not found or found - known:
                raise ValueError(
                    f"{name} must have at least one of the placeholders "
                    f"{', '.join(f'{{{each}}}' for each in sorted(known))} and no other, "
                    f"got {sorted(map(str, found)) or 'none'}; double the braces that are "
                    "to be sent."
                )
            if "documents" in found and texts is None:
                raise ValueError(
                    f"{name} has the placeholder {{documents}}, but there are none: pass "
                    "mixtures and texts to fit."
                )

    def _typical(
        self, n_topics: int, mixtures: Any, texts: Any
    ) -> tuple[list[list[str]], list[np.ndarray]]:
        """Return the starts of each topic's most typical texts, and their rows."""
        if (mixtures is None) != (texts is None):
            raise ValueError(
                "TopicLabeler finds typical documents with mixtures and texts together: "
                "pass both or neither."
            )
        if mixtures is None:
            return [[]] * n_topics, [np.empty(0, int)] * n_topics
        theta = _check_mixtures(mixtures, n_topics)
        found = check_texts(texts, "TopicLabeler (texts)")
        check_consistent_length(theta, found)
        written = np.array([bool(text.strip()) for text in found])
        largest = theta.argmax(axis=1)
        rows = []
        for k in range(n_topics):
            order = np.argsort(-theta[:, k], kind="stable")
            order = order[written[order]]
            own = order[largest[order] == k]
            rows.append((own if len(own) else order)[: self.n_documents])
        cut = [[_cut(found[i], self.document_length) for i in some] for some in rows]
        return cut, rows

    def _ask(
        self,
        llm: LanguageModel,
        prompts: list[str],
        own: bool,
        max_new_tokens: int,
        on_error: str = "keep",
    ) -> list[str | None]:
        """Return what the model writes, None where it fails; ``own`` prompts of the user's."""
        if not prompts:
            return []
        return llm.generate(
            prompts,
            chat=self.chat,
            system=_IN_A_CHAT if self.chat and not own else None,
            stop=() if self.chat else "\n",  # chats may begin with an empty line
            max_new_tokens=self.max_new_tokens or max_new_tokens,
            on_error=on_error,
            verbose=self.verbose,
        )

    def _propose(
        self, llm: LanguageModel, listed: list[str], documents: list[list[str]]
    ) -> tuple[list[Counter[str]], list[str]]:
        """Return the names that the model gives each topic and how often, and outcomes.

        Raises
        ------
        LLMError
            If it names none, since it never answers or writes no word.
        """
        prompts, owners = [], []
        for k, (words, some) in enumerate(zip(listed, documents, strict=True)):
            if not words:
                continue
            if self.prompt is None:
                asked = [
                    f"Words: {words}",
                    *(f"Text: {text}\nWords: {words}" for text in some),
                ]
                asked = [f"{_NAMING}{each}\nTopic:" for each in asked]
            else:
                asked = [self.prompt.format(words=words, documents="\n".join(some))]
            prompts += asked
            owners += [k] * len(asked)
        own, max_new_tokens = self.prompt is not None, 32 if self.chat else 12
        answers = self._ask(llm, prompts, own, max_new_tokens)
        if all(
            answer is None for answer in answers
        ):  # once more, for the error to say why
            answers[:1] = self._ask(llm, prompts[:1], own, max_new_tokens, "raise")
        proposed: list[Counter[str]] = [Counter() for _ in listed]
        outcomes = ["no_words"] * len(listed)
        for k, answer in zip(owners, answers, strict=True):
            name = _as_name(answer or "")
            if name and not _is_copy(name, listed[k]):
                proposed[k][name] += 1
            outcomes[k] = _better(outcomes[k], answer)
        if answers and "rejected" not in outcomes:
            written = next(answer for answer in answers if answer is not None)
            raise LLMError(
                f"The language model wrote no word about any of {len(listed)} topics, but "
                f"{written[:100]!r}: {_THINKS}."
            )
        return proposed, outcomes

    def _score(
        self,
        llm: LanguageModel,
        listed: list[str],
        documents: list[list[str]],
        proposed: list[Counter[str]],
    ) -> list[dict[str, float]]:
        """Return the names that say something of each topic's words, best first."""
        scored: list[dict[str, float]] = []
        for words, some, counts in zip(listed, documents, proposed, strict=True):
            names = list(counts)
            if not names:
                scored.append({})
                continue
            try:
                logs = llm.score([*names, _NO_NAME], [f" {words}"], template=_READING)
                scores = (logs[:-1, 0] - logs[-1, 0]).tolist()
            except LLMUnsupportedError:
                known = _WORD.findall(" ".join([words, *some]))
                scores = [
                    n * (n > 1 or any(_shares(name, word) for word in known))
                    for name, n in counts.items()
                ]
            ranked = sorted(zip(scores, names, strict=True), key=lambda pair: -pair[0])
            scored.append({name: score for score, name in ranked if score > 0})
        return scored

    def _describe(
        self,
        llm: LanguageModel,
        topics: list[list[str]],
        listed: list[str],
        documents: list[list[str]],
    ) -> tuple[list[str], list[str]]:
        """Return a description of each topic, and outcomes."""
        prompts = []
        for name, words, some in zip(self.names_, listed, documents, strict=True):
            if self.description_prompt is None:  # documents would be retold as facts
                prompts.append(f"{_DESCRIBING}Words: {words}\nTopic: {name}\nAbout:")
            else:
                prompts.append(
                    self.description_prompt.format(
                        words=words, documents="\n".join(some), name=name
                    )
                )
        answers = self._ask(llm, prompts, self.description_prompt is not None, 48)
        sentences = [
            _as_sentence(answer or "", words)
            for answer, words in zip(answers, topics, strict=True)
        ]
        outcomes = [
            "described" if sentence else _better("no_words", answer)
            for sentence, answer in zip(sentences, answers, strict=True)
        ]
        listings = map(_listing, topics, self.names_)
        return [
            sentence or listing
            for sentence, listing in zip(sentences, listings, strict=True)
        ], outcomes


# what comes in ----------------------------------------------------------------------------


def _check_words(words: Any) -> list[list[str]]:
    if isinstance(words, str | AbstractSet) or not isinstance(words, Iterable):
        raise ValueError(
            "words must be a list of words for each topic, such as model.top_words(), got "
            f"{type(words).__name__}."
        )
    topics = []
    for k, some in enumerate(words):
        if isinstance(some, str | AbstractSet) or not isinstance(some, Iterable):
            raise ValueError(
                f"words must be a list of words for each topic, but entry {k} is {some!r}: "
                "pass model.top_words()."
            )
        found = list(some)
        for word in found:
            if not isinstance(word, str):
                raise ValueError(f"words must be str, but topic {k} holds {word!r}.")
        topics.append([str(word) for word in found if word.strip()])
    if not topics:
        raise ValueError("words holds no topic: there is nothing to name.")
    return topics


def _check_mixtures(mixtures: Any, n_topics: int) -> np.ndarray:
    theta = check_array(mixtures, input_name="mixtures")
    if theta.shape[1] != n_topics:
        raise ValueError(
            f"mixtures has {theta.shape[1]} columns, but there are words of {n_topics} "
            "topics."
        )
    return theta


def _cut(text: str, n_characters: int) -> str:
    """Return the start of a text on one line, up to a whole word."""
    line = " ".join(text.split())
    if len(line) <= n_characters:
        return line
    return line[:n_characters].rsplit(" ", 1)[0]


# names ------------------------------------------------------------------------------------


def _stem(word: str) -> str:
    return word.casefold()[:4]


def _shares(name: str, word: str) -> bool:
    """Tell whether a name holds a word, or one that begins like it."""
    if word.casefold() in name.casefold():
        return True
    return any(_stem(part) == _stem(word) for part in _WORD.findall(name))


def _first_line(answer: str, *names: str) -> str:
    """Return an answer without what models put around one; "" if it is a refusal."""
    answer = plain(answer, *names)
    line = next((line for line in answer.splitlines() if line.strip(_AROUND)), "")
    return "" if _REFUSAL.search(line) else _PREFIX.sub("", line)


def _as_name(answer: str) -> str:
    """Return the name that an answer holds, "" if it holds none."""
    line = _first_line(answer, "Topic", "Title", "Name", "Label", "Theme", "Category")
    name = " ".join(line.strip(_AROUND).split())
    if name.count(",") > 1:  # the words once more
        return ""
    if len(name.split()) > _NAME_WORDS:
        name = re.split(r"[,;:(.]|\s[–—-]\s", name)[0].strip(_AROUND)
    name = re.sub(r"^(.+) \w+ \1$", r"\1", name, flags=re.IGNORECASE)  # wine and wine
    parts = [part.casefold() for part in _WORD.findall(name)]
    of_use = 0 < len(parts) <= _NAME_WORDS and len(set(parts)) == len(parts)
    if not of_use or len(name) > 60 or len(max(parts, key=len)) < 2:
        return ""
    return name[0].upper() + name[1:]


def _better(outcome: str, answer: str | None) -> str:
    """Return the outcome for a topic about which there is this answer, too."""
    if answer is None:
        own = "failed"
    else:
        own = "rejected" if _WORD.search(plain(answer)) else "empty"
    return min(outcome, own, key=OUTCOMES.index)


def _is_copy(name: str, words: str) -> bool:
    """Tell whether a name is an example's, in a topic without a word of it."""
    copied = any(name.casefold() == example[2].casefold() for example in _EXAMPLES)
    return copied and not any(_shares(name, word) for word in words.split(", "))


def _told_apart(chosen: list[str | None], topics: list[list[str]]) -> list[str]:
    """Return a name for each topic, no two alike, its words where it has none."""
    names = [
        name or ", ".join(words[:3]) or f"Topic {k}"
        for k, (name, words) in enumerate(zip(chosen, topics, strict=True))
    ]
    folded = [name.casefold() for name in names]
    taken = {name for name in folded if folded.count(name) == 1}
    for k, name in enumerate(names):
        if folded.count(folded[k]) == 1:
            continue
        rivals = [topics[j] for j, other in enumerate(folded) if other == folded[k]]
        words = [word for word in topics[k] if not _shares(name, word)]
        words.sort(key=lambda word: sum(word in some for some in rivals))  # stable
        tries = [f"{name} ({word})" for word in words]
        tries += [f"{name} ({k})"]
        names[k] = next(each for each in tries if each.casefold() not in taken)
        taken.add(names[k].casefold())
    return names


# descriptions -----------------------------------------------------------------------------


def _as_sentence(answer: str, words: list[str]) -> str:
    """Return the first sentence of an answer if it is one, and of the topic; else ""."""
    line = _first_line(answer, "About", "Description")
    line = " ".join(line.strip(" \t\"'“”*_`#").split())
    sentence = re.split(r"(?<=[^\W\d][a-z\d)][.!?])\s", line)[0]
    parts = [part.casefold() for part in _WORD.findall(sentence)]
    if not 3 <= len(parts) <= _ABOUT_WORDS or len(set(parts)) < len(parts) / 2:
        return ""
    if not sentence.endswith((".", "!", "?")):  # the tokens were at an end
        return ""
    related = any(_shares(sentence, word) for word in words)
    return sentence[0].upper() + sentence[1:] if related else ""


def _listing(words: list[str], name: str) -> str:
    return f"Texts with words such as {', '.join(words[:5])}." if words else f"{name}."
