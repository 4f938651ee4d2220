"""What local and remote language models share: each distinct call is made once and kept."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral, Real
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from tqdm import tqdm

from llmtopics._checks import check_texts
from llmtopics._language._cache import folder_of, remember

_VERSION = 2  # of how prompts are made and answers read: another has other answers


class LLMError(RuntimeError):
    """A language model gave no answer; the message says why, and what to do.

    What was answered before stays in the cache, so that the same call made again asks only
    for what is missing.

    See Also
    --------
    LocalLLM : A language model that runs on this machine.
    RemoteLLM : A language model behind an OpenAI-compatible server.

    Examples
    --------
    >>> from llmtopics import LLMError
    >>> try:
    ...     raise LLMError("no answer")
    ... except RuntimeError as error:
    ...     print(error)
    no answer
    """


class LLMUnsupportedError(LLMError):
    """The server or model cannot do what was asked of it."""


class LLMLimitError(LLMError):
    """A call would have passed the limit that was set."""


class PromptFailed(Exception):
    """The call about one prompt failed, for a reason that may not hold for others.

    ``LanguageModel`` makes an :class:`LLMError` of it that names the prompt's row.
    """

    def __init__(self, prompt: str, reason: str):
        super().__init__(reason)
        self.prompt = prompt


class Request(NamedTuple):
    """What is asked about every prompt of a call; with the prompt, it decides the answer."""

    kind: str  # generate, next_word_distribution, score
    template: str
    system: str | None
    chat: bool
    max_length: int | None
    max_new_tokens: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    n_words: int = 0
    answers: tuple[str, ...] = ()


class LanguageModel(BaseEstimator):
    """The three questions that can be asked of any language model.

    Those who inherit say what tells one model's answers from another's (``_identity``) and
    answer what the cache lacks (``_compute``).
    """

    cache_dir: str | Path | bool | None
    _COUNTED: tuple[str, ...] = ("n_calls", "n_cached", "prompt_tokens", "new_tokens")
    _DECIDES: tuple[str, ...] = ()  # parameters on which answers depend; () is all

    def __sklearn_clone__(self) -> "LanguageModel":
        other = super().__sklearn_clone__()
        other._usage = self._used  # the same account: limits hold for all clones
        return other

    def generate(
        self,
        prompts: Sequence[str],
        *,
        template: str = "{text}",
        system: str | None = None,
        chat: bool = True,
        max_length: int | None = None,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        top_p: float = 0.95,
        stop: Sequence[str] = (),
        seed: int = 0,
        on_error: str = "raise",
        verbose: bool | int = False,
    ) -> list[Any]:
        """Return what the model writes after each prompt.

        Parameters
        ----------
        prompts : sequence of str
            Texts.
        template : str, default="{text}"
            What is sent: each prompt in the place of ``{text}``. Double braces that are to
            be sent.
        system : str or None, default=None
            Instruction that goes before, where the model knows such; None for the
            model's own.
        chat : bool, default=True
            Whether to ask as a chat does, where the model has a chat template; else the
            model continues the prompt.
        max_length : int or None, default=None
            Tokens of each prompt that are read; what is longer is cut, the template never.
            None for as many as the model can read.
        max_new_tokens : int, default=64
            Tokens written at most.
        temperature : float, default=0.0
            0 is always the likeliest token; higher is more varied.
        top_p : float, default=0.95
            With a temperature: only the likeliest tokens, up to this probability together.
        stop : sequence of str, default=()
            Writing ends before any of these.
        seed : int, default=0
            Decides what a temperature draws. Each prompt has dice of its own: other prompts
            change what is drawn only as they move the probabilities (see Notes).
        on_error : {"raise", "keep"}, default="raise"
            Whether a call that fails stops the work (what was answered stays in the cache)
            or leaves None in its row.
        verbose : bool or int, default=False
            Whether to show a progress bar.

        Returns
        -------
        texts : list of str
            One a prompt, without the prompt; None where a call failed and ``on_error`` is
            "keep".

        Raises
        ------
        ValueError
            For what is not a text or blank (naming its row), and for bad parameters.
        LLMError
            If the model does not answer, cannot, or a limit would be passed.
        OSError
            If a local model is not found.
        """
        request = Request(
            "generate",
            template,
            system,
            chat,
            max_length,
            max_new_tokens,
            temperature,
            top_p if temperature else 1.0,
            (stop,) if isinstance(stop, str) else tuple(stop),
            seed if temperature else 0,
        )
        return self._answer(prompts, request, on_error, verbose)

    def next_word_distribution(
        self,
        prompts: Sequence[str],
        *,
        template: str = "{text}",
        system: str | None = None,
        chat: bool = False,
        max_length: int | None = None,
        n_words: int = 256,
        on_error: str = "raise",
        verbose: bool | int = False,
    ) -> list[Any]:
        """Return how likely each word is to come next, in one pass of the model.

        Parameters
        ----------
        prompts : sequence of str
            Texts.
        template : str, default="{text}"
            As in :meth:`generate`.
        system : str or None, default=None
            As in :meth:`generate`.
        chat : bool, default=False
            As in :meth:`generate`.
        max_length : int or None, default=None
            As in :meth:`generate`.
        n_words : int, default=256
            The likeliest tokens, at most; a server may give fewer.
        on_error : {"raise", "keep"}, default="raise"
            As in :meth:`generate`.
        verbose : bool or int, default=False
            Whether to show a progress bar.

        Returns
        -------
        distributions : list of dict
            Word to probability, likeliest first; None where a call failed and ``on_error``
            is "keep". The words are tokens that begin a word, without their space: a long
            word is there by its first token alone (see :meth:`first_tokens`). What begins
            no word is left out, so probabilities sum to less than one.

        Raises
        ------
        ValueError, LLMError, OSError
            As :meth:`generate`.
        """
        request = Request(
            "next_word_distribution",
            template,
            system,
            chat,
            max_length,
            n_words=n_words,
        )
        found = self._answer(prompts, request, on_error, verbose)
        return [row and dict(zip(*row, strict=True)) for row in found]

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[str],
        *,
        template: str = "{text}",
        system: str | None = None,
        chat: bool = False,
        max_length: int | None = None,
        verbose: bool | int = False,
    ) -> np.ndarray:
        """Return how likely each answer is to follow each prompt.

        Parameters
        ----------
        prompts : sequence of str
            Texts.
        answers : sequence of str
            What may follow, as it stands: mostly with a space in front.
        template : str, default="{text}"
            As in :meth:`generate`.
        system : str or None, default=None
            As in :meth:`generate`.
        chat : bool, default=False
            As in :meth:`generate`.
        max_length : int or None, default=None
            As in :meth:`generate`.
        verbose : bool or int, default=False
            Whether to show a progress bar.

        Returns
        -------
        scores : ndarray of shape (n_prompts, n_answers)
            Log-probabilities, sums over the tokens of an answer; none is above 0.

        Raises
        ------
        ValueError, LLMError, OSError
            As :meth:`generate`.
        """
        answers = check_texts(answers, "score(answers=...)")
        if "" in answers:
            raise ValueError(f"Answer {answers.index('')} is empty: nothing to score.")
        request = Request(
            "score", template, system, chat, max_length, answers=tuple(answers)
        )
        return np.array(self._answer(prompts, request, "raise", verbose), float)

    def first_tokens(self, words: Sequence[str]) -> list[str]:
        """Return the token that each word begins with, where that can be known.

        Parameters
        ----------
        words : sequence of str
            Words, without a space in front.

        Returns
        -------
        tokens : list of str
            The word itself where it is one token, or the model does not tell.
        """
        return list(words)

    @property
    def usage_(self) -> dict[str, float]:
        """What was asked so far: calls made, answers found in the cache, tokens."""
        return dict(self._used)

    @property
    def _used(self) -> dict[str, float]:
        if not hasattr(self, "_usage"):
            self._usage: dict[str, float] = dict.fromkeys(self._COUNTED, 0)
        return self._usage

    def _answer(
        self, prompts: Any, request: Request, on_error: str, verbose: bool | int
    ) -> list[Any]:
        """Return the answer to each prompt, asking only what the cache lacks."""
        texts = [mended(text) for text in check_texts(prompts, type(self).__name__)]
        request = _checked(request, on_error)
        for row, text in enumerate(texts):
            if not text.strip():
                raise ValueError(
                    f"Row {row} is blank: there is nothing to ask the model about."
                )
        rows = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        distinct = list(rows)
        bar = tqdm(total=len(distinct), desc=request.kind, disable=not verbose)
        n_new = 0

        def compute(missing: list[int]) -> Iterator[tuple[list[int], list[bytes]]]:
            nonlocal n_new
            asked = [distinct[i] for i in missing]
            for some, answers in self._compute(asked, request, on_error):
                some = list(some)
                kept = [
                    json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
                    for answer in answers
                ]
                yield [missing[i] for i in some], kept
                self._used["n_calls"] += len(some)
                n_new += len(some)
                bar.update(len(some))

        with bar:
            context = json.dumps([_VERSION, self._identity(), request._asdict()])
            folder = folder_of(self.cache_dir)
            place = folder and folder / "answers"  # apart from vectors, which are many
            try:
                found = remember(place, context, distinct, compute)
            except PromptFailed as failure:
                row = texts.index(failure.prompt)
                raise LLMError(f"Row {row}: {failure}") from None
            bar.update(len(found) - n_new)
            self._used["n_cached"] += len(found) - n_new
        answers = {i: json.loads(value) for i, value in found.items()}
        return [answers.get(rows[text]) for text in texts]

    @abstractmethod
    def _identity(self) -> Any:
        """Return what tells this model's answers from another's, as JSON can hold it."""

    @abstractmethod
    def _compute(
        self, prompts: list[str], request: Request, on_error: str
    ) -> Iterator[tuple[Iterable[int], Iterable[Any]]]:
        """Yield positions in ``prompts`` and their answers, as they are made.

        An answer is what JSON can hold: a text; a list of words and one of their
        probabilities; log-probabilities. With ``on_error="keep"`` a failed one is left out;
        else what failed for one prompt raises a :class:`PromptFailed`.
        """


_KINDS: dict[str, tuple[type, float]] = {  # a parameter, its kind and its least value
    "max_length": (Integral, 1),
    "max_new_tokens": (Integral, 1),
    "temperature": (Real, 0),
    "top_p": (Real, 0),
    "seed": (Integral, 0),
    "n_words": (Integral, 0),
}


def _checked(request: Request, on_error: str) -> Request:
    """Return the request with plain numbers, so that equal ones are equal as JSON.

    Raises
    ------
    ValueError
        If something is wrong with a parameter, which is named.
    """
    split_template(request.template)
    if on_error not in ("raise", "keep"):
        raise ValueError(f"on_error must be 'raise' or 'keep', got {on_error!r}.")
    plain: dict[str, Any] = {"chat": bool(request.chat)}
    for name, (kind, least) in _KINDS.items():
        value = getattr(request, name)
        if value is None and name == "max_length":
            continue
        if not isinstance(value, kind) or not value >= least:  # type: ignore[operator]
            what = "whole number" if kind is Integral else "number"
            raise ValueError(
                f"{name} must be a {what} of at least {least}, got {value!r}."
            )
        plain[name] = int(value) if kind is Integral else float(value)  # type: ignore
    if not 0 < request.top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {request.top_p!r}.")
    if request.kind == "next_word_distribution" and not request.n_words:
        raise ValueError("n_words must be a whole number of at least 1, got 0.")
    for stop in request.stop:
        if not isinstance(stop, str) or not stop:
            raise ValueError(f"stop must hold texts that are not empty, got {stop!r}.")
    plain["template"] = mended(request.template)
    plain["system"] = request.system and mended(request.system)
    plain["stop"] = tuple(map(mended, request.stop))
    plain["answers"] = tuple(map(mended, request.answers))
    return request._replace(**plain)


def mended(text: str) -> str:
    """Return a text with "?" for each lone surrogate, which neither tokenizers nor UTF-8 take."""
    return text.encode("utf-8", "replace").decode("utf-8")


def split_template(template: str) -> tuple[str, str]:
    """Return what stands before and after the text in a template.

    Raises
    ------
    ValueError
        If ``{text}`` is not there once, or there is another placeholder.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"The template {template!r} has a single brace ({error}): double it."
        ) from None
    fields = [name for _, name, _, _ in parts if name is not None]
    if fields != ["text"]:
        raise ValueError(
            f"The template {template!r} must have the placeholder {{text}} once and no "
            f"other, got {fields or 'none'}."
        )
    at = [name for _, name, _, _ in parts].index("text") + 1
    head, tail = (
        "".join(literal for literal, *_ in some) for some in (parts[:at], parts[at:])
    )
    return head, tail
