"""One connection to a server: send requests, enforce limits, explain failures."""

import json
import logging
import re
from threading import Event, Lock
from time import monotonic
from typing import Any

from llmtopics._language.budget import Budget
from llmtopics._language.errors import LLMError, LLMUnsupportedError, PromptFailed
from llmtopics._language.extras import fields_and_limit, filled_headers, secret_of
from llmtopics._language.pace import wait_for_turn
from llmtopics._language.providers import Provider
from llmtopics._language.providers.base import NOT_READABLE
from llmtopics._language.request import Request

logger = logging.getLogger(__name__)

_learning = Lock()
_ACCEPTED: dict[
    tuple[str, str, bool], dict[str, str | None]
] = {}  # by server and model:
# fields that it refuses -> their other names, or None to leave them out
SLACK = 8  # tokens: some servers count the end of the text, or stop a little late
IMAGE_TOKENS = 1000  # about
MOST_BYTES = 2**28  # of vectors of one request
MOST_BYTES_WRITTEN = (
    2**25
)  # of one written answer, with log-probabilities of a long text
# Each of these makes a text at most 1,000 times as long. Others, or two at once, have no limit
_CODINGS = {"", "identity", "gzip", "deflate"}

_IMAGE = re.compile(rb'(?<="data:image/)[^"]*')


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
    extra_body, extra_headers, query : dict
    per_minute : tuple
        Most requests and most tokens per minute, or None for no limit.
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
        extra_body: dict[str, Any],
        extra_headers: dict[str, str],
        query: dict[str, str],
        per_minute: tuple[int | None, int | None],
    ):
        self.error = provider.errors()
        self.provider, self.budget = provider, budget
        self.request, self.stopped = request, stopped
        self.model, self.api_key_env, self.timeout = model, api_key_env, timeout
        self.name = f"{base_url} ({model})"
        self.per_minute = per_minute
        self.address = base_url.rstrip("/"), model, request.chat
        if reason := provider.unsupported(request):
            raise self.unsupported(*reason)
        key = None
        if api_key_env:
            key = secret_of(
                api_key_env,
                f"Put the key of {base_url} there, or name another variable in api_key_env. "
                "Use api_key_env=None for a server without keys.",
            )
        headers, self.secrets = filled_headers(extra_headers)
        self.secrets += [key] if key else []
        self.extra, told = fields_and_limit(
            extra_body, provider.limit_fields, request.kind in ("describe", "generate")
        )
        self.most = told or request.max_new_tokens
        self.replaced = provider.limit_fields if told else ()
        self.client = provider.client(
            api_key=key,
            base_url=base_url,
            headers=headers,
            query=query,
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
        fields = {n: v for n, v in options.items() if n not in self.replaced}
        fields = {n: v for n, v in (fields | self.extra).items() if v is not None}
        known = _ACCEPTED.get(self.address, {})
        changes = dict(known)
        pictures = {"image": image} if image else {}  # some providers accept none
        while True:
            named = {n: n if n in self.extra else changes.get(n, n) for n in fields}
            sent = {to: fields[name] for name, to in named.items() if to}
            try:
                response = self.provider.send(
                    self.client, self.model, text, self.request, sent, **pictures
                )
            except self.error as error:
                change = self._refused_field(error, sent)
                if not change:
                    failure = self._failure(prompt, error)
                    break
                changes |= change
            else:
                if changes != known:
                    self._remember(changes)
                return self._read(prompt, response)
        # not inside except: the client's error holds the request, which has the key
        raise failure

    def _refused_field(self, error: Any, sent: dict[str, Any]) -> dict[str, str | None]:
        """Return a field that the server refuses, and the one to send, {} if there is none."""
        if getattr(error, "status_code", None) not in (400, 422):
            return {}
        ours = {name: value for name, value in sent.items() if name not in self.extra}
        return self.provider.refused_field(_text_of(error), ours)

    def _remember(self, changes: dict[str, str | None]) -> None:
        """Keep what the server accepts for later calls, and log it once."""
        with _learning:
            known = _ACCEPTED.setdefault(self.address, {})
            new = {name: to for name, to in changes.items() if name not in known}
            known |= new
        for name, to in new.items():
            logger.warning(
                "%s refuses %s. It is %s from now on",
                self.name,
                name,
                f"sent as {to}" if to else "left out, so the server's default is used",
            )

    def _read(self, prompt: str, response: Any) -> dict[str, Any]:
        """Count the tokens of a response, check its model, and return the answer."""
        try:
            reply = self.provider.read(response)
        except NOT_READABLE as error:
            raise PromptFailed(
                prompt,
                f"{self.name} sent no answer in the expected format "
                f"({self._quoted(str(error))}): {self._quoted(response.text)}",
            ) from None
        taken = reply.n_read, reply.n_new
        self.budget.count_tokens(*taken)
        if reply.tells_tokens:
            self.budget.settle(self._most_tokens(response.request), taken)
        if not same_model(self.model, reply.model):
            raise LLMError(
                f"{self.name} answers with another model, {reply.model!r}. If you want "
                f"that model, set model={reply.model!r}. If it is only another name, such as a "
                f"deployment of Azure, also set extra_body={{'model': {self.model!r}}}."
            )
        too_many = reply.n_limited > self.most + SLACK
        if too_many and self.request.kind != "embed":
            raise self.unsupported(
                f"max_new_tokens={self.most}",
                f"it wrote {reply.n_limited} tokens",
                "another server",
            )
        return reply.choice

    def _failure(self, prompt: str, error: Any) -> Exception:
        """Return the exception to raise for an error of the client."""
        cause, status = error.__cause__, getattr(error, "status_code", None)
        if isinstance(cause, LLMError | Stopped):  # older clients wrap errors in hooks
            return cause
        said = self._quoted(_text_of(error) + (f" ({cause})" if cause else ""))
        if status in range(300, 400):
            there = error.response.headers.get("location", "")
            return LLMError(
                f"{self.name} redirects to {self._quoted(there)}. Texts are sent to base_url "
                f"alone ({self.address[0]}). Set base_url to the right address."
            )
        if status in (401, 403):
            name = self.api_key_env or (self.secrets and "extra_headers")
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
        if re.search("model|deployment", said) and "endpoint" not in said:
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
        """Return the start of a server's message, with secrets hidden."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return f"{text[:300]!r}"

    def _most_tokens(self, sent: Any) -> tuple[int, int]:
        """Return the most tokens that a request can use: at most one per byte is read."""
        return len(sent.content), self.most

    def _reserve(self, sent: Any) -> None:
        """Count a request before it is sent."""
        content, n_images = sent.content, 0
        if self.request.kind == "describe":
            content, n_images = _IMAGE.subn(b"", content)
        n_tokens = len(content) // 4 + n_images * IMAGE_TOKENS + self.most  # about
        wait_for_turn(self.address[:2], n_tokens, *self.per_minute, self.stopped)
        if self.stopped.is_set():
            raise Stopped
        self.budget.reserve(*self._most_tokens(sent), self.name)

    def _refund(self, response: Any) -> None:
        """Subtract the cost of a request if the server answered with an error."""
        if not response.is_success:
            self.budget.refund(*self._most_tokens(response.request))

    def _load(self, response: Any) -> None:
        """Read a response, unless it is huge or takes too long."""
        coding = response.headers.get("content-encoding", "").strip().lower()
        if coding not in _CODINGS:
            raise LLMError(
                f"{self.name} sends an answer in the encoding {self._quoted(coding)}, and only "
                "gzip and deflate are read. Turn off compression on the server."
            )
        most = MOST_BYTES if self.request.kind == "embed" else MOST_BYTES_WRITTEN
        parts, n, start = [], 0, monotonic()
        for part in response.iter_bytes():
            parts.append(part)
            n += len(part)
            if n > most:
                raise LLMError(
                    f"{self.name} sends more than {most >> 20} MiB in one answer. Check "
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


def _text_of(error: Any) -> str:
    """Return what a server says about an error, in any shape, or what the client says."""
    response = getattr(error, "response", None)
    if response is None or not response.text:
        return f"{error}"
    try:
        said = json.dumps(response.json(), ensure_ascii=False)  # without escapes
    except (ValueError, RecursionError):
        said = response.text
    return f"Error code {response.status_code}: {said}"


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
