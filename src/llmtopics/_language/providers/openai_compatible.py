"""OpenAI-compatible servers: OpenAI, vLLM, llama.cpp, Ollama and others."""

import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from llmtopics._language.providers.base import NOT_READABLE, Provider, Reply
from llmtopics._language.request import Request

_OPTIONAL = {  # fields that some models refuse -> their other names
    "max_tokens": "max_completion_tokens",
    "top_p": None,
    "seed": None,
    "stop": None,
    "temperature": None,
}
_REFUSED = re.compile(
    "support|unknown|unrecognized|unexpected|not permitted|not allowed|forbidden|deprecated"
    "|cannot both|only the default",
    re.IGNORECASE,
)
_TOO_LONG = re.compile("context|too (?:large|long|many|high)", re.IGNORECASE)


class OpenAICompatible(Provider):
    """Servers with the endpoints ``/chat/completions``, ``/completions``, ``/embeddings``."""

    max_top_tokens = 20
    limit_fields = ("max_tokens", "max_completion_tokens")

    def errors(self) -> type[Exception]:
        """Return the class of the client's errors."""
        try:
            import openai
        except ImportError:
            raise ImportError(
                "Models behind a server need the package openai: "
                "pip install 'llmtopics[remote]'"
            ) from None
        return openai.OpenAIError

    def client(
        self,
        *,
        base_url: str,
        api_key: str | None,
        timeout: float,
        max_retries: int,
        headers: dict[str, str],
        query: dict[str, str],
        event_hooks: dict[str, list[Callable]],
    ) -> Any:
        """Return a client of the package openai."""
        import openai

        def without_key(request: Any) -> None:
            request.headers.pop("Authorization", None)

        if api_key is None and "authorization" not in map(str.lower, headers):
            hooks = [without_key, *event_hooks["request"]]
            event_hooks = {**event_hooks, "request": hooks}
        return openai.OpenAI(
            api_key=api_key or "none",  # the client needs one
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=headers,
            default_query=query,
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,  # texts are sent to the named server only
                # with the package brotli or zstandard, it would ask for what is refused
                headers={"Accept-Encoding": "gzip, deflate"},
                event_hooks=event_hooks,
            ),
        )

    def unsupported(self, request: Request) -> tuple[str, str, str] | None:
        """Return why a chat cannot score answers, if this is asked."""
        if request.kind == "score" and request.chat:
            reason = "chats have no scores of given answers"
            return "score(chat=True)", reason, "chat=False"
        return None

    def send(
        self,
        client: Any,
        model: str,
        text: str | list[str],
        request: Request,
        options: dict,
        image: str | None = None,
    ) -> Any:
        """Send a text as a chat message, or as a text to continue. Or send texts to embed."""
        if request.kind == "embed":
            return client.embeddings.with_raw_response.create(
                model=model, input=text, extra_body=options
            ).http_response
        sent: dict[str, Any]
        if request.chat:
            content: Any = text
            if image:
                content = [
                    {"type": "image_url", "image_url": {"url": image}},
                    {"type": "text", "text": text},
                ]
            messages: list[Any] = [{"role": "user", "content": content}]
            if request.system is not None:
                messages.insert(0, {"role": "system", "content": request.system})
            endpoint, sent = client.chat.completions, {"messages": messages}
        else:
            endpoint, sent = client.completions, {"prompt": text}
        return endpoint.with_raw_response.create(
            model=model,
            stream=False,  # some servers stream unless told not to
            **sent,
            extra_body=options,
        ).http_response

    def refused_field(
        self, said: str, options: dict[str, Any]
    ) -> dict[str, str | None]:
        """Return the option that an answer names as unsupported."""
        if not _REFUSED.search(said) or _TOO_LONG.search(said):
            return {}
        for name, other in _OPTIONAL.items():
            named = rf"['\"`]{name}['\"`]|(?:parameter|field|argument)s?:? {name}\b"
            if name in options and re.search(named, said):
                return {name: other}
        return {}

    def read(self, response: Any) -> Reply:
        """Return the first choice or the vectors, and the numbers of tokens reported."""
        answer = response.json()
        if answer.get("error"):  # some servers send it with status 200
            raise ValueError(answer["error"])
        vectors = "data" in answer
        choice = {"data": answer["data"]} if vectors else dict(answer["choices"][0])
        usage = answer.get("usage") or {}
        n_read, n_new, n_all = (
            int(usage.get(name) or 0)
            for name in ("prompt_tokens", "completion_tokens", "total_tokens")
        )
        if min(n_read, n_new) < 0:
            raise ValueError(f"negative numbers of tokens, {usage}")
        n_limited = n_new
        if n_read and not vectors:  # Gemini counts thinking in the total alone
            n_new = max(n_new, n_all - n_read)
        return Reply(choice, answer.get("model"), n_read, n_new, bool(usage), n_limited)

    def writing_options(self, request: Request) -> dict[str, Any]:
        """Return limit, temperature, the options that go with it, and the stop strings."""
        options: dict[str, Any] = {
            "max_tokens": request.max_new_tokens,
            "temperature": request.temperature,
        }
        if request.temperature:
            options |= {"top_p": request.top_p, "seed": request.seed}
        if request.stop:
            options["stop"] = list(request.stop)
        return options

    def top_token_options(self, request: Request, n_top: int) -> dict[str, Any]:
        """Return the options for log-probabilities, which have other names in chats."""
        # some servers apply the temperature to probabilities: 1 does not change them
        chat = {"logprobs": True, "top_logprobs": n_top}
        tops = chat if request.chat else {"logprobs": n_top}
        return {"max_tokens": 1, "temperature": 1, **tops}

    def scoring_options(self, request: Request) -> dict[str, Any]:
        """Return the options for a reply that repeats the text with log-probabilities."""
        return {"max_tokens": 1, "echo": True, "logprobs": 1, "temperature": 1}

    def embedding_options(self, dimensions: int | None) -> dict[str, Any]:
        """Return the dimensions, if they are given. Numbers are sent as numbers."""
        # the client's own default, base64, is refused or ignored by some servers
        options: dict[str, Any] = {"encoding_format": "float"}
        return (
            options if dimensions is None else options | {"dimensions": int(dimensions)}
        )

    def vectors_of(self, choice: dict[str, Any]) -> list[tuple[Any, Any]]:
        """Return each index and its embedding."""
        return [(each["index"], each["embedding"]) for each in choice["data"]]

    def text_of(self, choice: dict[str, Any], chat: bool) -> Any:
        """Return the text of the chat message or of the completion, None if it only thought."""
        try:
            found = choice["message"]["content"] if chat else choice["text"]
            if isinstance(found, list):  # parts, of which some may be thinking
                found = "".join(p["text"] for p in found if p["type"] == "text")
            message = choice["message"] if chat else {}
            thought = message.get("reasoning_content") or message.get("reasoning")
            return None if thought and not found else found
        except NOT_READABLE:
            return None

    def end_of(self, choice: dict[str, Any]) -> str | None:
        """Return the finish reason."""
        return choice.get("finish_reason")

    def silence_of(self, choice: dict[str, Any], chat: bool) -> str | None:
        """Return the refusal, or that there is a call of a tool or no message."""
        message = choice.get("message") if chat else choice
        if not isinstance(message, dict):
            return "its answer has no message"
        if refusal := message.get("refusal"):
            return f"it refuses, {str(refusal)[:300]!r}"
        calls = message.get("tool_calls") or message.get("function_call")
        if calls or choice.get("finish_reason") == "tool_calls":
            return "it calls a tool. Remove tools from extra_body"
        return None

    def top_tokens_of(self, choice: dict[str, Any]) -> list[tuple[str, float]]:
        """Return the next tokens, from the format of chats or of completions."""
        logprobs = choice["logprobs"]
        if "content" in logprobs:  # a chat
            tops = logprobs["content"][0]["top_logprobs"]
            found = [(top["token"], top["logprob"]) for top in tops]
        else:
            found = list(logprobs["top_logprobs"][0].items())
        return sorted(found, key=lambda pair: -pair[1])

    def score_of(self, choice: dict[str, Any], text: str, answer: str) -> float:
        """Return the sum over the answer's tokens.

        Raises ValueError if a token is partly in the answer and partly outside.
        """
        logprobs = choice["logprobs"]
        tokens, chances = logprobs["tokens"], logprobs["token_logprobs"]
        start = "".join(tokens).index(text + answer)  # special tokens may come first
        bounds = [0, *accumulate(map(len, tokens))]
        first = bounds.index(start + len(text))
        last = bounds.index(start + len(text) + len(answer))
        return min(sum(chances[first:last]), 0.0)
