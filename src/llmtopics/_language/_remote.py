"""A language model behind an OpenAI-compatible server."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import accumulate
from math import exp
from numbers import Integral, Real
from pathlib import Path
from threading import Event, Lock
from typing import Any
from urllib.parse import urlsplit

from sklearn.utils._param_validation import Interval, Options

from llmtopics._checks import N_JOBS
from llmtopics._language._ask import (
    LanguageModel,
    LLMError,
    LLMLimitError,
    LLMUnsupportedError,
    PromptFailed,
    Request,
    split_template,
)
from llmtopics._threads import n_workers

_CHARACTERS = 4  # of a token, about
_N_TOP = 20  # likeliest tokens that most servers give at most
_NOT_READABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_counting = Lock()  # what was spent is shared by threads, and by clones


class RemoteLLM(LanguageModel):
    """A language model behind an OpenAI-compatible server.

    A value to give to estimators (``llm=RemoteLLM(...)``), which can also be asked by
    itself. The texts that it is asked about are sent to that server, and nowhere else;
    nothing is sent before the first answer that the cache lacks. Needs the extra
    ``remote``.

    Parameters
    ----------
    base_url : str
        Address of the server, mostly ending in "/v1".

    model : str
        The name that the server knows the model by.

    api_key_env : str or None, default="OPENAI_API_KEY"
        Name of the environment variable that holds the key. It is read when something is
        sent, and stored nowhere. None for servers that need no key.

    timeout : float, default=60.0
        Seconds without a sign of the server after which a request has failed.

    max_retries : int, default=5
        How many times a request is sent again that failed for a passing reason: too many
        requests, an error inside the server, no answer in time, a connection cut off. The
        pauses grow, with chance in them, or are those that the server asks for.

    max_requests : int or None, default=None
        Requests that may be sent, those sent again included.

    max_cost : float or None, default=None
        What may be spent, in the currency of ``price``.

    price : tuple of two floats or None, default=None
        Price of a million tokens read and of a million tokens written.

    n_jobs : int or None, default=4
        Requests under way at the same time. None is one unless ``joblib.parallel_config``
        says more, -1 is one per processor.

    cache_dir : str, Path, False or None, default=None
        Where answers are kept. None is the folder named in the environment variable
        ``LLMTOPICS_CACHE`` or else the user's cache folder; False keeps none.

    Attributes
    ----------
    usage_ : dict
        What it and its clones were asked so far: ``n_calls``, ``n_cached``,
        ``prompt_tokens``, ``new_tokens`` (as the server counts them), ``n_requests``, ``cost``.

    See Also
    --------
    LocalLLM : A language model that runs on this machine.

    Notes
    -----
    Every answer is kept on disk by server, model, prompt and parameters, as soon as it
    comes: a run that failed, was interrupted, or is repeated, sends only what is missing.
    The cache keeps what a model wrote, which tells of the prompts: treat it as you treat
    them. A server that comes to serve another model under the same name needs another
    ``cache_dir``.

    Limits hold for this value and its clones together, as in a grid search, but each other
    process counts for itself. They stop a request before it is sent: until the server says
    how many tokens it read, a request costs what it would if each of its bytes were one
    and all tokens asked for were written. So it stays if no answer comes, as the server
    may have done the work; an answer that is an error costs nothing.

    Only the server can count its tokens: for ``max_length`` one is taken for four
    characters, which is about right for English. A text that is too long for the server is
    an error that names the row.

    A key that is refused, a model that the server does not have, a server that cannot be
    reached or gives no log-probabilities, and a limit are errors also with
    ``on_error="keep"``, as they would fail for every row.

    ``generate`` needs the server's chat endpoint, or that of completions with
    ``chat=False``. ``next_word_distribution`` needs one that gives log-probabilities
    (mostly of 20 tokens at most). ``score`` needs completions with ``echo`` (vLLM has it),
    and sends one request for each prompt and answer.

    Examples
    --------
    >>> from llmtopics import RemoteLLM
    >>> llm = RemoteLLM("http://localhost:8000/v1", "qwen3", api_key_env=None, max_requests=100)
    >>> llm.generate(["Name one fruit."])  # doctest: +SKIP
    ['An apple.']
    >>> llm.usage_["n_requests"]
    0
    """

    _COUNTED = (*LanguageModel._COUNTED, "n_requests", "cost")
    _DECIDES = ("base_url", "model")
    _parameter_constraints: dict[str, list[Any]] = {
        "base_url": [str],
        "model": [str],
        "api_key_env": [str, None],
        "timeout": [Interval(Real, 0, None, closed="neither")],
        "max_retries": [Interval(Integral, 0, None, closed="left")],
        "max_requests": [Interval(Integral, 0, None, closed="left"), None],
        "max_cost": [Interval(Real, 0, None, closed="left"), None],
        "price": [tuple, list, None],
        "n_jobs": N_JOBS,
        "cache_dir": [str, Path, Options(bool, {False}), None],
    }

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key_env: str | None = "OPENAI_API_KEY",
        timeout: float = 60.0,
        max_retries: int = 5,
        max_requests: int | None = None,
        max_cost: float | None = None,
        price: tuple[float, float] | None = None,
        n_jobs: int | None = 4,
        cache_dir: str | Path | bool | None = None,
    ):
        self.base_url = base_url
        self.model = model
        self.api_key_env = api_key_env
        self.timeout = timeout
        self.max_retries = max_retries
        self.max_requests = max_requests
        self.max_cost = max_cost
        self.price = price
        self.n_jobs = n_jobs
        self.cache_dir = cache_dir

    def _identity(self) -> Any:
        self._validate_params()
        url = urlsplit(self.base_url)
        secrets = "@" in url.netloc or url.query
        if url.scheme not in ("http", "https") or not url.netloc or secrets:
            raise ValueError(
                "base_url must be an address such as 'http://localhost:8000/v1', without "
                "user, password or query: name the variable with the key in api_key_env."
            )
        if self.max_cost is not None and self.price is None:
            raise ValueError(
                "max_cost needs price=(per million tokens read, per million written)."
            )
        if self.price is not None and not (
            len(self.price) == 2
            and all(isinstance(each, Real) and each >= 0 for each in self.price)
        ):
            raise ValueError(
                "price must be two numbers of at least 0, for a million tokens read and a "
                f"million written, got {self.price!r}."
            )
        return [self.base_url.rstrip("/"), self.model]

    def _compute(
        self, prompts: list[str], request: Request, on_error: str
    ) -> Iterator[tuple[list[int], list[Any]]]:
        stopped, failure = Event(), None
        server = _Server(self, request, stopped)

        def work(prompt: str) -> Any:
            if stopped.is_set():
                return None
            try:
                return server.ask(prompt)
            except _Stopped:
                return None
            except BaseException as error:
                if on_error == "keep" and isinstance(error, PromptFailed):
                    return None
                stopped.set()
                raise

        with server.client, ThreadPoolExecutor(n_workers(self.n_jobs)) as pool:
            jobs = {pool.submit(work, prompt): i for i, prompt in enumerate(prompts)}
            try:
                for job in as_completed(jobs):
                    if job.exception():
                        failure = failure or job.exception()
                    elif job.result() is not None:
                        yield [jobs[job]], [job.result()]
            finally:
                stopped.set()
                pool.shutdown(cancel_futures=True)
        if failure:
            raise failure


class _Stopped(Exception):
    """A request that is not sent any more, as another has failed."""


class _Server:
    """A connection for one call of many prompts, and the account of what it spends."""

    def __init__(self, llm: RemoteLLM, request: Request, stopped: Event):
        try:
            import openai
        except ImportError:
            raise ImportError(
                "RemoteLLM needs the package openai: pip install 'llmtopics[remote]'"
            ) from None
        self.llm, self.request, self.stopped = llm, request, stopped
        self.used = llm._used
        self.name = f"{llm.base_url} ({llm.model})"
        self.n_top = min(request.n_words, _N_TOP) if request.chat else request.n_words
        if request.kind == "score" and request.chat:
            raise self._unsupported(
                "score(chat=True)",
                "chats have no scores of given answers",
                "chat=False",
            )
        self.key = os.environ.get(llm.api_key_env, "") if llm.api_key_env else "none"
        if not self.key:
            raise LLMError(
                f"The environment variable {llm.api_key_env} is not set: put the key of "
                f"{llm.base_url} there, or name another variable in api_key_env (None for "
                "a server without keys)."
            )
        self.error = openai.OpenAIError
        self.client = openai.OpenAI(
            api_key=self.key,
            base_url=llm.base_url,
            timeout=llm.timeout,
            max_retries=llm.max_retries,
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,  # texts go where they were meant to go
                event_hooks={"request": [self._reserve], "response": [self._release]},
            ),
        )

    def ask(self, prompt: str) -> Any:
        """Return the answer to a prompt, as the cache keeps it."""
        request = self.request
        head, tail = split_template(request.template)
        most = request.max_length and request.max_length * _CHARACTERS
        text = f"{head}{prompt[:most]}{tail}"
        if request.system and not request.chat:
            text = f"{request.system}\n\n{text}"
        if request.kind == "score":
            return [self._score(prompt, text, answer) for answer in request.answers]
        if request.kind == "next_word_distribution":
            return self._next_words(prompt, text)
        return self._write(prompt, text)

    def _write(self, prompt: str, text: str) -> str:
        request = self.request
        options: dict[str, Any] = {"temperature": request.temperature}
        if request.temperature:
            options |= {"top_p": request.top_p, "seed": request.seed}
        if request.stop:
            options["stop"] = list(request.stop)
        choice = self._send(prompt, text, **options)
        reason = choice.get("finish_reason")
        if reason in ("content_filter", "error"):
            raise PromptFailed(prompt, f"{self.name} did not finish: {reason}.")
        try:
            found = choice["message"]["content"] if request.chat else choice["text"]
        except _NOT_READABLE:
            found = None
        if not isinstance(found, str) or not (found.strip() or request.stop):
            raise PromptFailed(
                prompt,
                f"{self.name} wrote nothing (finish_reason {reason!r}): a model that "
                "thinks first needs a larger max_new_tokens.",
            )
        for stop in request.stop:
            found = found.partition(stop)[0]
        return found.strip()

    def _next_words(self, prompt: str, text: str) -> list[Any]:
        n_top, after_space = self.n_top, self.request.chat or text[-1:].isspace()
        try:
            choice = self._send(prompt, text, **self._tops(n_top))
        except LLMUnsupportedError:
            if n_top <= _N_TOP:
                raise
            choice = self._send(prompt, text, **self._tops(_N_TOP))
            n_top = self.n_top = _N_TOP
        summed: dict[str, float] = {}
        try:
            for token, chance in _likeliest(choice["logprobs"])[:n_top]:
                word = token.strip()
                if (after_space or token[:1] == " ") and word[:1].isalnum():
                    summed[word] = summed.get(word, 0.0) + exp(min(chance, 0.0))
        except _NOT_READABLE:
            raise self._unsupported(
                "next_word_distribution", "it gives no log-probabilities"
            ) from None
        if not summed:
            raise PromptFailed(
                prompt,
                f"None of the likeliest tokens that {self.name} gives begins a word. If "
                "it leaves out their spaces, end the template with one.",
            )
        return [list(summed), [float(f"{p:.4g}") for p in summed.values()]]

    def _tops(self, n_top: int) -> dict[str, Any]:
        """Return the options that ask for the likeliest next tokens."""
        # some servers give probabilities after the temperature: 1 leaves them alone
        chat = {"logprobs": True, "top_logprobs": n_top}
        return {
            "temperature": 1,
            **(chat if self.request.chat else {"logprobs": n_top}),
        }

    def _score(self, prompt: str, text: str, answer: str) -> float:
        choice = self._send(prompt, text + answer, echo=True, logprobs=1, temperature=1)
        try:
            return _score_of(choice["logprobs"], text, answer)
        except _NOT_READABLE as error:
            reason = f"it gives no log-probabilities that fit {answer!r} ({error})"
        raise self._unsupported("score", reason)

    def _send(self, prompt: str, text: str, **options: Any) -> dict[str, Any]:
        """Return the one choice in the server's answer to a text."""
        chat = self.request.chat
        if chat:
            options["messages"] = [{"role": "user", "content": text}]
            if self.request.system is not None:
                system = {"role": "system", "content": self.request.system}
                options["messages"].insert(0, system)
        else:
            options["prompt"] = text
        kind = self.client.chat.completions if chat else self.client.completions
        try:
            response = kind.with_raw_response.create(
                model=self.llm.model,
                max_tokens=self.request.max_new_tokens,
                stream=False,  # some servers stream unless told not to
                **options,
            ).http_response
        except self.error as error:
            failure = self._failure(prompt, error)
        else:
            return self._read(prompt, response)
        raise failure  # here, as the other error holds the request, and that the key

    def _read(self, prompt: str, response: Any) -> dict[str, Any]:
        """Return the choice in an answer that is what was asked for."""
        most = self.request.max_new_tokens
        try:
            answer = response.json()
            choice = dict(answer["choices"][0])
            usage = answer.get("usage") or {}
            n_read, n_new = (
                int(usage.get(name) or 0)
                for name in ("prompt_tokens", "completion_tokens")
            )
        except _NOT_READABLE:
            raise PromptFailed(
                prompt, f"{self.name} sent no answer, but {self._quoted(response.text)}"
            ) from None
        with _counting:
            self.used["prompt_tokens"] += n_read
            self.used["new_tokens"] += n_new
            if usage:
                bound = self._cost(len(response.request.content), most)
                self.used["cost"] += self._cost(n_read, n_new) - bound
        if not _same_model(self.llm.model, answer.get("model")):
            raise LLMError(
                f"{self.name} answers with another model, {answer['model']!r}: name that "
                "one in model, if it is the one you mean."
            )
        if n_new > most:
            raise self._unsupported(
                f"max_new_tokens={most}", f"it wrote {n_new} tokens", "another server"
            )
        return choice

    def _failure(self, prompt: str, error: Any) -> Exception:
        """Return what to raise for an error of the client."""
        cause, status = error.__cause__, getattr(error, "status_code", None)
        if isinstance(
            cause, LLMError | _Stopped
        ):  # older clients wrap what hooks raise
            return cause
        said = self._quoted(f"{error}" + (f" ({cause})" if cause else ""))
        if status in (401, 403):
            name = self.llm.api_key_env
            what = f"the key in {name}" if name else "requests without a key"
            return LLMError(f"{self.name} refuses {what}: {said}")
        if status == 402 or getattr(error, "code", None) == "insufficient_quota":
            return LLMError(f"{self.name} wants to be paid: {said}")
        if status in (404, 405, 501):
            if "model" in said and "endpoint" not in said:
                return LLMError(f"{self.name} has no such model: {said}")
            kind, chat = self.request.kind, self.request.chat
            other = "LocalLLM" if kind == "score" else f"chat={not chat}"
            return self._unsupported(
                f"{kind}(chat={chat})",
                f"it has no {'chat' if chat else 'completions'} at this address: {said}",
                f"{other}, or a base_url that ends in /v1",
            )
        if type(cause).__name__.startswith("Connect"):  # ConnectError, ConnectTimeout
            return LLMError(
                f"{self.name} cannot be reached: {said}. Is it running, and base_url right?"
            )
        if status in (400, 413, 422):
            if re.search("context|too long|too many tokens", said, re.IGNORECASE):
                return PromptFailed(
                    prompt, f"The text is too long for {self.name}; shorten it: {said}"
                )
            if self.request.kind != "generate":
                return self._unsupported(self.request.kind, f"it refuses: {said}")
        return PromptFailed(prompt, f"{self.name} gave no answer: {said}")

    def _unsupported(
        self, what: str, why: str, instead: str = "LocalLLM, or a server such as vLLM"
    ) -> LLMUnsupportedError:
        return LLMUnsupportedError(
            f"{what} is unsupported by {self.name}: {why}; use {instead}."
        )

    def _quoted(self, text: str) -> str:
        """Return the start of what a server said, without the key."""
        hidden = text.replace(self.key, "***") if self.llm.api_key_env else text
        return f"{hidden[:300]!r}"

    def _cost(self, n_read: int, n_new: int) -> float:
        per_read, per_new = self.llm.price or (0, 0)
        return (n_read * per_read + n_new * per_new) / 1e6

    def _reserve(self, sent: Any) -> None:
        """Put a request on the account before it is sent, at the most it can cost."""
        if self.stopped.is_set():
            raise _Stopped
        llm, used = self.llm, self.used
        # no tokenizer makes more tokens of a text than it has bytes
        cost = self._cost(len(sent.content), self.request.max_new_tokens)
        with _counting:
            if llm.max_requests is not None and used["n_requests"] >= llm.max_requests:
                what = f"max_requests={llm.max_requests}"
            elif llm.max_cost is not None and used["cost"] + cost > llm.max_cost:
                what = f"max_cost={llm.max_cost} ({used['cost']:.4g} are spent)"
            else:
                used["n_requests"] += 1
                used["cost"] += cost
                return
        raise LLMLimitError(
            f"The next request to {self.name} could pass {what}. What was answered is "
            "kept, unless cache_dir is False: raise the limit and run again to go on."
        )

    def _release(self, response: Any) -> None:
        """Take an answer that is an error from the account again."""
        if not response.is_success:
            cost = self._cost(
                len(response.request.content), self.request.max_new_tokens
            )
            with _counting:
                self.used["cost"] -= cost


def _same_model(asked: str, answered: Any) -> bool:
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


def _likeliest(logprobs: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the next tokens, likeliest first, from either form that servers use."""
    if "content" in logprobs:  # of chats
        tops = logprobs["content"][0]["top_logprobs"]
        found = [(top["token"], top["logprob"]) for top in tops]
    else:
        found = list(logprobs["top_logprobs"][0].items())
    return sorted(found, key=lambda pair: -pair[1])


def _score_of(logprobs: dict[str, Any], text: str, answer: str) -> float:
    """Return the sum over the tokens that an answer is made of.

    Raises
    ------
    ValueError
        If no tokens are just the answer.
    """
    tokens, chances = logprobs["tokens"], logprobs["token_logprobs"]
    start = "".join(tokens).index(text + answer)  # after marks of the model's own
    bounds = [0, *accumulate(map(len, tokens))]
    first = bounds.index(start + len(text))
    last = bounds.index(start + len(text) + len(answer))
    return min(sum(chances[first:last]), 0.0)
