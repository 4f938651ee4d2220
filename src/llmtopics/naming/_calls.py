"""All calls of the language model for one naming: their cost beforehand, and one bar."""

import logging
from contextlib import ExitStack
from itertools import chain, pairwise
from typing import Self

import numpy as np

from llmtopics._language import LanguageModel
from llmtopics._progress import reporting, stage
from llmtopics.naming._prompts import CHAT_INSTRUCTION, SCORING, TopicPrompts

logger = logging.getLogger(__name__)

_TOKENS = {False: (12, 32), True: (32, 48)}  # chat: of a name, of a description
_PORTION = 64  # prompts per request, so that the bar moves; two batches on a CPU
_FIRST = 16  # prompts of the first request, so that the bar moves soon
_BYTES_PER_TOKEN = 4  # of English, about


class Calls:
    """Calls of a language model, counted in one progress bar.

    Parameters
    ----------
    llm : LanguageModel
    prompts : TopicPrompts
        What is going to be asked.
    chat : bool
    max_new_tokens : int or None
        The user's limit for all answers.
    verbose : bool or int
    """

    def __init__(
        self,
        llm: LanguageModel,
        prompts: TopicPrompts,
        chat: bool,
        max_new_tokens: int | None,
        verbose: bool | int,
    ) -> None:
        tokens = (max_new_tokens,) * 2 if max_new_tokens else _TOKENS[chat]
        self.name_tokens, self.description_tokens = tokens
        n_calls, n_tokens = self._expected_cost(prompts)
        cost = f"up to {n_calls:,} calls, about {n_tokens:,} tokens"
        logger.info("Naming topics needs %s of the language model", cost)
        self._llm, self._chat, self._verbose = llm, chat, verbose
        self._n_calls, self._name = n_calls, f"names ({cost})"
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(reporting(self._name, self._verbose))
        calls = stage("calls", self._n_calls, "calls")
        self._stage = self._open.enter_context(calls)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def generate(
        self, prompts: list[str], own: bool, max_new_tokens: int, on_error: str
    ) -> list[str | None]:
        """Return the answers, None for failed calls. ``own`` prompts are the user's."""
        answers: list[str | None] = []
        ends = range(_FIRST, len(prompts), _PORTION)
        for start, end in pairwise(sorted({0, *ends, len(prompts)})):
            some = prompts[start:end]
            answers += self._llm.generate(
                some,
                chat=self._chat,
                system=CHAT_INSTRUCTION if self._chat and not own else None,
                stop=() if self._chat else "\n",  # chats may begin with an empty line
                max_new_tokens=max_new_tokens,
                on_error=on_error,
            )
            self._stage.update(len(some))
        return answers

    def score(self, names: list[str], words: str) -> np.ndarray:
        """Return the log-probability of a topic's words after each name."""
        logs = self._llm.score(names, [f" {words}"], template=SCORING)[:, 0]
        self._stage.update(len(names))
        return logs

    def _expected_cost(self, prompts: TopicPrompts) -> tuple[int, int]:
        """Return the largest number of calls, and about their number of tokens.

        The names and a neutral one are scored, unless a check refuses them before.
        """
        naming = prompts.naming()
        asked = list(chain(*naming))
        asked_after = list(chain(*prompts.describing([""] * len(naming))))
        scored = [SCORING for some in naming if some for _ in range(len(some) + 1)]
        read = [*asked, *asked_after, *scored]
        n_bytes = sum(len(prompt.encode("utf-8", "replace")) for prompt in read)
        n_written = len(asked) * self.name_tokens
        n_written += len(asked_after) * self.description_tokens
        return len(read), n_bytes // _BYTES_PER_TOKEN + n_written
