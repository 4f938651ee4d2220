"""Errors of language models."""


class LLMError(RuntimeError):
    """A language model gave no answer; the message says why, and what to do.

    What was answered before stays in the cache, so that the same call made again asks only
    for what is missing.

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
    """The server or model cannot do what was asked of it."""


class LLMLimitError(LLMError):
    """A call would have passed the limit that was set."""


class PromptFailed(Exception):
    """The call about one prompt failed, for a reason that may not hold for others.

    ``LanguageModel`` makes an :class:`LLMError` of it that names the prompt's row.
    """

    def __init__(self, prompt: str, reason: str):
        super().__init__(reason)
        self.prompt = prompt
