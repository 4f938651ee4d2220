"""The parameters of a call, checked."""

import re
from numbers import Integral, Real
from string import Formatter
from typing import Any, NamedTuple

_GAP = re.compile(r"\s{64,}")


class Request(NamedTuple):
    """The parameters of a call. They and the prompt determine the answer."""

    kind: str  # describe, embed, generate, next_word_distribution, score
    template: str
    system: str | None
    chat: bool
    max_length: int | None
    max_new_tokens: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    n_words: int = 0
    answers: tuple[str, ...] = ()


_NUMBERS: dict[str, tuple[type, float]] = {  # parameter -> its type and least value
    "max_length": (Integral, 1),
    "max_new_tokens": (Integral, 1),
    "temperature": (Real, 0),
    "top_p": (Real, 0),
    "seed": (Integral, 0),
    "n_words": (Integral, 0),
}


def checked(request: Request, on_error: str) -> Request:
    """Check a request. Return it with plain numbers, so that equal ones have equal JSON.

    Raises
    ------
    ValueError
        If a parameter is wrong. The error names it.
    """
    split_template(request.template)
    if on_error not in ("raise", "keep"):
        raise ValueError(f"on_error must be 'raise' or 'keep', got {on_error!r}.")
    plain: dict[str, Any] = {"chat": bool(request.chat)}
    for name, (kind, least) in _NUMBERS.items():
        value = getattr(request, name)
        if value is None and name == "max_length":
            continue
        if not isinstance(value, kind) or not value >= least:  # type: ignore[operator]
            what = "whole number" if kind is Integral else "number"
            raise ValueError(
                f"{name} must be a {what} of at least {least}, got {value!r}."
            )
        plain[name] = int(value) if kind is Integral else float(value)  # type: ignore
    if not 0 < request.top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {request.top_p!r}.")
    if request.kind == "next_word_distribution" and not request.n_words:
        raise ValueError("n_words must be a whole number of at least 1, got 0.")
    for stop in request.stop:
        if not isinstance(stop, str) or not stop:
            raise ValueError(f"stop must contain non-empty strings, got {stop!r}.")
    plain["template"] = without_surrogates(request.template)
    plain["system"] = request.system and without_surrogates(request.system)
    plain["stop"] = tuple(map(without_surrogates, request.stop))
    plain["answers"] = tuple(map(without_surrogates, request.answers))
    return request._replace(**plain)


def without_surrogates(text: str) -> str:
    """Replace each lone surrogate by "?". Tokenizers and UTF-8 refuse lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def most_characters(n_tokens: int) -> int:
    """Return how many characters of a text are enough for its first tokens.

    A tokenizer takes 60 to 200 bytes of memory per character. A token has about five
    characters, and blanks may have none: see ``without_gaps``.
    """
    return max(2**18, 64 * n_tokens)


def without_gaps(text: str, most: int) -> str:
    """Return a text; if it is longer than ``most``, each long gap is one blank."""
    return text if len(text) <= most else _GAP.sub(" ", text)


def split_template(template: str) -> tuple[str, str]:
    """Return the parts of a template before and after ``{text}``.

    Raises
    ------
    ValueError
        If ``{text}`` is not there exactly once, or there is another placeholder.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"The template {template!r} has a single brace ({error}). Double it."
        ) from None
    fields = [name for _, name, _, _ in parts if name is not None]
    if fields != ["text"]:
        raise ValueError(
            f"The template {template!r} must have the placeholder {{text}} once and no "
            f"other, got {fields or 'none'}."
        )
    at = [name for _, name, _, _ in parts].index("text") + 1
    head, tail = (
        "".join(literal for literal, *_ in some) for some in (parts[:at], parts[at:])
    )
    return head, tail
