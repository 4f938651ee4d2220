"""Base class of language models. Each distinct call is made once, and then cached."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from llmtopics._checks import check_texts
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._language.errors import LLMError, PromptFailed
from llmtopics._language.request import Request, checked, without_surrogates
from llmtopics._language.usage import CountsUsage
from llmtopics._progress import reporting, stage

_STAGES = {  # what the bar says, by kind of request
    "generate": "answers",
    "next_word_distribution": "next words",
    "score": "scores",
    "describe": "captions",
}
_VERSION = 2  # in the cache key: raise it if prompts are built or read in another way


class LanguageModel(CountsUsage, BaseEstimator):
    """Generate texts, predict next words and score answers with any language model.

    Subclasses define what answers depend on (``_identity``), and compute the answers that the
    cache lacks (``_compute``).
    """

    cache_dir: str | Path | bool | None
    _DECIDES: tuple[str, ...] = ()  # parameters on which answers depend; () is all

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
        """Generate a text for each prompt.

        Parameters
        ----------
        prompts : sequence of str
            Texts.
        template : str, default="{text}"
            The text that is sent, with ``{text}`` replaced by a prompt. Write double braces
            where you want to send a brace.
        system : str or None, default=None
            System message, put before the prompt. None is the model's default.
        chat : bool, default=True
            Whether to send the prompt as a chat message, if the model has a chat template.
            Otherwise the model continues the prompt.
        max_length : int or None, default=None
            Maximum tokens per prompt. Longer prompts are cut. None is the model's limit.
        max_new_tokens : int, default=64
            Maximum number of tokens to generate per prompt.
        temperature : float, default=0.0
            0 always takes the most likely token. Higher values give more varied texts.
        top_p : float, default=0.95
            With a temperature: draw from the most likely tokens up to this probability.
        stop : sequence of str, default=()
            A text ends before any of these strings.
        seed : int, default=0
            Seed of the random generators, used if ``temperature`` is above 0. Each prompt has
            its own generator. Other prompts can change a draw only if they change the
            probabilities (see Notes).
        on_error : {"raise", "keep"}, default="raise"
            "raise" stops at a failed call, and earlier answers stay in the cache. "keep"
            goes on, and returns None for that prompt.
        verbose : bool or int, default=False
            Whether to show a progress bar.

        Returns
        -------
        texts : list of str
            One per prompt, without the prompt. None for a failed call with "keep".

        Raises
        ------
        ValueError
            If a prompt is blank or not a text (names its row), or a parameter is wrong.
        LLMError
            If the model does not answer or does not support the request, or a limit could be
            exceeded.
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
        """Return the probabilities of the next word, with one forward pass per prompt.

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
            Maximum number of words, the most likely ones. A server may give fewer.
        on_error : {"raise", "keep"}, default="raise"
            As in :meth:`generate`.
        verbose : bool or int, default=False
            Whether to show a progress bar.

        Returns
        -------
        distributions : list of dict
            Maps words to probabilities, most likely first. None for a failed call if
            ``on_error`` is "keep". The words are tokens that begin a word, without their
            leading space. So a long word is represented by its first token (see
            :meth:`first_tokens`). Other tokens are left out, so the probabilities sum to less
            than one.

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
        """Return the log-probability of each answer after each prompt.

        Parameters
        ----------
        prompts : sequence of str
            Texts.
        answers : sequence of str
            Texts that may follow a prompt. Most need a leading space.
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
            Log-probabilities, summed over the tokens of an answer. None is above 0.

        Raises
        ------
        ValueError, LLMError, OSError
            As :meth:`generate`.
        """
        answers = check_texts(answers, "score(answers=...)")
        if "" in answers:
            raise ValueError(
                f"Answer {answers.index('')} is empty. Remove it from answers."
            )
        request = Request(
            "score", template, system, chat, max_length, answers=tuple(answers)
        )
        return np.array(self._answer(prompts, request, "raise", verbose), float)

    def first_tokens(self, words: Sequence[str]) -> list[str]:
        """Return the first token of each word, if the model gives it.

        Parameters
        ----------
        words : sequence of str
            Words, without leading spaces.

        Returns
        -------
        tokens : list of str
            One per word. The word itself if it is one token, or its tokens are unknown.
        """
        return list(words)

    def _answer(
        self,
        prompts: Any,
        request: Request,
        on_error: str,
        verbose: bool | int,
        names: Sequence[str] | None = None,
        *further: Any,
    ) -> list[Any]:
        """Return the answer to each prompt. Compute only those that the cache lacks.

        Errors call a row by its entry in ``names``. ``further`` is passed to ``_compute``.
        """
        texts = [
            without_surrogates(text)
            for text in check_texts(prompts, type(self).__name__)
        ]
        request = checked(request, on_error)
        for row, text in enumerate(texts):
            if not text.strip():
                raise ValueError(
                    f"Row {row} is blank, so the model cannot answer it. Remove blank texts."
                )
        rows = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        distinct = list(rows)
        n_new = 0

        def compute(missing: list[int]) -> Iterator[tuple[list[int], list[bytes]]]:
            nonlocal n_new
            asked = [distinct[i] for i in missing]
            with stage(_STAGES[request.kind], len(asked), "prompts") as answered:
                for some, answers in self._compute(asked, request, on_error, *further):
                    some = list(some)
                    kept = [
                        json.dumps(each, ensure_ascii=False).encode("utf-8", "replace")
                        for each in answers
                    ]
                    yield [missing[i] for i in some], kept
                    self._used["n_calls"] += len(some)
                    n_new += len(some)
                    answered.update(len(some))

        with reporting(type(self).__name__, verbose):
            context = json.dumps([_VERSION, self._identity(), request._asdict()])
            folder = folder_of(self.cache_dir)
            place = folder and folder / "answers"  # vectors would fill this cache
            try:
                found = get_or_compute(place, context, distinct, compute)
            except PromptFailed as failure:
                row = texts.index(failure.prompt)
                name = names[row] if names else f"Row {row}"
                raise LLMError(f"{name}: {failure}") from None
            self._used["n_cached"] += len(found) - n_new
        answers = {i: json.loads(value) for i, value in found.items()}
        return [answers.get(rows[text]) for text in texts]

    @abstractmethod
    def _identity(self) -> Any:
        """Return what answers depend on besides prompt and request, as a JSON value."""

    @abstractmethod
    def _compute(
        self, prompts: list[str], request: Request, on_error: str
    ) -> Iterator[tuple[Iterable[int], Iterable[Any]]]:
        """Yield positions in ``prompts`` and their answers, as soon as they are known.

        An answer is a JSON value: a text, a list of words and one of their probabilities, or
        a list of log-probabilities. With ``on_error="keep"`` failed prompts are left out.
        Otherwise a prompt that fails raises a :class:`PromptFailed`.
        """
