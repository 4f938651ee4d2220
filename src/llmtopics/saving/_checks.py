"""Checks of a loaded model: what compiled code would not check, and where it sends texts."""

from collections.abc import Iterable, Iterator, Sequence
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np

from llmtopics._language.extras import variables_in

_SAMPLED = ("DaskGibbsLDA", "GibbsLDA", "PachinkoAllocation")
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
            if isinstance(key, str) and key.endswith(f"__{name}"):
                for each in _items(value):
                    if not isinstance(each, Number):  # a word and its column
                        yield part, each
        for search in ("param_grid", "param_distributions"):
            for grid in _items(state.get(search)):
                if isinstance(grid, dict) and name in grid:
                    for each in _items(grid[name]):
                        yield part, each


def _items(given: Any) -> Iterable[Any]:
    if isinstance(given, np.ndarray):
        return given if given.ndim else [given.item()]
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


def check_servers(
    parts: Iterable[Any], servers: Sequence[str], path: str | Path
) -> None:
    """Raise a ValueError if a part would send texts to a server that was not named."""
    known = {server.rstrip("/") for server in servers}
    for part, address in _given(parts, "base_url"):
        if address is None:
            continue
        if not isinstance(address, str):
            raise ValueError(f"{path}: a base_url is no text, so it cannot be checked.")
        if address.rstrip("/") in known:
            continue
        state = getattr(part, "__dict__", {})
        named = [state.get("api_key_env"), *_variables(state.get("extra_headers"))]
        keys = [key for key in named if key and isinstance(key, str)]
        sent = f", with what is in the environment as {', '.join(keys)}" if keys else ""
        raise ValueError(
            f"{path}: the model sends texts to {address}{sent}. If you trust this server, load "
            f"it with servers=[{address!r}]."
        )


def _variables(headers: Any) -> list[str]:
    values = headers.values() if isinstance(headers, dict) else []
    texts = [value for value in values if isinstance(value, str)]
    return [name for text in texts for name in variables_in(text)]
