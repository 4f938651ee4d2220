"""Checks of a loaded model: what compiled code would not check, and where it sends texts."""

from collections.abc import Iterable, Iterator, Sequence
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np

from llmtopics._language.extras import (
    check_address,
    check_extras,
    check_variable,
    variables_in,
)

_SAMPLED = ("DaskGibbsLDA", "GibbsLDA", "PachinkoAllocation")
_NO_EXTRAS: dict[str, Any] = {
    "extra_body": None,
    "extra_headers": None,
    "query": None,
    "limits": (),
}
_SHAPES = {  # of topics K, words V and super-topics S. Loops read as far as these say
    "components_": "KV",
    "doc_topic_prior_": "K",
    "topic_counts_": "K",
    "doc_super_prior_": "S",
    "super_sub_prior_": "SK",
}


def check_memory(parts: Iterable[Any]) -> None:
    """Raise a ValueError for a folder of joblib: its files are pickles."""
    for part, value in _given(parts, "memory"):
        if value is not None:
            shown = f"={value!r}" if isinstance(value, str) else ""
            raise ValueError(
                f"{type(part).__name__} has memory{shown}, a folder of pickles that "
                "the next fit would read. Set memory=None before you save it"
            )


def _given(parts: Iterable[Any], name: str) -> Iterator[tuple[Any, Any]]:
    """Yield what parts have as the parameter ``name``, or what a search would set it to."""
    for part in parts:
        state = part if isinstance(part, dict) else getattr(part, "__dict__", {})
        if part is not state and name in state:
            yield part, state[name]
        for key, value in state.items():  # of a search or an ensemble
            if not isinstance(key, str):
                continue
            if key.endswith(f"__{name}"):
                for each in _items(value):
                    if not isinstance(each, Number):  # a word and its column
                        yield part, each
            if key.rpartition("__")[2] in ("param_grid", "param_distributions"):
                for grid in _flat(value):  # also of a search in a search
                    if isinstance(grid, dict) and name in grid:
                        for each in _items(grid[name]):
                            yield part, each


def _flat(given: Any) -> Iterator[Any]:
    """Yield the items of lists, and of the lists in them."""
    for each in _items(given):
        if each is given:
            yield each
        else:
            yield from _flat(each)


def _items(given: Any) -> Iterable[Any]:
    if isinstance(given, np.ma.MaskedArray):  # results of a search
        return given.compressed().tolist()
    if isinstance(given, np.ndarray):
        return given.ravel().tolist()
    return given if isinstance(given, list | tuple | set | frozenset) else [given]


def check_loaded(parts: Iterable[Any]) -> None:
    """Raise a ValueError if arrays of a model do not fit together."""
    for part in parts:
        state = getattr(part, "__dict__", {})
        words = state.get("vocabulary_")
        if isinstance(words, dict) and {*words.values()} != {*range(len(words))}:
            raise ValueError("the columns of a vocabulary are not 0, 1, 2 and so on")
        if type(part).__name__ in _SAMPLED and "components_" in state:
            _check_shapes(state)


def _check_shapes(state: dict[str, Any]) -> None:
    sizes = {"V": state["n_features_in_"], "K": len(state["components_"])}
    sizes["S"] = len(state.get("super_sub_prior_", ()))
    for name, letters in _SHAPES.items():
        shape = getattr(state.get(name), "shape", None)
        if name in state and shape != tuple(sizes[letter] for letter in letters):
            raise ValueError(
                f"{name} has the shape {shape}, which does not fit {sizes}"
            )


def check_secrets(parts: Iterable[Any]) -> None:
    """Raise a ValueError for secrets that a part has, or that a search would set."""
    parts = list(parts)
    for _, variable in _given(parts, "api_key_env"):
        if isinstance(variable, str):
            check_variable(variable)
    for _, address in _given(parts, "base_url"):
        if isinstance(address, str):
            check_address(address)
    for name in ("extra_body", "extra_headers", "query"):
        for _, value in _given(parts, name):
            if isinstance(value, dict):
                check_extras(**_NO_EXTRAS | {name: value})


def check_servers(
    parts: Iterable[Any],
    servers: Sequence[str],
    variables: Sequence[str],
    path: str | Path,
) -> None:
    """Raise a ValueError if the model names a server or a variable that the caller did not."""
    addresses, sent = named(parts, path)
    known = {server.rstrip("/") for server in servers}
    asked = {address.rstrip("/") for address in addresses}
    if asked <= known and {*sent} <= {*variables}:
        return
    what = f", with what is in the environment as {', '.join(sent)}" if sent else ""
    raise ValueError(
        f"{path}: the model sends texts to {', '.join(addresses)}{what}. If these servers may "
        f"get this, load it with {as_arguments(addresses, sent)}."
    )


def named(parts: Iterable[Any], path: str | Path) -> tuple[list[str], list[str]]:
    """Return the servers and the environment variables that a model names."""
    parts = list(parts)
    addresses = _texts(parts, "base_url", path)
    sent = [*_texts(parts, "api_key_env", path), *_in_headers(parts, path)]
    for part in parts:  # a crafted file leaves it out: the default of the class counts
        default = getattr(type(part), "api_key_env", None)
        if default and "api_key_env" not in vars(part):
            sent.append(default)
    return [*dict.fromkeys(addresses)], [*dict.fromkeys(sent)]


def as_arguments(addresses: list[str], variables: list[str]) -> str:
    """Return how a caller of ``load`` names servers and variables."""
    also = f", variables={variables!r}" if variables else ""
    return f"servers={addresses!r}{also}"


def _texts(parts: Sequence[Any], name: str, path: str | Path) -> list[str]:
    """Return what parts have as a parameter, if it is not None."""
    found = [value for _, value in _given(parts, name) if value is not None]
    if not all(isinstance(value, str) for value in found):
        raise ValueError(f"{path}: {name} is no text, so it cannot be checked.")
    return found


def _in_headers(parts: Sequence[Any], path: str | Path) -> list[str]:
    """Return the environment variables whose values headers have."""
    names = []
    for _, headers in _given(parts, "extra_headers"):
        values = [*headers.values()] if isinstance(headers, dict) else [headers]
        for value in values:
            if isinstance(value, str):
                names += variables_in(value)
            elif headers is not None:
                raise ValueError(
                    f"{path}: extra_headers has no texts, so it cannot be checked."
                )
    return names
