"""Add to each text what a language model writes about it."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from llmtopics._checks import as_seed, check_texts
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics._language.clean_answer import clean_answer
from llmtopics._language.request import split_template
from llmtopics._progress import fitting, reporting
from llmtopics._text_readers import TextOutput
from llmtopics.augment._modes import MODES
from llmtopics.augment._quality import cosines_of, distinct_keywords, outcome_of
from llmtopics.embed._encoder import as_embedder
from llmtopics.text._detect import is_foreign

OUTCOMES = (
    "augmented",
    "blank",
    "failed",
    "too_short",
    "refused",
    "repetitive",
    "copied",
    "wrong_language",
    "drifted",
)


@dataclass(eq=False, repr=False)
class LLMAugmenter(
    TextOutput,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Add to each text what a language model writes about it.

    Returns one text per document. The model writes keywords, a paraphrase, a summary, a
    continuation or a description, so a topic model has more words to count. Bad answers are
    left out, and their texts stay unchanged.

    Parameters
    ----------
    llm : str or language model, default="smollm2"
        The language model. A name is that of a :class:`LocalLLM`.

    mode : str, default="keywords"
        What to write: "keywords", "paraphrase", "summary", "continuation" or "description".
        The prompt for a summary is an instruction. The other prompts are two examples, which
        any model can continue. Keywords that add no new word are removed.

    prompt : str or None, default=None
        Your own prompt, with ``{text}`` replaced by the text. Write double braces where you
        want to send a brace. ``mode`` then only selects whether to remove repeated keywords.

    chat : bool or None, default=None
        Whether to send the prompt as a chat message. Otherwise the model continues the
        prompt, up to the end of a line. None is True for summaries and for your own prompt.
        Servers without a completions endpoint need True.

    how : {"append", "replace"}, default="append"
        Whether to put the answer after the text, on a new line, or in its place.

    max_new_tokens : int, default=32
        Maximum number of tokens to generate per text. Time grows with it.

    temperature : float, default=0.0
        0 always takes the most likely token. Higher values give more varied answers.

    max_length : int or None, default=256
        Maximum number of tokens that are read per text. None is as many as the model can
        read. A continuation starts where the text is cut, so it needs None.

    min_similarity : float or None, default=None
        Least cosine, from -1 to 1, between the vectors of a text and of its answer. None
        accepts any.

    embedder : str, transformer of texts to vectors, object with ``encode`` or None, default=None
        The embedding model for ``min_similarity``, as in :class:`FusionTopicModel`:
        "minilm", a folder, a hub id, a :class:`TransformerEmbedder`, ...

    language : str or None, default=None
        Language that answers must have, named as in :class:`TextAnalyzer`. None accepts any.

    on_error : {"raise", "keep"}, default="raise"
        "raise" stops at a failed call, and earlier answers stay in the cache. "keep" goes
        on, and leaves that text unchanged.

    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws, used if ``temperature`` is above 0.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    outcomes_ : ndarray of shape (n_texts,), of str
        Outcome of each text in the last call of ``transform`` (see Notes).

    report_ : dict
        Number of texts with each outcome.

    usage_ : dict
        Use of the language model in that call: ``n_calls``, ``n_cached``,
        ``prompt_tokens``, ``new_tokens``.

    See Also
    --------
    LLMResampler : More texts instead of longer texts.
    LocalLLM : The default language model, its cache and its speed.

    Notes
    -----
    There is nothing to fit. ``transform`` uses the present parameters. It stores its report
    in the attributes, and the next call replaces the report. Nothing else depends on earlier
    calls.

    Only "augmented" texts change. The other outcomes are:

    - "blank": the text is blank.
    - "failed": the call failed, with ``on_error="keep"``.
    - "too_short": the answer has no word. A model that thinks first may have spent all tokens
      on thinking: raise ``max_new_tokens``.
    - "refused": the model says that it cannot answer.
    - "repetitive": at least half of the words are repetitions.
    - "copied": the answer shares four fifths of the words with the text or with a line of the
      prompt.
    - "wrong_language": most letters belong to another script than that of ``language``, or
      another language has at least two more distinct stop words in the answer. This finds
      clear cases only: lists of keywords have no stop words, and close languages such as
      Danish and Norwegian look alike.
    - "drifted": the cosine is below ``min_similarity``.

    Everything that chat models put around an answer is removed: thinking (``<think>``),
    "Sure! Here are the keywords:", code fences, JSON and list markers.

    Each text is part of its own prompt only. So a text with orders for the model ("ignore the
    above") can change only its own row.

    Examples
    --------
    >>> from llmtopics import LLMAugmenter
    >>> augmenter = LLMAugmenter(max_new_tokens=8)
    >>> texts = augmenter.transform(["Goalkeeper saves two penalties in the final", ""])
    >>> len(texts), texts[0].splitlines()[0]
    (2, 'Goalkeeper saves two penalties in the final')
    >>> augmenter.outcomes_.tolist()
    ['augmented', 'blank']
    """

    llm: str | LanguageModel = "smollm2"
    _: KW_ONLY
    mode: str = "keywords"
    prompt: str | None = None
    chat: bool | None = None
    how: str = "append"
    max_new_tokens: int = 32
    temperature: float = 0.0
    max_length: int | None = 256
    min_similarity: float | None = None
    embedder: Any = None
    language: str | None = None
    on_error: str = "raise"
    random_state: Any = None
    verbose: bool | int = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "llm": [str, LanguageModel],
        "mode": [StrOptions(set(MODES))],
        "prompt": [str, None],
        "chat": ["boolean", None],
        "how": [StrOptions({"append", "replace"})],
        "max_new_tokens": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "min_similarity": [Interval(Real, -1, 1, closed="both"), None],
        "embedder": [HasMethods("transform"), HasMethods("encode"), str, None],
        "language": [str, None],
        "on_error": [StrOptions({"raise", "keep"})],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def fit(self, X, y=None):
        """Check the parameters and the texts. Nothing is learned.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : LLMAugmenter
            The estimator itself.
        """
        with fitting(self):
            self._check()
            check_texts(X, "LLMAugmenter")
        return self

    @config_context(transform_output="default")
    def transform(self, X):
        """Return the texts with the language model's answers.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        texts : list of str
            One per document, in the same order.

        Raises
        ------
        ValueError
            If an entry is not a text (the error names its row), or a parameter is wrong.
        LLMError
            If the language model does not answer, and ``on_error`` is "raise".
        OSError
            If a local model is not found.
        """
        self._check()
        texts = check_texts(X, "LLMAugmenter")
        outcomes = np.array(
            ["augmented" if text.strip() else "blank" for text in texts]
        )
        outcomes = outcomes.astype(f"<U{max(map(len, OUTCOMES))}")
        asked = np.flatnonzero(outcomes != "blank").tolist()
        llm = as_llm(self.llm)
        before = llm.usage_
        with reporting("LLMAugmenter", self.verbose, self):
            found = self._generate(llm, [texts[i] for i in asked])
        written = {i: self._cleaned(text) for i, text in zip(asked, found, strict=True)}
        for i, text in written.items():
            outcomes[i] = outcome_of(texts[i], text, self._template(), self.language)
        rows = np.flatnonzero(outcomes == "augmented")
        if self.min_similarity is not None and rows.size:
            answers = [written[i] for i in rows.tolist()]
            embedder = as_embedder(self.embedder, self.verbose)
            with reporting("LLMAugmenter", self.verbose, self):
                cosines = cosines_of([texts[i] for i in rows], answers, embedder)
            outcomes[rows[cosines < self.min_similarity]] = "drifted"
        self.outcomes_ = outcomes
        self.report_ = {name: int((outcomes == name).sum()) for name in OUTCOMES}
        self.usage_ = usage_since(before, llm)
        return [
            text
            if outcome != "augmented"
            else f"{text}\n{written[i]}"
            if self.how == "append"
            else written[i]
            for i, (text, outcome) in enumerate(zip(texts, outcomes, strict=True))
        ]

    def _generate(self, llm: LanguageModel, texts: list[str]) -> list[Any]:
        """Return the model's answer for each text, None for a failed call."""
        if not texts:
            return []
        own = self.prompt is not None
        chat = (own or MODES[self.mode].chat) if self.chat is None else self.chat
        return llm.generate(
            texts,
            template=self._template(),
            chat=chat,
            stop=() if chat else ("\n",),
            max_length=self.max_length,
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            seed=as_seed(self.random_state) if self.temperature else 0,
            on_error=self.on_error,
            verbose=self.verbose,
        )

    def _check(self) -> None:
        """Raise a ValueError that names the first parameter that is wrong."""
        self._validate_params()
        split_template(self._template())
        if self.language is not None:
            is_foreign("", self.language)
        if self.min_similarity is not None and self.embedder is None:
            raise ValueError(
                "min_similarity needs an embedder. Set embedder='minilm', or "
                "set min_similarity=None."
            )

    def _template(self) -> str:
        return MODES[self.mode].prompt if self.prompt is None else self.prompt

    def _cleaned(self, written: str | None) -> str | None:
        """Return the answer alone, without repeated keywords."""
        if written is None:
            return None
        written = clean_answer(written, MODES[self.mode].label, self.mode)
        return distinct_keywords(written) if self.mode == "keywords" else written
