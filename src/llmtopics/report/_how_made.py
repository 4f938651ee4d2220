"""How topics were made: model, parameters, versions, and what identifies the texts."""

import hashlib
import platform
from collections.abc import Iterator
from importlib import metadata
from numbers import Number
from typing import Any

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
_SETTING = 40  # characters: shorter strings are settings such as "prior", and no texts


def how_made(topics: Topics, map_method: str, show_values: bool) -> dict[str, Any]:
    """Return what a reader needs to fit the model again.

    With ``show_values=False``, values of parameters that may hold texts are not shown.
    """
    model = unfrozen(topics.model)
    parameters = sorted(_parameters(model), key=lambda pair: pair[0])
    versions = {"llmtopics": __version__, "Python": platform.python_version()}
    return {
        "model": " ".join(repr(model).split()) if show_values else None,
        "kind": kind_of(topics),
        "map": _MAPS[map_method],
        "parameters": {name: _value(value, show_values) for name, value in parameters},
        "seeds": {
            name: _value(value, True)
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


def _value(value: Any, show: bool) -> str:
    """Return a parameter as text. Of what may hold texts, only the kind is told."""
    if value is None or isinstance(value, Number | bool):
        return repr(value)
    if isinstance(value, str):
        return shortened(value) if show or len(value) <= _SETTING else "str"
    if hasattr(value, "get_params"):
        return type(unfrozen(value)).__name__
    if hasattr(value, "shape"):
        return f"{type(value).__name__} of shape {value.shape}"
    return shortened(value) if show else type(value).__name__
