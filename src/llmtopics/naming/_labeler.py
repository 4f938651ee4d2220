"""Name and describe topics with a language model."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from llmtopics._checks import warn_user
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics._state import restored_on_error
from llmtopics.naming._candidates import DESCRIBED, OUTCOMES, distinct_names
from llmtopics.naming._inputs import (
    check_mixtures,
    check_words,
    representative_documents,
)
from llmtopics.naming._prompts import CHAT_INSTRUCTION, check_prompts
from llmtopics.naming._proposals import (
    NEEDS_MORE_TOKENS,
    describe_topics,
    propose_names,
)
from llmtopics.naming._scores import score_names


@dataclass(eq=False, repr=False)
class TopicLabeler(TransformerMixin, BaseEstimator):
    """Name and describe topics with a language model, and check each name.

    The model proposes names for each topic, from its words and from each of its
    representative documents. The name that makes the topic's words most likely is chosen.
    If no name makes them more likely than the neutral name "Something" does, the topic is
    named by its own words.

    Parameters
    ----------
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

    Attributes
    ----------
    names_ : list of K str
        One name per topic. Names are distinct, and none is blank.

    descriptions_ : list of K str
        One sentence per topic.

    sources_ : list of K str
        Where each name comes from: "model", or "words" (the topic's own words).

    outcomes_ : list of K str
        "named", "rejected" (no name passed the checks), "empty" (the model answered nothing, or
        only its thinking),
        "failed" (no call was answered) or "no_words" (the topic has no words).

    report_ : dict
        For "names" and "descriptions": number of topics with each outcome.

    candidates_ : list of K dicts
        The names that passed and their scores, best first. A score is the log-probability of
        the topic's words after the name, minus that after a neutral name ("Something"). If
        the model gives no probabilities, it is how often the name was proposed.

    typical_documents_ : list of K ndarrays
        Rows of the ``n_documents`` representative documents. If a topic is the first topic of
        no document, they are the documents with its largest shares. Empty without texts.

    usage_ : dict
        Use of the language model in this fit, as in ``LocalLLM.usage_``.

    See Also
    --------
    top_words : The words of each topic, from the weights of words.
    explain : Why a document has its topics.

    Notes
    -----
    Most chat servers give no probabilities. Then a name passes if it is proposed more than
    once, or shares a word with the topic's words or representative documents. Of several
    names, the one proposed most often is chosen.

    The model reads the representative documents. A document with "call this topic X" may
    change the names and descriptions of topics that it represents, and nothing else.

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

    llm: str | LanguageModel = "smollm2"
    _: KW_ONLY
    prompt: str | None = None
    description_prompt: str | None = None
    chat: bool = False
    n_words: int = 8
    n_documents: int = 3
    document_length: int = 200
    max_new_tokens: int | None = None
    verbose: bool | int = False

    _fitted_state: ClassVar[tuple[str, ...]] = ("names_",)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
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
            Words of each topic, best first: ``model.top_words()``, or :func:`top_words` of
            any model's ``components_``.
        mixtures : array-like of shape (D, K) or None, default=None
            Topic proportions θ, such as ``model.transform(texts)``.
        texts : sequence of D str or None, default=None
            The texts. With them, names are better than from words alone.

        Returns
        -------
        self : TopicLabeler
            The fitted estimator.

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
            are named by their words. ``outcomes_`` says which they are.
        """
        topics = check_words(words)
        check_prompts(self.prompt, self.description_prompt, texts is not None)
        documents, typical = representative_documents(
            len(topics), mixtures, texts, self.n_documents, self.document_length
        )
        llm = as_llm(self.llm)
        before = llm.usage_

        listed = [", ".join(some[: self.n_words]) for some in topics]
        with restored_on_error(self):
            generate = partial(self._generate, llm)
            proposed, named = propose_names(
                generate, listed, documents, self.prompt, 32 if self.chat else 12
            )
            self.candidates_ = score_names(llm, listed, documents, proposed)
            chosen = [next(iter(names), None) for names in self.candidates_]
            self.sources_ = ["words" if name is None else "model" for name in chosen]
            self.outcomes_ = [
                outcome if name is None else "named"
                for name, outcome in zip(chosen, named, strict=True)
            ]
            self.names_ = distinct_names(chosen, topics)
            self.descriptions_, described = describe_topics(
                generate,
                self.names_,
                topics,
                listed,
                documents,
                self.description_prompt,
            )
            self.typical_documents_ = typical
            self.usage_ = usage_since(before, llm)
            self.report_ = {
                "names": {each: self.outcomes_.count(each) for each in OUTCOMES},
                "descriptions": {each: described.count(each) for each in DESCRIBED},
            }
        _warn_of_missing(self.report_, len(self.names_))
        return self

    def transform(self, mixtures: ArrayLike) -> np.ndarray:
        """Return the mixtures unchanged, so that ``set_output`` can name their columns.

        Parameters
        ----------
        mixtures : array-like of shape (n_documents, K)
            Topic proportions θ.

        Returns
        -------
        mixtures : ndarray of shape (n_documents, K)
            The same values. With ``set_output(transform="pandas")`` they are a table with the
            names of the topics as column names.

        Raises
        ------
        ValueError
            If there is not one column per topic.
        """
        check_is_fitted(self)
        return check_mixtures(mixtures, len(self.names_))

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
            The same values.
        """
        self.fit(words, None if texts is None else mixtures, texts)
        return check_mixtures(mixtures, len(self.names_))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the topics.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of K str objects
            ``names_``.
        """
        check_is_fitted(self)
        return np.array(self.names_, dtype=object)

    def _generate(
        self,
        llm: LanguageModel,
        prompts: list[str],
        own: bool,
        max_new_tokens: int,
        on_error: str,
    ) -> list[str | None]:
        """Return the answers, None for failed calls. ``own`` prompts are the user's."""
        if not prompts:
            return []
        return llm.generate(
            prompts,
            chat=self.chat,
            system=CHAT_INSTRUCTION if self.chat and not own else None,
            stop=() if self.chat else "\n",  # chats may begin with an empty line
            max_new_tokens=self.max_new_tokens or max_new_tokens,
            on_error=on_error,
            verbose=self.verbose,
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
            "words are used instead (see outcomes_). Fit again to ask for the missing "
            f"answers. {NEEDS_MORE_TOKENS}."
        )
