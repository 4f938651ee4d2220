"""Get a remote model's answers to single prompts, for any provider."""

from collections.abc import Callable
from math import exp
from typing import Any

from llmtopics._language.clean_answer import without_thinking
from llmtopics._language.connection import Connection
from llmtopics._language.errors import LLMUnsupportedError, PromptFailed
from llmtopics._language.providers.base import NOT_READABLE
from llmtopics._language.request import split_template

_CHARACTERS = 4  # per token, about


class RemoteAnswers:
    """Answers to the prompts of one call, in the format of the cache.

    Parameters
    ----------
    connection : Connection
    url_of : callable or None
        From a prompt that names an image to the image's URL.
    """

    def __init__(
        self, connection: Connection, url_of: Callable[[str], str] | None = None
    ):
        self.connection = connection
        self.url_of = url_of
        self.provider, self.request = connection.provider, connection.request
        request, most = self.request, self.provider.max_top_tokens
        self.n_top = min(request.n_words, most) if request.chat else request.n_words

    def answer(self, prompt: str) -> Any:
        """Return the answer to a prompt."""
        request = self.request
        head, tail = split_template(request.template)
        most = request.max_length and request.max_length * _CHARACTERS
        text = f"{head}{'' if self.url_of else prompt[:most]}{tail}"
        if request.system and not request.chat:
            text = f"{request.system}\n\n{text}"
        if request.kind == "score":
            return [self._score(prompt, text, answer) for answer in request.answers]
        if request.kind == "next_word_distribution":
            return self._next_words(prompt, text)
        return self._write(prompt, text)

    def _write(self, prompt: str, text: str) -> str:
        request, name = self.request, self.connection.name
        options = self.provider.writing_options(request)
        image = self.url_of(prompt) if self.url_of else None
        choice = self.connection.send(prompt, text, options, image)
        reason = self.provider.end_of(choice)
        if reason in ("content_filter", "error"):
            raise PromptFailed(prompt, f"{name} did not finish: {reason}.")
        written = self.provider.text_of(choice, request.chat)
        found = written if isinstance(written, str) else ""
        if request.chat:
            found = without_thinking(found)
        if not found.strip():
            if why := self.provider.silence_of(choice, request.chat):
                raise PromptFailed(prompt, f"{name} wrote nothing: {why}.")
            # a stop string may come first, except in the thinking
            if not request.stop or written != found or reason == "length":
                raise PromptFailed(prompt, f"{name} {self._too_few_tokens(reason)}")
        for stop in request.stop:
            found = found.partition(stop)[0]
        return found.strip()

    def _too_few_tokens(self, reason: str | None) -> str:
        most = self.connection.most
        stop = " A stop string may have ended it." if self.request.stop else ""
        return (
            f"wrote nothing (finish_reason {reason!r}). If the model thinks before it "
            f"answers, {most} tokens may be too few.{stop} Raise max_new_tokens, or set "
            f"extra_body={{'max_completion_tokens': {max(2000, 4 * most)}}} for every call."
        )

    def _next_words(self, prompt: str, text: str) -> list[Any]:
        n_top, after_space = self.n_top, self.request.chat or text[-1:].isspace()
        try:
            choice = self._send_for_top_tokens(prompt, text, n_top)
        except LLMUnsupportedError:
            if n_top <= self.provider.max_top_tokens:
                raise
            n_top = self.n_top = self.provider.max_top_tokens
            choice = self._send_for_top_tokens(prompt, text, n_top)
        summed: dict[str, float] = {}
        try:
            for token, chance in self.provider.top_tokens_of(choice)[:n_top]:
                word = token.strip()
                if (after_space or token[:1] == " ") and word[:1].isalnum():
                    summed[word] = summed.get(word, 0.0) + exp(min(chance, 0.0))
        except NOT_READABLE:
            raise self.connection.unsupported(
                "next_word_distribution", "it gives no log-probabilities"
            ) from None
        if not summed:
            raise PromptFailed(
                prompt,
                f"None of the most likely tokens of {self.connection.name} begins a word. "
                "If the server leaves out leading spaces, end the template with a space.",
            )
        return [list(summed), [float(f"{p:.4g}") for p in summed.values()]]

    def _send_for_top_tokens(self, prompt: str, text: str, n_top: int) -> dict:
        options = self.provider.top_token_options(self.request, n_top)
        return self.connection.send(prompt, text, options)

    def _score(self, prompt: str, text: str, answer: str) -> float:
        options = self.provider.scoring_options(self.request)
        choice = self.connection.send(prompt, text + answer, options)
        try:
            return self.provider.score_of(choice, text, answer)
        except NOT_READABLE as error:
            reason = f"it gives no log-probabilities that fit {answer!r} ({error})"
        raise self.connection.unsupported("score", reason)
