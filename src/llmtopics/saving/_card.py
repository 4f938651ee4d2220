"""A model card: one page of Markdown about a saved model."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sklearn.exceptions import NotFittedError

from llmtopics._fitted_model import FittedModel
from llmtopics._vectorizers import unfrozen

_MOST = 80  # characters of a value
_N_WORDS = 10  # of each topic


def model_card(
    model: Any, about: Mapping[str, Any], measures: Mapping[str, Any], call: str
) -> str:
    """Return the card.

    Parameters
    ----------
    model : estimator or Topics
    about : mapping
        Versions.
    measures : mapping
        Names and values to show.
    call : str
        Code that loads the file.
    """
    inner = unfrozen(model if hasattr(model, "get_params") else model.model)
    lines = [f"# {type(inner).__name__}", "", f"Load it with `{call}`.", ""]
    if measures:
        shown = {
            n: f"{v:.4g}" if isinstance(v, float) else v for n, v in measures.items()
        }
        lines += _table("measure", "value", shown)
    if not hasattr(model, "get_params"):
        lines += _table(
            "topic", "documents", dict(zip(model.names, model.sizes, strict=True))
        )
        digest = sha256("\0".join(model.texts).encode("utf-8", "replace")).hexdigest()
        about = {**about, "documents": len(model.texts), "SHA-256 of documents": digest}
    elif topics := _topics(getattr(inner, "best_estimator_", inner)):
        lines += _table("topic", "words", topics)
    if hasattr(inner, "best_params_"):
        chosen = {n: f"`{_short(v)}`" for n, v in inner.best_params_.items()}
        if hasattr(inner, "best_score_"):
            chosen["mean score of its folds"] = f"{inner.best_score_:.4g}"
        lines += _table("chosen by the search", "value", chosen)
    lines += _table("made with", "", {k: v for k, v in about.items() if k != "format"})
    parameters = _parameters(inner)
    plain = {n: v for n, v in parameters.items() if not hasattr(v, "get_params")}
    lines += _table(
        "parameter", "value", {n: f"`{_short(v)}`" for n, v in plain.items()}
    )
    return "\n".join(lines)


def _topics(model: Any) -> dict[str, str]:
    """Return the first words of each topic, {} if it has none or is not fitted."""
    fitted = FittedModel(model)
    try:
        words = fitted.top_words(_N_WORDS) or []
    except NotFittedError:
        return {}
    names = fitted.names or map(str, range(len(words)))
    pairs = zip(names, words, strict=True)
    return {name: ", ".join(some) for name, some in pairs} if words else {}


def _parameters(model: Any) -> dict[str, Any]:
    """Return the parameters, also of parts that a FrozenEstimator hides."""
    found = model.get_params(deep=True)
    for name, value in list(found.items()):
        if (part := unfrozen(value)) is not value:
            inner = _parameters(part).items()
            found |= {f"{name}__{n}": v for n, v in inner}
    return found


def _table(left: str, right: str, rows: Mapping[Any, Any]) -> list[str]:
    cells = [(left, right), ("---", "---"), *rows.items()]
    return [*(f"| {_cell(a)} | {_cell(b)} |" for a, b in cells), ""]


def _cell(given: Any) -> str:
    return " ".join(str(given).split()).replace("|", "\\|")


def _short(given: Any) -> str:
    """Return a value, or what kind it is: long ones may hold documents."""
    text = repr(given)
    kind = type(given)
    if len(text) <= _MOST and kind.__module__ == "builtins" and not callable(given):
        return text
    size = f" of {len(given)}" if hasattr(given, "__len__") else ""
    return f"{kind.__name__}{size}"
