"""How topics were made: model, parameters, versions, and what identifies the texts."""

import hashlib
import math
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from numbers import Number
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from llmtopics import __version__
from llmtopics._checks import shortened
from llmtopics._vectorizers import unfrozen
from llmtopics.reading import Topics
from llmtopics.reading._display import kind_of

_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "transformers")
_MAPS = {
    "topics": "Topics with similar documents are near each other. A document is near its topics, "
    "so the map is no proof that topics are separate. Axes have no unit.",
    "pca": "The two first principal components of the documents' vectors.",
    "umap": "UMAP of the documents' vectors. Axes have no unit.",
}
# a string of one word is a setting such as "prior", and no text
_SETTING = re.compile(r"[!-?A-~]{1,40}")
_LONGEST = 700  # characters of the model
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")  # another one in each process
_SECRET = (
    r"(?:key|(?<![a-z_-])token|(?:access|api|auth|bearer|hf|hub|id|refresh|session)[_-]?token"
    r"|auth|authorization|pass(?:word|wd|phrase)?|secret|credentials?|cookies?|signature)"
)
_IS_SECRET = re.compile(f"{_SECRET}$", re.IGNORECASE)
_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_SECRETS = re.compile(
    rf"""({_SECRET}['"]?\s*[=:]\s*b?){_STRING}(?:\s*{_STRING})*""",
    re.IGNORECASE,
)
_USER = re.compile(r"(?<=://)[^/\s'\"@]+(?=@)")  # user:password of an address


def how_made(topics: Topics, map_method: str, show_values: bool) -> dict[str, Any]:
    """Return what a reader needs to fit the model again.

    With ``show_values=False``, values of parameters that may hold texts are not shown.
    """
    model = unfrozen(topics.model)
    parameters = sorted(_parameters(model), key=lambda pair: pair[0])
    versions = {"llmtopics": __version__, "Python": platform.python_version()}
    return {
        "model": _model(model) if show_values else None,
        "kind": kind_of(topics),
        "map": _MAPS[map_method],
        "parameters": {
            name: _value(name, value, show_values) for name, value in parameters
        },
        "seeds": {
            name: _value(name, value, True)
            for name, value in parameters
            if name.endswith("random_state")
        },
        "versions": versions | {name: metadata.version(name) for name in _PACKAGES},
        "n_documents": len(topics.texts),
        "n_words": len(topics.vocabulary),
        "n_tokens": int(topics._counts.sum()),
        "sha256": fingerprint(topics.texts),
    }


def fingerprint(texts: list[str]) -> str:
    """Return the SHA-256 of all texts, each followed by a zero byte."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _parameters(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a model and of all parts of it, frozen ones included."""
    for name, value in unfrozen(model).get_params(deep=True).items():
        yield prefix + name, value
        if isinstance(value, FrozenEstimator):
            yield from _parameters(value, f"{prefix}{name}__")


def _model(model: Any) -> str:
    """Return the model with the parameters that differ from the defaults."""
    if type(model).__repr__ is BaseEstimator.__repr__:
        whole = model.__repr__(N_CHAR_MAX=math.inf)
    else:
        whole = repr(model)
    text = " ".join(_public(whole).split())  # cut afterwards: a part of a secret is one
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}...{text[-half:]}"


def _value(name: str, value: Any, show: bool) -> str:
    """Return a parameter as text. Of what may hold texts, only the kind is told."""
    if value is None or isinstance(value, Number | bool):
        return repr(value)
    if isinstance(value, str | bytes) and _IS_SECRET.search(name):
        return "'***'"
    if isinstance(value, str):
        is_shown = show or _SETTING.fullmatch(value)
        return _public(shortened(value)) if is_shown else "str"
    if hasattr(value, "get_params"):
        return type(unfrozen(value)).__name__
    if hasattr(value, "shape"):
        return f"{type(value).__name__} of shape {value.shape}"
    if not show:
        return type(value).__name__
    if isinstance(value, list | tuple | dict | set | frozenset | bytes):
        return _public(shortened(value))
    return _public(repr(value))[:200]


def _public(text: str) -> str:
    """Return a repr without secrets, and without addresses in memory."""
    text = _SECRETS.sub(r"\1'***'", text)
    return _ADDRESS.sub("", _USER.sub("***", text))
