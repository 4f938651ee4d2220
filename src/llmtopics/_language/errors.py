"""Errors of language models."""


class LLMError(RuntimeError):
    """A language model gave no answer. The message says why, and what to do.

    Earlier answers stay in the cache. If you repeat the call, only the missing ones are
    computed.

    See Also
    --------
    LocalLLM : A language model that runs on this machine.
    RemoteLLM : A language model behind an OpenAI-compatible server.

    Examples
    --------
    >>> from llmtopics import LLMError
    >>> try:
    ...     raise LLMError("no answer")
    ... except RuntimeError as error:
    ...     print(error)
    no answer
    """


class LLMUnsupportedError(LLMError):
    """The server or model does not support a request."""


class LLMLimitError(LLMError):
    """A request could have exceeded a limit, so it was not sent."""


class PromptFailed(Exception):
    """The call for one prompt failed. Calls for other prompts may succeed.

    ``LanguageModel`` raises it as an :class:`LLMError` that names the prompt's row.
    """

    def __init__(self, prompt: str, reason: str, *, refused: bool = False):
        super().__init__(reason)
        self.prompt = prompt
        self.refused = refused  # by the server, which may accept a smaller request
