"""How texts become vectors: what the parameters and the model's own files say."""

import json
from pathlib import Path
from typing import Any, NamedTuple

POOLINGS = ("mean", "cls", "last")
# what sentence-transformers writes into a model's folder
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
    """All that decides the numbers: two equal ones give a text the same vector."""

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
        """Return a text that is the same only for the same parameters and weights."""
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
    """Fill in what the model's own files decide.

    Raises
    ------
    ValueError
        If ``max_length`` is more than the model can read, or the model's files ask for what
        is not supported.
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
            f"{folder} can read."
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
    """Return a limit on tokens; models without one name none, -1 or an astronomical one."""
    return int(stated) if stated and 0 < stated < _NO_LIMIT else _NO_LIMIT


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def _kind(module: dict[str, Any]) -> str:
    """Return the name of a module's class, with its package if that is another."""
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
        If the model's files ask for more than a pooling that is known here.
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
    for name, on in pooled.items():  # as older releases write them
        if name.startswith("pooling_") and on is True:
            modes.add(name.removeprefix("pooling_mode_").removesuffix("_tokens"))
    modes = {mode.removesuffix("_token") for mode in modes}
    if len(modes) > 1 or not modes <= {*_MODES}:
        asked += sorted(modes)
    if asked:
        raise ValueError(
            f"The files of the model in {folder} ask for {', '.join(asked)}, which is more "
            "than is known here. pooling='mean', 'cls' or 'last' uses the model without."
        )
    if modes:
        return _MODES[modes.pop()]
    causal = "CausalLM" in " ".join(config.get("architectures") or [])
    if causal and config.get("is_causal", True) and not has_pooling:
        return "last"
    return "mean"


def _own_prompt(folder: Path) -> str:
    """Return the prompt that the model's files put before each text by default.

    Raises
    ------
    ValueError
        If they name a prompt that they do not have.
    """
    own = _read(folder / "config_sentence_transformers.json")
    name = own.get("default_prompt_name")
    prompts = {None: "", "query": "", "document": "", **(own.get("prompts") or {})}
    if name not in prompts:
        raise ValueError(
            f"The files of the model in {folder} name {name!r} as their default prompt, and "
            "have no prompt of this name. Pass prompt='...', or prompt='' for none."
        )
    return prompts[name] or ""
