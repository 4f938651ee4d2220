"""Base class of providers, which are kinds of servers."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from llmtopics._language.request import Request

NOT_READABLE = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,  # infinity as a number of tokens
    RecursionError,  # JSON that is nested too deeply
    TypeError,
    ValueError,
)


class Reply(NamedTuple):
    """A server's answer to one request."""

    choice: dict[str, Any]  # the answer, in the provider's format
    model: str | None  # the name of the model, if the server gives it
    n_read: int
    n_new: int
    tells_tokens: bool  # whether the server reports n_read and n_new
    n_limited: int = 0  # those of n_new that the limit on written tokens is for


class Provider(ABC):
    """A kind of server: how requests are sent, and how answers are read.

    Methods that read an answer raise one of ``NOT_READABLE`` if a field is missing.
    """

    max_top_tokens: int  # how many of the most likely tokens every such server gives
    limit_fields: tuple[str, ...] = ()  # fields that limit the tokens written

    @abstractmethod
    def errors(self) -> type[Exception]:
        """Return the class of the errors that the client raises.

        Errors for refused requests have a ``status_code``. Raises ImportError if the client
        is not installed.
        """

    @abstractmethod
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
        """Return a client. It is a context manager, and calls these hooks of httpx.

        It adds headers and query to each request.
        """

    @abstractmethod
    def unsupported(self, request: Request) -> tuple[str, str, str] | None:
        """Return None, or a request that no server supports, why, and what to use."""

    @abstractmethod
    def send(
        self,
        client: Any,
        model: str,
        text: str | list[str],
        request: Request,
        options: dict,
        image: str | None = None,
    ) -> Any:
        """Send a text with options, and return the response of httpx.

        ``text`` is a list of texts in requests of kind "embed" alone. ``image`` is the
        address of a picture (``data:image/jpeg;base64,...``), in requests of kind "describe"
        alone.
        """

    def refused_field(
        self, said: str, options: dict[str, Any]
    ) -> dict[str, str | None]:
        """Return the option that a server refuses, mapped to another name for it.

        ``said`` is the text of its answer, a 400 or 422. None leaves it out. {} means that the error has another reason.
        """
        return {}

    @abstractmethod
    def read(self, response: Any) -> Reply:
        """Return the reply in a response."""

    @abstractmethod
    def writing_options(self, request: Request) -> dict[str, Any]:
        """Return the options of a request that generates a text."""

    @abstractmethod
    def top_token_options(self, request: Request, n_top: int) -> dict[str, Any]:
        """Return the options of a request for the most likely next tokens."""

    @abstractmethod
    def scoring_options(self, request: Request) -> dict[str, Any]:
        """Return the options of a request for the log-probabilities of a sent text."""

    @abstractmethod
    def embedding_options(self, dimensions: int | None) -> dict[str, Any]:
        """Return the options of a request for vectors, of so many dimensions if not None."""

    @abstractmethod
    def vectors_of(self, choice: dict[str, Any]) -> list[tuple[Any, Any]]:
        """Return the position of each text and its vector, in any order, unchecked."""

    @abstractmethod
    def text_of(self, choice: dict[str, Any], chat: bool) -> Any:
        """Return the text in an answer."""

    @abstractmethod
    def end_of(self, choice: dict[str, Any]) -> str | None:
        """Return why the text ended, in the server's words."""

    def silence_of(self, choice: dict[str, Any], chat: bool) -> str | None:
        """Return why an answer has no text, other than its limit, if the server says so."""
        return None

    @abstractmethod
    def top_tokens_of(self, choice: dict[str, Any]) -> list[tuple[str, float]]:
        """Return the next tokens and their log-probabilities, most likely first."""

    @abstractmethod
    def score_of(self, choice: dict[str, Any], text: str, answer: str) -> float:
        """Return the log-probability of ``answer``, which was sent after ``text``."""
