"""A language model behind a server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from llmtopics._checks import check_texts
from llmtopics._language.errors import PromptFailed
from llmtopics._language.model import LanguageModel
from llmtopics._language.remote_answers import RemoteAnswers
from llmtopics._language.request import Request, split_template
from llmtopics._language.served import Served
from llmtopics._redact import check_redact, redacted, restored


@dataclass(eq=False, repr=False)
class RemoteLLM(Served, LanguageModel):
    """A language model behind an OpenAI-compatible server.

    Pass it to estimators (``llm=RemoteLLM(...)``), or call its methods yourself. Texts are
    sent to this server and nowhere else. Nothing is sent before the first answer that is not
    in the cache. Needs the extra ``remote``.

    Parameters
    ----------
    base_url : str
        Address of the server. Most end in "/v1".

    model : str
        Name of the model on the server.

    provider : {"openai"}, default="openai"
        Format of requests and answers. "openai" is for all OpenAI-compatible servers, such as
        vLLM, llama.cpp and Ollama.

    api_key_env : str or None, default="OPENAI_API_KEY"
        Name of the environment variable with the key. The key is read at each call and never
        stored. None is for servers that need no key.

    timeout : float, default=60.0
        Seconds to wait for a response of the server, and for all of it. Then the request has
        failed.

    max_retries : int, default=5
        How many times a request is sent again after a temporary failure: too many requests, a
        server error, a timeout, a lost connection. The server may set the pauses between the
        tries. Otherwise they grow and are partly random.

    max_requests : int or None, default=None
        Maximum number of requests, including those sent again.

    max_cost : float or None, default=None
        Maximum cost, in the currency of ``price``.

    price : tuple of two floats, dict or None, default=None
        Price per million tokens read, and per million tokens written. A dict maps names of
        models to these pairs, so that one table serves several models.

    n_jobs : int or None, default=4
        Number of requests at the same time. None is 1 unless ``joblib.parallel_config`` sets
        more, -1 is one per CPU core.

    cache_dir : str, Path, False or None, default=None
        Folder of the answers. None is the folder in the environment variable
        ``LLMTOPICS_CACHE``, or else the user's cache folder. False stores no answers.

    extra_body : dict or None, default=None
        Fields that are added to each request, such as ``{"reasoning_effort": "low"}``. They
        replace fields of the same name, and None leaves a field out. A limit such as
        ``{"max_completion_tokens": 2000}`` replaces ``max_new_tokens`` of each call.
        Reasoning models need this, because their thinking counts.

    extra_headers : dict or None, default=None
        Headers that are added to each request. ``$NAME`` in a value is replaced by the
        environment variable ``NAME`` when a request is sent: ``{"api-key": "$AZURE_KEY"}``.
        ``$$`` is a dollar sign.
        The value of the variable is never stored. Headers with secrets must be written so.

    query : dict or None, default=None
        What is added to the address after "?", such as ``{"api-version": "2024-10-21"}`` for
        Azure.

    requests_per_minute, tokens_per_minute : int or None, default=None
        Limits of the server. Requests wait for their turn. All threads of this process that
        ask this model count together. The tokens of a request are estimated: its bytes
        divided by four, plus the limit on tokens written.

    redact : {"pii"}, callable or None, default=None
        Replaces personal data before anything is sent. "pii" finds e-mail and web addresses,
        phone, card and account numbers (IBAN), IP addresses and @handles, and sends
        placeholders such as ``<EMAIL_1>``. It finds no names of people. A callable gets a text
        and returns the text to send. Templates, system messages and answers to score are
        replaced, too.

    restore : bool, default=False
        Whether to put the original data back into generated texts. Needs ``redact="pii"``.

    Attributes
    ----------
    usage_ : dict
        Use of this model and its clones so far: ``n_calls``, ``n_cached``, ``n_requests``,
        ``cost``, and, as the server counts them, ``prompt_tokens`` and ``new_tokens``.

    See Also
    --------
    LocalLLM : A language model that runs on this machine.

    Notes
    -----
    Each answer is stored on disk at once, by server, model, prompt and parameters. If a run
    failed or was interrupted, or you repeat it, only requests for missing answers are sent.
    Answers reveal something about the prompts, so protect the cache as you protect the
    prompts. If the server changes the model behind a name, use another ``cache_dir``.

    The limits are for this model and its clones together, as in a grid search. Each other
    process has its own count. A request that could exceed a limit is not sent. Before the
    server reports its tokens, a request counts as one token per byte read and
    ``max_new_tokens`` written. If no answer comes, this cost remains, because the server may
    have computed it. An answer that is an error costs nothing.

    Only the server can count its tokens. ``max_length`` takes four characters as a token,
    which is about right for English. If a text is too long for the server, the error names
    its row.

    If a server refuses ``max_tokens``, ``max_completion_tokens`` is sent instead. If it refuses
    ``temperature``, ``top_p``, ``seed`` or ``stop``, they are left out. This is learned from
    its first answer, remembered by this process, and logged. Without ``temperature``, the
    server's default is used, so texts vary from run to run until they are in the cache.

    Thinking of reasoning models is not part of the answer, whether it comes in a field of its
    own or at the beginning of the text: in tags such as ``<think>`` or ``<reasoning>``, or in
    the analysis channel of gpt-oss.

    Some failures would repeat for every row. They are errors with ``on_error="keep"`` too: a
    refused key, an unknown model, a server that cannot be reached or gives no
    log-probabilities, and a limit.

    ``generate`` needs the server's chat endpoint. With ``chat=False`` it needs the
    completions endpoint. ``next_word_distribution`` needs an endpoint with log-probabilities,
    mostly of 20 tokens at most. ``score`` needs completions with ``echo`` (vLLM has it). It
    sends one request per prompt and answer.

    Examples
    --------
    >>> from llmtopics import RemoteLLM
    >>> llm = RemoteLLM("http://localhost:8000/v1", "qwen3", api_key_env=None, max_requests=100)
    >>> llm.generate(["Name one fruit."])  # doctest: +SKIP
    ['An apple.']
    >>> llm.usage_["n_requests"]
    0
    """

    _DECIDES = (
        "base_url",
        "model",
        "provider",
        "extra_body",
        "extra_headers",
        "query",
        "redact",
        "restore",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Served._parameter_constraints,
        "restore": ["boolean"],
    }

    _: KW_ONLY
    restore: bool = False

    def _describe(
        self,
        digests: Sequence[str],
        url_of: Callable[[str], str],
        names: Sequence[str],
        reasons: dict[str, str],
        *,
        prompt: str,
        max_new_tokens: int,
        on_error: str,
        verbose: bool | int,
    ) -> list[Any]:
        """Return what the model writes about each picture.

        Parameters
        ----------
        digests : sequence of str
            What identifies each picture, for the cache.
        url_of : callable
            From a digest to the address that is sent, which holds the picture.
        names : sequence of str
            What errors call each picture.
        reasons : dict
            Gets why each digest failed, with ``on_error="keep"``.
        prompt : str
        max_new_tokens : int
        on_error : {"raise", "keep"}
        verbose : bool or int
        """
        asked = prompt.replace("{", "{{").replace("}", "}}") + "{text}"
        request = Request("describe", asked, None, True, None, max_new_tokens)
        further = names, url_of, reasons
        return self._answer(digests, request, on_error, verbose, *further)

    def _answer(
        self, prompts: Any, request: Request, *options: Any, **further: Any
    ) -> list[Any]:
        """Return the answer to each prompt, with personal data replaced before all else."""
        check_redact(self.redact, self.restore)
        if self.redact is None:
            return super()._answer(prompts, request, *options, **further)
        if request.kind == "describe":
            raise ValueError(
                "redact cannot find personal data in pictures. Use a RemoteLLM with "
                "redact=None for them."
            )
        texts = check_texts(prompts, type(self).__name__)
        request, shared = self._redacted(request)
        known = {
            text: redacted(text, self.redact, shared) for text in dict.fromkeys(texts)
        }
        sent = [known[text][0] for text in texts]
        found = super()._answer(sent, request, *options, **further)
        if not (self.restore and request.kind == "generate"):
            return found
        return [
            answer and restored(answer, known[text][1])
            for answer, text in zip(found, texts, strict=True)
        ]

    def _redacted(self, request: Request) -> tuple[Request, dict[str, str]]:
        """Return a request with personal data in its texts replaced, and what was replaced."""
        known: dict[str, str] = {}

        def replaced(text: str) -> str:
            nonlocal known
            if text.strip():
                text, known = redacted(text, self.redact, known)
            return text

        system = request.system and replaced(request.system)
        template = "{text}".join(
            replaced(part).replace("{", "{{").replace("}", "}}")
            for part in split_template(request.template)
        )
        answers = tuple(map(replaced, request.answers))
        return request._replace(
            template=template, system=system, answers=answers
        ), known

    def _compute(
        self,
        prompts: list[str],
        request: Request,
        on_error: str,
        url_of: Callable[[str], str] | None = None,
        reasons: dict[str, str] | None = None,
    ) -> Iterator[tuple[list[int], list[Any]]]:
        connection = self._connection(request)
        answers = RemoteAnswers(connection, url_of)

        def kept(error: PromptFailed) -> bool:
            if on_error == "keep" and reasons is not None:
                reasons[error.prompt] = str(error)
            return on_error == "keep"

        for i, answer in self._ask_all(connection, answers.answer, prompts, kept):
            yield [i], [answer]
