"""What the library needs to know of a kind of server."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from llmtopics._language.request import Request

NOT_READABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class Reply(NamedTuple):
    """A server's answer to one request."""

    choice: dict[str, Any]  # what it wrote, in its own form
    model: str | None  # the model that it names
    n_read: int
    n_new: int
    tells_tokens: bool  # whether it says how many tokens it read and wrote


class Provider(ABC):
    """A kind of server: how requests are sent, and how answers are read.

    The methods that read raise one of ``NOT_READABLE`` where what they look for is missing.
    """

    max_top_tokens: int  # likeliest tokens that all its servers give

    @abstractmethod
    def errors(self) -> type[Exception]:
        """Return the class of the errors that the client raises.

        Those of a refused request have a ``status_code``. Raises ImportError if the client is
        not installed.
        """

    @abstractmethod
    def client(
        self,
        *,
        base_url: str,
        api_key: str,
        timeout: float,
        max_retries: int,
        event_hooks: dict[str, list[Callable]],
    ) -> Any:
        """Return a client, a context manager, that calls the hooks of httpx."""

    @abstractmethod
    def unsupported(self, request: Request) -> tuple[str, str, str] | None:
        """Return what is asked and no server can do, why, and what to use; or None."""

    @abstractmethod
    def send(
        self,
        client: Any,
        model: str,
        text: str,
        request: Request,
        options: dict,
        image: str | None = None,
    ) -> Any:
        """Send a text with options, and return the response of httpx.

        ``image`` is the address of a picture (``data:image/jpeg;base64,...``), in requests of
        kind "describe" alone.
        """

    @abstractmethod
    def read(self, response: Any) -> Reply:
        """Return the reply in a response."""

    @abstractmethod
    def writing_options(self, request: Request) -> dict[str, Any]:
        """Return the options of a request for a text."""

    @abstractmethod
    def top_token_options(self, request: Request, n_top: int) -> dict[str, Any]:
        """Return the options of a request for the likeliest next tokens."""

    @abstractmethod
    def scoring_options(self, request: Request) -> dict[str, Any]:
        """Return the options of a request for the log-probabilities of a sent text."""

    @abstractmethod
    def text_of(self, choice: dict[str, Any], chat: bool) -> Any:
        """Return what was written."""

    @abstractmethod
    def end_of(self, choice: dict[str, Any]) -> str | None:
        """Return why the writing ended, as the server says it."""

    @abstractmethod
    def top_tokens_of(self, choice: dict[str, Any]) -> list[tuple[str, float]]:
        """Return the next tokens and their log-probabilities, likeliest first."""

    @abstractmethod
    def score_of(self, choice: dict[str, Any], text: str, answer: str) -> float:
        """Return the log-probability of an answer that was sent after a text."""
