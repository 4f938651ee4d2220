"""Checks of a loaded model: what compiled code would not check, and where it sends texts."""

from collections.abc import Iterable, Sequence
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
    for part in parts:
        if getattr(part, "__dict__", {}).get("memory") is not None:
            raise ValueError(
                f"{type(part).__name__} has memory={part.memory!r}, a folder of pickles that "
                "the next fit would read. Set memory=None before you save it"
            )


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
        shape = np.shape(state.get(name, 0))
        if name in state and shape != tuple(sizes[letter] for letter in letters):
            raise ValueError(
                f"{name} has the shape {shape}, which does not fit {sizes}"
            )


def check_servers(
    parts: Iterable[Any], servers: Sequence[str], path: str | Path
) -> None:
    """Raise a ValueError if a part would send texts to a server that was not named."""
    known = {server.rstrip("/") for server in servers}
    for part in parts:
        state = getattr(part, "__dict__", {})
        address = state.get("base_url")
        if address is None or str(address).rstrip("/") in known:
            continue
        named = [state.get("api_key_env"), *_variables(state.get("extra_headers"))]
        keys = [str(key) for key in named if key]
        sent = f", with what is in the environment as {', '.join(keys)}" if keys else ""
        raise ValueError(
            f"{path}: the model sends texts to {address}{sent}. If you trust this server, load "
            f"it with servers=[{address!r}]."
        )


def _variables(headers: Any) -> list[str]:
    return [name for value in (headers or {}).values() for name in variables_in(value)]
