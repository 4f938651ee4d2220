"""Texts with what a language model writes about them."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from llmtopics._checks import as_seed, check_texts
from llmtopics._language import LanguageModel, as_llm, usage_since
from llmtopics._language.clean_answer import clean_answer
from llmtopics._language.request import split_template
from llmtopics.augment._modes import MODES
from llmtopics.augment._quality import cosines_of, distinct_keywords, outcome_of
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


class LLMAugmenter(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Add to each text what a language model writes about it.

    Returns one text per text. Keywords, a paraphrase, a summary, a continuation or a
    description gives a topic model more words to count. Bad answers are left out: their texts
    stay as they were.

    Parameters
    ----------
    llm : str or language model, default="smollm2"
        The model that writes: a name for :class:`LocalLLM`, or a value such as
        ``LocalLLM(...)``.

    mode : str, default="keywords"
        What is written: "keywords", "paraphrase", "summary", "continuation" or
        "description". A summary is asked for in words, the others by two examples that any
        model can go on from. Keywords without a new word are taken out.

    prompt : str or None, default=None
        A prompt of your own, with the text in the place of ``{text}`` (double braces that
        are to be sent); then ``mode`` only says whether keywords are listed.

    chat : bool or None, default=None
        Whether to ask as a chat does; else the model continues the prompt, up to the end of
        a line. None is a chat for summaries and a prompt of your own only. Servers that
        can only chat want True.

    how : {"append", "replace"}, default="append"
        Whether what is written follows the text, on a line of its own, or stands for it.

    max_new_tokens : int, default=32
        Tokens written at most: time grows with them.

    temperature : float, default=0.0
        0 is always the likeliest token; higher is more varied.

    max_length : int or None, default=256
        Tokens of each text that are read; None for as many as the model can. A
        continuation goes on from there, so it wants None.

    min_similarity : float or None, default=None
        Least cosine between a text and what was written about it, from -1 to 1, as
        ``embedder`` sees them. None asks for none.

    embedder : transformer of texts to vectors or None, default=None
        Such as :class:`TransformerEmbedder`; needed with ``min_similarity``.

    language : str or None, default=None
        The language, as :class:`TextAnalyzer` names it, in which it must be written; None
        for any.

    on_error : {"raise", "keep"}, default="raise"
        Whether a call that fails stops the work (what was written is in the cache) or
        keeps its text.

    random_state : int, RandomState, Generator or None, default=None
        Decides what a temperature draws. Without one nothing is drawn.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    outcomes_ : ndarray of shape (n_texts,), of str
        What became of each text in the last call of ``transform``; see Notes.

    report_ : dict
        How many texts had each outcome.

    usage_ : dict
        What that call asked of the language model: ``n_calls``, ``n_cached``,
        ``prompt_tokens``, ``new_tokens``.

    See Also
    --------
    LLMResampler : More texts, in place of longer ones.
    LocalLLM : The default language model, its cache and its speed.

    Notes
    -----
    There is nothing to fit: ``transform`` obeys the parameters as they are when it is called.
    It leaves its report in the attributes, and the next call replaces it. Nothing else
    depends on earlier calls.

    All but "augmented" texts stay as they were:

    - "blank": there was nothing to write about;
    - "failed": the call failed, with ``on_error="keep"``;
    - "too_short": no word was written, or nothing after the thinking of a model that thinks
      first: it needs more ``max_new_tokens``;
    - "refused": the model says that it cannot;
    - "repetitive": half of the words were said before;
    - "copied": four of five words are those of the text, or of a line of the prompt;
    - "wrong_language": most letters are of another script than that of ``language``, or at
      least two more distinct stop words of another language. Lists of keywords have no
      stop words, and neighbours such as Danish and Norwegian look alike: this sees plain
      cases only;
    - "drifted": the cosine is below ``min_similarity``.

    What chat models put around an answer is taken away: thinking (``<think>``), "Sure! Here
    are the keywords:", code fences, JSON, marks of lists.

    A text is only ever part of its own prompt: one that gives orders ("ignore the above")
    changes its own row at most.

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

    _parameter_constraints: dict[str, list[Any]] = {
        "llm": [str, LanguageModel],
        "mode": [StrOptions(set(MODES))],
        "prompt": [str, None],
        "chat": ["boolean", None],
        "how": [StrOptions({"append", "replace"})],
        "max_new_tokens": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "min_similarity": [Interval(Real, -1, 1, closed="both"), None],
        "embedder": [HasMethods("transform"), None],
        "language": [str, None],
        "on_error": [StrOptions({"raise", "keep"})],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        llm: str | LanguageModel = "smollm2",
        *,
        mode: str = "keywords",
        prompt: str | None = None,
        chat: bool | None = None,
        how: str = "append",
        max_new_tokens: int = 32,
        temperature: float = 0.0,
        max_length: int | None = 256,
        min_similarity: float | None = None,
        embedder: Any = None,
        language: str | None = None,
        on_error: str = "raise",
        random_state: Any = None,
        verbose: bool | int = False,
    ):
        self.llm = llm
        self.mode = mode
        self.prompt = prompt
        self.chat = chat
        self.how = how
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self.max_length = max_length
        self.min_similarity = min_similarity
        self.embedder = embedder
        self.language = language
        self.on_error = on_error
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the parameters and the texts; nothing is learned.

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
        self._check()
        check_texts(X, "LLMAugmenter")
        return self

    @config_context(transform_output="default")
    def transform(self, X):
        """Return the texts with what the language model writes about them.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        texts : list of str
            One per text, in their order.

        Raises
        ------
        ValueError
            For what is not a text (naming its row), and for bad parameters.
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
        found = self._generate(llm, [texts[i] for i in asked])
        written = {i: self._cleaned(text) for i, text in zip(asked, found, strict=True)}
        for i, text in written.items():
            outcomes[i] = outcome_of(texts[i], text, self._template(), self.language)
        rows = np.flatnonzero(outcomes == "augmented")
        if self.min_similarity is not None and rows.size:
            answers = [written[i] for i in rows.tolist()]
            cosines = cosines_of([texts[i] for i in rows], answers, self.embedder)
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
        """Return what the model writes about each text, None where a call failed."""
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
                "min_similarity needs an embedder to see what texts mean: set "
                "embedder=TransformerEmbedder(), or leave min_similarity None."
            )

    def _template(self) -> str:
        return MODES[self.mode].prompt if self.prompt is None else self.prompt

    def _cleaned(self, written: str | None) -> str | None:
        """Return the answer alone, without repeated keywords."""
        if written is None:
            return None
        written = clean_answer(written, MODES[self.mode].label, self.mode)
        return distinct_keywords(written) if self.mode == "keywords" else written

    def get_feature_names_out(self, input_features=None):
        """Return the name of the one column, so that a Pipeline can name those after it.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (1,), of str
            "text".
        """
        return np.array(["text"], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags

    def __sklearn_is_fitted__(self):
        return True
