"""One connection to a server: send requests, enforce limits, explain failures."""

import os
import re
from threading import Event
from time import monotonic
from typing import Any

from llmtopics._language.budget import Budget
from llmtopics._language.errors import LLMError, LLMUnsupportedError, PromptFailed
from llmtopics._language.providers import Provider
from llmtopics._language.providers.base import NOT_READABLE
from llmtopics._language.request import Request

MOST_BYTES = 2**28  # of an answer: more than any model writes


class Stopped(Exception):
    """A request was not sent, because another one had failed."""


class Connection:
    """A connection to a server, for one call with many prompts.

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
        self.model, self.api_key_env, self.timeout = model, api_key_env, timeout
        self.name = f"{base_url} ({model})"
        if reason := provider.unsupported(request):
            raise self.unsupported(*reason)
        self.key = os.environ.get(api_key_env, "") if api_key_env else "none"
        if not self.key:
            raise LLMError(
                f"The environment variable {api_key_env} is not set. Put the key of "
                f"{base_url} there, or name another variable in api_key_env. Use "
                "api_key_env=None for a server without keys."
            )
        self.client = provider.client(
            api_key=self.key,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            event_hooks={
                "request": [self._reserve],
                "response": [self._refund, self._load],
            },
        )

    def send(
        self,
        prompt: str,
        text: str | list[str],
        options: dict[str, Any],
        image: str | None = None,
    ) -> dict[str, Any]:
        """Send a text, and return the server's answer in the provider's format.

        ``text`` is a list of texts in requests of kind "embed". ``image`` is the URL of an
        image to send with it.
        """
        pictures = {"image": image} if image else {}  # some providers accept none
        try:
            response = self.provider.send(
                self.client, self.model, text, self.request, options, **pictures
            )
        except self.error as error:
            failure = self._failure(prompt, error)
        else:
            return self._read(prompt, response)
        # not inside except: the client's error holds the request, which has the key
        raise failure

    def _read(self, prompt: str, response: Any) -> dict[str, Any]:
        """Count the tokens of a response, check its model, and return the answer."""
        most = self.request.max_new_tokens
        try:
            reply = self.provider.read(response)
        except NOT_READABLE:
            raise PromptFailed(
                prompt,
                f"{self.name} sent no answer in the expected format: "
                f"{self._quoted(response.text)}",
            ) from None
        taken = reply.n_read, reply.n_new
        self.budget.count_tokens(*taken)
        if reply.tells_tokens:
            self.budget.settle(self._most_tokens(response.request), taken)
        if not same_model(self.model, reply.model):
            raise LLMError(
                f"{self.name} answers with another model, {reply.model!r}. If you want "
                f"that model, set model={reply.model!r}."
            )
        if reply.n_new > most:
            raise self.unsupported(
                f"max_new_tokens={most}",
                f"it wrote {reply.n_new} tokens",
                "another server",
            )
        return reply.choice

    def _failure(self, prompt: str, error: Any) -> Exception:
        """Return the exception to raise for an error of the client."""
        cause, status = error.__cause__, getattr(error, "status_code", None)
        if isinstance(cause, LLMError | Stopped):  # older clients wrap errors in hooks
            return cause
        said = self._quoted(f"{error}" + (f" ({cause})" if cause else ""))
        if status in (401, 403):
            name = self.api_key_env
            what = f"the key in {name}" if name else "requests without a key"
            return LLMError(f"{self.name} refuses {what}: {said}")
        if status == 402 or getattr(error, "code", None) == "insufficient_quota":
            return LLMError(f"{self.name} reports a quota or billing error: {said}")
        if status in (404, 405, 501):
            return self._not_found(said)
        if type(cause).__name__.startswith("Connect"):  # ConnectError, ConnectTimeout
            return LLMError(
                f"{self.name} cannot be reached: {said}. Check that it is running and that "
                "base_url is right."
            )
        if status in (400, 413, 422):
            if re.search("context|too long|too many tokens", said, re.IGNORECASE):
                return PromptFailed(
                    prompt,
                    f"The text is too long for {self.name}. Shorten it: {said}",
                    refused=True,
                )
            if self.request.kind not in ("describe", "embed", "generate"):
                return self.unsupported(self.request.kind, f"it refuses: {said}")
        return PromptFailed(
            prompt,
            f"{self.name} gave no answer: {said}",
            refused=status in (400, 413, 422),
        )

    def _not_found(self, said: str) -> LLMError:
        """Return the error for a model or an endpoint that the server does not have."""
        if "model" in said and "endpoint" not in said:
            return LLMError(f"{self.name} has no such model: {said}")
        kind, chat = self.request.kind, self.request.chat
        if kind == "embed":
            return self.unsupported(
                "RemoteEmbedder",
                f"it has no endpoint for embeddings at this address: {said}",
                "a base_url that ends in /v1, or another server",
            )
        other = "LocalLLM" if kind == "score" else f"chat={not chat}"
        return self.unsupported(
            f"{kind}(chat={chat})",
            f"it has no endpoint for {'chat' if chat else 'completions'} at this address: "
            f"{said}",
            f"{other}, or a base_url that ends in /v1",
        )

    def unsupported(
        self, what: str, why: str, instead: str = "LocalLLM, or a server such as vLLM"
    ) -> LLMUnsupportedError:
        """Return the error for something that this server cannot do."""
        return LLMUnsupportedError(
            f"{what} is unsupported by {self.name}: {why}; use {instead}."
        )

    def _quoted(self, text: str) -> str:
        """Return the start of a server's message, with the key hidden."""
        hidden = text.replace(self.key, "***") if self.api_key_env else text
        return f"{hidden[:300]!r}"

    def _most_tokens(self, sent: Any) -> tuple[int, int]:
        """Return the most tokens that a request can use: at most one per byte is read."""
        return len(sent.content), self.request.max_new_tokens

    def _reserve(self, sent: Any) -> None:
        """Count a request before it is sent."""
        if self.stopped.is_set():
            raise Stopped
        self.budget.reserve(*self._most_tokens(sent), self.name)

    def _refund(self, response: Any) -> None:
        """Subtract the cost of a request if the server answered with an error."""
        if not response.is_success:
            self.budget.refund(*self._most_tokens(response.request))

    def _load(self, response: Any) -> None:
        """Read a response, unless it is huge or takes too long."""
        parts, n, start = [], 0, monotonic()
        for part in response.iter_bytes():
            parts.append(part)
            n += len(part)
            if n > MOST_BYTES:
                raise LLMError(
                    f"{self.name} sends more than {MOST_BYTES >> 20} MiB in one answer. Check "
                    "that base_url is right."
                )
            if monotonic() - start > self.timeout:
                raise LLMError(
                    f"{self.name} sends its answer too slowly: after {self.timeout:g} seconds "
                    "it is not complete. Raise timeout."
                )
        response._content = b"".join(
            parts
        )  # as response.read() does, which has no limits


def same_model(asked: str, answered: Any) -> bool:
    """Return whether one name may be an alias of the other ("m", "org/m", "m-2024-08-06")."""
    if not answered:  # the server does not name its model
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
