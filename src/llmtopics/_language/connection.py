"""One connection to a server: sending, limits, and what failures mean."""

import os
import re
from threading import Event
from typing import Any

from llmtopics._language.budget import Budget
from llmtopics._language.errors import LLMError, LLMUnsupportedError, PromptFailed
from llmtopics._language.providers import Provider
from llmtopics._language.providers.base import NOT_READABLE
from llmtopics._language.request import Request


class Stopped(Exception):
    """A request that is not sent any more, because another has failed."""


class Connection:
    """A connection for one call about many prompts.

    Parameters
    ----------
    provider : Provider
    budget : Budget
    request : Request
    stopped : Event
        Once it is set, nothing more is sent.
    base_url, model : str
    api_key_env : str or None
        Name of the environment variable that holds the key.
    timeout : float
    max_retries : int
    """

    def __init__(
        self,
        provider: Provider,
        budget: Budget,
        request: Request,
        stopped: Event,
        *,
        base_url: str,
        model: str,
        api_key_env: str | None,
        timeout: float,
        max_retries: int,
    ):
        self.error = provider.errors()
        self.provider, self.budget = provider, budget
        self.request, self.stopped = request, stopped
        self.model, self.api_key_env = model, api_key_env
        self.name = f"{base_url} ({model})"
        if reason := provider.unsupported(request):
            raise self.unsupported(*reason)
        self.key = os.environ.get(api_key_env, "") if api_key_env else "none"
        if not self.key:
            raise LLMError(
                f"The environment variable {api_key_env} is not set: put the key of "
                f"{base_url} there, or name another variable in api_key_env (None for "
                "a server without keys)."
            )
        self.client = provider.client(
            api_key=self.key,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            event_hooks={"request": [self._reserve], "response": [self._refund]},
        )

    def send(
        self, prompt: str, text: str, options: dict[str, Any], image: str | None = None
    ) -> dict[str, Any]:
        """Return what the server answers to a text, in the provider's own form.

        ``image`` is the address of a picture that is sent with it.
        """
        pictures = {"image": image} if image else {}  # not every provider takes them
        try:
            response = self.provider.send(
                self.client, self.model, text, self.request, options, **pictures
            )
        except self.error as error:
            failure = self._failure(prompt, error)
        else:
            return self._read(prompt, response)
        raise failure  # here, as the other error holds the request, and that the key

    def _read(self, prompt: str, response: Any) -> dict[str, Any]:
        """Return the answer after its tokens are counted and its model is checked."""
        most = self.request.max_new_tokens
        try:
            reply = self.provider.read(response)
        except NOT_READABLE:
            raise PromptFailed(
                prompt, f"{self.name} sent no answer, but {self._quoted(response.text)}"
            ) from None
        taken = reply.n_read, reply.n_new
        self.budget.count_tokens(*taken)
        if reply.tells_tokens:
            self.budget.settle(self._most_tokens(response.request), taken)
        if not same_model(self.model, reply.model):
            raise LLMError(
                f"{self.name} answers with another model, {reply.model!r}: name that "
                "one in model, if it is the one you mean."
            )
        if reply.n_new > most:
            raise self.unsupported(
                f"max_new_tokens={most}",
                f"it wrote {reply.n_new} tokens",
                "another server",
            )
        return reply.choice

    def _failure(self, prompt: str, error: Any) -> Exception:
        """Return what to raise for an error of the client."""
        cause, status = error.__cause__, getattr(error, "status_code", None)
        if isinstance(cause, LLMError | Stopped):  # older clients wrap errors of hooks
            return cause
        said = self._quoted(f"{error}" + (f" ({cause})" if cause else ""))
        if status in (401, 403):
            name = self.api_key_env
            what = f"the key in {name}" if name else "requests without a key"
            return LLMError(f"{self.name} refuses {what}: {said}")
        if status == 402 or getattr(error, "code", None) == "insufficient_quota":
            return LLMError(f"{self.name} reports a quota or billing error: {said}")
        if status in (404, 405, 501):
            return self._not_there(said)
        if type(cause).__name__.startswith("Connect"):  # ConnectError, ConnectTimeout
            return LLMError(
                f"{self.name} cannot be reached: {said}. Is it running, and base_url right?"
            )
        if status in (400, 413, 422):
            if re.search("context|too long|too many tokens", said, re.IGNORECASE):
                return PromptFailed(
                    prompt, f"The text is too long for {self.name}; shorten it: {said}"
                )
            if self.request.kind not in ("describe", "generate"):
                return self.unsupported(self.request.kind, f"it refuses: {said}")
        return PromptFailed(prompt, f"{self.name} gave no answer: {said}")

    def _not_there(self, said: str) -> LLMError:
        """Return the error for a model or an endpoint that the server does not have."""
        if "model" in said and "endpoint" not in said:
            return LLMError(f"{self.name} has no such model: {said}")
        kind, chat = self.request.kind, self.request.chat
        other = "LocalLLM" if kind == "score" else f"chat={not chat}"
        return self.unsupported(
            f"{kind}(chat={chat})",
            f"it has no {'chat' if chat else 'completions'} at this address: {said}",
            f"{other}, or a base_url that ends in /v1",
        )

    def unsupported(
        self, what: str, why: str, instead: str = "LocalLLM, or a server such as vLLM"
    ) -> LLMUnsupportedError:
        """Return the error for what this server cannot do."""
        return LLMUnsupportedError(
            f"{what} is unsupported by {self.name}: {why}; use {instead}."
        )

    def _quoted(self, text: str) -> str:
        """Return the start of what a server said, without the key."""
        hidden = text.replace(self.key, "***") if self.api_key_env else text
        return f"{hidden[:300]!r}"

    def _most_tokens(self, sent: Any) -> tuple[int, int]:
        """Return the tokens that a request can take: a text has no more than its bytes."""
        return len(sent.content), self.request.max_new_tokens

    def _reserve(self, sent: Any) -> None:
        """Book a request before it is sent."""
        if self.stopped.is_set():
            raise Stopped
        self.budget.reserve(*self._most_tokens(sent), self.name)

    def _refund(self, response: Any) -> None:
        """Take the cost of an answer that is an error off the account."""
        if not response.is_success:
            self.budget.refund(*self._most_tokens(response.request))


def same_model(asked: str, answered: Any) -> bool:
    """Tell whether one name may be an alias of the other ("m", "org/m", "m-2024-08-06")."""
    if not answered:  # the server does not tell
        return True
    short, long = sorted(
        (
            name.lower().rstrip("/").rpartition("/")[2].removesuffix("latest")
            for name in (asked, str(answered))
        ),
        key=len,
    )
    short = short.rstrip("-:@")
    return long.startswith(short) and not long[len(short) :][:1].isalnum()
