"""Settings of an embedding model, from the parameters and the model's own files."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from llmtopics._whole_files import read_json

POOLINGS = ("mean", "cls", "last")
# names that sentence-transformers writes into the files of a model
_MODES = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_MODULES = {"Transformer", "Pooling", "Normalize"}
_SENTENCE_FILES = [
    f"sentence_{kind}_config.json"
    for kind in [
        "bert",
        "roberta",
        "distilbert",
        "camembert",
        "albert",
        "xlm-roberta",
        "xlnet",
    ]
]
_NO_LIMIT = 10**9


class EncodeSettings(NamedTuple):
    """Everything that a vector depends on. Equal settings give a text the same vector."""

    folder: Path
    pooling: str
    normalize: bool
    max_length: int
    long_texts: str
    dtype: str
    prompt: str
    pool_prompt: bool  # whether the prompt's tokens are part of the pooling
    lowercase: bool

    def describe(self, fingerprint: str) -> str:
        """Return a string for the cache key. It differs if settings or weights differ."""
        return json.dumps([fingerprint, *self[1:]])


def read_settings(
    folder: Path,
    pooling: str,
    normalize: bool,
    max_length: int | None,
    long_texts: str,
    dtype: str,
    prompt: str | None,
) -> EncodeSettings:
    """Replace parameters of None or "auto" by the settings in the model's files.

    Raises
    ------
    ValueError
        If ``max_length`` is more than the model can read, or the model's files need
        something that is not supported.
    """
    config = _read(folder / "config.json")
    modules = _read(folder / "modules.json")
    sentences: dict[str, Any] = next(
        filter(None, (_read(folder / name) for name in _SENTENCE_FILES)), {}
    )
    places = [each["path"] for each in modules if _kind(each) == "Pooling"]
    pooled = _read(folder / (places or ["1_Pooling"])[0] / "config.json")
    own = sentences.get("max_seq_length") or 0
    stated = _limit(_read(folder / "tokenizer_config.json").get("model_max_length"))
    limit = min(
        _limit(config.get("text_config", config).get("max_position_embeddings")),
        max(stated, own),
    )
    if max_length is None:
        max_length = min(own or stated, limit)
        max_length = 512 if max_length == _NO_LIMIT else max_length
    elif max_length > limit:
        raise ValueError(
            f"max_length={max_length} is more than the {limit} tokens that the model in "
            f"{folder} can read. Lower it."
        )
    if pooling == "auto":
        pooling = _own_pooling(folder, config, modules, sentences, pooled, bool(places))
    if prompt is None:
        prompt = _own_prompt(folder)
    return EncodeSettings(
        folder,
        pooling,
        normalize,
        max_length,
        long_texts,
        dtype,
        prompt,
        pooled.get("include_prompt", True),
        sentences.get("do_lower_case", False),
    )


def _limit(stated: float | None) -> int:
    """Return the token limit in a file. None, -1 or a huge number there means no limit."""
    return int(stated) if stated and 0 < stated < _NO_LIMIT else _NO_LIMIT


def _read(file: Path) -> Any:
    return read_json(file) if file.exists() else {}


def _kind(module: dict[str, Any]) -> str:
    """Return a module's class, without its package if that is sentence_transformers."""
    package, _, name = module["type"].rpartition(".")
    return name if package.split(".")[0] == "sentence_transformers" else module["type"]


def _own_pooling(
    folder: Path,
    config: dict[str, Any],
    modules: list[dict[str, Any]],
    sentences: dict[str, Any],
    pooled: dict[str, Any],
    has_pooling: bool,
) -> str:
    """Return the pooling that the model was trained with, or the usual one of its kind.

    Raises
    ------
    ValueError
        If the model's files need more than one of the supported poolings.
    """
    asked = [kind for kind in map(_kind, modules) if kind not in _MODULES]
    family = _read(folder / "config_sentence_transformers.json").get("model_type")
    if family not in (None, "SentenceTransformer"):
        asked.append(family)
    task = sentences.get("transformer_task", "feature-extraction")
    if task != "feature-extraction":
        asked.append(task)
    named = pooled.get("pooling_mode", [])
    modes = {named} if isinstance(named, str) else {*named}
    for name, on in pooled.items():  # the format of older releases
        if name.startswith("pooling_") and on is True:
            modes.add(name.removeprefix("pooling_mode_").removesuffix("_tokens"))
    modes = {mode.removesuffix("_token") for mode in modes}
    if len(modes) > 1 or not modes <= {*_MODES}:
        asked += sorted(modes)
    if asked:
        raise ValueError(
            f"The files of the model in {folder} need {', '.join(asked)}, which is not "
            "supported. Pass pooling='mean', 'cls' or 'last' to use the model without it."
        )
    if modes:
        return _MODES[modes.pop()]
    causal = "CausalLM" in " ".join(config.get("architectures") or [])
    if causal and config.get("is_causal", True) and not has_pooling:
        return "last"
    return "mean"


def _own_prompt(folder: Path) -> str:
    """Return the default prompt in the model's files, which goes before each text.

    Raises
    ------
    ValueError
        If the files name a prompt that they do not have.
    """
    own = _read(folder / "config_sentence_transformers.json")
    name = own.get("default_prompt_name")
    prompts = {None: "", "query": "", "document": "", **(own.get("prompts") or {})}
    if name not in prompts:
        raise ValueError(
            f"The files of the model in {folder} name {name!r} as their default prompt, and "
            "have no prompt of this name. Pass prompt='...', or prompt='' for no prompt."
        )
    return prompts[name] or ""
