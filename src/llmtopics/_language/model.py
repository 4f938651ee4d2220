"""What local and remote language models share: each distinct call is made once and kept."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from tqdm import tqdm

from llmtopics._checks import check_texts
from llmtopics._language.cache import folder_of, get_or_compute
from llmtopics._language.errors import LLMError, PromptFailed
from llmtopics._language.request import Request, checked, without_surrogates

_VERSION = 2  # part of the cache key: change it when prompts or reading change


class LanguageModel(BaseEstimator):
    """Generate texts, predict next words and score answers with any language model.

    Subclasses say what distinguishes one model's answers from another's (``_identity``), and
    answer what the cache lacks (``_compute``).
    """

    cache_dir: str | Path | bool | None
    _COUNTED: tuple[str, ...] = ("n_calls", "n_cached", "prompt_tokens", "new_tokens")
    _DECIDES: tuple[str, ...] = ()  # parameters on which answers depend; () is all

    def __sklearn_clone__(self) -> "LanguageModel":
        other = super().__sklearn_clone__()
        other._usage = self._used  # shared, so that limits hold for all clones together
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
            Seed of the draws at a temperature. Each prompt has its own random generator: other
            prompts change the draws only by changing the probabilities (see Notes).
        on_error : {"raise", "keep"}, default="raise"
            Whether a call that fails stops the work (what was answered stays in the cache)
            or leaves None in its row.
        verbose : bool or int, default=False
            Whether to show a progress bar.

        Returns
        -------
        texts : list of str
            One per prompt, without the prompt. None where a call failed and ``on_error`` is
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
        """Return how likely each word is to come next, in one forward pass per prompt.

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
            is "keep". The words are tokens that begin a word, without their space. A long
            word is represented by its first token (see :meth:`first_tokens`). Tokens that
            begin no word are left out, so probabilities sum to less than one.

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
        """Counts so far: calls made, answers found in the cache, tokens."""
        return dict(self._used)

    @property
    def _used(self) -> dict[str, float]:
        if not hasattr(self, "_usage"):
            self._usage: dict[str, float] = dict.fromkeys(self._COUNTED, 0)
        return self._usage

    def _answer(
        self,
        prompts: Any,
        request: Request,
        on_error: str,
        verbose: bool | int,
        names: Sequence[str] | None = None,
        *further: Any,
    ) -> list[Any]:
        """Return the answer to each prompt, asking only what the cache lacks.

        ``names`` are what errors call the rows. ``further`` is passed on to ``_compute``.
        """
        texts = [
            without_surrogates(text)
            for text in check_texts(prompts, type(self).__name__)
        ]
        request = checked(request, on_error)
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
            for some, answers in self._compute(asked, request, on_error, *further):
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
                found = get_or_compute(place, context, distinct, compute)
            except PromptFailed as failure:
                row = texts.index(failure.prompt)
                name = names[row] if names else f"Row {row}"
                raise LLMError(f"{name}: {failure}") from None
            bar.update(len(found) - n_new)
            self._used["n_cached"] += len(found) - n_new
        answers = {i: json.loads(value) for i, value in found.items()}
        return [answers.get(rows[text]) for text in texts]

    @abstractmethod
    def _identity(self) -> Any:
        """Return what distinguishes this model's answers from another's, as JSON can hold it."""

    @abstractmethod
    def _compute(
        self, prompts: list[str], request: Request, on_error: str
    ) -> Iterator[tuple[Iterable[int], Iterable[Any]]]:
        """Yield positions in ``prompts`` and their answers, as they are made.

        An answer is what JSON can hold: a text; a list of words and one of their
        probabilities; log-probabilities. With ``on_error="keep"`` a failed one is left out;
        else what failed for one prompt raises a :class:`PromptFailed`.
        """
