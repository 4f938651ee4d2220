"""Fields, headers and query that the user adds to each request, and secrets for them.

Secrets are read from environment variables when a request is sent, and never stored.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from string import Template
from typing import Any
from urllib.parse import urlsplit

from llmtopics._language.errors import LLMError

_SECRET = re.compile(
    "auth|key|cookie|credential|password|secret|signature|token(?!s)|^(?:code|pwd|sig)$",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(  # of a request: `prompt_cache_key` and `stop_token_ids` are none
    "(?:access|api|private|secret).?key|(?:access|api|auth|bearer).?token|authorization"
    "|credential|password|secret",
    re.IGNORECASE,
)
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110
_HEADERS_OF_CLIENT = re.compile(
    "accept|accept-encoding|connection|content-(?:encoding|length|type)|expect|host"
    "|transfer-encoding|upgrade",
    re.IGNORECASE,
)
_OURS = ("best_of", "echo", "input", "messages", "n", "prompt", "stream")


def check_address(base_url: str) -> None:
    """Raise a ValueError if the address of a server is wrong or has a secret."""
    url = urlsplit(base_url)
    secrets = "@" in url.netloc or url.query
    if url.scheme not in ("http", "https") or not url.netloc or secrets:
        raise ValueError(
            "base_url must be an address such as 'http://localhost:8000/v1', without "
            "user, password or query. Pass the key by api_key_env, and a query by query."
        )


def check_variable(name: str) -> None:
    """Raise a ValueError if this is no name of an environment variable, perhaps a key."""
    if not _VARIABLE.fullmatch(name) and name not in os.environ:  # do not show it
        raise ValueError(
            "api_key_env must be the name of an environment variable, such as "
            "'OPENAI_API_KEY', not the key. A name with small letters must be set."
        )


def check_extras(
    extra_body: Any, extra_headers: Any, query: Any, limits: Iterable[str]
) -> None:
    """Raise a ValueError if a parameter is wrong. ``limits`` are fields that limit tokens."""
    _check_body(extra_body or {}, limits)
    for name, value in (extra_headers or {}).items():
        if not (isinstance(name, str) and _HEADER.fullmatch(name)):
            raise ValueError(f"extra_headers has a wrong name of a header, {name!r}.")
        if _HEADERS_OF_CLIENT.fullmatch(name):
            raise ValueError(
                f"extra_headers cannot set {name!r}, because the client sets it for each "
                "request. Remove it."
            )
        if _SECRET.search(name) and not (
            isinstance(value, str) and variables_in(value)
        ):  # do not show the value
            raise ValueError(
                f"extra_headers[{name!r}] is a secret. Put it in an environment variable, and "
                f"pass its name after a dollar sign: {{{name!r}: '$MY_KEY'}}."
            )
        if not isinstance(value, str) or not _sendable(value):
            raise ValueError(
                f"extra_headers[{name!r}] must be a text of one line, in ASCII."
            )
        if not Template(value).is_valid():
            raise ValueError(
                f"extra_headers[{name!r}] has a dollar sign without the name of an environment "
                "variable. Write $$ for a dollar sign."
            )
    for name, value in (query or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(
                "query must be a dict from texts to texts, such as {'api-version': "
                f"'2024-10-21'}}, got the entry {name!r}."
            )
        if _SECRET.search(name):
            raise ValueError(
                f"query[{name!r}] is a secret, and addresses are logged. Pass it by "
                "api_key_env or extra_headers."
            )


def _check_body(body: dict[str, Any], limits: Iterable[str]) -> None:
    for name in sorted(body.keys() & set(_OURS)):
        raise ValueError(
            f"extra_body cannot set {name!r}, because it is set for each request. Remove it."
        )
    try:
        json.dumps(body, allow_nan=False)
        all_texts = all(isinstance(name, str) for name in body)
    except (TypeError, ValueError):
        all_texts = False
    if not all_texts:
        raise ValueError(
            "extra_body must be a dict from names of fields to values of JSON (texts, finite "
            f"numbers, booleans, None, lists, dicts), got {body!r}."
        )
    for name in _secret_fields(body):  # do not show the value
        raise ValueError(
            f"extra_body has {name!r}, which looks like a secret, and models are saved with "
            "extra_body. Pass it by api_key_env or extra_headers."
        )
    for name in body.keys() & set(limits):
        value = body[name]
        if type(value) is not int or value < 1:
            raise ValueError(
                f"extra_body[{name!r}] must be a whole number of at least 1, got {value!r}."
            )


def _secret_fields(body: Any) -> Iterator[str]:
    """Yield the names of fields with texts that look like secrets, at any depth."""
    if isinstance(body, dict):
        for name, value in body.items():
            if isinstance(value, str) and _SECRET_FIELD.search(name):
                yield name
            yield from _secret_fields(value)
    elif isinstance(body, list | tuple):
        for value in body:
            yield from _secret_fields(value)


def fields_and_limit(
    extra_body: dict[str, Any], limits: Iterable[str], writes: bool
) -> tuple[dict[str, Any], int | None]:
    """Return the fields to add, and the limit on written tokens in them, if there is one.

    Requests that do not write a text need no such limit.
    """
    told = {name: extra_body[name] for name in limits if name in extra_body}
    if told and not writes:
        return {n: v for n, v in extra_body.items() if n not in told}, None
    return extra_body, max(told.values(), default=None)


def secret_of(variable: str, what: str) -> str:
    """Return the secret in an environment variable, without spaces around it.

    Raises
    ------
    LLMError
        If it is not set, or cannot be sent. The message does not have the secret.
    """
    found = os.environ.get(variable, "").strip()
    if not found:
        raise LLMError(f"The environment variable {variable} is not set. {what}")
    if not _sendable(found):
        raise LLMError(
            f"The environment variable {variable} has a line break or a character outside "
            "ASCII inside. No key has these. Copy the key again."
        )
    return found


def filled_headers(headers: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return headers with the values of the variables in them, and what to hide."""
    secrets = {
        name: secret_of(name, "extra_headers names it: put the secret there.")
        for value in headers.values()
        for name in variables_in(value)
    }
    filled = {
        name: Template(value).substitute(secrets) for name, value in headers.items()
    }
    parts = [part for secret in secrets.values() for part in secret.split()]
    return filled, [*secrets.values(), *(part for part in parts if len(part) > 5)]


def variables_in(value: str) -> list[str]:
    """Return the names of environment variables in a value ("$NAME")."""
    template = Template(value)
    return template.get_identifiers() if template.is_valid() else []


def _sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()
